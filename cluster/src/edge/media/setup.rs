//! What comes on a session's port beside audio and reports: checks of the way, and a handshake about keys (RFC 7983).

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Datagram;
use super::claimants::Claimants;
use super::guard::Guard;
use super::handshake::{Identity, Outcome};
use super::{Connectivity, NoKeys, Stream, metrics};
use crate::rtp::latch::Latch;
use crate::rtp::stun;

/// How long a far side has to go on checking until that is its consent (RFC 7675 section 5.1 has it ask every five
/// seconds); others check until a way is found, and no more.
const CONSENTS_AFTER: Duration = Duration::from_secs(10);
/// The first byte of a handshake's record (RFC 6347 section 4.1), bytes of the largest that is kept, and of how many
/// sources.
const HANDSHAKE: u8 = 22;
const EARLY_BYTES_MAX: usize = 2_048;
const EARLY_MAX: usize = 4;

/// A session's.
#[derive(Debug)]
pub(super) struct Setup {
    identity: Option<Arc<Identity>>,
    /// How long a handshake may take.
    patience: Duration,
    /// When the one under way is given up.
    due: Option<Instant>,
    /// What has come of one, until it is told.
    news: Option<Result<(), NoKeys>>,
    connectivity: Option<Connectivity>,
    claimants: Option<Box<Claimants>>,
    /// What came of handshakes before the description, the last of each source: a far side that begins may be faster
    /// than its answer (RFC 5763 section 5).
    early: Vec<(Vec<u8>, SocketAddr)>,
    /// When the far side proved itself first, and last.
    checked: Option<(Instant, Instant)>,
}

/// The port, and whom its packets are believed to be of.
pub(super) struct Way<'a> {
    pub(super) socket: &'a UdpSocket,
    pub(super) latch: &'a mut Latch,
    pub(super) guard: &'a mut Guard,
}

impl Setup {
    pub(super) const fn new(identity: Option<Arc<Identity>>, patience: Duration) -> Self {
        Self {
            identity,
            patience,
            due: None,
            news: None,
            connectivity: None,
            claimants: None,
            early: Vec::new(),
            checked: None,
        }
    }

    /// What has come of a handshake. Told once.
    pub(super) const fn news(&mut self) -> Option<Result<(), NoKeys>> {
        self.news.take()
    }

    /// A new description. Whether keys are to be agreed on anew.
    pub(super) fn configure(&mut self, stream: &Stream, now: Instant) -> bool {
        self.connectivity.clone_from(&stream.connectivity);
        if self.connectivity.is_none() {
            self.checked = None;
        }
        if stream.handshake.as_ref().is_none_or(|handshake| handshake.begins) {
            self.early.clear();
        }
        let (Some(agreed), Some(identity)) = (&stream.handshake, &self.identity) else {
            (self.claimants, self.due) = (None, None);
            return false;
        };
        let present = self.claimants.as_ref().filter(|present| present.are_for(agreed));
        if present.is_some_and(|present| present.have_keys()) {
            return false;
        }
        // Both descriptions are known as of now. Where they were before, a call was not answered yet.
        self.due = Some(now + self.patience);
        if present.is_some_and(|present| present.go_on()) {
            return false;
        }
        let claimants = Claimants::new(Arc::clone(identity), agreed.clone(), stream.remote, now);
        self.claimants = Some(Box::new(claimants));
        true
    }

    /// Takes a datagram that came before any description.
    pub(super) fn before_description(&mut self, datagram: &Datagram<'_>) {
        let begins = datagram.bytes.first() == Some(&HANDSHAKE) && datagram.bytes.len() <= EARLY_BYTES_MAX;
        if !begins || self.identity.is_none() {
            return;
        }
        self.early.retain(|(_, source)| *source != datagram.source);
        if self.early.len() < EARLY_MAX {
            self.early.push((datagram.bytes.to_vec(), datagram.source));
        }
    }

    /// Takes a datagram, where it is neither audio nor a report; whether it was that.
    pub(super) fn datagram(&mut self, datagram: &Datagram<'_>, way: &mut Way<'_>, now: Instant) -> bool {
        match datagram.bytes.first() {
            Some(0..=3) => self.check(datagram, way, now),
            // Where checks say whose packets are believed, nobody else's handshake is listened to.
            Some(20..=63) => {
                if let Some(claimants) = &mut self.claimants
                    && way.latch.may_be(datagram.source)
                {
                    let socket = way.socket;
                    let mut send = |packet: &[u8], to: SocketAddr| drop(socket.send_to(packet, to));
                    let ways = (datagram.source, way.latch.destination());
                    let outcome = claimants.datagram(datagram.bytes, ways, now, &mut send);
                    self.come_to(outcome, way);
                }
            }
            Some(128..=191) => return false,
            _ => {}
        }
        true
    }

