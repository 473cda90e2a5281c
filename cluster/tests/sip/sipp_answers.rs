//! SIPp as the one that we call.

use std::sync::Arc;
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event};
use actors::types::EndReason;
use cluster::edge::sip_trunk::Transport;
use models::audio::{Clip, Speech, audio_ring};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::peer::{self, Peer};
use super::tones::{share, tone};
use super::{desk, settings};

const CALLS: usize = 10;

/// A free port of loopback.
fn port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

type Told = Arc<Mutex<Vec<Event>>>;

async fn until(told: &Told, what: &str, like: impl Fn(&Event) -> bool) {
    let end = Instant::now() + Duration::from_secs(15);
    while !told.lock().iter().any(&like) {
        assert!(Instant::now() < end, "not {what}: {:?}", told.lock());
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_is_called_by_udp_and_tcp_and_echoes_what_it_hears() {
    let (trunk, media, _desk) = desk::open(settings()).await;
    let home = tempfile::tempdir().unwrap();
    for (transport, mode, protocol) in [(Transport::Udp, "u1", "udp"), (Transport::Tcp, "t1", "tcp")] {
        let (signalling, audio) = (port(), port());
        let log = home.path().join(mode);
        let [count, port, media_port] = [CALLS.to_string(), signalling.to_string(), audio.to_string()];
        let arguments = [
            "-sn",
            "uas",
            "-nostdin",
            "-i",
            "127.0.0.1",
            "-p",
            &port,
            "-mp",
            &media_port,
            "-rtp_echo",
            "-m",
            &count,
            "-t",
            mode,
            "-timeout",
            "40",
            "-timeout_error",
        ];
        let mut sipp = Peer::start("sipp", &arguments, &log);
        peer::bound(protocol, signalling).await;
        let parameter = if transport == Transport::Tcp { ";transport=tcp" } else { "" };
        let target = format!("sip:service@127.0.0.1:{signalling}{parameter}");
        for call in 0..CALLS {
            let told = Told::default();
            let events = Arc::clone(&told);
            let leg = trunk
                .call(&target, "+442079460001", Arc::new(move |event| events.lock().push(event)))
                .await
                .unwrap();
            until(&told, "up", |event| *event == Event::Established).await;
            if call == 0 {
                let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 10);
                leg.command(Command::Record(sender)).unwrap();
                let clip = Clip::with_estimated_words(8_000, tone(8_000, 1_000.0, 2).into(), "a tone");
                leg.command(Command::Play { utterance: UtteranceId(1), speech: Speech::clip(clip) }).unwrap();
                until(&told, "played", |event| matches!(event, Event::PlaybackEnded { .. })).await;
                let mut both = vec![0; recording.waiting()];
                recording.read(&mut both);
                let echo: Vec<i16> = both.iter().step_by(2).copied().collect();
                assert!(share(&echo, 1_000.0) > 0.95, "SIPp echoes {}", share(&echo, 1_000.0));
            }
            leg.command(Command::HangUp).unwrap();
            until(&told, "ended", |event| *event == Event::Ended(EndReason::Completed)).await;
        }
        // Zero is SIPp's word that every call went by its script, our BYE included.
        let status = sipp.ended(Duration::from_secs(20)).await;
        assert_eq!(status, Some(0), "{}", std::fs::read_to_string(&log).unwrap_or_default());
    }
    super::quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}
