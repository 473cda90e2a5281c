//! What happens before the receptionist has a call, by real SIP: telephones that ring, calls that are forwarded, and
//! the receptionist where nobody is there.

use std::sync::Arc;
use std::time::Duration;

use actors::call::Minds;
use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event, Leg};
use actors::storage::{Memory, Page, Storage};
use actors::supervision::{Parts, Supervision};
use actors::tenant::import;
use actors::types::{Business, CallBackResult, CallEventKind, CallRecord, EndReason, HandOverOutcome, Route};
use cluster::edge::media::{self, Media};
use cluster::edge::sip_trunk::{Settings, Transport, Trunk};
use cluster::sip::dialog::Offers;
use cluster::sip::respond::respond;
use cluster::sip::wire::Method;
use models::audio::{Clip, Speech, audio_ring};
use models::scripted::Control;
use tokio::time::{Instant, sleep};

use super::desk::{self, RINGS};
use super::dialling::{Told, ear, until};
use super::peer::{self, Peer};
use super::registering::with_account;
use super::scripted::Server;
use super::sipp::scenario;
use super::tones::{share, tone};
use super::{address, quiet, settings};

const BUSINESS: &str = r#"
[business]
name = "Camden Plumbers"
time_zone = "Europe/London"
numbers = ["1000", "+442079460100"]
[hours]
every_day = "0:00-24:00"
[policy]
recording = "none"
"#;

/// How long things may take in a house, and its trunk.
pub(super) struct Bounds {
    pub(super) trunk: Settings,
    /// How long a caller may send no audio, in milliseconds.
    pub(super) dead_media_ms: u64,
    /// How long whom we call may let it ring, in milliseconds.
    pub(super) establish_ms: u64,
    /// How long a handshake about keys may take, in milliseconds.
    pub(super) handshake_ms: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { trunk: settings(), dead_media_ms: 30_000, establish_ms: 35_000, handshake_ms: 10_000 }
    }
}

/// A node's calls and its trunk, for one business.
pub(super) struct House {
    pub(super) supervision: Supervision,
    pub(super) store: Arc<Memory>,
    pub(super) trunk: Trunk,
    media: Media,
}

impl House {
    pub(super) async fn open(rules: &str) -> Self {
        Self::open_with(rules, settings(), |_| {}).await
    }

    pub(super) async fn open_with(rules: &str, trunk: Settings, change: impl FnOnce(&mut Business)) -> Self {
        Self::open_by(rules, Bounds { trunk, ..Bounds::default() }, change).await
    }

    pub(super) async fn open_by(rules: &str, bounds: Bounds, change: impl FnOnce(&mut Business)) -> Self {
        let text = format!("{BUSINESS}{rules}");
        let mut business =
            import::read(&text, &import::Settings::default()).unwrap_or_else(|why| panic!("{why}"));
        change(&mut business);
        let store = Arc::new(Memory::new());
        store.put_business(&business, None).await.unwrap();
        let conversation = actors::call::conversation::Settings {
            establish_ms_max: bounds.establish_ms,
            ..actors::call::conversation::Settings::default()
        };
        let mut parts = Parts::new(
            Arc::clone(&store) as Arc<dyn Storage>,
            Minds::playbook(conversation, actors::call::brain::playbook::Settings::default()),
        );
        let voice = models::scripted::Voice::start(models::SpeakingSettings::default(), Control::default());
        parts.text_to_speech = Some(Arc::new(voice.unwrap()));
        let supervision = Supervision::start(parts).await.unwrap();
        let media = Media::start(media::Settings {
            address: "127.0.0.1".parse().unwrap(),
            first_port: 42_000,
            last_port: 49_999,
            quarantine_ms: 0,
            threads: 1,
            dead_media_ms: bounds.dead_media_ms,
            handshake_ms: bounds.handshake_ms,
            ..media::Settings::default()
        })
        .unwrap();
        let trunk = Trunk::start(bounds.trunk, supervision.reception(), media.clone()).await.unwrap();
        supervision.connect(trunk.exchange());
        Self { supervision, store, trunk, media }
    }

    /// Calls the business from another stack.
    pub(super) async fn called_by(&self, caller: &Trunk) -> (Arc<dyn Leg>, Told) {
        let (told, events) = ear();
        let target = format!("sip:1000@{}", address(&self.trunk, Transport::Udp));
        (caller.call(&target, "+447700900123", events).await.unwrap(), told)
    }

    /// The record of the only call, once it is over, and who was tried.
    pub(super) async fn record(&self) -> (CallRecord, Vec<(String, HandOverOutcome)>) {
        let end = Instant::now() + Duration::from_secs(20);
        let counts = || self.supervision.counts();
        while counts().calls > 0 || counts().unwritten > 0 {
            assert!(Instant::now() < end, "{:?}", counts());
            sleep(Duration::from_millis(20)).await;
        }
        let businesses = self.store.businesses(Page::first(1)).await.unwrap().rows;
        let calls = self.store.calls(&businesses[0].id, Page::first(2)).await.unwrap().rows;
        assert_eq!(calls.len(), 1);
        let events = self.store.events(calls[0].id).await.unwrap();
        let tried = events.into_iter().filter_map(|event| match event.kind {
            CallEventKind::HandOver { to, outcome: Some(outcome) } => Some((to, outcome)),
            _ => None,
        });
        (calls[0].clone(), tried.collect())
    }

