//! People whom the carrier calls before the call is answered: one of them has it, or the next are called, or the
//! caller comes to us.

use std::time::Duration;

use actors::call::leg::{self, Event, Reached};
use actors::types::{Destination, EndReason, HandOverOutcome};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::call::{Call, Phase};
use super::metrics;
use super::provider::rest::Outcome;
use super::provider::webhook::{Answer, Dial, News, Target};
use super::table::Opens;
use super::told::{Dialled, Told};
use super::transfer::target_of;

/// How long carriers let it ring, in seconds: the least and the most that all of them take.
const RING_S: (u64, u64) = (5, 120);

/// The people who are called at once.
pub(super) struct Reach {
    people: Vec<Destination>,
    /// What whoever picks up is told; they have the call at once where absent.
    words: Option<String>,
    /// Opens the questions about them; of each round its own, so that what is told late of one is not taken for the
    /// next one's.
    token: String,
    /// Those of earlier rounds.
    before: Vec<String>,
    /// What the carrier was told to do, for when it asks again.
    answer: String,
    /// Somebody has picked up and was told.
    asked: bool,
    /// And wants the call not.
    declined: bool,
    /// Who has it.
    taken_by: Option<usize>,
    /// The receptionist waits for the caller.
    is_wanted_back: bool,
}

impl Reach {
    /// What it means that dialling is over and nobody has the call.
    const fn outcome(&self, status: Option<u16>) -> HandOverOutcome {
        match status {
            _ if self.declined => HandOverOutcome::Declined,
            // A mailbox presses no key.
            _ if self.asked => HandOverOutcome::Voicemail,
            Some(status) if status >= 300 => HandOverOutcome::of_status(status),
            Some(_) | None => HandOverOutcome::NoAnswer,
        }
    }

    /// Whom a message is about; the first where it does not say.
    fn person(&self, told: &Dialled) -> usize {
        let digits = |number: &str| number.trim_start_matches('+').to_owned();
        let by_number = told.whom.as_deref().and_then(|whom| {
            self.people.iter().position(|one| match target_of(one) {
                Target::Number(number) => digits(number) == digits(whom),
                Target::Sip(uri) => uri == whom,
            })
        });
        let known = |person: &usize| *person < self.people.len();
        told.person.filter(known).or(by_number).unwrap_or_default()
    }
}

impl Call {
    /// Has the carrier call people. It waits for what to do.
    pub(super) fn begin_reach(&mut self, wanted: leg::Reach) {
        let by_key = wanted.words.is_some();
        let whom: Vec<(usize, Target<'_>)> = wanted
            .people
            .iter()
            .map(target_of)
            .enumerate()
            .filter(|(_, target)| self.provider.dials(target, by_key))
            .collect();
        // Whoever declines must not be put through all the same.
        let can_ask = !by_key || !self.provider.lets_go_by_rest() || self.shared.rest.can(self.provider);
        if whom.is_empty() || !can_ask || self.phase != Phase::Asked {
            return self.deliver(Event::Reached(Reached::Nobody(HandOverOutcome::Unreachable)));
        }
        let token = self.place.token(Opens::Transfer);
        let (settings, provider) = (&self.shared.settings, self.provider);
        let ask = by_key.then(|| settings.url(provider, "ask", &token));
        let people = Dial {
            whom: &whom,
            then: &settings.url(provider, "dialled", &token),
            ask: ask.as_deref(),
            announcement: wanted.announcement.as_deref(),
            from: self.called.as_str(),
            ring_s: (wanted.ring_ms / 1_000).clamp(RING_S.0, RING_S.1),
            unanswered: true,
        };
        let answer = provider.answer(&Answer::Dial(&people));
        let patience = wanted.ring_ms.saturating_add(settings.transfer_ms);
        self.deadline = Instant::now() + Duration::from_millis(patience);
        self.phase = Phase::Reaching;
        let before = self.reach.take().map_or_else(Vec::new, |reach| {
            let mut before = reach.before;
            before.push(reach.token);
            before
        });
        metrics::call(provider, "reaching");
        // A carrier that does not wait any more will ask again.
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(answer.clone());
        }
        let (people, words) = (wanted.people, wanted.words);
        self.reach = Some(Reach {
            people,
            words,
            token,
            before,
            answer,
            asked: false,
            declined: false,
            taken_by: None,
            is_wanted_back: false,
        });
    }

    /// Whether a token opens questions about people who are called before the call is answered.
    pub(super) fn is_reachs(&self, token: &str) -> bool {
        let of = |reach: &Reach| reach.token == token || reach.before.iter().any(|before| before == token);
        self.reach.as_ref().is_some_and(of)
    }

    fn is_current(&self, token: &str) -> bool {
        self.reach.as_ref().is_some_and(|reach| reach.token == token)
    }

    /// What the carrier was told last, once more.
    pub(super) fn tell_again(&self, reply: oneshot::Sender<String>) {
        if let Some(reach) = &self.reach {
            let _ = reply.send(reach.answer.clone());
        }
    }

    /// Somebody has picked up: what they are told.
    pub(super) fn on_picked_up(&mut self, token: &str, person: usize, reply: oneshot::Sender<String>) {
        let is_theirs = self.phase == Phase::Reaching && self.is_current(token);
        let answer = match &mut self.reach {
            Some(Reach { words: Some(words), asked, .. }) if is_theirs => {
                *asked = true;
                let settings = &self.shared.settings;
                let pressed = format!("{}/{person}", settings.url(self.provider, "pressed", token));
                self.provider.answer(&Answer::Ask { words, pressed: &pressed, wait_s: settings.ask_s })
            }
            _ => self.provider.answer(&Answer::Leave),
        };
        let _ = reply.send(answer);
    }

