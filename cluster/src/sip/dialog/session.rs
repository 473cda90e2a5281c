//! Session timers (RFC 4028): the two sides ask each other now and then whether the call is still there, so that
//! a lost BYE keeps none for ever.

use serde::{Deserialize, Serialize};
use sipx_sip::session::{MinSe, OPTION_TAG, Refresher, SessionExpires};

use super::super::respond::Draft;
use super::super::sdp::sdp_of;
use super::super::wire::{self, HeaderName, Headers, Method, Request, Response};
use super::state::{Phase, Reason};
use super::writing::{add, bytes_of, finish, request_of};
use super::{Dialog, Effect, Ending, Moment, RequestId};

/// What was agreed about a call's timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) interval_s: u32,
    pub(super) we_refresh: bool,
}

/// A refresh of ours that is under way, or the last re-INVITE of ours, whose 200 may come again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refresh {
    pub(super) id: RequestId,
    pub(super) by_invite: bool,
    pub(super) answered: bool,
    /// Our ACK and where it goes.
    pub(super) acknowledgement: Option<(Vec<u8>, String)>,
}

/// How long before the end of an unrefreshed session it is given up, at most (section 10).
const EARLY_S: u32 = 32;
/// How long a refresh that came too early is put off.
const AGAIN_MS: u64 = 2_100;

/// What an INVITE or UPDATE asks for.
fn asked(headers: &Headers) -> Option<SessionExpires> {
    headers.typed::<SessionExpires>()?.ok()
}

fn seconds(expires: SessionExpires) -> u32 {
    u32::try_from(expires.interval.as_secs()).unwrap_or(u32::MAX)
}

fn least(headers: &Headers) -> Option<u32> {
    let MinSe(least) = headers.typed::<MinSe>()?.ok()?;
    u32::try_from(least.as_secs()).ok()
}

/// Whether a request's or response's lists have this tag.
fn lists(headers: &Headers, name: &HeaderName, tag: &str) -> bool {
    headers.get_all(name).any(|header| {
        let value = header.value();
        value.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(tag.as_bytes()))
    })
}

impl Dialog {
    /// The least interval that we take, where a request asks for less and its sender would understand a 422.
    pub(super) fn too_brief(least_s: u32, request: &Request) -> Option<u32> {
        let asked = asked(&request.headers).map(seconds)?;
        (asked < least_s && lists(&request.headers, &HeaderName::Supported, OPTION_TAG)).then_some(least_s)
    }

    /// Takes what a request of the far side asks for (section 9); what our 200 says about it.
    pub(super) fn agree_on_session(&mut self, now: Moment, request: &Request) {
        self.note_allowed(&request.headers);
        let timing = self.own.timing;
        let supported = lists(&request.headers, &HeaderName::Supported, OPTION_TAG);
        self.session = match asked(&request.headers) {
            Some(expires) => Some(Session {
                // Less is refused where it can be; where its sender would not understand that, we still ask no more
                // often (section 11.2).
                interval_s: seconds(expires).max(timing.session_least_s).max(1),
                we_refresh: expires.refresher != Some(Refresher::Uac),
            }),
            None if supported && timing.session_s > 0 => Some(Session {
                interval_s: timing.session_s.max(least(&request.headers).unwrap_or(0)),
                we_refresh: true,
            }),
            None => None,
        };
        self.arm_session(now);
    }

    /// Adds to our 200 what was agreed.
    pub(super) fn with_session(&self, draft: Draft, request: &Request) -> Draft {
        let Some(session) = self.session else { return draft };
        let refresher = if session.we_refresh { "uas" } else { "uac" };
        let draft =
            draft.with(HeaderName::SessionExpires, format!("{};refresher={refresher}", session.interval_s));
        let supported = lists(&request.headers, &HeaderName::Supported, OPTION_TAG);
        if supported || !session.we_refresh { draft.with(HeaderName::Require, OPTION_TAG) } else { draft }
    }

    /// Adds to a request of ours what we want.
    pub(super) fn ask_for_session(&self, request: &mut Request, refresher: Option<&str>) {
        let interval_s = self.session.map_or(self.own.timing.session_s, |session| session.interval_s);
        if interval_s == 0 {
            return;
        }
        let refresher = refresher.map(|who| format!(";refresher={who}")).unwrap_or_default();
        add(request, HeaderName::SessionExpires, format!("{interval_s}{refresher}"));
        add(request, HeaderName::MinSe, self.own.timing.session_least_s.to_string());
    }

    /// Takes what the 200 to a request of ours says (section 7.2). Where it says nothing, we refresh all the same:
    /// it is the only way to learn that the far side is gone.
    pub(super) fn adopt_session(&mut self, now: Moment, response: &Response) {
        self.note_allowed(&response.headers);
        let least_s = self.own.timing.session_least_s;
        let own_s = self.session.map_or(self.own.timing.session_s, |session| session.interval_s);
        self.session = match asked(&response.headers) {
            Some(expires) => Some(Session {
                interval_s: seconds(expires).max(least_s),
                we_refresh: expires.refresher != Some(Refresher::Uas),
            }),
            None if own_s > 0 => Some(Session { interval_s: own_s, we_refresh: true }),
            None => None,
        };
        self.arm_session(now);
    }

