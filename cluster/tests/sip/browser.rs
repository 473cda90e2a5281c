//! A browser as the caller: its own offers, handshakes, checks and packets, by SIP over websocket.

use std::sync::Arc;
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event};
use actors::types::EndReason;
use cluster::edge::media::{self, Media};
use cluster::edge::sip_trunk::{Settings, Transport, Trunk};
use models::audio::{AudioReceiver, Clip, Speech, audio_ring};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::chromium::Browser;
use super::desk::{self, ANSWERS, Desk, HANGS_UP};
use super::tls::Certificate;
use super::tones::{share, tone};
use super::{address, quiet, settings};

/// What the browser's microphone hears, and what the receptionist says.
const THEIRS_HZ: f32 = 440.0;
const OURS_HZ: f32 = 1_000.0;

async fn open(dead_media_ms: u64) -> (Trunk, Media, Arc<Desk>, Browser) {
    let with = Settings { ws: Some("127.0.0.1:0".parse().unwrap()), ..settings() };
    open_by(Transport::Ws, with, dead_media_ms).await
}

async fn open_by(
    transport: Transport,
    with: Settings,
    dead_media_ms: u64,
) -> (Trunk, Media, Arc<Desk>, Browser) {
    let media = media::Settings { dead_media_ms, report_ms: 1_000, ..desk::media_at("127.0.0.1") };
    let (trunk, media, desk) = desk::open_with(media, with).await;
    let scheme = if transport == Transport::Wss { "wss" } else { "ws" };
    let to = format!("{scheme}://{}/", address(&trunk, transport));
    let browser = Browser::start(&to, &tone(48_000, THEIRS_HZ, 10)).await;
    (trunk, media, desk, browser)
}

async fn until(desk: &Desk, number: &str, what: &str, like: impl Fn(&Event) -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !desk.calls(number).last().is_some_and(|events| events.iter().any(&like)) {
        assert!(Instant::now() < end, "not {what}: {:?}", desk.calls(number));
        sleep(Duration::from_millis(20)).await;
    }
}

fn speaks(desk: &Desk, number: u64) {
    let clip = Clip::with_estimated_words(8_000, tone(8_000, OURS_HZ, 30).into(), "a long tone");
    desk.command(ANSWERS, Command::Play { utterance: UtteranceId(number), speech: Speech::clip(clip) });
}

/// The share of what the caller said lately that is its microphone's tone.
async fn said(recording: &mut AudioReceiver) -> f32 {
    let mut before = vec![0; recording.waiting()];
    recording.read(&mut before);
    sleep(Duration::from_millis(1_800)).await;
    let mut both = vec![0; recording.waiting()];
    recording.read(&mut both);
    share(&both.into_iter().step_by(2).collect::<Vec<i16>>(), THEIRS_HZ)
}

fn has_line(description: &Value, line: &str) -> bool {
    description.as_str().unwrap().lines().any(|one| one == line)
}

fn name_in_checks(description: &Value) -> &str {
    description.as_str().unwrap().lines().find(|line| line.starts_with("a=ice-ufrag:")).unwrap()
}

