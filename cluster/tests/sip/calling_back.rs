//! Who was missed or cut off is called back: SIPp calls us and gives up, and SIPp is who is called then, at a provider
//! that our trunk has an account with.

use std::path::Path;
use std::time::Duration;

use actors::storage::Storage;
use actors::types::{CallBackNote, CallBackResult, CallEventKind, CallRecord, EndReason, Route, Speaker};
use cluster::edge::carriers::provider::audio::Coding;
use cluster::edge::carriers::provider::framing::Encoding;
use cluster::edge::sip_trunk::{Settings, Transport};
use models::audio::resample;
use tokio::time::{Instant, sleep};

use super::address;
use super::arriving::{Bounds, House, person};
use super::peer::Peer;
use super::registering::with_account;
use super::sipp::{scenario, sipp};
use super::tones::tone;

/// The number that SIPp's caller shows.
const CALLER: &str = "+442079460001";
/// A line on which the receptionist answers at once, whoever's telephone rings first on the others.
const SECOND_LINE: &str =
    "[[line]]\nnumber = \"+442079460100\"\nlabel = \"the second\"\nring_first = false\n";

/// A trunk with an account at this provider, of which nobody has to be told where we are.
fn by(provider: u16) -> Settings {
    let mut settings = with_account(&format!("sip:127.0.0.1:{provider}"));
    settings.trunk[0].account.as_mut().unwrap().register = false;
    settings.trunk[0].addresses = vec!["127.0.0.1".to_owned()];
    settings
}

/// A business whose manager's telephone rings first, and rings on. Its callers are called back at once: no test waits
/// for minutes.
async fn ringing(rules: &str, bounds: Bounds) -> (House, Peer, tempfile::TempDir) {
    let (manager, at, home) = person(&["-sf", &scenario("rings_on.xml")]).await;
    let rules = format!(
        "[[department]]\nname = \"the manager\"\nuri = \"sip:manager@127.0.0.1:{at}\"\n\
         [ring_first]\npeople = [\"the manager\"]\n{SECOND_LINE}[call_back]\n{rules}"
    );
    (at_once(&rules, bounds).await, manager, home)
}

async fn at_once(rules: &str, bounds: Bounds) -> House {
    House::open_by(rules, bounds, |business| {
        business.arrival.call_back.as_mut().unwrap().after_minutes = 0;
    })
    .await
}

/// SIPp calls the business by this scenario to its end.
async fn calls(house: &House, name: &str, number: &str, listens_ms: &str) {
    let target = address(&house.trunk, Transport::Udp);
    let arguments = ["-sf", &scenario(name), "-s", number, "-m", "1", "-d", listens_ms];
    let (status, said) = sipp(target, &arguments).await;
    assert_eq!(status, 0, "{said}");
}

fn is_back(record: &CallRecord) -> bool {
    record.arrived.as_ref().is_some_and(|arrived| arrived.route == Route::CalledBack)
}

/// The missed call's note once it says so, and the calls back that were made, all of them over.
async fn noted(house: &House, result: CallBackResult, attempts: u32) -> (CallBackNote, Vec<CallRecord>) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let (back, others): (Vec<_>, Vec<_>) = house.calls().await.into_iter().partition(is_back);
        // The first call is listed last.
        let note = others.last().and_then(|missed| missed.call_back).unwrap_or_default();
        let over = back.iter().all(|record| record.outcome.is_some());
        if over && note.result == result && note.attempts == attempts {
            let missed = others.last().map(|record| record.id);
            for record in &back {
                assert_eq!(record.arrived.as_ref().and_then(|arrived| arrived.calls_back), missed);
                let called = record.caller.as_ref().map(|number| number.reveal().as_str().to_owned());
                assert_eq!(called.as_deref(), Some(CALLER));
            }
            return (note, back);
        }
        assert!(Instant::now() < end, "{note:?}, {} calls back", back.len());
        sleep(Duration::from_millis(50)).await;
    }
}

