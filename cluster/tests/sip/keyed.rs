//! Calls that we make with keys by DTLS: to ourselves, and to those who do not want it.

use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event, Leg};
use actors::types::{EndReason, Private};
use cluster::edge::media;
use cluster::edge::sip_trunk::{Carrier, Settings, Transport, Trunk};
use cluster::sip::dialog::Offers;
use cluster::sip::respond::respond;
use cluster::sip::sdp::{KeyManagement, Protection};
use cluster::sip::wire::{HeaderName, Method, text};
use models::audio::{AudioReceiver, Clip, Speech, audio_ring};
use tokio::time::{Instant, sleep};

use super::desk::{self, ANSWERS};
use super::dialling::{ear, until};
use super::scripted::Server;
use super::tones::{share, tone};
use super::{address, quiet, settings};

const FROM: &str = "+442079460001";

fn by_dtls(srtp: Protection) -> Settings {
    Settings { srtp, srtp_keys: KeyManagement::Dtls, ..settings() }
}

/// Everybody without, and the carrier at home with.
fn one_carrier_by_dtls() -> Settings {
    let carrier = Carrier {
        name: "near".to_owned(),
        addresses: vec!["127.0.0.1".to_owned()],
        user: String::new(),
        password: Private::new(String::new()),
        numbers: Vec::new(),
        account: None,
        srtp: Some(Protection::Offered),
        srtp_keys: Some(KeyManagement::Dtls),
        offers: None,
    };
    Settings { trunk: vec![carrier], ..settings() }
}

fn long_tone(hz: f32) -> Command {
    let clip = Clip::with_estimated_words(8_000, tone(8_000, hz, 30).into(), "a long tone");
    Command::Play { utterance: UtteranceId(1), speech: Speech::clip(clip) }
}

/// Waits until nothing but this tone is heard for more than a second.
async fn until_heard(recording: &mut AudioReceiver, hz: f32) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let mut before = vec![0; recording.waiting()];
        recording.read(&mut before);
        sleep(Duration::from_millis(1_800)).await;
        let mut both = vec![0; recording.waiting()];
        recording.read(&mut both);
        let heard = share(&both.into_iter().step_by(2).collect::<Vec<i16>>(), hz);
        if heard > 0.95 {
            return;
        }
        assert!(Instant::now() < end, "{heard} of it is at {hz} Hz");
    }
}

