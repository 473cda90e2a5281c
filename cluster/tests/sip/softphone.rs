//! baresip, a softphone that shares no code with us.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actors::call::leg::Event;
use cluster::edge::sip_trunk::Transport;
use models::audio::resample;
use tokio::time::{Instant, sleep};

use super::desk::Desk;
use super::peer::{self, Peer};

/// A running baresip, commanded by its standard input. Killed when dropped.
pub(super) struct Softphone {
    peer: Peer,
    transport: Transport,
    home: tempfile::TempDir,
}

impl Softphone {
    /// Starts it with one codec (`PCMU`, `PCMA`, `G722` or `opus`). In each call it says `voice`, once, at 8 kHz.
    pub(super) async fn start(transport: Transport, codec: &str, voice: &[i16]) -> Self {
        Self::start_with(transport, codec, voice, "").await
    }

    /// The same, and it speaks SRTP or not at all.
    pub(super) async fn start_protected(transport: Transport, codec: &str, voice: &[i16]) -> Self {
        Self::start_as(transport, codec, voice, "", ";mediaenc=srtp-mand").await
    }

    /// The same, and it checks the ways between us (ICE).
    pub(super) async fn start_checking(transport: Transport, voice: &[i16]) -> Self {
        Self::start_as(transport, "PCMU", voice, "rtcp_mux yes\n", ";medianat=ice").await
    }

    /// The same with further lines of its configuration.
    pub(super) async fn start_with(transport: Transport, codec: &str, voice: &[i16], extra: &str) -> Self {
        Self::start_as(transport, codec, voice, extra, "").await
    }

    async fn start_as(transport: Transport, codec: &str, voice: &[i16], extra: &str, account: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let sound = home.path().join("voice.wav");
        let (codec, rate_hz, channels) = match codec {
            "G722" => ("G722/16000/1".to_owned(), 16_000, 1),
            "opus" => ("opus/48000/2".to_owned(), 48_000, 2),
            law => (format!("{law}/8000/1"), 8_000, 1),
        };
        write_wav(&sound, &resample(voice, 8_000, rate_hz), rate_hz, channels);
        let parameter = transport.in_uri();
        fs::write(
            home.path().join("config"),
            format!(
                "poll_method epoll\nsip_listen 127.0.0.1:{port}\nmodule_path {}\nmodule stdio.so\nmodule g711.so\n\
                 module g722.so\nmodule opus.so\nmodule srtp.so\nmodule ice.so\nmodule aufile.so\nmodule sndfile.so\n\
                 module_tmp uuid.so\nmodule_tmp account.so\n\
                 module_app menu.so\naudio_source aufile,{}\nsnd_path {}\nrtp_ports 41000-41999\n{extra}",
                modules(),
                sound.display(),
                home.path().display(),
            ),
        )
        .unwrap();
        fs::write(
            home.path().join("accounts"),
            format!(
                "<sip:2000@127.0.0.1{parameter}>;auth_user=user;auth_pass=secret;regint=0;audio_codecs={codec}{account}\n"
            ),
        )
        .unwrap();
        let folder = home.path().to_string_lossy().into_owned();
        let peer = Peer::start("baresip", &["-f", &folder], &home.path().join("log"));
        let phone = Self { peer, transport, home };
        peer::bound("udp", port).await;
        let end = Instant::now() + Duration::from_secs(30);
        while !phone.log().contains("baresip is ready") {
            assert!(Instant::now() < end, "not ready: {}", phone.log());
            sleep(Duration::from_millis(20)).await;
        }
        phone
    }

    /// What it dials by.
    pub(super) const fn transport(&self) -> Transport {
        self.transport
    }

    /// Gives a command of baresip's menu.
    pub(super) fn say(&mut self, command: &str) {
        let input = self.peer.child.stdin.as_mut().unwrap();
        writeln!(input, "{command}").unwrap();
        input.flush().unwrap();
    }

    /// Dials; the transport is the account's.
    pub(super) fn dial(&mut self, number: &str, target: SocketAddr) {
        self.say(&format!("/dial sip:{number}@{target}"));
    }

    /// What it printed.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// What it decoded in its only call, at 8 kHz, once the call is over.
    pub(super) async fn heard(&self) -> Vec<i16> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            // The header says how long the file is only when baresip has closed it.
            let reader = self.dump().and_then(|path| hound::WavReader::open(path).ok());
            if let Some(reader) = reader.filter(|reader| reader.duration() > 0) {
                let hound::WavSpec { sample_rate, channels, .. } = reader.spec();
                let all: Vec<i16> = reader.into_samples().collect::<Result<_, _>>().unwrap();
                let left: Vec<i16> = all.into_iter().step_by(channels.into()).collect();
                return resample(&left, sample_rate, 8_000);
            }
            assert!(Instant::now() < end, "heard nothing: {}", self.log());
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn dump(&self) -> Option<PathBuf> {
        let files = fs::read_dir(self.home.path()).unwrap().flatten();
        files.map(|file| file.path()).find(|path| path.to_string_lossy().ends_with("-dec.wav"))
    }

    /// Waits for an event of a call to `number`.
    pub(super) async fn until(&self, desk: &Desk, number: &str, what: &str, like: impl Fn(&Event) -> bool) {
        let end = Instant::now() + Duration::from_secs(15);
        while !desk.calls(number).iter().flatten().any(&like) {
            assert!(Instant::now() < end, "not {what}: {:?}\n{}", desk.calls(number), self.log());
            sleep(Duration::from_millis(20)).await;
        }
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

pub(super) fn write_wav(path: &Path, samples: &[i16], sample_rate: u32, channels: u16) {
    let specification = hound::WavSpec {
        channels,
        sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, specification).unwrap();
    for sample in samples {
        for _ in 0..channels {
            writer.write_sample(*sample).unwrap();
        }
    }
    writer.finalize().unwrap();
}