/// What the receptionist said in a call, as far as it was played.
async fn said(house: &House, record: &CallRecord) -> String {
    let events = house.store.events(record.id).await.unwrap();
    let said = events.into_iter().filter_map(|event| match event.kind {
        CallEventKind::Said { speaker: Speaker::Receptionist, text, .. } => Some(text.into_inner()),
        _ => None,
    });
    said.collect::<Vec<_>>().join(" ")
}

/// SIPp went by its script to the end, and by no other.
async fn went_by_its_script(mut sipp: Peer, what: &str) {
    assert_eq!(sipp.ended(Duration::from_secs(20)).await, Some(0), "{what}");
}

/// Stops without waiting until the INVITEs that were refused are forgotten, which takes half a minute (timer D).
async fn stop(house: House) {
    house.trunk.stop(Duration::from_secs(1)).await;
    house.supervision.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_who_gave_up_is_called_back_and_told_why() {
    let (back, at, _home) = person(&["-sf", &scenario("called_back.xml"), "-rtp_echo", "-d", "10000"]).await;
    let (house, manager, _managers) = ringing("", Bounds { trunk: by(at), ..Bounds::default() }).await;
    calls(&house, "gives_up.xml", "1000", "500").await;
    went_by_its_script(manager, "the manager's telephone rang and was let go").await;
    went_by_its_script(back, "who is called back").await;
    let (_, made) = noted(&house, CallBackResult::Reached, 1).await;
    assert_eq!(made.len(), 1);
    assert!(made[0].answered_at.is_some() && made[0].recording.is_none());
    let said = said(&house, &made[0]).await;
    assert!(said.contains("Camden Plumbers") && said.contains("you called and nobody answered"), "{said}");
    stop(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_who_was_cut_off_is_called_back_and_told_so() {
    let (back, at, _home) = person(&["-sf", &scenario("called_back.xml"), "-rtp_echo", "-d", "10000"]).await;
    let bounds = Bounds { trunk: by(at), dead_media_ms: 2_000, ..Bounds::default() };
    let house = at_once("[call_back]\nmissed = false\n", bounds).await;
    // It is answered and sends nothing, as a line does that has broken.
    calls(&house, "hung_up_on.xml", "1000", "0").await;
    went_by_its_script(back, "who is called back").await;
    let (_, made) = noted(&house, CallBackResult::Reached, 1).await;
    let said = said(&house, &made[0]).await;
    assert!(said.contains("your call to us was cut off"), "{said}");
    stop(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_that_is_busy_is_called_as_often_as_may_be_and_no_more() {
    let busy = ["-sf", &scenario("busy_when_called_back.xml"), "-m", "2"];
    let (back, at, _home) = person(&busy).await;
    let rules = "attempts = 2\n";
    let (house, ..) = ringing(rules, Bounds { trunk: by(at), ..Bounds::default() }).await;
    calls(&house, "gives_up.xml", "1000", "300").await;
    went_by_its_script(back, "two calls, both refused").await;
    let (_, made) = noted(&house, CallBackResult::NotReached, 2).await;
    assert_eq!(made.iter().map(|record| record.sip_status).collect::<Vec<_>>(), [486, 486]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.calls().await.len(), 3, "and no third");
    stop(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_that_declines_is_not_asked_again() {
    let declines = ["-sf", &scenario("declines_a_call_back.xml")];
    let (back, at, _home) = person(&declines).await;
    let (house, ..) = ringing("attempts = 2\n", Bounds { trunk: by(at), ..Bounds::default() }).await;
    calls(&house, "gives_up.xml", "1000", "300").await;
    went_by_its_script(back, "declined").await;
    let (_, made) = noted(&house, CallBackResult::GivenUp, 1).await;
    assert_eq!(made[0].sip_status, 603);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.calls().await.len(), 2, "no other attempt");
    stop(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_that_rings_on_is_let_go() {
    let (back, at, _home) = person(&["-sf", &scenario("rings_on.xml")]).await;
    let bounds = Bounds { trunk: by(at), establish_ms: 2_500, ..Bounds::default() };
    let (house, ..) = ringing("attempts = 1\n", bounds).await;
    calls(&house, "gives_up.xml", "1000", "300").await;
    went_by_its_script(back, "our CANCEL, and its 487").await;
    let (_, made) = noted(&house, CallBackResult::NotReached, 1).await;
    assert!(made[0].answered_at.is_none());
    stop(house).await;
}

/// The mailbox's scenario with this sound: a copy of its own.
fn with_sound(home: &Path, samples: &[i16]) -> String {
    let sound = home.join("sound.ulaw");
    let mut coding = Coding::new(Encoding::MuLaw).unwrap();
    let bytes: Vec<u8> = samples.as_chunks().0.iter().flat_map(|frame| coding.encode(frame)).collect();
    std::fs::write(&sound, bytes).unwrap();
    let text = std::fs::read_to_string(scenario("mailbox.xml")).unwrap();
    let copy = home.join("mailbox.xml");
    std::fs::write(&copy, text.replace("rtp_stream=\"SOUND", &format!("rtp_stream=\"{}", sound.display())))
        .unwrap();
    copy.to_string_lossy().into_owned()
}

/// A missed caller's mailbox answers with this sound; what we said to it.
async fn mailbox(rules: &str, sound: &[i16]) -> String {
    let home = tempfile::tempdir().unwrap();
    let (back, at, _home) = person(&["-sf", &with_sound(home.path(), sound)]).await;
    let (house, ..) = ringing(rules, Bounds { trunk: by(at), ..Bounds::default() }).await;
    calls(&house, "gives_up.xml", "1000", "300").await;
    went_by_its_script(back, "we hang up").await;
    let (_, made) = noted(&house, CallBackResult::Mailbox, 1).await;
    assert_eq!(made.len(), 1, "once is enough");
    assert_eq!(made[0].outcome.map(|outcome| outcome.reason), Some(EndReason::Mailbox));
    let said = said(&house, &made[0]).await;
    stop(house).await;
    said
}

/// Somebody reads aloud for some seven seconds.
fn reading() -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/speech/librivox-0920.wav");
    let bytes = std::fs::read(path).unwrap();
    let wide: Vec<i16> =
        bytes[44..].as_chunks().0.iter().map(|pair: &[u8; 2]| i16::from_le_bytes(*pair)).collect();
    resample(&wide, 16_000, 8_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_as_a_mailbox_hears_the_message_after_its_beep() {
    let sound = [vec![0; 8_000], tone(8_000, 1_000.0, 1), vec![0; 1_600]].concat();
    let told = "mailbox = \"This is the plumber. Please call again.\"\n";
    let said = mailbox(told, &sound).await;
    assert!(said.ends_with("This is the plumber. Please call again."), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_as_a_mailbox_that_talks_is_hung_up_on_where_there_is_no_message() {
    let sound = [vec![0; 4_000], reading(), vec![0; 8_000], tone(8_000, 880.0, 1)].concat();
    mailbox("", &sound).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_who_phones_again_meanwhile_is_not_called_twice() {
    let busy = scenario("busy_when_called_back.xml");
    // It rings for six seconds, while they are on another line, with us.
    let (back, at, _home) = person(&["-sf", &busy, "-d", "6000"]).await;
    let (house, ..) = ringing("attempts = 3\n", Bounds { trunk: by(at), ..Bounds::default() }).await;
    calls(&house, "gives_up.xml", "1000", "300").await;
    calls(&house, "calls_again.xml", "+442079460100", "300").await;
    went_by_its_script(back, "one call, refused").await;
    let (_, made) = noted(&house, CallBackResult::GivenUp, 1).await;
    assert_eq!(made.len(), 1, "the call back that was under way, and no other");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.calls().await.len(), 3);
    stop(house).await;
}
