//! People whom carriers call before the receptionist, by carriers of our own making and real calls behind the edge:
//! telephones that ring first, forwarding in every mode, the key, and what is never called.

use std::time::Duration;

use actors::types::{Attestation, Distrust, EndReason, HandOverOutcome, Hours, Route};
use cluster::edge::carriers::provider::Provider;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::carrier::{Carrier, PUBLIC, path_of, settings, stream_url, url_from};
use super::http::{Manner, Rest};
use super::office::Office;
use super::player::Player;

const SAM: &str = "7700900001";
const PRIYA: &str = "7700900002";
const RING_SAM: &str = "[ring_first]\npeople = [\"sam\"]\n";
/// What Vonage tells once dialling is over.
const OVER: &str = r#"{"conversation_uuid":"CON-1","payload":{"told":"dialling is over"}}"#;

/// A carrier that was told to call people.
#[derive(Clone)]
struct Dialling {
    carrier: Carrier,
    answer: String,
    /// Where what becomes of it is told.
    then: String,
}

impl Dialling {
    fn of(carrier: Carrier, answer: &str) -> Self {
        assert!(stream_url(answer).is_none(), "nobody answers yet: {answer}");
        let start = format!("{PUBLIC}/carriers/{}/dialled/", carrier.provider.name());
        let url = url_from(answer, &start).unwrap_or_else(|| panic!("nobody is dialled: {answer}"));
        Self { carrier, answer: answer.to_owned(), then: path_of(&url, carrier.provider) }
    }

    /// A call rings, and the carrier is told to call people.
    async fn begun(carrier: Carrier) -> Self {
        let (status, answer) = carrier.asks("answer", "c-1", &[]).await;
        assert_eq!(status, 200);
        Self::of(carrier, &answer)
    }

    fn rings(&self, number: &str) -> bool {
        self.answer.contains(number)
    }

    /// Somebody picks up, of whom it is told so as the carrier does; the answer.
    async fn picks_up(&self, person: usize) -> String {
        let carrier = self.carrier;
        let of = format!("{}/{person}", self.then);
        let (_, answer) = match carrier.provider {
            Provider::Twilio | Provider::Telnyx => {
                carrier.asks(&of, "c-2", &[("ParentCallSid", "c-1"), ("CallStatus", "in-progress")]).await
            }
            Provider::Plivo => {
                let whom = format!("44{}", if person == 0 { SAM } else { PRIYA });
                carrier.asks(&self.then, "c-1", &[("DialAction", "answer"), ("DialBLegTo", &whom)]).await
            }
            Provider::Vonage => carrier.asks(&self.then, "c-2", &[("status", "answered")]).await,
        };
        answer
    }

    /// What whoever has picked up is told, and where the key goes.
    async fn is_told(&self, person: usize) -> (String, Option<String>) {
        let start = format!("{PUBLIC}/carriers/{}/ask/", self.carrier.provider.name());
        let url = url_from(&self.answer, &start).unwrap_or_else(|| panic!("not asked: {}", self.answer));
        let path = path_of(&url, self.carrier.provider);
        let (token, _) = path.rsplit_once('/').expect("a person");
        let (_, told) = self.carrier.asks(&format!("{token}/{person}"), "c-2", &[]).await;
        let pressed = url_from(&told, &format!("{PUBLIC}/carriers/"));
        (told, pressed.map(|url| path_of(&url, self.carrier.provider)))
    }

    /// They press a key; what is done with them.
    async fn press(&self, pressed: Option<&str>, key: &str) -> String {
        let carrier = self.carrier;
        let (_, answer) = match (carrier.provider, pressed) {
            (Provider::Plivo, _) => {
                let whom = format!("44{SAM}");
                carrier.asks(&self.then, "c-1", &[("DialAction", "connected"), ("DialBLegTo", &whom)]).await
            }
            (Provider::Vonage, Some(pressed)) => {
                let body = json!({ "uuid": "c-2", "dtmf": { "digits": key, "timed_out": false } });
                carrier.tells(pressed, &body.to_string()).await
            }
            (_, Some(pressed)) => carrier.asks(pressed, "c-2", &[("Digits", key)]).await,
            (_, None) => panic!("no key is waited for"),
        };
        answer
    }

