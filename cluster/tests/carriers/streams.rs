//! Streams in order: answered, heard, interrupted, ended by either side; the same for all four carriers.

use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event};
use actors::types::EndReason;
use cluster::edge::carriers::provider::Provider;
use models::audio::audio_ring;
use tokio::time::{Instant, sleep};

use super::carrier::{Carrier, settings};
use super::desk::{BUSY, Edge};
use super::http::{Manner, Rest};
use super::player::Player;

const ALL: [(Provider, u32); 5] = [
    (Provider::Twilio, 8_000),
    (Provider::Telnyx, 8_000),
    (Provider::Plivo, 8_000),
    (Provider::Vonage, 8_000),
    (Provider::Vonage, 16_000),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_hear_each_other_word_for_word_and_keys_are_told() {
    let rest = Rest::start().await;
    for (provider, rate_hz) in ALL {
        let edge = Edge::start(settings(&rest.url)).await;
        let carrier = Carrier::new(provider, edge.address);
        let player = Player::start(provider, "c-1", rate_hz, carrier.calls("c-1").await);
        edge.desk.until("the stream", |event| *event == Event::Established).await;
        let offered = edge.desk.offered.lock()[0].clone();
        assert_eq!(offered.called.as_str(), "1000");
        let caller = offered.caller.expect("a caller").reveal().digits().to_owned();
        assert_eq!(caller, "441632960111", "{provider:?}");

        let (sender, mut receiver) = audio_ring(8_000, 80_000);
        edge.desk.command(Command::Listen(sender));
        edge.desk.says(1, "good morning to you");
        let told =
            edge.desk.until("the end of it", |event| matches!(event, Event::PlaybackEnded { .. })).await;
        let whole = Event::PlaybackEnded { utterance: UtteranceId(1), complete: true, last_word: Some(3) };
        assert_eq!(told, whole, "{provider:?}");
        assert_eq!(player.heard(), "good morning to you", "{provider:?} {rate_hz}");
        // 100 ms are set; the rest is a loaded machine's, on which this carrier plays late.
        assert!(player.seen.lock().waiting_most <= 25, "no more ahead than was set");
        assert!(player.seen.lock().marks >= 5, "a mark for each word and the end");

        player.says("and to you too");
        edge.desk.until("speech", |event| *event == Event::SpeechStarted).await;
        edge.desk.until("its end", |event| *event == Event::SpeechStopped).await;
        let mut decoder = models::scripted::tone_code::Decoder::new(8_000);
        let mut audio = vec![0; 8_000 * 10];
        let count = receiver.read(&mut audio);
        decoder.read(&audio[..count]);
        decoder.flush();
        let words: Vec<String> = decoder.take_words().into_iter().map(|word| word.text).collect();
        assert_eq!(words.join(" "), "and to you too", "{provider:?} {rate_hz}");

        player.presses(provider, '7');
        edge.desk.until("the key", |event| *event == Event::Digit('7')).await;
        player.hangs_up();
        let ended = edge.desk.until("the end", |event| matches!(event, Event::Ended(_))).await;
        assert_eq!(ended, Event::Ended(EndReason::CallerHungUp), "{provider:?}");
        let quality = edge.desk.until("the quality", |event| matches!(event, Event::Quality(_))).await;
        let Event::Quality(quality) = quality else { unreachable!() };
        assert!(quality.packets_received > 50 && quality.packets_sent > 50, "{quality:?}");
        assert_eq!(quality.packets_lost, 0, "{quality:?}");
        edge.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interruption_is_silence_within_one_packet_and_what_was_heard_is_known() {
    let rest = Rest::start().await;
    for (provider, rate_hz) in ALL {
        let edge = Edge::start(settings(&rest.url)).await;
        let carrier = Carrier::new(provider, edge.address);
        let player = Player::start(provider, "c-1", rate_hz, carrier.calls("c-1").await);
        edge.desk.until("the stream", |event| *event == Event::Established).await;
        edge.desk.says(1, "one two three four five six seven eight nine ten eleven twelve");
        edge.desk.says(2, "and more");
        player.until("a second of speech", |seen| seen.sounded.len() > 50).await;
        edge.desk.command(Command::StopPlaying);
        let stopped = Instant::now();
        player.until("the clear", |seen| !seen.cleared.is_empty()).await;
        sleep(Duration::from_millis(300)).await;
        let (cleared, last) = {
            let seen = player.seen.lock();
            (seen.cleared[0], *seen.sounded.last().expect("sound"))
        };
        let after = last.saturating_duration_since(cleared);
        // A turn of the media's wheel, and what a loaded machine adds to that.
        println!("{provider:?}: cleared after {:?}, silent {after:?} later", cleared - stopped);
        assert!(cleared - stopped < Duration::from_millis(120), "{:?}", cleared - stopped);
        assert!(after <= Duration::from_millis(21), "{provider:?}: sound {after:?} after the clear");
        let ended: Vec<Event> = edge
            .desk
            .told()
            .into_iter()
            .filter(|event| matches!(event, Event::PlaybackEnded { .. }))
            .collect();
        let heard = player.heard().split(' ').count();
        let [Event::PlaybackEnded { utterance, complete, last_word }, second] = ended.as_slice() else {
            panic!("{ended:?}");
        };
        assert_eq!((*utterance, *complete), (UtteranceId(1), false));
        let word = last_word.expect("a word") as usize;
        // The word that was begun need not have been finished, nor its mark have come back yet.
        assert!((heard.saturating_sub(2)..=heard + 1).contains(&word), "word {word} of {heard} heard");
        let unheard = Event::PlaybackEnded { utterance: UtteranceId(2), complete: false, last_word: None };
        assert_eq!(*second, unheard);

        edge.desk.says(3, "sorry go on");
        edge.desk
            .until("the next one", |event| {
                matches!(event, Event::PlaybackEnded { utterance: UtteranceId(3), complete: true, .. })
            })
            .await;
        // A word that was cut off may take the first one after it along, in the ear that reads tones.
        assert!(player.heard().ends_with("go on"), "{:?}", player.heard());
        player.hangs_up();
        edge.desk.until("the end", |event| matches!(event, Event::Ended(_))).await;
        edge.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_up_asks_the_carrier_until_it_hears() {
    for (provider, method, path) in [
        (Provider::Twilio, "POST", "/2010-04-01/Accounts/AC1/Calls/c-1.json"),
        (Provider::Telnyx, "POST", "/v2/texml/Accounts/T1/Calls/c-1"),
        (Provider::Plivo, "DELETE", "/v1/Account/MA1/Call/c-1/"),
        (Provider::Vonage, "PUT", "/v1/calls/c-1"),
    ] {
        let rest = Rest::start().await;
        let edge = Edge::start(settings(&rest.url)).await;
        let carrier = Carrier::new(provider, edge.address);
        let player = Player::start(provider, "c-1", 8_000, carrier.calls("c-1").await);
        edge.desk.until("the stream", |event| *event == Event::Established).await;
        rest.next(Manner::Status(503));
        rest.next(Manner::Silent);
        edge.desk.command(Command::HangUp);
        let ended = edge.desk.until("the end", |event| matches!(event, Event::Ended(_))).await;
        assert_eq!(ended, Event::Ended(EndReason::Completed));
        let asked = rest.after(3).await;
        for one in &asked {
            assert_eq!(one.line, format!("{method} {path} HTTP/1.1"));
            let bears = matches!(provider, Provider::Telnyx | Provider::Vonage);
            let scheme = if bears { "Bearer " } else { "Basic " };
            assert!(one.authorization.starts_with(scheme), "{one:?}");
        }
        player.until("the close", |seen| seen.closed.is_some()).await;
        edge.stop().await;
        assert_eq!(rest.asked().len(), 3, "and no more");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_refused_asked_about_twice_and_told_to_be_over() {
    let rest = Rest::start().await;
    let edge = Edge::start(settings(&rest.url)).await;
    for (provider, refused) in [
        (Provider::Twilio, "<Reject reason=\"busy\"/>"),
        (Provider::Telnyx, "<Reject reason=\"busy\"/>"),
        (Provider::Plivo, "<Hangup reason=\"busy\"/>"),
        (Provider::Vonage, "[]"),
    ] {
        let carrier = Carrier::new(provider, edge.address);
        let to = if provider == Provider::Vonage { "to" } else { "To" };
        let path = format!("/carriers/{}/answer", provider.name());
        let body = carrier.body("busy", &[]).replace("1000", BUSY);
        let (status, answer) =
            super::http::ask(edge.address, "POST", &path, &carrier.proof(&path, &body), &body).await;
        assert!(status == 200 && answer.contains(refused), "{provider:?} {to} {answer}");

        let (_, first) = carrier.asks("answer", "twice", &[]).await;
        let (_, second) = carrier.asks("answer", "twice", &[]).await;
        assert_eq!(first, second, "the same call, the same answer");
        assert_eq!(edge.carriers.counts().calls, 1);
        let _stream = carrier.connects(&second).await.expect("a stream");
        assert_eq!(carrier.connects(&first).await.err(), Some(403), "one stream per call");
        let over = if provider == Provider::Vonage { "status" } else { "CallStatus" };
        let (status, _) = carrier.asks("status", "twice", &[(over, "completed")]).await;
        assert_eq!(status, 200);
        for _ in 0..200 {
            if edge.carriers.counts().calls == 0 {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(edge.carriers.counts().calls, 0, "{provider:?}");
    }
    assert!(rest.asked().is_empty(), "nobody need be told: {:?}", rest.asked());
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_stream_never_comes_or_says_nothing_ends() {
    let rest = Rest::start().await;
    let mut short = settings(&rest.url);
    (short.stream_ms, short.start_ms, short.idle_ms) = (300, 300, 400);
    let edge = Edge::start(short).await;
    let carrier = Carrier::new(Provider::Twilio, edge.address);
    let (_, answer) = carrier.asks("answer", "c-1", &[]).await;
    assert!(super::carrier::stream_url(&answer).is_some());
    edge.desk.until("its end", |event| *event == Event::Ended(EndReason::SignallingTimeout)).await;
    assert_eq!(rest.after(1).await.len(), 1, "the carrier is told");
    assert_eq!(carrier.connects(&answer).await.err(), Some(403), "too late");

    let _mute = carrier.calls("c-2").await;
    for _ in 0..200 {
        if edge.carriers.counts().calls == 0 {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(edge.carriers.counts().calls, 0, "it never said what it is");

    let player = Player::start(Provider::Twilio, "c-3", 8_000, carrier.calls("c-3").await);
    edge.desk.until("the stream", |event| *event == Event::Established).await;
    drop(player);
    edge.desk.until("its end", |event| *event == Event::Ended(EndReason::CallerHungUp)).await;
    assert_eq!(rest.after(3).await.len(), 3, "a stream that broke says nothing of the call");
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_edge_refuses_and_a_stopping_one_ends_its_calls() {
    let rest = Rest::start().await;
    let edge = Edge::start(settings(&rest.url)).await;
    let carrier = Carrier::new(Provider::Plivo, edge.address);
    let player = Player::start(Provider::Plivo, "c-1", 8_000, carrier.calls("c-1").await);
    edge.desk.until("the stream", |event| *event == Event::Established).await;
    edge.carriers.refuse_new(true);
    let (_, answer) = carrier.asks("answer", "c-2", &[]).await;
    assert!(answer.contains("<Hangup reason=\"busy\"/>"), "{answer}");
    edge.desk.says(1, "still there");
    player.until("speech", |seen| !seen.sounded.is_empty()).await;
    let desk = std::sync::Arc::clone(&edge.desk);
    edge.stop().await;
    assert!(desk.told().contains(&Event::Ended(EndReason::NodeStopped)), "{:?}", desk.told());
    assert_eq!(rest.asked().len(), 1, "the carrier is told");
}
