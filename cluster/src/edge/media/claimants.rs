//! Those who claim to be the far side while keys are agreed on: whoever knows the port can speak to it, and only the
//! certificate tells whom the session description names.
//!
//! Each speaks for itself. Whoever comes from where the description points is the far side until its certificate says
//! otherwise, and then no keys are agreed on; a stranger that fails costs a far side nothing that begins while we wait for
//! it ([`GRACE`]). Where we begin, strangers have nothing to answer to and are not listened to. An attacker who sends from the far side's own address
//! can still spoil a handshake: until there are keys, nothing in DTLS tells the two apart.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handshake::{Agreeing, Handshake, Identity, Outcome};
use super::{NoKeys, metrics};

/// Strangers that are listened to at once.
const STRANGERS_MAX: usize = 3;
/// Strangers that are remembered as having failed, the last ones.
const FAILED_MAX: usize = 8;
/// How long a stranger may be silent before another may have its place.
const SILENCE: Duration = Duration::from_secs(1);
/// How long, after a stranger has failed and nobody else is at it, the far side may still come from elsewhere.
const GRACE: Duration = Duration::from_secs(4);

/// All of a session.
#[derive(Debug)]
pub(super) struct Claimants {
    identity: Arc<Identity>,
    agreed: Handshake,
    /// Who is where the description points; once there are keys, whoever they were agreed on with.
    expected: Agreeing,
    strangers: Vec<Stranger>,
    /// The strangers that failed, the last one first: they repeat themselves, and are not heard again.
    failed: VecDeque<Failed>,
    over: bool,
}

#[derive(Debug)]
struct Stranger {
    source: SocketAddr,
    spoke: Instant,
    agreeing: Agreeing,
}

#[derive(Debug)]
struct Failed {
    source: SocketAddr,
    why: NoKeys,
    at: Instant,
}

impl Claimants {
    /// Nobody yet; where we begin, `expected` is spoken to at the next tick.
    pub(super) fn new(
        identity: Arc<Identity>,
        agreed: Handshake,
        expected: SocketAddr,
        now: Instant,
    ) -> Self {
        let expected = Agreeing::new(&identity, agreed.clone(), expected, now);
        Self { identity, agreed, expected, strangers: Vec::new(), failed: VecDeque::new(), over: false }
    }

    /// Whether keys are agreed on with whom the description names now.
    pub(super) fn are_for(&self, agreed: &Handshake) -> bool {
        self.agreed == *agreed
    }

    /// Whether this is to go on: there are keys, or somebody is at it.
    pub(super) fn go_on(&self) -> bool {
        let at_it =
            || self.expected.goes_on() || self.strangers.iter().any(|stranger| stranger.agreeing.goes_on());
        self.have_keys() || !self.over && at_it()
    }

    /// Whether there are keys.
    pub(super) const fn have_keys(&self) -> bool {
        self.expected.has_keys()
    }

    /// With whom there are keys.
    pub(super) const fn peer(&self) -> SocketAddr {
        self.expected.peer()
    }

    /// Nobody waits for them any more.
    pub(super) fn give_up(&mut self) {
        self.over = true;
        self.strangers.clear();
    }

    /// Why there are no keys, where time is over.
    pub(super) fn why_none(&self) -> NoKeys {
        self.failed.front().map_or(NoKeys::TimedOut, |failed| failed.why)
    }

    /// Takes a datagram; `expected` is from where the far side is thought to come. `send` is given what is to be sent,
    /// and to whom.
    pub(super) fn datagram(
        &mut self,
        bytes: &[u8],
        (source, expected): (SocketAddr, SocketAddr),
        now: Instant,
        send: &mut impl FnMut(&[u8], SocketAddr),
    ) -> Option<Outcome> {
        if self.over {
            return None;
        }
        if self.have_keys() || source.ip() == expected.ip() {
            let outcome = self.expected.datagram(bytes, source, now, send);
            if self.have_keys() {
                self.strangers.clear();
            }
            return outcome;
        }
        let Some(stranger) = self.stranger(source, now) else {
            ::metrics::counter!(metrics::STRANGERS, "outcome" => "ignored").increment(1);
            return None;
        };
        stranger.spoke = now;
        let outcome = stranger.agreeing.datagram(bytes, source, now, send);
        self.judge(source, outcome, now)
    }

