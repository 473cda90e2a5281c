//! Whose packets a session believes.
//!
//! The far side's packets come from where its session description says, or, behind a network address
//! translator, from anywhere; then ours must go there too (symmetric RTP, RFC 4961). But whoever guesses our
//! port must not be able to take the call over. So: the described address is believed at any time before
//! another is; another address is believed only if it is the first, shows a few packets that follow one
//! another, and comes within a window after the description; from then on only that one.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Micros;
use super::packet::Header;

/// Packets in a row that an address other than the described one must show.
const PROOF: u8 = 3;

/// The source that a session believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latch {
    described: SocketAddr,
    believed: Option<SocketAddr>,
    window_ends: Micros,
    candidate: Option<Candidate>,
    /// Only who proves itself otherwise is believed.
    by_checks: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Candidate {
    source: SocketAddr,
    ssrc: u32,
    sequence: u16,
    shown: u8,
}

impl Latch {
    /// Believes nobody yet; an address other than `described` has until `window_ends` to prove itself.
    #[must_use]
    pub fn new(described: SocketAddr, window_ends: Micros) -> Self {
        Self { described, believed: None, window_ends, candidate: None, by_checks: false }
    }

    /// Believes whoever [`Latch::believe`] names, and nobody else, wherever the description points (RFC 8445).
    #[must_use]
    pub fn by_checks(described: SocketAddr) -> Self {
        Self { by_checks: true, ..Self::new(described, 0) }
    }

    /// Whether it goes by that alone.
    #[must_use]
    pub fn is_by_checks(&self) -> bool {
        self.by_checks
    }

    /// Believes this source from now on: it has proved itself by more than its packets' numbers.
    pub fn believe(&mut self, source: SocketAddr) {
        self.believed = Some(source);
        self.candidate = None;
    }

    /// Whether this source is believed, or may come to be.
    #[must_use]
    pub fn may_be(&self, source: SocketAddr) -> bool {
        self.believed.map_or(!self.by_checks, |believed| believed == source)
    }

    /// Whether it is known where our packets go.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.believed.is_some() || !self.by_checks
    }

    /// A new description. One with the same address keeps what was learnt.
    pub fn describe(&mut self, described: SocketAddr, window_ends: Micros) {
        if described != self.described {
            *self = Self::new(described, window_ends);
        }
    }

    /// Where our packets go.
    #[must_use]
    pub fn destination(&self) -> SocketAddr {
        self.believed.unwrap_or(self.described)
    }

    /// Whether a source is believed.
    #[must_use]
    pub fn is_latched(&self) -> bool {
        self.believed.is_some()
    }

    /// Whether a well-formed packet from `source` is to be used.
    pub fn accepts(&mut self, source: SocketAddr, header: &Header, now: Micros) -> bool {
        if let Some(believed) = self.believed {
            return believed == source;
        }
        if self.by_checks {
            return false;
        }
        if source == self.described {
            self.believed = Some(source);
            self.candidate = None;
            return true;
        }
        if now > self.window_ends {
            return false;
        }
        let shown = match &self.candidate {
            Some(candidate) if candidate.follows(source, header) => candidate.shown + 1,
            Some(candidate) if candidate.source != source && candidate.shown > 1 => return false,
            _ => 1,
        };
        self.candidate = Some(Candidate { source, ssrc: header.ssrc, sequence: header.sequence, shown });
        if shown >= PROOF {
            self.believed = Some(source);
            self.candidate = None;
        }
        self.believed.is_some()
    }
}

impl Candidate {
    fn follows(&self, source: SocketAddr, header: &Header) -> bool {
        self.source == source
            && self.ssrc == header.ssrc
            && (1..=4).contains(&header.sequence.wrapping_sub(self.sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Micros = 10_000_000;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn packet(sequence: u16) -> Header {
        Header { sequence, ssrc: 9, ..Header::default() }
    }

    #[test]
    fn the_described_address_is_believed_at_once_and_for_good() {
        let mut latch = Latch::new(at(4000), WINDOW);
        assert!(latch.accepts(at(4000), &packet(1), WINDOW * 9));
        assert!(!latch.accepts(at(4002), &packet(2), 1));
        assert_eq!(latch.destination(), at(4000));
    }

    #[test]
    fn another_address_must_show_packets_that_follow_one_another() {
        let mut latch = Latch::new(at(4000), WINDOW);
        assert!(!latch.accepts(at(5000), &packet(1), 1));
        assert!(!latch.accepts(at(5000), &packet(900), 1));
        assert!(!latch.accepts(at(5000), &packet(901), 1));
        assert!(latch.accepts(at(5000), &packet(902), 1));
        assert_eq!(latch.destination(), at(5000));
        assert!(!latch.accepts(at(4000), &packet(1), 1), "only one is ever believed");
    }

    #[test]
    fn after_the_window_only_the_described_address_is_believed() {
        let mut latch = Latch::new(at(4000), WINDOW);
        assert!((0..50).all(|sequence| !latch.accepts(at(5000), &packet(sequence), WINDOW + 1)));
        assert!(latch.accepts(at(4000), &packet(1), WINDOW + 2));
    }

    #[test]
    fn where_checks_decide_no_packet_does() {
        let mut latch = Latch::by_checks(at(4000));
        assert!((0..50).all(|sequence| !latch.accepts(at(4000), &packet(sequence), 1)));
        assert!(!latch.is_reachable() && !latch.may_be(at(4000)));
        latch.believe(at(5000));
        assert!(latch.accepts(at(5000), &packet(1), WINDOW * 9) && !latch.accepts(at(4000), &packet(2), 1));
        assert_eq!(latch.destination(), at(5000));
        latch.believe(at(6000));
        assert!(!latch.accepts(at(5000), &packet(3), 1), "another way was nominated");
    }

    #[test]
    fn a_new_description_starts_over_and_the_same_keeps_what_was_learnt() {
        let mut latch = Latch::new(at(4000), WINDOW);
        for sequence in 0..3 {
            latch.accepts(at(5000), &packet(sequence), 1);
        }
        latch.describe(at(4000), 2 * WINDOW);
        assert_eq!(latch.destination(), at(5000));
        latch.describe(at(6000), 2 * WINDOW);
        assert_eq!(latch.destination(), at(6000));
        assert!(!latch.accepts(at(5000), &packet(3), 1));
    }
}
