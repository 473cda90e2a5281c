//! Callers who are heard elsewhere: their sessions, and the thread that empties their rings.

use std::sync::Arc;
use std::time::Duration;

use super::super::NAME;
use super::super::metrics::{self as measured, Sense};
use super::carry::carry;
use super::kept::{Kept, keep};
use super::session::Session;
use super::shared::Shared;
use super::trouble::nobody;
use crate::audio::{AudioSender, audio_ring};
use crate::batching::Tenant;
use crate::engine::delivery::Delivery;
use crate::engine::sessions::{Opened, Sessions};
use crate::engine::{Expectation, ListenRequest, Listener, Listening, Place, PlaceKept, SpeechToText};
use crate::{Error, clock};

/// How often the rings are emptied.
const TICK: Duration = Duration::from_millis(20);

/// Speech to text on other nodes.
pub(super) struct Hearing {
    shared: Arc<Shared>,
    instead: Option<Arc<dyn SpeechToText>>,
    sessions: Arc<Sessions<Session>>,
}

struct Handle(Opened<Session>);

impl Hearing {
    pub(super) fn start(shared: Arc<Shared>, instead: Option<Arc<dyn SpeechToText>>) -> Result<Self, Error> {
        let sessions = Sessions::new(NAME, shared.settings.hearing_max);
        let pumped = Arc::clone(&sessions);
        std::thread::Builder::new()
            .name("listen-remote".into())
            .spawn(move || pumped.attend(TICK, pump))
            .map_err(|error| Error::Failed { engine: NAME, why: format!("no thread: {error}") })?;
        Ok(Self { shared, instead, sessions })
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.sessions.close();
    }
}

impl SpeechToText for Hearing {
    fn name(&self) -> &'static str {
        NAME
    }

    fn reserve(&self, tenant: Tenant, kept: PlaceKept) {
        let seat = match self.sessions.take() {
            Ok(seat) => seat,
            Err(full) => return kept(Err(full)),
        };
        let (shared, instead) = (Arc::clone(&self.shared), self.instead.clone());
        self.shared.runtime.spawn(async move { kept(keep(&shared, instead.as_deref(), tenant, seat).await) });
    }

    fn listen_at(
        &self,
        place: &Place,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        let kept: Option<Arc<Kept>> = place.kept();
        let is_here = kept.as_ref().is_some_and(|kept| kept.here.is_some());
        let is_there = kept.as_ref().is_some_and(|kept| kept.is_granted());
        if is_here || !is_there && self.shared.pick(Sense::Hearing, &[]).is_none() {
            let Some(instead) = &self.instead else {
                measured::count_nobody(Sense::Hearing);
                return Err(nobody(self.shared.links.len(), None));
            };
            measured::count_instead(Sense::Hearing);
            let here = kept.and_then(|kept| kept.here.clone()).unwrap_or_default();
            return instead.listen_at(&here, request, listener);
        }
        let (tenant, seat) = match &kept {
            Some(kept) => (kept.tenant, Arc::clone(&kept.seat)),
            None => (Tenant(0), self.sessions.take()?),
        };
        let settings = &self.shared.settings;
        let capacity = u64::from(request.rate_hz) * u64::from(settings.ring_ms) / 1_000;
        let (sender, receiver) = audio_ring(request.rate_hz, usize::try_from(capacity).unwrap_or(usize::MAX));
        let session = Session::new(receiver, request.phrases, tenant, settings, Delivery::new(listener));
        let opened = self.sessions.open(Some(seat), Arc::new(session));
        let session = Arc::clone(&opened.session);
        self.shared.runtime.spawn(carry(session, Arc::clone(&self.shared), self.instead.clone(), kept));
        Ok((sender, Box::new(Handle(opened))))
    }

    fn listen(
        &self,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        self.listen_at(&Place::default(), request, listener)
    }
}

impl Listening for Handle {
    fn finish_turn(&self, turn: u64) {
        self.0.session.finish(turn, clock::now());
    }

    fn expect(&self, expectation: Expectation) {
        self.0.session.expect(expectation, clock::now());
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.session.close();
    }
}

fn pump(sessions: &[Arc<Session>]) {
    for session in sessions {
        session.pump(clock::now());
    }
}
