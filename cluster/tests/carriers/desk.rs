//! An edge with a reception for tests behind it: every call is answered, and what it is told is kept.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event, Events, Incoming, Leg, Reception, Refusal};
use actors::types::CallId;
use cluster::edge::carriers::{Carriers, Settings};
use cluster::edge::media::{self, Media};
use models::audio::{Clip, Speech};
use models::scripted::tone_code;
use parking_lot::Mutex;
use tokio::time::sleep;

/// The number of a business that is at its limit.
pub(super) const BUSY: &str = "4860";

#[derive(Default)]
pub(super) struct Desk {
    legs: Mutex<Vec<(CallId, Arc<dyn Leg>)>>,
    told: Mutex<Vec<Event>>,
    pub(super) offered: Mutex<Vec<Incoming>>,
}

#[derive(Clone, Default)]
struct Handle(Arc<Desk>);

#[async_trait::async_trait]
impl Reception for Handle {
    async fn offer(&self, incoming: Incoming, leg: Arc<dyn Leg>) -> Result<Events, Refusal> {
        if incoming.called.as_str() == BUSY {
            return Err(Refusal::TenantFull { limit: 1 });
        }
        let call = incoming.call;
        self.0.offered.lock().push(incoming);
        leg.command(Command::Answer).expect("a leg");
        self.0.legs.lock().push((call, leg));
        let desk = Arc::clone(&self.0);
        Ok(Arc::new(move |event| {
            if matches!(event, Event::Ended(_)) {
                desk.legs.lock().retain(|(known, _)| *known != call);
            }
            desk.told.lock().push(event);
        }))
    }
}

impl Desk {
    pub(super) fn told(&self) -> Vec<Event> {
        self.told.lock().clone()
    }

    /// Tells the latest call something.
    pub(super) fn command(&self, command: Command) {
        let leg = self.legs.lock().last().map(|(_, leg)| Arc::clone(leg));
        leg.expect("a call").command(command).expect("a leg");
    }

    /// Says this, in tones.
    pub(super) fn says(&self, utterance: u64, text: &str) {
        let (samples, words) = tone_code::encode(text, 8_000);
        let speech = Speech::clip(Clip { rate_hz: 8_000, samples: samples.into(), words: words.into() });
        self.command(Command::Play { utterance: UtteranceId(utterance), speech });
    }

    /// Waits until an event like this was told.
    pub(super) async fn until(&self, what: &str, is: impl Fn(&Event) -> bool) -> Event {
        for _ in 0..1_200 {
            if let Some(event) = self.told.lock().iter().find(|event| is(event)) {
                return event.clone();
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("no sign of {what}: {:?}", self.told());
    }
}

/// An edge.
pub(super) struct Edge {
    pub(super) carriers: Carriers,
    pub(super) media: Media,
    pub(super) desk: Arc<Desk>,
    pub(super) address: SocketAddr,
}

impl Edge {
    pub(super) async fn start(settings: Settings) -> Self {
        let media =
            Media::start(media::Settings { threads: 1, ..media::Settings::default() }).expect("media");
        let handle = Handle::default();
        let carriers =
            Carriers::start(settings, Arc::new(handle.clone()), media.clone()).await.expect("starts");
        let address = carriers.address().expect("listens");
        Self { carriers, media, desk: handle.0, address }
    }

    /// A reception for another edge.
    pub(super) fn reception(&self) -> Arc<dyn Reception> {
        Arc::new(Handle(Arc::clone(&self.desk)))
    }

    /// Stops, and looks that nothing is left.
    pub(super) async fn stop(self) {
        stop_carriers(&self.carriers).await;
        stop_media(&self.media).await;
    }
}

/// Stops the edge, and looks that no call of it is left.
pub(super) async fn stop_carriers(carriers: &Carriers) {
    carriers.stop(Duration::from_secs(5)).await;
    let counts = carriers.counts();
    assert_eq!((counts.calls, counts.tokens, counts.tasks), (0, 0, 0));
}

/// Stops the media once no session is left.
pub(super) async fn stop_media(media: &Media) {
    for _ in 0..100 {
        if media.counts().sessions == 0 {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(media.counts().sessions, 0);
    media.stop();
}
