//! A line that returns our voice, by real SIP and RTP: it does not interrupt the greeting, and a caller does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actors::call::Minds;
use actors::storage::{Memory, Page, Storage};
use actors::supervision::{Parts, Supervision};
use actors::tenant::import;
use actors::types::{CallEventKind, Speaker};
use cluster::edge::media::{self, Media};
use cluster::edge::sip_trunk::Trunk;
use cluster::rtp::echo;
use models::audio::g711::Law;
use models::engine::{self, SpeechToTextChoice, TextToSpeechChoice};
use models::scripted::Recogniser;
use tokio::time::{Instant, sleep, timeout};

use super::end::End;
use super::wire::is;
use super::{quiet, settings};

/// The greeting takes flite some eight seconds.
const BUSINESS: &str = r#"
[business]
name = "Camden Plumbers"
time_zone = "Europe/London"
numbers = ["1000"]
[hours]
every_day = "0:00-24:00"
[policy]
recording = "none"
greeting = "Thank you for calling Camden Plumbers. We mend boilers, taps and drains all over London, on every day of the week, and nobody waits for longer than a day. How can I help you?"
"#;

/// The echo is so late, in packets, and so quiet: 120 ms and 12 dB.
const LATE: usize = 6;
const LOSS: f32 = 0.25;
/// When the caller begins to speak, in packets that came: after three and a half seconds of the greeting.
const SPEAKS_AT: usize = 175;

/// Sends back what comes, and the caller's words on top of it where there are any.
async fn echoes(caller: &End, there: SocketAddr, says: &[i16]) {
    let mut line: Vec<[i16; 160]> = Vec::new();
    let mut buffer = [0; 2_000];
    for number in 0_u16.. {
        let length = caller.audio.recv(&mut buffer).await.unwrap();
        let mut came = [0; 160];
        Law::Mu.decode_into(&buffer[12..length.min(172)], &mut came);
        line.push(came);
        let at = usize::from(number);
        let silence = [0; 160];
        let late = at.checked_sub(LATE).map_or(&silence, |at| &line[at]);
        let said = at.checked_sub(SPEAKS_AT).and_then(|at| says.get(at * 160..(at + 1) * 160));
        let mut mixed = [0; 160];
        for (place, sample) in mixed.iter_mut().enumerate() {
            let echo = (f32::from(late[place]) * LOSS) as i16;
            *sample = echo.saturating_add(said.map_or(0, |said| said[place]));
        }
        let mut packet = vec![0x80, 0];
        packet.extend_from_slice(&number.to_be_bytes());
        packet.extend_from_slice(&(u32::from(number) * 160).to_be_bytes());
        packet.extend_from_slice(&[1, 2, 3, 4]);
        let mut coded = [0; 160];
        Law::Mu.encode_into(&mixed, &mut coded);
        packet.extend_from_slice(&coded);
        caller.audio.send_to(&packet, there).await.unwrap();
    }
}

/// What was heard of the greeting, and whether it was interrupted.
async fn greeted(echo: echo::Settings, says: &[i16]) -> (String, bool) {
    let store = Arc::new(Memory::new());
    let business = import::read(BUSINESS, &import::Settings::default()).unwrap_or_else(|why| panic!("{why}"));
    store.put_business(&business, None).await.unwrap();
    let minds = Minds::playbook(
        actors::call::conversation::Settings::default(),
        actors::call::brain::playbook::Settings::default(),
    );
    let mut parts = Parts::new(Arc::clone(&store) as Arc<dyn Storage>, minds);
    let voice = engine::Settings {
        speech_to_text: SpeechToTextChoice::Off,
        text_to_speech: TextToSpeechChoice::Flite,
        ..engine::Settings::default()
    };
    parts.text_to_speech = engine::choose(&voice).unwrap().0.text_to_speech;
    // One that understands no speech: what interrupts is the voice alone.
    let ear = Recogniser::start(models::scripted::Settings::default(), models::scripted::Control::default());
    parts.speech_to_text = Some(Arc::new(ear.unwrap()));
    let supervision = Supervision::start(parts).await.unwrap();
    let media = Media::start(media::Settings {
        address: "127.0.0.1".parse().unwrap(),
        first_port: 30_000,
        last_port: 31_999,
        quarantine_ms: 0,
        threads: 1,
        echo,
        ..media::Settings::default()
    })
    .unwrap();
    let trunk = Trunk::start(settings(), supervision.reception(), media.clone()).await.unwrap();
    let mut caller = End::at("127.0.0.1", &trunk, "line").await;
    assert!(is(&caller.invite("").await, 200));
    let there = caller.heard_at.unwrap();
    let heard = async {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            sleep(Duration::from_millis(100)).await;
            assert!(Instant::now() < end, "the greeting does not end");
            let businesses = store.businesses(Page::first(1)).await.unwrap().rows;
            let calls = store.calls(&businesses[0].id, Page::first(1)).await.unwrap().rows;
            let Some(call) = calls.first() else { continue };
            let events = store.events(call.id).await.unwrap();
            let said = events.into_iter().find_map(|event| match event.kind {
                CallEventKind::Said { speaker: Speaker::Receptionist, text, interrupted, .. } => {
                    Some((text.reveal().clone(), interrupted))
                }
                _ => None,
            });
            if let Some(said) = said {
                return said;
            }
        }
    };
    let said = tokio::select! {
        said = heard => said,
        () = echoes(&caller, there, says) => unreachable!("it echoes for ever"),
    };
    // The call goes on while it is hung up on: nobody reads its audio any more.
    let bye = timeout(Duration::from_secs(10), caller.ask("BYE", "")).await.unwrap();
    assert!(is(&bye, 200));
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
    supervision.stop(Duration::from_secs(1)).await;
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_a_line_that_echoes_does_not_interrupt_the_greeting_and_a_caller_does() {
    let (said, interrupted) = greeted(echo::Settings::default(), &[]).await;
    assert!(!interrupted && said.ends_with("How can I help you?"), "{said}");
    // Without it the same line does: what was heard above was an echo that counts.
    let off = echo::Settings { held_back: false, ..echo::Settings::default() };
    let (said, interrupted) = greeted(off, &[]).await;
    assert!(interrupted && said.len() < 100, "{said}");
    // And over the same line a caller is heard, a second or so after beginning to speak.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/speech/librivox-0880-8khz.wav");
    let reading = hound::WavReader::open(path).unwrap().into_samples::<i16>();
    // About as loud as the receptionist: who is quieter than the echo can not be told from it.
    let speech: Vec<i16> = reading.map(|sample| (f32::from(sample.unwrap()) * 2.5) as i16).collect();
    let (said, interrupted) = greeted(echo::Settings::default(), &speech).await;
    assert!(interrupted && said.contains("boilers") && !said.contains("nobody waits"), "{said}");
}