    /// Dialling is over; what the carrier is to do then.
    async fn over(&self, word: &str) -> String {
        let carrier = self.carrier;
        let (status, answer) = match carrier.provider {
            Provider::Twilio | Provider::Telnyx => {
                carrier
                    .asks(&self.then, "c-1", &[("DialCallStatus", word), ("CallStatus", "in-progress")])
                    .await
            }
            Provider::Plivo => carrier.asks(&self.then, "c-1", &[("DialStatus", word)]).await,
            Provider::Vonage if word == "completed" => carrier.tells(&self.then, OVER).await,
            Provider::Vonage => {
                let status = if word == "no-answer" { "timeout" } else { word };
                carrier.asks(&self.then, "c-2", &[("status", status)]).await
            }
        };
        assert_eq!(status, 200);
        answer
    }
}

/// The receptionist answers: the caller hears words.
async fn hears_the_receptionist(carrier: Carrier, answer: &str) -> Player {
    let stream = carrier.connects(answer).await.expect("a stream");
    let player = Player::start(carrier.provider, "c-1", 8_000, stream);
    player.until("words", |seen| seen.sounded.len() > 20).await;
    player
}

async fn open(provider: Provider, rules: &str, rest: &Rest) -> (Office, Carrier) {
    let office = Office::open(rules, settings(&rest.url)).await;
    let carrier = Carrier::new(provider, office.address);
    (office, carrier)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_presses_the_key_has_the_call_and_we_hear_of_its_end() {
    for provider in Provider::ALL {
        let rest = Rest::start().await;
        let (office, carrier) = open(provider, RING_SAM, &rest).await;
        let dialling = Dialling::begun(carrier).await;
        assert!(dialling.rings(SAM) && dialling.answer.contains("20"), "{}", dialling.answer);
        let unanswered = dialling.answer.contains("answerOnBridge=\"true\"");
        assert_eq!(unanswered, provider == Provider::Twilio, "{}", dialling.answer);
        dialling.picks_up(0).await;
        let (told, pressed) = dialling.is_told(0).await;
        assert!(told.contains("Camden Plumbers") && told.contains("Press 1"), "{told}");
        let joined = dialling.press(pressed.as_deref(), "1").await;
        assert!(!joined.contains("Hangup") || provider == Provider::Plivo, "{provider:?}: {joined}");
        // Repeated, it changes nothing.
        dialling.picks_up(0).await;
        assert_eq!(dialling.press(pressed.as_deref(), "1").await, joined);
        sleep(Duration::from_millis(200)).await;
        assert_eq!(office.carriers.counts().calls, 1, "they speak");
        let end = dialling.over("completed").await;
        assert!(end.contains("<Hangup/>") || end == "[]", "{end}");
        let (reason, route, tried) = office.only().await;
        assert_eq!((reason, route), (EndReason::Transferred, Route::RingFirst), "{provider:?}");
        assert_eq!(tried, [("sam".to_owned(), HandOverOutcome::Answered)]);
        office.close().await;
        assert!(rest.asked().is_empty(), "nobody is hung up on: {:?}", rest.asked());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_declines_or_presses_nothing_leaves_the_caller_to_the_receptionist() {
    for provider in Provider::ALL {
        for (key, outcome) in [("2", HandOverOutcome::Declined), ("", HandOverOutcome::Voicemail)] {
            // Plivo waits for the key by itself, and tells nothing of another.
            if provider == Provider::Plivo && key == "2" {
                continue;
            }
            let rest = Rest::start().await;
            let (office, carrier) = open(provider, RING_SAM, &rest).await;
            let dialling = Dialling::begun(carrier).await;
            dialling.picks_up(0).await;
            let (_, pressed) = dialling.is_told(0).await;
            if !key.is_empty() {
                let let_go = dialling.press(pressed.as_deref(), key).await;
                assert!(let_go.contains("<Hangup/>") || let_go.contains("wait"), "{let_go}");
            }
            let back = dialling.over("completed").await;
            let player = hears_the_receptionist(carrier, &back).await;
            player.hangs_up();
            let (_, route, tried) = office.only().await;
            assert_eq!(route, Route::RingFirst);
            assert_eq!(tried, [("sam".to_owned(), outcome)], "{provider:?} {key:?}");
            if provider == Provider::Vonage && key == "2" {
                let hung_up = rest.after(1).await;
                assert_eq!(hung_up[0].line, "PUT /v1/calls/c-2 HTTP/1.1", "who declined is hung up on");
            }
            office.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_after_the_other_then_where_nobody_answered_then_the_receptionist() {
    let rules = "[ring_first]\npeople = [\"sam\", \"priya\"]\nby_key = false\nring = 12\n\
                 [forwarding]\nno_answer = \"+442079460999\"\nring = 30\n";
    for provider in Provider::ALL {
        let rest = Rest::start().await;
        let (office, carrier) = open(provider, rules, &rest).await;
        let sam = Dialling::begun(carrier).await;
        assert!(sam.rings(SAM) && !sam.rings(PRIYA) && !sam.answer.contains("/ask/"), "{}", sam.answer);
        assert!(sam.answer.contains("\"12\"") || sam.answer.contains(":12"), "{}", sam.answer);
        // A carrier that did not hear what to do asks again, and is told the same.
        assert_eq!(carrier.asks("answer", "c-1", &[]).await.1, sam.answer);
        let priya = Dialling::of(carrier, &sam.over("no-answer").await);
        assert!(priya.rings(PRIYA) && !priya.rings(SAM));
        assert_ne!(priya.then, sam.then);
        assert_eq!(sam.over("no-answer").await, priya.answer, "what is told twice is one answer");
        let elsewhere = Dialling::of(carrier, &priya.over("busy").await);
        assert!(elsewhere.rings("2079460999"), "{}", elsewhere.answer);
        let back = elsewhere.over("busy").await;
        let player = hears_the_receptionist(carrier, &back).await;
        player.hangs_up();
        let (_, route, tried) = office.only().await;
        assert_eq!(route, Route::RingFirst);
        let outcomes: Vec<HandOverOutcome> = tried.iter().map(|(_, outcome)| *outcome).collect();
        use HandOverOutcome::{Busy, NoAnswer};
        assert_eq!(outcomes, [NoAnswer, Busy, Busy], "{provider:?}");
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_at_once_where_the_carrier_can_and_the_record_says_who_had_it() {
    let rules = "[ring_first]\npeople = [\"sam\", \"priya\"]\nat_once = true\nby_key = false\n";
    for provider in Provider::ALL {
        let rest = Rest::start().await;
        let (office, carrier) = open(provider, rules, &rest).await;
        let mut dialling = Dialling::begun(carrier).await;
        assert_eq!(dialling.rings(PRIYA), provider != Provider::Vonage, "{}", dialling.answer);
        if provider == Provider::Vonage {
            // It calls one at a time.
            dialling = Dialling::of(carrier, &dialling.over("busy").await);
        }
        let person = usize::from(provider != Provider::Vonage);
        dialling.picks_up(person).await;
        dialling.over("completed").await;
        let (reason, _, tried) = office.only().await;
        assert_eq!(reason, EndReason::Transferred, "{provider:?}");
        assert_eq!(tried.last(), Some(&("priya".to_owned(), HandOverOutcome::Answered)), "{provider:?}");
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_forwarded_always_after_hours_and_where_there_is_no_room() {
    for provider in Provider::ALL {
        for (mode, route) in [("always", Route::ForwardedAlways), ("after_hours", Route::ForwardedAfterHours)]
        {
            let rest = Rest::start().await;
            let rules = format!("[forwarding]\n{mode} = \"sam\"\nannouncement = \"Please hold the line.\"\n");
            let office = Office::open_with(&rules, settings(&rest.url), 50_000, |business| {
                if mode == "after_hours" {
                    business.hours = Hours::default();
                }
            })
            .await;
            let carrier = Carrier::new(provider, office.address);
            let dialling = Dialling::begun(carrier).await;
            assert!(dialling.rings(SAM) && dialling.answer.contains("Please hold the line."));
            dialling.picks_up(0).await;
            // The caller hangs up first.
            let over = if provider == Provider::Vonage { "status" } else { "CallStatus" };
            carrier.asks("status", "c-1", &[(over, "completed")]).await;
            let (reason, found, tried) = office.only().await;
            assert_eq!((reason, found), (EndReason::Transferred, route), "{provider:?}");
            assert_eq!(tried, [("sam".to_owned(), HandOverOutcome::Answered)]);
            office.close().await;
        }
    }
    let rest = Rest::start().await;
    let rules = "[forwarding]\nbusy = \"sam\"\n";
    let office = Office::open_with(rules, settings(&rest.url), 50_000, |business| {
        business.policy.concurrent_calls_max = 1;
    })
    .await;
    let carrier = Carrier::new(Provider::Twilio, office.address);
    let (_, answer) = carrier.asks("answer", "c-0", &[]).await;
    let first = Player::start(Provider::Twilio, "c-0", 8_000, carrier.connects(&answer).await.expect("up"));
    let dialling = Dialling::begun(carrier).await;
    dialling.picks_up(0).await;
    dialling.over("completed").await;
    first.hangs_up();
    let routes: Vec<Option<Route>> =
        office.calls().await.iter().map(|call| call.arrived.as_ref().map(|one| one.route)).collect();
    assert!(routes.contains(&Some(Route::ForwardedBusy)), "{routes:?}");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_called_for_who_is_not_wanted_nor_where_the_business_may_not_call() {
    for provider in Provider::ALL {
        let rest = Rest::start().await;
        let rules = format!("{RING_SAM}[screening]\nblocked = [\"+441632*\"]\n");
        let (office, carrier) = open(provider, &rules, &rest).await;
        let body = carrier.body("c-1", &[]).replace("\"441632960111", "\"+441632960111");
        let (_, answer) = carrier.tells("answer", &body).await;
        assert!(answer.contains("rejected") || answer == "[]", "{provider:?}: {answer}");
        let (_, route, tried) = office.only().await;
        assert_eq!((route, tried.len()), (Route::Blocked, 0), "{provider:?}");
        office.close().await;

        let (office, carrier) = open(provider, "[forwarding]\nalways = \"+449098790000\"\n", &rest).await;
        let (_, answer) = carrier.asks("answer", "c-1", &[]).await;
        assert!(!answer.contains("9098790000"), "premium rates: {answer}");
        let player = hears_the_receptionist(carrier, &answer).await;
        player.hangs_up();
        let (_, _, tried) = office.only().await;
        assert_eq!(tried.last().map(|(_, outcome)| *outcome), Some(HandOverOutcome::Unreachable));
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_gives_up_is_a_missed_one_and_a_late_key_takes_nothing() {
    for provider in Provider::ALL {
        let rest = Rest::start().await;
        let (office, carrier) = open(provider, RING_SAM, &rest).await;
        let dialling = Dialling::begun(carrier).await;
        let (_, pressed) = dialling.is_told(0).await;
        let over = if provider == Provider::Vonage { "status" } else { "CallStatus" };
        carrier.asks("status", "c-1", &[(over, "completed")]).await;
        let (reason, ..) = office.only().await;
        assert_eq!(reason, EndReason::Cancelled, "{provider:?}");
        let late = dialling.press(pressed.as_deref(), "1").await;
        assert!(late.contains("<Hangup/>") || late == "[]", "{late}");
        office.close().await;
    }
    // Twilio tells it also where it tells how dialling went.
    let rest = Rest::start().await;
    let (office, carrier) = open(Provider::Twilio, RING_SAM, &rest).await;
    let dialling = Dialling::begun(carrier).await;
    carrier.asks(&dialling.then, "c-1", &[("DialCallStatus", "canceled"), ("CallStatus", "completed")]).await;
    assert_eq!(office.only().await.0, EndReason::Cancelled);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_has_heard_it_ring_for_long_enough_is_brought_to_the_receptionist() {
    for provider in Provider::ALL {
        let rest = Rest::start().await;
        let office = Office::open_with(RING_SAM, settings(&rest.url), 700, |_| {}).await;
        let carrier = Carrier::new(provider, office.address);
        let dialling = Dialling::begun(carrier).await;
        let asked = rest.after(1).await;
        let start = format!("{PUBLIC}/carriers/{}/transfer/", provider.name());
        let plain = asked[0].body.replace("%3A", ":").replace("%2F", "/");
        let url = url_from(&plain, &start).unwrap_or_else(|| panic!("{plain}"));
        let path = path_of(url.split('&').next().expect("a URL"), provider);
        let (_, answer) = carrier.asks(&path, "c-1", &[]).await;
        let player = hears_the_receptionist(carrier, &answer).await;
        // What is told of the dialling that was cut short changes nothing.
        let (_, pressed) = dialling.is_told(0).await;
        assert!(pressed.is_none(), "nobody is asked any more");
        player.hangs_up();
        let (reason, _, tried) = office.only().await;
        assert_ne!(reason, EndReason::Transferred);
        assert_eq!(tried, [("sam".to_owned(), HandOverOutcome::NoAnswer)], "{provider:?}");
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_can_not_be_brought_comes_to_the_receptionist_when_nobody_picks_up() {
    for is_configured in [true, false] {
        let rest = Rest::start().await;
        let mut asks = settings(&rest.url);
        if !is_configured {
            asks.twilio.account = String::new();
        }
        let office = Office::open_with(RING_SAM, asks, 500, |_| {}).await;
        let carrier = Carrier::new(Provider::Twilio, office.address);
        rest.next(Manner::Status(500));
        let dialling = Dialling::begun(carrier).await;
        sleep(Duration::from_millis(1_000)).await;
        assert_eq!(rest.asked().len(), usize::from(is_configured));
        let back = dialling.over("no-answer").await;
        let player = hears_the_receptionist(carrier, &back).await;
        player.hangs_up();
        assert_eq!(office.only().await.2, [("sam".to_owned(), HandOverOutcome::NoAnswer)]);
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vonage_is_told_to_ask_nobody_whom_it_could_not_let_go() {
    let rest = Rest::start().await;
    let mut without = settings(&rest.url);
    without.vonage.private_key_file = None;
    let office = Office::open(RING_SAM, without).await;
    let carrier = Carrier::new(Provider::Vonage, office.address);
    let (_, answer) = carrier.asks("answer", "c-1", &[]).await;
    hears_the_receptionist(carrier, &answer).await.hangs_up();
    assert_eq!(office.only().await.2, [("sam".to_owned(), HandOverOutcome::Unreachable)]);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_speak_with_each_other_are_left_alone_by_a_node_that_stops() {
    let rest = Rest::start().await;
    let rules = "[forwarding]\nalways = \"sam\"\n";
    let (office, carrier) = open(Provider::Twilio, rules, &rest).await;
    let dialling = Dialling::begun(carrier).await;
    dialling.picks_up(0).await;
    sleep(Duration::from_millis(100)).await;
    office.close().await;
    assert!(rest.asked().is_empty(), "{:?}", rest.asked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_to_whoever_picks_up_is_the_carriers_own_words() {
    let rest = Rest::start().await;
    let (office, carrier) = open(Provider::Vonage, RING_SAM, &rest).await;
    let dialling = Dialling::begun(carrier).await;
    let (told, _) = dialling.is_told(0).await;
    let actions: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((&actions[0]["action"], &actions[1]["action"]), (&json!("talk"), &json!("input")));
    assert_eq!(actions[1]["dtmf"], json!({ "maxDigits": 1, "timeOut": 10 }));
    carrier.asks("status", "c-1", &[("status", "completed")]).await;
    office.only().await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_carrier_found_of_the_callers_number_speaks_for_or_against_them() {
    let rules = "[screening]\nspam_score = 40\nspam_gets = \"declined\"\n";
    let failed: [(Provider, &[(&str, &str)]); 3] = [
        (Provider::Twilio, &[("StirVerstat", "TN-Validation-Failed-A")]),
        (Provider::Telnyx, &[("ShakenStirAttestation", "A"), ("ShakenStirValidated", "false")]),
        (Provider::Plivo, &[("STIRVerification", "Not Verified")]),
    ];
    for (provider, found) in failed {
        let rest = Rest::start().await;
        let (office, carrier) = open(provider, rules, &rest).await;
        let (_, answer) = carrier.asks("answer", "c-1", found).await;
        assert!(answer.contains("rejected"), "{provider:?}: {answer}");
        let calls = office.calls().await;
        assert_eq!(calls[0].attestation, Attestation::Failed(Distrust::Unexplained), "{provider:?}");
        assert_eq!(calls[0].arrived.as_ref().map(|one| one.route), Some(Route::TurnedAsSpam));
        office.close().await;
    }
}