    /// What the far side says that it can do.
    fn note_allowed(&mut self, headers: &Headers) {
        self.note_replaces(headers);
        if headers.get(&HeaderName::Allow).is_some() {
            self.takes_update = lists(headers, &HeaderName::Allow, "UPDATE");
        }
    }

    fn arm_session(&mut self, now: Moment) {
        self.timers.remove(&Reason::Refresh);
        self.timers.remove(&Reason::SessionEnd);
        let Some(Session { interval_s, we_refresh }) = self.session else { return };
        let early_s = EARLY_S.min(interval_s / 3);
        self.set(Reason::SessionEnd, now + u64::from(interval_s - early_s) * 1_000);
        if we_refresh {
            self.set(Reason::Refresh, now + u64::from(interval_s) * 500);
        }
    }

    /// It is time to ask whether the far side is still there: by UPDATE, which changes nothing, where it takes
    /// one, else by a re-INVITE with the description that is in force.
    pub(super) fn refresh(&mut self, now: Moment) {
        if self.phase != Phase::Up || self.is_refreshing() {
            return;
        }
        if self.answered.is_some() {
            return self.set(Reason::Refresh, now + AGAIN_MS);
        }
        let by_invite = !self.takes_update;
        let method = if by_invite { Method::Invite } else { Method::Update };
        self.sequence += 1;
        let Some((mut request, next_hop)) = self.write(&method, self.sequence) else { return };
        self.ask_for_session(&mut request, Some("uac"));
        let body = by_invite.then(|| self.negotiation.unchanged());
        let id = self.send(request, next_hop, body.map(|body| ("application/sdp", body)));
        self.refresh = Some(Refresh { id, by_invite, answered: false, acknowledgement: None });
    }

    /// Whether a request of ours that may change the session is not answered.
    pub(super) fn is_refreshing(&self) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| !refresh.answered)
    }

    /// The far side answers a refresh; true where it was one.
    pub(super) fn refresh_answered(&mut self, now: Moment, id: RequestId, response: &Response) -> bool {
        let Some(refresh) = self.refresh.as_mut().filter(|refresh| refresh.id == id) else { return false };
        let status = response.status.code();
        if status < 200 {
            return true;
        }
        let (again, by_invite) = (std::mem::replace(&mut refresh.answered, true), refresh.by_invite);
        match status {
            200..=299 if again => self.acknowledge_refresh_again(),
            200..=299 => {
                if by_invite {
                    self.acknowledge_refresh(response);
                }
                if self.phase == Phase::Up {
                    self.adopt_session(now, response);
                }
            }
            _ if self.phase != Phase::Up => {}
            422 => {
                let interval_s = least(&response.headers).unwrap_or(0);
                if let Some(session) = &mut self.session
                    && interval_s > session.interval_s
                {
                    session.interval_s = interval_s;
                    self.refresh(now);
                }
            }
            // The far side has no such call any more (RFC 3261 section 12.2.1.2).
            408 | 481 => self.hang_up_because(now, Ending::Timeout),
            // It can't do that; or its own offer crosses ours.
            405 | 501 if !by_invite => {
                self.takes_update = false;
                self.set(Reason::Refresh, now + AGAIN_MS);
            }
            491 => self.set(Reason::Refresh, now + AGAIN_MS),
            // It can't now. The end of the session waits.
            _ => {
                let interval_ms = self.session.map_or(0, |session| u64::from(session.interval_s) * 1_000);
                self.set(Reason::Refresh, now + (interval_ms / 10).max(AGAIN_MS));
            }
        }
        true
    }

    /// A refresh got no answer at all; true where it was one.
    pub(super) fn refresh_unanswered(&mut self, now: Moment, id: RequestId) -> bool {
        let Some(refresh) = self.refresh.as_mut().filter(|refresh| refresh.id == id) else { return false };
        refresh.answered = true;
        if self.phase == Phase::Up {
            self.hang_up_because(now, Ending::Timeout);
        }
        true
    }

    /// Nobody has refreshed the session: the far side is gone.
    pub(super) fn session_over(&mut self, now: Moment) {
        if self.phase == Phase::Up {
            self.hang_up_because(now, Ending::Timeout);
        }
    }

    fn acknowledge_refresh(&mut self, response: &Response) {
        if let Some(answer) = sdp_of(&response.headers, response.body())
            && self.negotiation.accept(&answer).is_ok()
        {
            self.tell_agreed();
        }
        let sequence = wire::sequence(&response.headers).unwrap_or(self.sequence);
        let Some((mut request, next_hop)) = self.write(&Method::Ack, sequence) else { return };
        finish(&mut request, None);
        if let Some(refresh) = &mut self.refresh {
            refresh.acknowledgement = Some((bytes_of(&request), next_hop.clone()));
        }
        self.effects.0.push_back(Effect::Acknowledge { request, next_hop });
    }

    fn acknowledge_refresh_again(&mut self) {
        let kept = self.refresh.as_ref().and_then(|refresh| refresh.acknowledgement.clone());
        if let Some((bytes, next_hop)) = kept
            && let Some(request) = request_of(&bytes)
        {
            self.effects.0.push_back(Effect::Acknowledge { request, next_hop });
        }
    }
}