async fn called(
    trunk: &Trunk,
    target: &Trunk,
    transport: Transport,
) -> (super::dialling::Told, std::sync::Arc<dyn Leg>) {
    let parameter = if transport == Transport::Tcp { ";transport=tcp" } else { "" };
    let (told, events) = ear();
    let uri = format!("sip:{ANSWERS}@{}{parameter}", address(target, transport));
    let leg = trunk.call(&uri, FROM, events).await.unwrap();
    (told, leg)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_trunks_agree_on_keys_by_dtls_and_hear_each_other() {
    for (with, transport) in [
        (by_dtls(Protection::Required), Transport::Udp),
        (by_dtls(Protection::Offered), Transport::Tcp),
        (one_carrier_by_dtls(), Transport::Udp),
        // Whoever is called offers, and the roles are the other way round.
        (Settings { offers: Offers::Delayed, ..by_dtls(Protection::Required) }, Transport::Udp),
    ] {
        let keys = if with.offers == Offers::Delayed { KeyManagement::Dtls } else { KeyManagement::Sdes };
        let required = Settings { srtp: Protection::Required, srtp_keys: keys, ..settings() };
        let (callee, far_media, desk) = desk::open(required).await;
        let (caller, near_media, _) = desk::open(with).await;
        let (told, leg) = called(&caller, &callee, transport).await;
        until(&told, |event| *event == Event::Established).await;
        desk.until_up(ANSWERS).await;
        let ((near, mut near_hears), (far, mut far_hears)) =
            (audio_ring(8_000, 480_000), audio_ring(8_000, 480_000));
        leg.command(Command::Record(near)).unwrap();
        desk.command(ANSWERS, Command::Record(far));
        leg.command(long_tone(440.0)).unwrap();
        desk.command(ANSWERS, long_tone(1_000.0));
        tokio::join!(until_heard(&mut far_hears, 440.0), until_heard(&mut near_hears, 1_000.0));
        leg.command(Command::HangUp).unwrap();
        until(&told, |event| *event == Event::Ended(EndReason::Completed)).await;
        for (trunk, media) in [(caller, near_media), (callee, far_media)] {
            quiet(&trunk, Duration::from_secs(20)).await;
            assert_eq!(media.counts().sessions, 0);
            trunk.stop(Duration::from_secs(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_know_it_refuses_and_is_told_of() {
    let without = media::Settings { dtls: false, ..desk::media_at("127.0.0.1") };
    let (callee, _media, _) = desk::open_with(without, settings()).await;
    let (caller, _media, _) = desk::open(by_dtls(Protection::Offered)).await;
    let (told, _leg) = called(&caller, &callee, Transport::Udp).await;
    until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;
    assert!(told.lock().contains(&Event::Refused(488)), "{:?}", told.lock());
    // What was refused is remembered for 32 seconds (timer D); no call is.
    assert_eq!((caller.counts().dialogs, callee.counts().dialogs), (0, 0));
    for trunk in [caller, callee] {
        trunk.stop(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_without_a_fingerprint_is_hung_up_on_and_told_why() {
    for (protocol, why) in [
        ("UDP/TLS/RTP/SAVP", "audio by DTLS has to come with an a=fingerprint of SHA-256 or better"),
        ("RTP/AVP", "only protected audio (RTP/SAVP with a=crypto, or UDP/TLS/RTP/SAVP(F)) is taken here"),
    ] {
        let answer = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 {protocol} 0\r\n"
        );
        let server = Server::start(Box::new(move |request| match request.method {
            Method::Invite => Some(
                respond(request, 200, Some("far"))
                    .with(HeaderName::Contact, format!("<{}>", request.uri))
                    .with_sdp(answer.clone().into_bytes()),
            ),
            Method::Ack => None,
            _ => Some(respond(request, 200, None)),
        }))
        .await;
        let (caller, media, _) = desk::open(by_dtls(Protection::Offered)).await;
        let (told, events) = ear();
        let _leg = caller.call(&format!("sip:{ANSWERS}@{}", server.address), FROM, events).await.unwrap();
        until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;
        assert!(!told.lock().contains(&Event::Established));
        let offer = server.asked(&Method::Invite)[0].body().to_vec();
        let offer = String::from_utf8(offer).unwrap();
        assert!(offer.contains(" UDP/TLS/RTP/SAVP ") && offer.contains("a=setup:actpass\r\n"), "{offer}");
        let byes = server.was_asked(&Method::Bye, 1).await;
        let reason = HeaderName::parse(&bytes::Bytes::from_static(b"Reason"));
        assert_eq!(text(&byes[0].headers, &reason), Some(format!("SIP;cause=488;text=\"{why}\"")));
        quiet(&caller, Duration::from_secs(10)).await;
        assert_eq!(media.counts().sessions, 0);
        caller.stop(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_certificate_nobody_starts_who_is_to_offer_it() {
    for (with, says) in [(by_dtls(Protection::Offered), "sip.srtp_keys"), (one_carrier_by_dtls(), "near")] {
        let media =
            media::Media::start(media::Settings { dtls: false, ..desk::media_at("127.0.0.1") }).unwrap();
        let why =
            Trunk::start(with, std::sync::Arc::new(desk::DeskHandle::default()), media).await.err().unwrap();
        assert!(why.to_string().contains(says) && why.to_string().contains("media.dtls"), "{why}");
    }
}
