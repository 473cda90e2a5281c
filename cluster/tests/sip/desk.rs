//! A reception for tests: what it does with a call goes by the number that was dialled.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actors::call::leg::{Command, Event, Events, Incoming, Leg, Reception, Refusal};
use actors::types::{Attestation, CallId, Destination};
use cluster::edge::media::{self, Media};
use cluster::edge::sip_trunk::{Settings, Trunk};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

/// Answered at once.
pub(super) const ANSWERS: &str = "1000";
/// Rings for ever.
pub(super) const RINGS: &str = "1001";
/// Answered, and hung up once it is up.
pub(super) const HANGS_UP: &str = "1002";
/// Answered, and transferred to 2000 once it is up.
pub(super) const TRANSFERS: &str = "1003";
/// Unknown.
pub(super) const UNKNOWN: &str = "4040";
/// At its limit.
pub(super) const BUSY: &str = "4860";
/// The node is full.
pub(super) const FULL: &str = "5030";

#[derive(Default)]
pub(super) struct Desk {
    legs: Mutex<HashMap<CallId, Arc<dyn Leg>>>,
    told: Mutex<Vec<(CallId, String, Event)>>,
    attested: Mutex<Vec<Attestation>>,
}

#[async_trait::async_trait]
impl Reception for DeskHandle {
    async fn offer(&self, incoming: Incoming, leg: Arc<dyn Leg>) -> Result<Events, Refusal> {
        let number = incoming.called.as_str().to_owned();
        self.0.attested.lock().push(incoming.attestation);
        match number.as_str() {
            UNKNOWN => return Err(Refusal::UnknownNumber),
            BUSY => return Err(Refusal::TenantFull { limit: 1 }),
            FULL => return Err(Refusal::NodeFull { retry_after_s: 7 }),
            _ => {}
        }
        self.0.legs.lock().insert(incoming.call, Arc::clone(&leg));
        if number != RINGS {
            leg.command(Command::Answer).unwrap();
        }
        let (desk, call) = (Arc::clone(&self.0), incoming.call);
        Ok(Arc::new(move |event| desk.on(call, &number, event)))
    }
}

#[derive(Clone, Default)]
pub(super) struct DeskHandle(Arc<Desk>);

impl Desk {
    fn on(&self, call: CallId, number: &str, event: Event) {
        let leg = match event {
            Event::Ended(_) => self.legs.lock().remove(&call),
            _ => self.legs.lock().get(&call).cloned(),
        };
        if let (Event::Established, Some(leg)) = (&event, leg) {
            match number {
                HANGS_UP => leg.command(Command::HangUp).unwrap(),
                TRANSFERS => {
                    leg.command(Command::Transfer(Destination::Uri("sip:2000@127.0.0.1".into()))).unwrap()
                }
                _ => {}
            }
        }
        self.told.lock().push((call, number.to_owned(), event));
    }

    /// What each call to this number was told, in order.
    pub(super) fn calls(&self, number: &str) -> Vec<Vec<Event>> {
        let mut calls: Vec<(CallId, Vec<Event>)> = Vec::new();
        for (call, dialled, event) in self.told.lock().iter() {
            if dialled != number {
                continue;
            }
            match calls.iter_mut().find(|(known, _)| known == call) {
                Some((_, events)) => events.push(event.clone()),
                None => calls.push((*call, vec![event.clone()])),
            }
        }
        calls.into_iter().map(|(_, events)| events).collect()
    }

    /// Tells the latest call to this number something.
    pub(super) fn command(&self, number: &str, command: Command) {
        let told = self.told.lock();
        let call = told.iter().rev().find(|(_, dialled, _)| dialled == number).map(|(call, ..)| *call);
        drop(told);
        let leg = call.and_then(|call| self.legs.lock().get(&call).cloned());
        leg.unwrap().command(command).unwrap();
    }

    /// Waits until the latest call to this number is up.
    pub(super) async fn until_up(&self, number: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        while !self.calls(number).last().is_some_and(|events| events.contains(&Event::Established)) {
            assert!(Instant::now() < end, "not up: {:?}", self.calls(number));
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the network vouched for of the call that was offered last.
    pub(super) fn attested(&self) -> Option<Attestation> {
        self.attested.lock().last().copied()
    }

    /// How many calls are taken and not ended.
    pub(super) fn legs(&self) -> usize {
        self.legs.lock().len()
    }

    /// How many events of all calls are like this.
    pub(super) fn count(&self, like: impl Fn(&Event) -> bool) -> usize {
        self.told.lock().iter().filter(|(.., event)| like(event)).count()
    }
}

/// A trunk with this desk behind it, and its media.
pub(super) async fn open(settings: Settings) -> (Trunk, Media, Arc<Desk>) {
    open_at("127.0.0.1", settings).await
}

/// The same with its audio at this address.
pub(super) async fn open_at(address: &str, settings: Settings) -> (Trunk, Media, Arc<Desk>) {
    open_with(media_at(address), settings).await
}

/// Settings of media at this address.
pub(super) fn media_at(address: &str) -> media::Settings {
    media::Settings {
        address: address.parse().unwrap(),
        first_port: 20_000,
        last_port: 39_999,
        quarantine_ms: 0,
        threads: 1,
        ..media::Settings::default()
    }
}

/// The same with these settings of its audio.
pub(super) async fn open_with(media: media::Settings, settings: Settings) -> (Trunk, Media, Arc<Desk>) {
    let media = Media::start(media).unwrap();
    let desk = DeskHandle::default();
    let trunk = Trunk::start(settings, Arc::new(desk.clone()), media.clone()).await.unwrap();
    (trunk, media, desk.0)
}
