//! An edge with real calls behind it, for one business.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actors::call::Minds;
use actors::storage::{Memory, Page, Storage};
use actors::supervision::{Parts, Supervision};
use actors::tenant::import;
use actors::types::{Business, CallEventKind, CallRecord, EndReason, HandOverOutcome, Route};
use cluster::edge::carriers::{Carriers, Settings};
use cluster::edge::media::{self, Media};
use models::scripted::Control;
use tokio::time::{Instant, sleep};

use super::desk::{stop_carriers, stop_media};

const BUSINESS: &str = r#"
[business]
name = "Camden Plumbers"
time_zone = "Europe/London"
numbers = ["1000", "+442079460100"]
[hours]
every_day = "0:00-24:00"
[policy]
recording = "none"
[[department]]
name = "sam"
number = "+447700900001"
[[department]]
name = "priya"
number = "+447700900002"
"#;

/// The business's carriers, and its calls.
pub(super) struct Office {
    pub(super) carriers: Carriers,
    pub(super) address: SocketAddr,
    supervision: Supervision,
    store: Arc<Memory>,
    media: Media,
}

impl Office {
    pub(super) async fn open(rules: &str, settings: Settings) -> Self {
        Self::open_with(rules, settings, 50_000, |_| {}).await
    }

    /// A caller may hear it ring for so long.
    pub(super) async fn open_with(
        rules: &str,
        settings: Settings,
        reach_ms_max: u64,
        change: impl FnOnce(&mut Business),
    ) -> Self {
        let text = format!("{BUSINESS}{rules}");
        let mut business =
            import::read(&text, &import::Settings::default()).unwrap_or_else(|why| panic!("{why}"));
        change(&mut business);
        let store = Arc::new(Memory::new());
        store.put_business(&business, None).await.expect("stored");
        let minds = Minds::playbook(
            actors::call::conversation::Settings::default(),
            actors::call::brain::playbook::Settings::default(),
        );
        let mut parts = Parts::new(Arc::clone(&store) as Arc<dyn Storage>, minds);
        let voice = models::scripted::Voice::start(models::SpeakingSettings::default(), Control::default());
        parts.text_to_speech = Some(Arc::new(voice.expect("a voice")));
        parts.settings.call.reach_ms_max = reach_ms_max;
        let supervision = Supervision::start(parts).await.expect("starts");
        let media =
            Media::start(media::Settings { threads: 1, ..media::Settings::default() }).expect("media");
        let reception = supervision.reception();
        let carriers = Carriers::start(settings, reception, media.clone()).await.expect("starts");
        let address = carriers.address().expect("listens");
        Self { carriers, address, supervision, store, media }
    }

    /// All calls once they are over, latest first.
    pub(super) async fn calls(&self) -> Vec<CallRecord> {
        let end = Instant::now() + Duration::from_secs(20);
        let counts = || self.supervision.counts();
        while counts().calls > 0 || counts().unwritten > 0 {
            assert!(Instant::now() < end, "{:?}", counts());
            sleep(Duration::from_millis(20)).await;
        }
        let tenant = self.store.businesses(Page::first(1)).await.expect("read").rows[0].id.clone();
        self.store.calls(&tenant, Page::first(20)).await.expect("read").rows
    }

    /// How the only call ended and arrived, and who was tried.
    pub(super) async fn only(&self) -> (EndReason, Route, Vec<(String, HandOverOutcome)>) {
        let calls = self.calls().await;
        assert_eq!(calls.len(), 1);
        let events = self.store.events(calls[0].id).await.expect("read");
        let tried = events.into_iter().filter_map(|event| match event.kind {
            CallEventKind::HandOver { to, outcome: Some(outcome) } => Some((to, outcome)),
            _ => None,
        });
        let reason = calls[0].outcome.expect("over").reason;
        (reason, calls[0].arrived.as_ref().map(|one| one.route).unwrap_or_default(), tried.collect())
    }

    /// Stops, and looks that nothing is left.
    pub(super) async fn close(self) {
        stop_carriers(&self.carriers).await;
        self.supervision.stop(Duration::from_secs(5)).await;
        stop_media(&self.media).await;
    }
}