/// Both hear each other, by the codec that was meant, and our reports are believed.
async fn hear_each_other(browser: &Browser, recording: &mut AudioReceiver, codec: &str) {
    let heard = browser.until_it_hears(OURS_HZ).await;
    let said = said(recording).await;
    eprintln!("{codec}: the browser hears {heard} of our tone, we hear {said} of its own");
    assert!(said > 0.95, "{codec}: {said}");
    let codecs = browser.figures("codec").await;
    let spoken: Vec<&str> = codecs.iter().filter_map(|one| one["mimeType"].as_str()).collect();
    assert!(spoken.contains(&codec) && !spoken.contains(&"audio/red"), "{spoken:?}");
    // A report of ours that says how its packets come, and one that says how ours are sent.
    let end = Instant::now() + Duration::from_secs(15);
    loop {
        let about = browser.figures("remote-inbound-rtp").await;
        let of_ours = browser.figures("remote-outbound-rtp").await;
        if about.iter().any(|one| one["roundTripTimeMeasurements"].as_u64().is_some_and(|many| many > 0))
            && of_ours.iter().any(|one| one["packetsSent"].as_u64().is_some_and(|many| many > 0))
        {
            return;
        }
        assert!(Instant::now() < end, "reports: {about:?} {of_ours:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

async fn nothing_is_left(trunk: &Trunk, media: &Media) {
    quiet(trunk, Duration::from_secs(20)).await;
    let counts = media.counts();
    assert_eq!((counts.sessions, counts.ports_in_use, counts.sessions_failed), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_a_browser_is_heard_and_hears_by_each_codec() {
    let (trunk, media, desk, browser) = open(30_000).await;
    for (codec, wanted) in [
        ("audio/PCMU", &["audio/pcmu", "audio/telephone-event"][..]),
        ("audio/opus", &["audio/opus", "audio/telephone-event"]),
        ("audio/G722", &["audio/g722", "audio/telephone-event"]),
    ] {
        let up = browser.calls(ANSWERS, wanted).await;
        for line in ["a=ice-lite", "a=setup:passive", "a=rtcp-mux", "a=mid:0", "a=group:BUNDLE 0"] {
            assert!(has_line(&up["theirs"], line), "{line} in {}", up["theirs"]);
        }
        for refused in ["a=extmap", "a=rtcp-fb", "a=rtcp-rsize", "a=ice-options", "a=ssrc"] {
            assert!(!up["theirs"].as_str().unwrap().contains(refused), "{refused} in {}", up["theirs"]);
        }
        let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 60);
        desk.command(ANSWERS, Command::Record(sender));
        speaks(&desk, 1);
        hear_each_other(&browser, &mut recording, codec).await;
        browser.order(serde_json::json!({ "what": "press", "keys": "19#" }));
        for key in ['1', '9', '#'] {
            until(&desk, ANSWERS, "pressed", |event| *event == Event::Digit(key)).await;
        }
        let pressed = desk.calls(ANSWERS).pop().unwrap();
        let keys: String = pressed
            .iter()
            .filter_map(|event| if let Event::Digit(key) = event { Some(*key) } else { None })
            .collect();
        assert_eq!(keys, "19#", "each key once");
        browser.order(serde_json::json!({ "what": "hangup" }));
        assert_eq!(browser.until("over").await["status"], 200);
        until(&desk, ANSWERS, "over", |event| *event == Event::Ended(EndReason::CallerHungUp)).await;
    }
    nothing_is_left(&trunk, &media).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_a_browser_holds_resumes_finds_new_ways_and_is_hung_up_on() {
    let (trunk, media, desk, browser) = open(30_000).await;
    // By what a browser offers by itself.
    let all = [
        "audio/opus",
        "audio/red",
        "audio/g722",
        "audio/pcmu",
        "audio/pcma",
        "audio/cn",
        "audio/telephone-event",
    ];
    let first = browser.calls_so("whole", ANSWERS, &all).await;
    assert!(first["ours"].as_str().unwrap().contains("\r\na=candidate:"), "{}", first["ours"]);
    // One bundle of three for it, of one for us.
    assert!(has_line(&first["ours"], "a=group:BUNDLE 0 1 2"), "{}", first["ours"]);
    assert!(has_line(&first["theirs"], "a=group:BUNDLE 0"), "{}", first["theirs"]);
    for refused in ["\r\nm=video 0 ", "\r\nm=application 0 "] {
        assert!(first["theirs"].as_str().unwrap().contains(refused), "{}", first["theirs"]);
    }
    let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 60);
    desk.command(ANSWERS, Command::Record(sender));
    speaks(&desk, 1);
    hear_each_other(&browser, &mut recording, "audio/PCMU").await;
    for (order, answered) in [("hold", "a=recvonly"), ("rest", "a=inactive")] {
        let up = browser.again(order).await;
        assert!(has_line(&up["theirs"], answered), "{order}: {}", up["theirs"]);
        until(&desk, ANSWERS, "held", |event| *event == Event::Held(true)).await;
        let before = media.counts().packets_sent;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(media.counts().packets_sent, before, "{order}: who is held is sent nothing");
        let up = browser.again("resume").await;
        assert!(has_line(&up["theirs"], "a=sendrecv"), "{}", up["theirs"]);
        until(&desk, ANSWERS, "resumed", |event| *event == Event::Held(false)).await;
        browser.until_it_hears(OURS_HZ).await;
    }
    // New names for the checks, of both; the same keys.
    let before = browser.figures("transport").await;
    let up = browser.again("restart").await;
    assert_ne!(name_in_checks(&up["theirs"]), name_in_checks(&first["theirs"]));
    browser.until_it_hears(OURS_HZ).await;
    assert!(said(&mut recording).await > 0.95);
    let after = browser.figures("transport").await;
    assert_ne!(before[0]["iceLocalUsernameFragment"], after[0]["iceLocalUsernameFragment"]);
    assert_eq!(before[0]["localCertificateId"], after[0]["localCertificateId"]);
    assert_eq!(after[0]["dtlsState"], "connected");
    desk.command(ANSWERS, Command::HangUp);
    let bye = browser.until("bye").await;
    assert!(bye["by"].as_str().unwrap().contains(".invalid;transport=ws SIP/2.0"), "{bye}");
    browser.order(serde_json::json!({ "what": "dial", "number": HANGS_UP }));
    browser.until("bye").await;
    nothing_is_left(&trunk, &media).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_a_browser_answers_what_we_offer_and_calls_by_tls() {
    let certificate = Certificate::new(&["127.0.0.1"]);
    let with = Settings { wss: Some("127.0.0.1:0".parse().unwrap()), ..certificate.settings("127.0.0.1") };
    let (trunk, media, desk, browser) = open_by(Transport::Wss, with, 30_000).await;
    let up = browser.calls_so("late", ANSWERS, &["audio/pcmu", "audio/telephone-event"]).await;
    for line in ["a=ice-lite", "a=setup:actpass", "a=rtcp-mux", "a=mid:0", "a=group:BUNDLE 0"] {
        assert!(has_line(&up["theirs"], line), "{line} in {}", up["theirs"]);
    }
    assert!(has_line(&up["ours"], "a=setup:active"), "{}", up["ours"]);
    let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 60);
    desk.command(ANSWERS, Command::Record(sender));
    speaks(&desk, 1);
    hear_each_other(&browser, &mut recording, "audio/PCMU").await;
    // Offered again in mid-call: the same keys and the same roles.
    let before = browser.figures("transport").await;
    let again = browser.again("invited").await;
    assert!(has_line(&again["theirs"], "a=setup:actpass"), "{}", again["theirs"]);
    assert!(has_line(&again["ours"], "a=setup:active"), "{}", again["ours"]);
    browser.until_it_hears(OURS_HZ).await;
    assert!(said(&mut recording).await > 0.95);
    let after = browser.figures("transport").await;
    for kept in ["dtlsRole", "iceLocalUsernameFragment", "localCertificateId", "remoteCertificateId"] {
        assert_eq!(before[0][kept], after[0][kept], "{kept}");
    }
    desk.command(ANSWERS, Command::HangUp);
    browser.until("bye").await;
    nothing_is_left(&trunk, &media).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_a_browser_is_asked_whether_it_is_still_there_and_keeps_its_keys() {
    let mut with = Settings { ws: Some("127.0.0.1:0".parse().unwrap()), ..settings() };
    // It names no methods that it takes, so it is asked by INVITE: every three seconds.
    (with.timing.session_s, with.timing.session_least_s) = (6, 2);
    let (trunk, media, desk, browser) = open_by(Transport::Ws, with, 30_000).await;
    let up = browser.calls(ANSWERS, &["audio/pcmu", "audio/telephone-event"]).await;
    assert!(has_line(&up["theirs"], "a=setup:passive"), "{}", up["theirs"]);
    let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 60);
    desk.command(ANSWERS, Command::Record(sender));
    speaks(&desk, 1);
    browser.until_it_hears(OURS_HZ).await;
    let before = browser.figures("transport").await;
    let mut offers = Vec::new();
    for _ in 0..2 {
        let asked = browser.until("refreshed").await;
        assert!(has_line(&asked["theirs"], "a=setup:actpass"), "{}", asked["theirs"]);
        assert!(has_line(&asked["ours"], "a=setup:active"), "{}", asked["ours"]);
        offers.push(asked["theirs"].clone());
    }
    assert_eq!(offers[0], offers[1], "nothing is new");
    browser.until_it_hears(OURS_HZ).await;
    assert!(said(&mut recording).await > 0.95);
    let after = browser.figures("transport").await;
    assert_eq!(after[0]["dtlsState"], "connected");
    for kept in ["dtlsRole", "iceLocalUsernameFragment", "localCertificateId", "remoteCertificateId"] {
        assert_eq!(before[0][kept], after[0][kept], "{kept}");
    }
    desk.command(ANSWERS, Command::HangUp);
    browser.until("bye").await;
    nothing_is_left(&trunk, &media).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_a_browser_that_vanishes_leaves_nothing() {
    for held in [false, true] {
        let (trunk, media, desk, browser) = open(3_000).await;
        browser.calls(ANSWERS, &["audio/pcmu", "audio/telephone-event"]).await;
        speaks(&desk, 1);
        browser.until_it_hears(OURS_HZ).await;
        if held {
            browser.again("rest").await;
            // Nobody says anything, and its checks say that it is there: for longer than silence may be.
            sleep(Duration::from_secs(15)).await;
            assert_eq!(desk.count(|event| matches!(event, Event::Ended(_))), 0);
        }
        drop(browser);
        until(&desk, ANSWERS, "over", |event| *event == Event::Ended(EndReason::MediaTimeout)).await;
        nothing_is_left(&trunk, &media).await;
        assert_eq!(trunk.counts().tcp_connections, 0);
        trunk.stop(Duration::from_secs(1)).await;
    }
}
