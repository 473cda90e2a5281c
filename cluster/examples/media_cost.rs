//! What a call's media costs: `media_cost [calls] [seconds] [pcmu|g722|opus|srtp|suppressed|unlevelled]`; `srtp` is
//! protected PCMU, `suppressed` PCMU with noise suppression, `unlevelled` PCMU without one level for all callers.
//!
//! Opens so many sessions in this process and lets a second process be their far sides: each sends 50
//! packets a second of speech with pauses, and takes the 50 that come back. Each session is recorded and
//! listened to, and speaks for half the time, from 24 kHz. Prints the CPU time of the media threads alone,
//! the memory that the sessions added, and what was late or lost. Both processes share the machine, so the
//! figures are those of a busy one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measuring program may stop where it stands")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::types::CallId;
use cluster::clock;
use cluster::edge::media::{
    Codec, Control, Direction, Media, MediaEvents, Protected, Session, Settings, Stream,
};
use cluster::rtp::codec::Encoder;
use cluster::rtp::level;
use cluster::rtp::noise_suppression::Suppression;
use cluster::rtp::packet::Header;
use cluster::rtp::protection::{Key, Sealing, Suite};
use models::audio::{AudioReceiver, Clip, Speech, audio_ring};

const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/speech/librivox-0880-8khz.wav");

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, otherwise: u64| {
        arguments.get(index).and_then(|argument| argument.parse().ok()).unwrap_or(otherwise)
    };
    if arguments.first().is_some_and(|first| first == "far-sides") {
        far_sides(number(1, 1) as usize, number(2, 10), &Kind::of(arguments.get(3)));
    } else {
        measure(number(0, 200) as usize, number(1, 20), &Kind::of(arguments.get(2)));
    }
}

/// What is measured.
struct Kind {
    name: &'static str,
    codec: Codec,
    key: Option<Key>,
    settings: Settings,
}

impl Kind {
    fn of(argument: Option<&String>) -> Self {
        let settings = Settings { address: [127, 0, 0, 1].into(), ..Settings::default() };
        let pcmu = Self { name: "pcmu", codec: Codec::Pcmu, key: None, settings };
        match argument.map(String::as_str) {
            Some("g722") => Self { name: "g722", codec: Codec::G722, ..pcmu },
            Some("opus") => Self { name: "opus", codec: Codec::Opus, ..pcmu },
            Some("srtp") => {
                let key = Key { suite: Suite::AesCm128Sha1With80, master: (0..30).collect() };
                Self { name: "srtp", key: Some(key), ..pcmu }
            }
            Some("suppressed") => {
                let settings = Settings { noise_suppression: Suppression::Hearing, ..pcmu.settings };
                Self { name: "pcmu", settings, ..pcmu }
            }
            Some("unlevelled") => {
                let level = level::Settings { hearing: false, ..level::Settings::default() };
                Self { name: "pcmu", settings: Settings { level, ..pcmu.settings }, ..pcmu }
            }
            _ => pcmu,
        }
    }

    const fn payload_type(&self) -> u8 {
        match self.codec {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
            Codec::Opus => 96,
        }
    }
}