    /// They have pressed a key, or none.
    pub(super) fn on_pressed(
        &mut self,
        token: &str,
        person: usize,
        takes: bool,
        reply: oneshot::Sender<String>,
    ) {
        let is_theirs = self.phase == Phase::Reaching && self.is_current(token);
        let (known, has_it) = self.reach.as_ref().map_or((false, false), |reach| {
            (person < reach.people.len(), reach.token == token && reach.taken_by == Some(person))
        });
        if takes && is_theirs && known {
            self.joined(person);
        }
        // Who has it has it, also when that is told twice.
        if takes && (is_theirs && known || has_it) {
            let _ = reply.send(self.provider.answer(&Answer::Take));
            return;
        }
        if let (true, Some(reach)) = (is_theirs, &mut self.reach) {
            reach.declined = true;
        }
        let _ = reply.send(self.provider.answer(&Answer::Leave));
    }

    /// News of the people who are called.
    pub(super) async fn on_news(&mut self, told: Dialled) {
        let (is_current, by_key) =
            (self.is_current(&told.token), self.reach.as_ref().is_some_and(|reach| reach.words.is_some()));
        let person = self.reach.as_ref().map(|reach| reach.person(&told)).unwrap_or_default();
        let Dialled { news, reply, .. } = told;
        let noted = self.provider.noted();
        match (self.phase, news) {
            (Phase::Reaching | Phase::Joined, News::Over) => {
                let _ = reply.send(self.provider.answer(&Answer::HangUp));
                self.end(EndReason::CallerHungUp, false).await;
            }
            // It did not hear what to do then, and asks again.
            (Phase::Reaching, News::Dialled(_) | News::DialOver) if !is_current => self.tell_again(reply),
            (Phase::Reaching, News::Joined) if is_current => {
                self.joined(person);
                let _ = reply.send(noted);
            }
            (Phase::Reaching, News::PickedUp) if is_current && !by_key => {
                self.joined(person);
                let _ = reply.send(noted);
            }
            // They have spoken and hung up, and nobody told that they had picked up.
            (Phase::Reaching, News::Dialled(200..=299)) if !by_key => {
                self.joined(person);
                let _ = reply.send(self.provider.answer(&Answer::HangUp));
                self.end(EndReason::CallerHungUp, false).await;
            }
            (Phase::Reaching, News::Dialled(_) | News::DialOver) if self.is_wanted_back() => {
                let answer = self.connect();
                let _ = reply.send(answer);
            }
            (Phase::Reaching, News::Dialled(_) | News::DialOver) => {
                let status = if let News::Dialled(status) = news { Some(status) } else { None };
                let outcome = self.reach.as_ref().map(|reach| reach.outcome(status));
                self.reply = Some(reply);
                self.phase = Phase::Asked;
                let patience = Duration::from_millis(self.shared.settings.offer_ms);
                self.deadline = Instant::now() + patience;
                let outcome = outcome.unwrap_or(HandOverOutcome::NoAnswer);
                self.deliver(Event::Reached(Reached::Nobody(outcome)));
            }
            (Phase::Joined, News::Dialled(_) | News::DialOver) => {
                let _ = reply.send(self.provider.answer(&Answer::HangUp));
                self.end(EndReason::CallerHungUp, false).await;
            }
            // The same once more, while the call is asked what is to be done.
            (Phase::Asked, News::Dialled(_) | News::DialOver) => self.reply = Some(reply),
            (Phase::Connecting, News::Dialled(_) | News::DialOver) => {
                let answer = self.connect();
                let _ = reply.send(answer);
            }
            _ => {
                let _ = reply.send(noted);
            }
        }
    }

    fn is_wanted_back(&self) -> bool {
        self.reach.as_ref().is_some_and(|reach| reach.is_wanted_back)
    }

    fn joined(&mut self, person: usize) {
        if let Some(reach) = &mut self.reach {
            reach.taken_by = Some(person);
        }
        self.phase = Phase::Joined;
        self.deadline = Instant::now() + Duration::from_millis(self.shared.settings.joined_ms);
        metrics::call(self.provider, "joined");
        self.deliver(Event::Reached(Reached::Joined(person)));
    }

    /// The receptionist answers although the carrier still calls people: it is asked to come for what is to be done.
    /// Where it can't be, it comes by itself once nobody has picked up.
    pub(super) fn bring_back(&mut self) {
        metrics::call(self.provider, "answered");
        let Some(reach) = &mut self.reach else { return };
        reach.is_wanted_back = true;
        let token = reach.token.clone();
        if !self.shared.rest.can(self.provider) {
            return;
        }
        self.phase = Phase::Connecting;
        self.deadline = Instant::now() + Duration::from_millis(self.shared.settings.stream_ms);
        let url = self.shared.settings.url(self.provider, "transfer", &token);
        let (rest, provider, remote) = (self.shared.rest.clone(), self.provider, self.remote.clone());
        let me = self.me.clone();
        self.shared.asking.spawn(async move {
            let outcome = rest.redirect(provider, &remote, &url).await;
            // A call that has ended meanwhile need not know.
            let _ = me.send(Told::Redirected(outcome)).await;
        });
    }

    /// What the carrier says to that. Where nobody knows, what it asks next tells.
    pub(super) async fn on_brought_back(&mut self, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Done) | None => {}
            Some(Outcome::Gone) => self.end(EndReason::CallerHungUp, false).await,
            Some(Outcome::Later | Outcome::Refused(_)) => {
                self.phase = Phase::Reaching;
                let patience = Duration::from_millis(self.shared.settings.transfer_ms);
                self.deadline = Instant::now() + patience;
            }
        }
    }
}
