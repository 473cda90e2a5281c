//! baresip, a softphone, as the caller.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use actors::call::leg::Event;
use actors::types::EndReason;
use cluster::edge::sip_trunk::Transport;
use tokio::time::{Instant, sleep};

use super::desk::{self, ANSWERS, Desk, HANGS_UP};
use super::peer::Peer;
use super::{address, quiet, settings};

/// A running baresip, commanded by its standard input. Stopped when dropped.
struct Softphone {
    peer: Peer,
    home: tempfile::TempDir,
}

impl Softphone {
    fn start(transport: Transport) -> Self {
        let home = tempfile::tempdir().unwrap();
        let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let sound = home.path().join("voice.wav");
        tone(&sound);
        let parameter = if transport == Transport::Tcp { ";transport=tcp" } else { "" };
        fs::write(
            home.path().join("config"),
            format!(
                "poll_method epoll\nsip_listen 127.0.0.1:{port}\nmodule_path {}\nmodule stdio.so\nmodule g711.so\n\
                 module aufile.so\nmodule_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\n\
                 audio_player aufile,{}\naudio_source aufile,{}\naudio_alert aufile,{}\naudio_srate 8000\n\
                 audio_channels 1\nrtp_ports 41000-41999\n",
                modules(),
                home.path().join("heard.wav").display(),
                sound.display(),
                home.path().join("alert.wav").display(),
            ),
        )
        .unwrap();
        fs::write(
            home.path().join("accounts"),
            format!("<sip:2000@127.0.0.1{parameter}>;auth_pass=none;regint=0;audio_codecs=PCMU/8000/1\n"),
        )
        .unwrap();
        let folder = home.path().to_string_lossy().into_owned();
        let peer = Peer::start("baresip", &["-f", &folder], &home.path().join("log"));
        Self { peer, home }
    }

    fn say(&mut self, command: &str) {
        let input = self.peer.child.stdin.as_mut().unwrap();
        writeln!(input, "{command}").unwrap();
        input.flush().unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

fn modules() -> String {
    [
        "/usr/lib/baresip/modules",
        "/usr/lib/x86_64-linux-gnu/baresip/modules",
        "/usr/local/lib/baresip/modules",
    ]
    .into_iter()
    .find(|path| Path::new(path).exists())
    .unwrap_or("/usr/lib/baresip/modules")
    .to_owned()
}

/// Ten seconds of 440 hertz, as a voice that never stops.
fn tone(path: &Path) {
    let specification = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, specification).unwrap();
    for index in 0..80_000_u32 {
        let phase = f64::from(index) * 440.0 * std::f64::consts::TAU / 8_000.0;
        #[expect(clippy::cast_possible_truncation, reason = "within 16 bits")]
        writer.write_sample((phase.sin() * 8_000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

async fn until(desk: &Desk, phone: &Softphone, number: &str, what: &Event) {
    let end = Instant::now() + Duration::from_secs(15);
    while !desk.calls(number).iter().flatten().any(|event| event == what) {
        assert!(Instant::now() < end, "no {what:?} in {:?}\n{}", desk.calls(number), phone.log());
        sleep(Duration::from_millis(20)).await;
    }
}

/// Dials; the transport is the account's.
fn dial(phone: &mut Softphone, number: &str, target: SocketAddr) {
    phone.say(&format!("/dial sip:{number}@{target}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_baresip_dials_holds_resumes_and_hangs_up() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (trunk, media, desk) = desk::open(settings()).await;
        let target = address(&trunk, transport);
        let mut phone = Softphone::start(transport);
        sleep(Duration::from_millis(700)).await;
        dial(&mut phone, ANSWERS, target);
        until(&desk, &phone, ANSWERS, &Event::Established).await;
        phone.say("/hold");
        until(&desk, &phone, ANSWERS, &Event::Held(true)).await;
        phone.say("/resume");
        until(&desk, &phone, ANSWERS, &Event::Held(false)).await;
        sleep(Duration::from_millis(500)).await;
        phone.say("/hangup");
        until(&desk, &phone, ANSWERS, &Event::Ended(EndReason::CallerHungUp)).await;

        dial(&mut phone, HANGS_UP, target);
        until(&desk, &phone, HANGS_UP, &Event::Ended(EndReason::Completed)).await;
        quiet(&trunk, Duration::from_secs(20)).await;
        let received = desk.calls(ANSWERS).into_iter().flatten().find_map(|event| match event {
            Event::Quality(quality) => Some(quality.packets_received),
            _ => None,
        });
        assert!(received.is_some_and(|packets| packets > 20), "{received:?} packets of audio came");
        assert_eq!(media.counts().sessions, 0);
        trunk.stop(Duration::from_secs(1)).await;
    }
}