fn measure(calls: usize, seconds: u64, kind: &Kind) {
    let program = std::env::current_exe().unwrap();
    let mut far = Command::new(program)
        .args(["far-sides", &calls.to_string(), &(seconds + 6).to_string(), kind.name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = BufReader::new(far.stdout.take().unwrap()).lines();
    let ports: Vec<u16> =
        answers.next().unwrap().unwrap().split(' ').map(|port| port.parse().unwrap()).collect();

    let media = Media::start(kind.settings.clone()).unwrap();
    let before = resident_kib();
    let nothing: MediaEvents = Arc::new(|_| {});
    let sessions: Vec<Session> =
        ports.iter().map(|_| media.open(CallId::default(), Arc::clone(&nothing)).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(500));
    let per_session = (resident_kib() - before) as f64 / calls as f64;
    let rings: Vec<_> =
        sessions.iter().zip(&ports).map(|(session, port)| set_up(session, *port, kind)).collect();
    let local: Vec<String> =
        sessions.iter().map(|session| session.local_address().port().to_string()).collect();
    writeln!(far.stdin.take().unwrap(), "{}", local.join(" ")).unwrap();

    let stop = Arc::new(AtomicBool::new(false));
    let drained = std::thread::Builder::new().name("drain".into()).spawn({
        let stop = Arc::clone(&stop);
        move || drain(rings, &stop)
    });
    let clip = speech_at_24_khz();
    let turns = seconds / 6 + 2;
    for turn in 0..turns {
        for session in &sessions {
            let speech = Speech::clip(clip.clone());
            session.control(Control::Play { utterance: UtteranceId(turn), speech }).unwrap();
        }
        if turn == 0 {
            // The first seconds warm up: filters, caches, the latch.
            std::thread::sleep(Duration::from_secs(4));
            report_window(&media, calls, seconds.min(6));
        } else {
            report_window(&media, calls, 6);
        }
    }
    println!("memory: {per_session:.1} KiB per session without rings, {} KiB in all", resident_kib());
    stop.store(true, Ordering::Relaxed);
    println!("recorded and listened to: {} samples", drained.unwrap().join().unwrap());
    println!("far sides: {}", answers.next().unwrap().unwrap());
    drop(sessions);
    media.stop();
    far.wait().unwrap();
}

fn report_window(media: &Media, calls: usize, seconds: u64) {
    let (counts, cpu, began) = (media.counts(), media_cpu(), clock::monotonic());
    std::thread::sleep(Duration::from_secs(seconds));
    let elapsed = clock::since(began).as_secs_f64();
    let now = media.counts();
    let per_call = (media_cpu() - cpu).as_secs_f64() / elapsed / calls as f64;
    let expected = elapsed * 50.0 * calls as f64;
    println!(
        "{calls} calls: {:.1} µs/s of CPU per call = {:.4} % of a core; packets in {:.2} %, out {:.2} % of due; {} turns late",
        per_call * 1e6,
        per_call * 100.0,
        (now.packets_received - counts.packets_received) as f64 / expected * 100.0,
        (now.packets_sent - counts.packets_sent) as f64 / expected * 100.0,
        now.ticks_late - counts.ticks_late,
    );
}

fn set_up(session: &Session, port: u16, kind: &Kind) -> (AudioReceiver, AudioReceiver) {
    let stream = Stream {
        remote: SocketAddr::from(([127, 0, 0, 1], port)),
        codec: kind.codec,
        payload_type: kind.payload_type(),
        telephone_event: Some(101),
        comfort_noise: None,
        direction: Direction::SendReceive,
        packet_ms: 20,
        protected: kind.key.clone().map(|key| Protected { ours: key.clone(), theirs: key }),
        handshake: None,
        connectivity: None,
        multiplexed: false,
    };
    session.control(Control::Configure(stream)).unwrap();
    let (listen, listening) = audio_ring(8_000, 8_000);
    let (record, recording) = audio_ring(8_000, 16_000);
    session.control(Control::Listen(listen)).unwrap();
    session.control(Control::Record(record)).unwrap();
    (listening, recording)
}

/// Empties the rings as a recogniser and a recorder would.
fn drain(mut rings: Vec<(AudioReceiver, AudioReceiver)>, stop: &AtomicBool) -> usize {
    let mut samples = vec![0; 16_000];
    let mut all = 0;
    while !stop.load(Ordering::Relaxed) {
        for (listening, recording) in &mut rings {
            all += listening.read(&mut samples);
            while listening.next_mark().is_some() {}
            all += recording.read(&mut samples);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    all
}

/// The CPU time of the threads named `media-…`.
fn media_cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |task: std::path::PathBuf| {
        let name = std::fs::read_to_string(task.join("comm")).ok()?;
        let schedule = std::fs::read_to_string(task.join("schedstat")).ok()?;
        let ran: u64 = schedule.split(' ').next()?.parse().ok()?;
        name.starts_with("media-").then_some(ran)
    };
    Duration::from_nanos(tasks.filter_map(|task| of(task.ok()?.path())).sum())
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn speech() -> Vec<i16> {
    hound::WavReader::open(SPEECH).unwrap().samples().map(Result::unwrap).collect()
}

/// Three seconds at 24 kHz; how it sounds does not matter here.
fn speech_at_24_khz() -> Clip {
    let samples: Vec<i16> = speech().into_iter().flat_map(|sample| [sample; 3]).collect();
    Clip::with_estimated_words(24_000, samples.into(), "he was not an ill disposed young man")
}

/// The other process: sends and receives for every call, on an even schedule.
fn far_sides(calls: usize, seconds: u64, kind: &Kind) {
    let sockets: Vec<UdpSocket> = (0..calls).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<String> =
        sockets.iter().map(|socket| socket.local_addr().unwrap().port().to_string()).collect();
    println!("{}", ports.join(" "));
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    for (socket, port) in sockets.iter().zip(line.split_whitespace()) {
        socket.connect(("127.0.0.1", port.parse().unwrap())).unwrap();
        socket.set_nonblocking(true).unwrap();
    }
    // Three seconds of speech, four of faint noise.
    let mut line: Vec<i16> = speech();
    line.extend((0..32_000u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 27) as i16 - 16));
    let mut encoder = Encoder::new(kind.codec).unwrap();
    let encoded: Vec<Vec<u8>> = line
        .chunks_exact(160)
        .map(|frame| {
            let mut payload = vec![0; 480];
            let length = encoder.encode(frame, &mut payload);
            payload.truncate(length);
            payload
        })
        .collect();
    let packets = encoded.len();
    let mut sealings: Vec<Sealing> = sockets.iter().map(|_| Sealing::default()).collect();
    if let Some(key) = &kind.key {
        sealings.iter_mut().for_each(|sealing| sealing.use_key(key).unwrap());
    }
    let began = clock::monotonic();
    let (mut received, mut bytes) = (0u64, [0; 1_500]);
    for slot in 0..seconds * 1_000 {
        let due = began + Duration::from_millis(slot);
        std::thread::sleep(due.saturating_duration_since(clock::monotonic()));
        let packet = slot / 20;
        for (index, socket) in sockets.iter().enumerate().skip((slot % 20) as usize).step_by(20) {
            // Calls are at different places of the line.
            let place = (packet as usize + index * 37) % packets;
            let header = Header {
                payload_type: kind.payload_type(),
                sequence: packet as u16,
                timestamp: packet as u32 * 160 * kind.codec.ticks_per_sample(),
                ssrc: 1,
                ..Header::default()
            };
            let clear = [&header.to_bytes()[..], &encoded[place]].concat();
            let _ = match kind.key {
                Some(_) => socket.send(&sealings[index].seal(&clear).unwrap()),
                None => socket.send(&clear),
            };
            while socket.recv(&mut bytes).is_ok() {
                received += 1;
            }
        }
    }
    let expected = seconds * 50 * calls as u64;
    println!("received {received} packets of {expected} due");
}