    /// Lets time pass for a handshake.
    pub(super) fn tick(&mut self, way: &mut Way<'_>, now: Instant) {
        if self.claimants.is_none() {
            return;
        }
        for (bytes, source) in std::mem::take(&mut self.early) {
            self.datagram(&Datagram { bytes: &bytes, source, age: 0 }, way, now);
        }
        let Some(claimants) = &mut self.claimants else { return };
        let socket = way.socket;
        let mut send = |packet: &[u8], to: SocketAddr| drop(socket.send_to(packet, to));
        if self.due.is_some_and(|due| due <= now) {
            let why = claimants.why_none();
            self.come_to(Some(Outcome::Failed(why)), way);
        }
        let Some(claimants) = &mut self.claimants else { return };
        if !way.latch.is_reachable() {
            return;
        }
        let to = way.latch.destination();
        let outcome = claimants.tick(to, now, &mut send);
        self.come_to(outcome, way);
    }

    /// Whether a far side that went on checking has stopped for longer than this. Told once.
    pub(super) fn has_left(&mut self, now: Instant, patience: Duration) -> bool {
        let left = |(first, last): &(Instant, Instant)| {
            last.saturating_duration_since(*first) >= CONSENTS_AFTER
                && now.saturating_duration_since(*last) > patience
        };
        self.checked.take_if(|checked| left(checked)).is_some()
    }

    fn come_to(&mut self, outcome: Option<Outcome>, way: &mut Way<'_>) {
        let (Some(outcome), Some(claimants)) = (outcome, &mut self.claimants) else { return };
        self.due = None;
        let keys = match outcome {
            Outcome::Keys(keys) => way.guard.configure(Some(&keys)).map_err(|why| {
                tracing::warn!(%why, "keys that were agreed on can't be used");
                NoKeys::Profile
            }),
            Outcome::Failed(why) => Err(why),
        };
        let outcome = keys.map_or_else(NoKeys::name, |()| "keys");
        ::metrics::counter!(metrics::HANDSHAKES, "outcome" => outcome).increment(1);
        match keys {
            Ok(()) => way.latch.believe(claimants.peer()),
            Err(why) => {
                claimants.give_up();
                tracing::warn!(%why, "no keys were agreed on; nothing is heard or said in this call");
            }
        }
        self.news = Some(keys);
    }

    fn check(&mut self, datagram: &Datagram<'_>, way: &mut Way<'_>, now: Instant) {
        let Some(Connectivity { ours, theirs }) = &self.connectivity else { return };
        let Some(check) = stun::check(datagram.bytes, ours, theirs) else {
            ::metrics::counter!(metrics::CHECKS_UNPROVEN).increment(1);
            return;
        };
        self.checked = Some((self.checked.map_or(now, |(first, _)| first), now));
        // Until one way is nominated, the first that proves itself serves.
        if check.nominates || !way.latch.is_latched() {
            way.latch.believe(datagram.source);
        }
        let answer = stun::answer(&check, datagram.source, ours);
        let _ = way.socket.send_to(&answer, datagram.source);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Codec;
    use super::super::tests::stream;
    use super::*;
    use crate::clock;

    #[test]
    fn only_who_went_on_checking_is_missed() {
        let (began, patience) = (clock::monotonic(), Duration::from_secs(30));
        let mut setup = Setup::new(None, patience);
        let at = |seconds| began + Duration::from_secs(seconds);
        assert!(!setup.has_left(at(600), patience), "it never checked");
        setup.checked = Some((began, at(2)));
        assert!(!setup.has_left(at(600), patience), "it checked until there was a way");
        setup.checked = Some((began, at(12)));
        assert!(!setup.has_left(at(42), patience));
        assert!(setup.has_left(at(43), patience));
        assert!(!setup.has_left(at(44), patience), "told once");
        setup.checked = Some((began, at(12)));
        setup.configure(&stream(([192, 0, 2, 1], 9).into(), Codec::Pcmu), at(13));
        assert!(!setup.has_left(at(600), patience), "whoever it is now checks nothing");
    }
}