    /// Lets time pass. `peer` is where packets go, for a flight that nobody has asked for.
    pub(super) fn tick(
        &mut self,
        peer: SocketAddr,
        now: Instant,
        send: &mut impl FnMut(&[u8], SocketAddr),
    ) -> Option<Outcome> {
        if self.over {
            return None;
        }
        let outcome = self.expected.tick(peer, now, send);
        if outcome.is_some() || self.have_keys() {
            return outcome;
        }
        let told: Vec<_> = self
            .strangers
            .iter_mut()
            .filter_map(|stranger| {
                let outcome = stranger.agreeing.tick(stranger.source, now, send)?;
                Some((stranger.source, outcome))
            })
            .collect();
        for (source, outcome) in told {
            if let Some(outcome) = self.judge(source, Some(outcome), now) {
                return Some(outcome);
            }
        }
        let last = self.failed.front().filter(|last| now.saturating_duration_since(last.at) >= GRACE);
        last.filter(|_| !self.go_on()).map(|last| Outcome::Failed(last.why))
    }

    /// The one at this address, or a new one where there is a place.
    fn stranger(&mut self, source: SocketAddr, now: Instant) -> Option<&mut Stranger> {
        if self.agreed.begins || self.failed.iter().any(|failed| failed.source == source) {
            return None;
        }
        if let Some(index) = self.strangers.iter().position(|stranger| stranger.source == source) {
            return self.strangers.get_mut(index);
        }
        if self.strangers.len() >= STRANGERS_MAX {
            let silent = |stranger: &Stranger| now.saturating_duration_since(stranger.spoke) >= SILENCE;
            let index = self.strangers.iter().position(silent)?;
            self.strangers.swap_remove(index);
        }
        let agreeing = Agreeing::new(&self.identity, self.agreed.clone(), source, now);
        self.strangers.push(Stranger { source, spoke: now, agreeing });
        self.strangers.last_mut()
    }