    /// All calls, latest first.
    pub(super) async fn calls(&self) -> Vec<CallRecord> {
        let tenant = self.store.businesses(Page::first(1)).await.unwrap().rows[0].id.clone();
        self.store.calls(&tenant, Page::first(20)).await.unwrap().rows
    }

    pub(super) async fn close(self) {
        quiet(&self.trunk, Duration::from_secs(40)).await;
        assert_eq!(self.media.counts().sessions, 0);
        self.trunk.stop(Duration::from_secs(1)).await;
        self.supervision.stop(Duration::from_secs(1)).await;
    }
}

fn free_port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// SIPp as somebody who is called, for one call.
pub(super) async fn person(arguments: &[&str]) -> (Peer, u16, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let (signalling, audio) = (free_port(), free_port().to_string());
    let port = signalling.to_string();
    let usual =
        ["-nostdin", "-i", "127.0.0.1", "-p", &port, "-mp", &audio, "-trace_err", "-recv_timeout", "30000"];
    // The last of two counts.
    let all: Vec<&str> = ["-m", "1"].iter().chain(arguments).chain(&usual).copied().collect();
    let peer = Peer::start("sipp", &all, &home.path().join("log"));
    peer::bound("udp", signalling).await;
    (peer, signalling, home)
}

/// What the caller hears while saying a tone: its share of the whole.
pub(super) async fn echo_of_a_tone(leg: &Arc<dyn Leg>) -> f32 {
    let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 10);
    leg.command(Command::Record(sender)).unwrap();
    let clip = Clip::with_estimated_words(8_000, tone(8_000, 440.0, 3).into(), "a tone");
    leg.command(Command::Play { utterance: UtteranceId(1), speech: Speech::clip(clip) }).unwrap();
    sleep(Duration::from_millis(3_300)).await;
    let mut both = vec![0; recording.waiting()];
    recording.read(&mut both);
    let heard: Vec<i16> = both.iter().step_by(2).copied().collect();
    share(&heard, 440.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_has_a_forwarded_call_and_the_two_hear_each_other() {
    let (_person, port, _home) = person(&["-sn", "uas", "-rtp_echo"]).await;
    let house = House::open(&format!(
        "[[department]]\nname = \"elsewhere\"\nuri = \"sip:elsewhere@127.0.0.1:{port}\"\n[forwarding]\nalways = \"elsewhere\"\n"
    ))
    .await;
    let (caller, _media, _desk) = desk::open(settings()).await;
    let (leg, told) = house.called_by(&caller).await;
    until(&told, |event| *event == Event::Established).await;
    assert_eq!(told.lock().first(), Some(&Event::Ringing), "the caller hears it ring");
    let share = echo_of_a_tone(&leg).await;
    assert!(share > 0.9, "what comes back from there: {share}");
    leg.command(Command::HangUp).unwrap();
    let (record, tried) = house.record().await;
    assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::Transferred));
    assert_eq!(record.arrived.map(|arrived| arrived.route), Some(Route::ForwardedAlways));
    assert_eq!(tried, [("elsewhere".to_owned(), HandOverOutcome::Answered)]);
    house.close().await;
    caller.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_forwarded_call_is_busy_the_receptionist_answers() {
    let server = Server::start(Box::new(|request| {
        (request.method == Method::Invite).then(|| respond(request, 486, Some("far")))
    }))
    .await;
    let house = House::open(&format!(
        "[[department]]\nname = \"elsewhere\"\nuri = \"sip:elsewhere@{}\"\n[forwarding]\nalways = \"elsewhere\"\n",
        server.address
    ))
    .await;
    let (caller, _media, _desk) = desk::open(settings()).await;
    let (leg, told) = house.called_by(&caller).await;
    until(&told, |event| *event == Event::Established).await;
    let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 10);
    leg.command(Command::Record(sender)).unwrap();
    sleep(Duration::from_secs(3)).await;
    let mut both = vec![0; recording.waiting()];
    recording.read(&mut both);
    let loudest = both.iter().step_by(2).map(|sample| sample.unsigned_abs()).max();
    assert!(loudest > Some(1_000), "the receptionist speaks: {loudest:?}");
    leg.command(Command::HangUp).unwrap();
    let (record, tried) = house.record().await;
    assert!(record.answered_at.is_some());
    assert_eq!(tried, [("elsewhere".to_owned(), HandOverOutcome::Busy)]);
    house.close().await;
    caller.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_of_two_telephones_the_one_that_presses_the_key_has_the_call() {
    let (takes, rings) = (scenario("takes_the_call.xml"), scenario("rings_on.xml"));
    let (_takes, taking, _home) = person(&["-sf", &takes, "-rtp_echo"]).await;
    let (mut other, ringing, _other_home) = person(&["-sf", &rings]).await;
    let house = House::open(&format!(
        "[[department]]\nname = \"sam\"\nuri = \"sip:sam@127.0.0.1:{taking}\"\n\
         [[department]]\nname = \"priya\"\nuri = \"sip:priya@127.0.0.1:{ringing}\"\n\
         [ring_first]\npeople = [\"sam\", \"priya\"]\nat_once = true\n"
    ))
    .await;
    let (caller, _media, _desk) = desk::open(settings()).await;
    let (leg, told) = house.called_by(&caller).await;
    until(&told, |event| *event == Event::Established).await;
    assert_eq!(told.lock().first(), Some(&Event::Ringing), "the caller hears it ring");
    let share = echo_of_a_tone(&leg).await;
    assert!(share > 0.9, "what comes back from there: {share}");
    // The other telephone's scenario ends well only by our CANCEL and its 487.
    let end = Instant::now() + Duration::from_secs(10);
    let status = loop {
        if let Some(status) = other.child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < end, "it rings on");
        sleep(Duration::from_millis(20)).await;
    };
    assert!(status.success(), "{status:?}");
    leg.command(Command::HangUp).unwrap();
    let (record, tried) = house.record().await;
    assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::Transferred));
    assert_eq!(record.arrived.map(|arrived| arrived.route), Some(Route::RingFirst));
    assert_eq!(tried, [("sam".to_owned(), HandOverOutcome::Answered)]);
    house.close().await;
    caller.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_is_not_wanted_gets_the_status_that_the_business_chose() {
    let house = House::open("[screening]\nblocked = [\"+4477009*\"]\n").await;
    let (caller, _media, _desk) = desk::open(settings()).await;
    let (_leg, told) = house.called_by(&caller).await;
    until(&told, |event| *event == Event::Refused(607)).await;
    let (record, _) = house.record().await;
    assert_eq!((record.sip_status, record.arrived.map(|arrived| arrived.route)), (607, Some(Route::Blocked)));
    house.close().await;
    caller.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_gave_up_is_called_back_by_the_trunk_with_an_account() {
    let (other, _media, desk) = desk::open(settings()).await;
    let there = address(&other, Transport::Udp);
    let mut by_account = with_account(&format!("sip:{there}"));
    by_account.trunk[0].account.as_mut().unwrap().register = false;
    // Those whose telephones ring first, and who are called back, offer themselves.
    by_account.trunk[0].offers = Some(Offers::Delayed);
    let rules = format!(
        "[[department]]\nname = \"sam\"\nuri = \"sip:{RINGS}@{there}\"\n[ring_first]\npeople = [\"sam\"]\n[call_back]\n"
    );
    let house = House::open_with(&rules, by_account, |business| {
        // No test waits for minutes.
        business.arrival.call_back.as_mut().unwrap().after_minutes = 0;
    })
    .await;
    let (leg, told) = house.called_by(&other).await;
    until(&told, |event| *event == Event::Ringing).await;
    let end = Instant::now() + Duration::from_secs(10);
    while desk.calls(RINGS).is_empty() && desk.legs() == 0 {
        assert!(Instant::now() < end, "nobody's telephone rings");
        sleep(Duration::from_millis(20)).await;
    }
    leg.command(Command::HangUp).unwrap();
    // Whoever answers at the caller's number is told why it rings.
    let caller = "+447700900123";
    let up = |event: &Event| *event == Event::Established;
    let end = Instant::now() + Duration::from_secs(20);
    while !desk.calls(caller).iter().flatten().any(up) {
        assert!(Instant::now() < end, "nobody is called back");
        sleep(Duration::from_millis(20)).await;
    }
    let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 10);
    desk.command(caller, Command::Record(sender));
    sleep(Duration::from_secs(3)).await;
    let mut both = vec![0; recording.waiting()];
    recording.read(&mut both);
    let loudest = both.iter().step_by(2).map(|sample| sample.unsigned_abs()).max();
    assert!(loudest > Some(1_000), "the receptionist speaks: {loudest:?}");
    desk.command(caller, Command::HangUp);
    let end = Instant::now() + Duration::from_secs(20);
    let tenant = house.store.businesses(Page::first(1)).await.unwrap().rows[0].id.clone();
    loop {
        let calls = house.store.calls(&tenant, Page::first(5)).await.unwrap().rows;
        let is_back =
            |record: &&CallRecord| record.arrived.as_ref().is_some_and(|one| one.route == Route::CalledBack);
        let (back, missed) = (calls.iter().find(is_back), calls.iter().find(|record| !is_back(record)));
        let note = missed.and_then(|record| record.call_back);
        if note.is_some_and(|note| note.result == CallBackResult::Reached) {
            let back = back.unwrap();
            assert_eq!(back.arrived.as_ref().and_then(|one| one.calls_back), missed.map(|record| record.id));
            assert!(back.answered_at.is_some() && calls.len() == 2);
            break;
        }
        assert!(Instant::now() < end, "{note:?}");
        sleep(Duration::from_millis(50)).await;
    }
    house.close().await;
    other.stop(Duration::from_secs(1)).await;
}