    /// What a stranger has come to. With keys it is the far side, and no stranger.
    fn judge(&mut self, source: SocketAddr, outcome: Option<Outcome>, now: Instant) -> Option<Outcome> {
        let outcome = outcome?;
        let index = self.strangers.iter().position(|stranger| stranger.source == source)?;
        let stranger = self.strangers.swap_remove(index);
        if let Outcome::Failed(why) = outcome {
            ::metrics::counter!(metrics::STRANGERS, "outcome" => why.name()).increment(1);
            self.failed.truncate(FAILED_MAX - 1);
            self.failed.push_front(Failed { source, why, at: now });
            return None;
        }
        self.expected = stranger.agreeing;
        self.strangers.clear();
        Some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::super::handshake::Hash;
    use super::*;
    use crate::clock;

    fn identity() -> Arc<Identity> {
        Arc::new(Identity::new(Duration::from_secs(10)).unwrap())
    }

    fn named(identity: &Identity, begins: bool) -> Handshake {
        Handshake { begins, hash: Hash::Sha256, fingerprint: identity.fingerprint() }
    }

    fn at(host: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, host], 9))
    }

    /// A line with us at one end and, at addresses of their own, any number of others at the other.
    struct Line {
        us: Claimants,
        expected: SocketAddr,
        others: Vec<(SocketAddr, Agreeing)>,
        now: Instant,
    }

    impl Line {
        fn new(ours: &Arc<Identity>, agreed: Handshake, expected: SocketAddr) -> Self {
            let now = clock::monotonic();
            Self {
                us: Claimants::new(Arc::clone(ours), agreed, expected, now),
                expected,
                others: Vec::new(),
                now,
            }
        }

        fn comes(&mut self, source: SocketAddr, identity: &Identity, agreed: Handshake) {
            self.others.push((source, Agreeing::new(identity, agreed, at(100), self.now)));
        }

        /// All speak and are answered until nobody has more to say, at each of so many steps of 300 ms; what we come to.
        fn speak(&mut self, steps: usize) -> Option<Outcome> {
            for _ in 0..steps {
                self.now += Duration::from_millis(300);
                let now = self.now;
                let mut ours = Vec::new();
                let mut send = |bytes: &[u8], to: SocketAddr| ours.push((bytes.to_vec(), to));
                if let Some(outcome) = self.us.tick(self.expected, now, &mut send) {
                    return Some(outcome);
                }
                let mut theirs = Vec::new();
                for (source, other) in &mut self.others {
                    other.tick(at(100), now, &mut |bytes, _| theirs.push((bytes.to_vec(), *source)));
                }
                while !(ours.is_empty() && theirs.is_empty()) {
                    for (bytes, source) in std::mem::take(&mut theirs) {
                        let mut send = |bytes: &[u8], to: SocketAddr| ours.push((bytes.to_vec(), to));
                        let outcome = self.us.datagram(&bytes, (source, self.expected), now, &mut send);
                        if outcome.is_some() {
                            return outcome;
                        }
                    }
                    for (bytes, to) in std::mem::take(&mut ours) {
                        let Some((source, other)) = self.others.iter_mut().find(|(at, _)| *at == to) else {
                            continue;
                        };
                        let mut send = |bytes: &[u8], _: SocketAddr| theirs.push((bytes.to_vec(), *source));
                        other.datagram(&bytes, at(100), now, &mut send);
                    }
                }
            }
            None
        }
    }

    #[test]
    fn a_stranger_that_fails_costs_the_far_side_nothing() {
        let (us, them, stranger) = (identity(), identity(), identity());
        for far in [at(1), at(2)] {
            let mut line = Line::new(&us, named(&them, false), at(1));
            line.comes(at(66), &stranger, named(&us, true));
            assert!(line.speak(6).is_none());
            assert_eq!(line.us.why_none(), NoKeys::Fingerprint);
            line.comes(far, &them, named(&us, true));
            assert!(matches!(line.speak(5), Some(Outcome::Keys(_))), "{far}");
            assert!(line.us.have_keys() && line.us.strangers.is_empty());
        }
    }

    #[test]
    fn strangers_under_way_do_not_keep_the_far_side_from_its_place() {
        let (us, them, stranger) = (identity(), identity(), identity());
        let mut line = Line::new(&us, named(&them, false), at(1));
        for host in 60..70 {
            line.comes(at(host), &stranger, named(&us, true));
        }
        line.comes(at(1), &them, named(&us, true));
        assert!(matches!(line.speak(5), Some(Outcome::Keys(_))));
        assert!(line.us.strangers.len() <= STRANGERS_MAX);
    }

    #[test]
    fn where_nobody_else_comes_it_is_told_why_the_stranger_failed() {
        let (us, them, stranger) = (identity(), identity(), identity());
        let mut line = Line::new(&us, named(&them, false), at(1));
        line.comes(at(66), &stranger, named(&us, true));
        let outcome = line.speak(20);
        assert!(matches!(outcome, Some(Outcome::Failed(NoKeys::Fingerprint))), "{outcome:?}");
    }

    #[test]
    fn from_where_the_description_points_the_wrong_certificate_ends_it() {
        let (us, them, stranger) = (identity(), identity(), identity());
        let mut line = Line::new(&us, named(&them, false), at(1));
        line.comes(at(1), &stranger, named(&us, true));
        let outcome = line.speak(4);
        assert!(matches!(outcome, Some(Outcome::Failed(NoKeys::Fingerprint))), "{outcome:?}");
    }

    #[test]
    fn an_alert_of_a_stranger_breaks_nothing_off_where_we_begin() {
        let (us, them) = (identity(), identity());
        let mut line = Line::new(&us, named(&them, true), at(1));
        line.comes(at(1), &them, named(&us, false));
        // Fatal, handshake_failure, in the clear (RFC 5246 section 7.2, RFC 6347 section 4.1).
        let alert = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40];
        let mut sent = 0;
        for _ in 0..10 {
            let ways = (at(66), at(1));
            assert!(line.us.datagram(&alert, ways, line.now, &mut |_, _| sent += 1).is_none());
        }
        assert!(matches!(line.speak(5), Some(Outcome::Keys(_))));
        assert_eq!(sent, 0);
    }
}
