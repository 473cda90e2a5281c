//! Sessions over real sockets on the loopback interface. Each test has its own range of ports.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::types::{CallId, CallQuality};
use models::audio::{AudioReceiver, Clip, MarkKind, Speech, audio_ring};
use parking_lot::Mutex;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::*;
use crate::clock;
use crate::rtp::packet::{Header, Packet};
use crate::rtp::protection::{Key, Suite};
use models::audio::g711::Law;

/// A session and what it told.
pub(super) struct Party {
    pub(super) session: Session,
    told: Arc<Mutex<Vec<MediaEvent>>>,
}

impl Party {
    pub(super) fn of(media: &Media) -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let events = Arc::clone(&told);
        let session =
            media.open(CallId::default(), Arc::new(move |event| events.lock().push(event))).unwrap();
        Self { session, told }
    }

    pub(super) fn told(&self) -> Vec<MediaEvent> {
        self.told.lock().clone()
    }

    pub(super) fn configure(&self, stream: Stream) {
        self.session.control(Control::Configure(stream)).unwrap();
    }

    pub(super) fn play(&self, number: u64, rate_hz: u32, samples: Vec<i16>) {
        let clip = Clip::with_estimated_words(rate_hz, samples.into(), "one two three four");
        let speech = Speech::clip(clip);
        self.session.control(Control::Play { utterance: UtteranceId(number), speech }).unwrap();
    }

    pub(super) fn wait_for(&self, what: impl Fn(&MediaEvent) -> bool) -> bool {
        wait_until(|| self.told.lock().iter().any(&what))
    }

    pub(super) fn quality(self) -> CallQuality {
        let told = Arc::clone(&self.told);
        self.session.control(Control::Close).unwrap();
        assert!(self.wait_for(|event| matches!(event, MediaEvent::Closed(_))));
        let closed = told.lock().iter().find_map(|event| match event {
            MediaEvent::Closed(quality) => Some(*quality),
            _ => None,
        });
        closed.unwrap()
    }
}

/// Whether something comes true within ten seconds.
pub(super) fn wait_until(what: impl Fn() -> bool) -> bool {
    let until = clock::monotonic() + Duration::from_secs(10);
    while clock::monotonic() < until {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

pub(super) fn settings(first_port: u16) -> Settings {
    let address = [127, 0, 0, 1].into();
    Settings { address, first_port, last_port: first_port + 99, ..Settings::default() }
}

pub(super) fn stream(remote: SocketAddr, codec: Codec) -> Stream {
    Stream {
        remote,
        codec,
        payload_type: match codec {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
            Codec::Opus => 111,
        },
        telephone_event: Some(101),
        comfort_noise: None,
        direction: Direction::SendReceive,
        packet_ms: 20,
        protected: None,
        handshake: None,
        connectivity: None,
        multiplexed: false,
    }
}

pub(super) fn pair(media: &Media, codec: Codec) -> (Party, Party) {
    let (one, two) = (Party::of(media), Party::of(media));
    one.configure(stream(two.session.local_address(), codec));
    two.configure(stream(one.session.local_address(), codec));
    (one, two)
}

pub(super) fn tone(rate_hz: u32, hz: f32, count: usize) -> Vec<i16> {
    let step = hz * std::f32::consts::TAU / rate_hz as f32;
    (0..count).map(|index| (8_000.0 * (index as f32 * step).sin()) as i16).collect()
}

/// The share of the energy that lies within 40 Hz of a frequency, and the level.
pub(super) fn share(samples: &[i16], hz: f32) -> (f32, f32) {
    let mut bins: Vec<Complex<f32>> =
        samples.iter().map(|sample| Complex::from(f32::from(*sample))).collect();
    FftPlanner::new().plan_fft_forward(bins.len()).process(&mut bins);
    let width = 8_000.0 / samples.len() as f32;
    let half = &bins[1..bins.len() / 2];
    let all: f32 = half.iter().map(Complex::norm_sqr).sum();
    let near = |index: usize| ((index + 1) as f32 * width - hz).abs() < 40.0;
    let at: f32 =
        half.iter().enumerate().filter(|(index, _)| near(*index)).map(|(_, bin)| bin.norm_sqr()).sum();
    let energy: f32 = samples.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    (at / all.max(1.0), (energy / samples.len() as f32).sqrt())
}

/// The two sides of a recording, caller first.
pub(super) fn sides(receiver: &mut AudioReceiver) -> (Vec<i16>, Vec<i16>) {
    let mut both = vec![0; receiver.waiting()];
    receiver.read(&mut both);
    (both.iter().step_by(2).copied().collect(), both.iter().skip(1).step_by(2).copied().collect())
}

/// A second of it from its middle, where there is no edge.
fn middle(samples: &[i16]) -> &[i16] {
    let loud = samples.iter().position(|sample| sample.unsigned_abs() > 2_000).unwrap();
    &samples[loud + 800..loud + 8_800]
}

#[test]
fn tones_pass_both_ways_in_every_codec_at_every_rate() {
    let media = Media::start(settings(21_000)).unwrap();
    for (codec, rate_hz) in
        [(Codec::Pcmu, 24_000), (Codec::Pcma, 16_000), (Codec::G722, 22_050), (Codec::Opus, 8_000)]
    {
        let (one, two) = pair(&media, codec);
        let (sender, mut recording) = audio_ring(8_000, 64_000);
        two.session.control(Control::Record(sender)).unwrap();
        one.play(1, rate_hz, tone(rate_hz, 700.0, rate_hz as usize * 3 / 2));
        two.play(2, rate_hz, tone(rate_hz, 1_900.0, rate_hz as usize * 3 / 2));
        for party in [&one, &two] {
            assert!(party.wait_for(|event| matches!(
                event,
                MediaEvent::PlaybackEnded { complete: true, last_word: Some(3), .. }
            )));
        }
        std::thread::sleep(Duration::from_millis(120));
        let (left, right) = sides(&mut recording);
        assert_eq!(left.len(), right.len());
        let ((heard, heard_level), (said, said_level)) =
            (share(middle(&left), 700.0), share(middle(&right), 1_900.0));
        assert!(heard > 0.98 && said > 0.98, "{codec:?} {rate_hz}: {heard} {said}");
        for level in [heard_level, said_level] {
            assert!(
                (level - 5_657.0).abs() < if codec == Codec::Opus { 400.0 } else { 200.0 },
                "{codec:?} {rate_hz}: {level}"
            );
        }
        assert!(one.told().contains(&MediaEvent::FirstPacket));
        let quality = two.quality();
        assert!(quality.packets_received > 70 && quality.packets_lost == 0, "{quality:?}");
        assert!(quality.mos.unwrap() > 4.2, "{quality:?}");
    }
    media.stop();
}

#[test]
fn keys_pass_both_ways() {
    let media = Media::start(settings(21_100)).unwrap();
    keys_pass(&media, Codec::Pcmu);
    keys_pass(&media, Codec::Opus);
}

fn keys_pass(media: &Media, codec: Codec) {
    let (one, two) = pair(media, codec);
    one.session.control(Control::SendDigits("159*".into())).unwrap();
    two.session.control(Control::SendDigits("#D".into())).unwrap();
    assert!(two.wait_for(|event| *event == MediaEvent::Digit('*')));
    assert!(one.wait_for(|event| *event == MediaEvent::Digit('D')));
    let digits = |party: &Party| -> String {
        party
            .told()
            .iter()
            .filter_map(|event| if let MediaEvent::Digit(key) = event { Some(*key) } else { None })
            .collect()
    };
    assert_eq!((digits(&two).as_str(), digits(&one).as_str()), ("159*", "#D"));
    let quality = two.quality();
    assert_eq!(quality.packets_lost, 0, "events are in sequence with audio: {quality:?}");
}

/// A far side of our own, packet by packet.
pub(super) struct Far {
    socket: UdpSocket,
    to: SocketAddr,
    header: Header,
}

impl Far {
    pub(super) fn of(party: &Party) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, to: party.session.local_address(), header: Header { ssrc: 5, ..Header::default() } }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub(super) fn send(&mut self, audio: &[i16]) {
        let mut bytes = self.header.to_bytes().to_vec();
        bytes.resize(12 + audio.len(), 0);
        Law::Mu.encode_into(audio, &mut bytes[12..]);
        self.socket.send_to(&bytes, self.to).unwrap();
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(audio.len() as u32);
    }

    /// Everything that came: for each packet, its header and whether it is more than silence.
    pub(super) fn came(&self) -> Vec<(Header, bool)> {
        let mut all = Vec::new();
        let mut bytes = [0; 2_000];
        while let Ok((length, _)) = self.socket.recv_from(&mut bytes) {
            let packet = Packet::parse(&bytes[..length]).unwrap();
            all.push((packet.header, packet.payload.iter().any(|byte| *byte != 0xff)));
        }
        all
    }
}

#[test]
fn what_plays_stops_within_one_packet() {
    let media = Media::start(settings(21_200)).unwrap();
    let mut slowest = Duration::ZERO;
    for packet_ms in [20, 30, 60] {
        let party = Party::of(&media);
        let far = Far::of(&party);
        party.configure(Stream { packet_ms, ..stream(far.address(), Codec::Pcmu) });
        party.play(7, 8_000, tone(8_000, 500.0, 24_000));
        party.play(8, 8_000, tone(8_000, 500.0, 24_000));
        std::thread::sleep(Duration::from_millis(1_100));
        assert!(far.came().iter().filter(|(_, loud)| *loud).count() > 8);
        party.session.control(Control::StopPlaying).unwrap();
        let asked = clock::monotonic();
        assert!(party.wait_for(|event| matches!(event, MediaEvent::PlaybackEnded { .. })));
        slowest = slowest.max(clock::since(asked));
        std::thread::sleep(Duration::from_millis(300));
        let after = far.came();
        assert!(after.len() > 3, "silence is sent on");
        assert!(after.iter().filter(|(_, loud)| *loud).count() <= 1, "{packet_ms}: {after:?}");
        assert!(after.windows(2).all(|two| two[1].0.timestamp - two[0].0.timestamp == packet_ms * 8));
        let ended =
            |utterance, last_word| MediaEvent::PlaybackEnded { utterance, complete: false, last_word };
        let told = party.told();
        assert!(told.contains(&ended(UtteranceId(7), Some(1))), "{told:?}");
        assert!(told.contains(&ended(UtteranceId(8), None)), "{told:?}");
    }
    println!("from StopPlaying to PlaybackEnded: {slowest:?} at most");
}

#[test]
fn hold_is_respected_and_resumed() {
    let media = Media::start(settings(21_300)).unwrap();
    let party = Party::of(&media);
    let mut far = Far::of(&party);
    let agreed = stream(far.address(), Codec::Pcmu);
    let (sender, mut recording) = audio_ring(8_000, 64_000);
    party.session.control(Control::Record(sender)).unwrap();
    let mut heard_in = |direction: Direction| {
        party.configure(Stream { direction, ..agreed.clone() });
        std::thread::sleep(Duration::from_millis(60));
        far.came();
        sides(&mut recording);
        for _ in 0..15 {
            far.send(&tone(8_000, 600.0, 160));
            std::thread::sleep(Duration::from_millis(20));
        }
        let (left, _) = sides(&mut recording);
        (far.came().len(), left.iter().any(|sample| sample.unsigned_abs() > 1_000))
    };
    let (sent, heard) = heard_in(Direction::SendReceive);
    assert!(sent > 10 && heard);
    let (sent, heard) = heard_in(Direction::Inactive);
    assert!(sent == 0 && !heard);
    let (sent, heard) = heard_in(Direction::ReceiveOnly);
    assert!(sent == 0 && heard);
    let (sent, heard) = heard_in(Direction::SendOnly);
    assert!(sent > 10 && !heard);
    let (sent, heard) = heard_in(Direction::SendReceive);
    assert!(sent > 10 && heard);
}

#[test]
fn an_utterance_waits_while_the_call_is_held() {
    let media = Media::start(settings(21_400)).unwrap();
    let party = Party::of(&media);
    let far = Far::of(&party);
    let agreed = stream(far.address(), Codec::Pcmu);
    party.configure(Stream { direction: Direction::ReceiveOnly, ..agreed.clone() });
    party.play(1, 8_000, tone(8_000, 500.0, 1_600));
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(party.told(), []);
    party.configure(agreed);
    assert!(party.wait_for(|event| matches!(event, MediaEvent::PlaybackEnded { complete: true, .. })));
    let loud = far.came().iter().filter(|(_, loud)| *loud).count();
    assert!((10..=11).contains(&loud), "{loud}");
}

#[test]
fn a_silent_far_side_times_out_once_and_a_held_one_never() {
    let media = Media::start(Settings { dead_media_ms: 300, ..settings(21_500) }).unwrap();
    let (dead, held) = (Party::of(&media), Party::of(&media));
    let mut far = Far::of(&dead);
    dead.configure(stream(far.address(), Codec::Pcmu));
    held.configure(Stream { direction: Direction::Inactive, ..stream(far.address(), Codec::Pcmu) });
    std::thread::sleep(Duration::from_millis(900));
    assert_eq!(dead.told(), [MediaEvent::TimedOut]);
    assert_eq!(held.told(), []);
    far.send(&[0; 160]);
    assert!(dead.wait_for(|event| *event == MediaEvent::FirstPacket));
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(dead.told(), [MediaEvent::TimedOut, MediaEvent::FirstPacket, MediaEvent::TimedOut]);
}

#[test]
fn a_stranger_is_neither_heard_nor_answered() {
    let media = Media::start(settings(21_600)).unwrap();
    let party = Party::of(&media);
    let (mut far, mut stranger) = (Far::of(&party), Far::of(&party));
    party.configure(stream(far.address(), Codec::Pcmu));
    std::thread::sleep(Duration::from_millis(50));
    for _ in 0..10 {
        far.send(&[0; 160]);
        std::thread::sleep(Duration::from_millis(20));
        stranger.send(&tone(8_000, 500.0, 160));
    }
    assert!(far.came().len() > 5);
    assert_eq!(stranger.came(), []);
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(party.quality().packets_received, 10);
}

#[test]
fn a_far_side_behind_translation_is_answered_where_it_sends_from() {
    let media = Media::start(settings(21_700)).unwrap();
    let party = Party::of(&media);
    let mut far = Far::of(&party);
    party.configure(stream("127.0.0.1:9".parse().unwrap(), Codec::Pcmu));
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(20));
        far.send(&[0; 160]);
    }
    std::thread::sleep(Duration::from_millis(60));
    assert!(far.came().len() > 3);
}

#[test]
fn the_recogniser_gets_the_voice_and_what_came_just_before() {
    let media = Media::start(settings(21_800)).unwrap();
    let (one, two) = pair(&media, Codec::Pcmu);
    let (sender, mut listening) = audio_ring(8_000, 80_000);
    two.session.control(Control::Listen(sender)).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/speech/librivox-0880-8khz.wav");
    let words: Vec<i16> = hound::WavReader::open(path).unwrap().samples().map(Result::unwrap).collect();
    let spoken = words.len();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(listening.waiting(), 0, "silence is not given to the recogniser");
    one.play(1, 8_000, words);
    assert!(two.wait_for(|event| *event == MediaEvent::SpeechStarted));
    assert!(two.wait_for(|event| *event == MediaEvent::SpeechStopped));
    std::thread::sleep(Duration::from_millis(100));
    let mut heard = vec![0; 80_000];
    let count = listening.read(&mut heard);
    let marks: Vec<_> = std::iter::from_fn(|| listening.next_mark()).collect();
    assert_eq!(marks.first().map(|mark| (mark.at_sample, mark.kind)), Some((0, MarkKind::SpeechStarted)));
    assert_eq!(
        marks.last().map(|mark| (mark.at_sample, mark.kind)),
        Some((count as u64, MarkKind::SpeechStopped))
    );
    assert!(count > spoken * 8 / 10 && count < spoken + 8_000, "{count} of {spoken}");
}

#[test]
fn ports_are_freed_and_rest() {
    let media = Media::start(settings(21_900)).unwrap();
    let party = Party::of(&media);
    let address = party.session.local_address();
    assert!(UdpSocket::bind(address).is_err());
    let told = Arc::clone(&party.told);
    drop(party.session);
    wait_until(|| !told.lock().is_empty());
    assert!(matches!(told.lock().as_slice(), [MediaEvent::Closed(_)]));
    UdpSocket::bind(address).unwrap();
    let counts = media.counts();
    assert_eq!((counts.sessions, counts.ports_in_use, counts.ports_resting), (0, 0, 1));
    assert_ne!(Party::of(&media).session.local_address(), address);
}

#[test]
fn two_hundred_sessions_leave_nothing() {
    fn descriptors() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }
    let media = Media::start(Settings { last_port: 22_999, ..settings(22_000) }).unwrap();
    let before = descriptors();
    for _ in 0..2 {
        let pairs: Vec<_> = (0..100).map(|_| pair(&media, Codec::Pcma)).collect();
        assert_eq!((media.counts().sessions, media.counts().ports_in_use), (200, 200));
        assert_eq!(descriptors(), before + 400);
        std::thread::sleep(Duration::from_millis(300));
        drop(pairs);
        wait_until(|| media.counts().sessions == 0);
        assert_eq!((media.counts().sessions, media.counts().ports_in_use), (0, 0));
        assert_eq!(descriptors(), before);
    }
    let counts = media.counts();
    assert!(counts.packets_received > 2_000 && counts.sessions_failed == 0, "{counts:?}");
    media.stop();
    assert!(matches!(media.open(CallId::default(), Arc::new(|_| {})), Err(Error::Stopped)));
}

#[test]
fn a_session_that_fails_takes_no_other_along() {
    let media = Media::start(Settings { threads: 1, ..settings(23_000) }).unwrap();
    let (one, two) = pair(&media, Codec::Pcmu);
    let mut far = Far::of(&one);
    let failing =
        media.open(CallId::default(), Arc::new(|event| assert_ne!(event, MediaEvent::FirstPacket))).unwrap();
    failing.control(Control::Configure(stream(far.address(), Codec::Pcmu))).unwrap();
    far.to = failing.local_address();
    std::thread::sleep(Duration::from_millis(60));
    far.send(&[0; 160]);
    // Printing where it failed takes the thread a while.
    wait_until(|| media.counts().sessions == 2);
    assert_eq!(failing.control(Control::StopPlaying), Err(Gone));
    assert_eq!((media.counts().sessions, media.counts().sessions_failed), (2, 1));
    one.play(1, 8_000, tone(8_000, 500.0, 1_600));
    assert!(one.wait_for(|event| matches!(event, MediaEvent::PlaybackEnded { complete: true, .. })));
    assert!(two.quality().packets_received > 0);
}

#[test]
fn stopping_tells_every_session_its_end() {
    let media = Media::start(settings(23_100)).unwrap();
    let (one, two) = pair(&media, Codec::Pcmu);
    media.stop();
    for party in [one, two] {
        assert!(matches!(party.told().last(), Some(MediaEvent::Closed(_))));
        assert_eq!(party.session.control(Control::StopPlaying), Err(Gone));
    }
    assert_eq!(media.counts().ports_in_use, 0);
}

#[test]
fn keys_in_the_audio_are_heard_where_no_events_were_agreed_on_and_are_no_speech() {
    let media = Media::start(settings(22_600)).unwrap();
    let (one, two) = (Party::of(&media), Party::of(&media));
    let without =
        |of: &Party| Stream { telephone_event: None, ..stream(of.session.local_address(), Codec::Pcma) };
    one.configure(without(&two));
    two.configure(without(&one));
    let mut keys = vec![0; 1_600];
    for (low, high) in [(770.0, 1_209.0), (852.0, 1_477.0), (852.0, 1_477.0), (941.0, 1_336.0)] {
        let pressed = tone(8_000, low, 800).into_iter().zip(tone(8_000, high, 800));
        keys.extend(pressed.map(|(low, high)| low / 2 + high / 2));
        keys.extend([0; 800]);
    }
    one.play(1, 8_000, keys);
    assert!(one.wait_for(|event| matches!(event, MediaEvent::PlaybackEnded { .. })));
    let digits = || -> String {
        let digit = |event: &MediaEvent| match event {
            MediaEvent::Digit(key) => Some(*key),
            _ => None,
        };
        two.told().iter().filter_map(digit).collect()
    };
    assert!(wait_until(|| digits().len() == 4), "{}", digits());
    assert_eq!(digits(), "4990");
    assert!(!two.told().contains(&MediaEvent::SpeechStarted), "{:?}", two.told());
}

#[test]
fn comfort_noise_is_heard_in_a_silence_that_is_not_sent_and_is_no_loss() {
    let media = Media::start(settings(22_700)).unwrap();
    let party = Party::of(&media);
    let mut far = Far::of(&party);
    party.configure(stream(far.address(), Codec::Pcmu));
    let (sender, mut recording) = audio_ring(8_000, 64_000);
    party.session.control(Control::Record(sender)).unwrap();
    for _ in 0..10 {
        far.send(&tone(8_000, 500.0, 160));
        std::thread::sleep(Duration::from_millis(20));
    }
    let header = Header { payload_type: 13, ..far.header };
    far.socket.send_to(&[&header.to_bytes()[..], &[40]].concat(), far.to).unwrap();
    far.header.sequence = far.header.sequence.wrapping_add(1);
    std::thread::sleep(Duration::from_millis(500));
    let (heard, _) = sides(&mut recording);
    let quiet = &heard[heard.len() - 1_600..];
    let level = (quiet.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / 1_600.0).sqrt();
    assert!((200.0..450.0).contains(&level), "-40 dBov is 328: {level}");
    let quality = party.quality();
    assert!(quality.packets_lost == 0 && quality.concealed_ms <= 40, "{quality:?}");
}

#[test]
fn a_protected_stream_is_heard_by_its_keys_only() {
    let media = Media::start(settings(22_800)).unwrap();
    for (suite, length) in [
        (Suite::AesCm128Sha1With80, 30),
        (Suite::AesCm128Sha1With32, 30),
        (Suite::AesGcm128, 28),
        (Suite::AesGcm256, 44),
    ] {
        let key = |first: u8| Key { suite, master: (first..).take(length).collect() };
        let with = |of: &Party, ours, theirs| Stream {
            protected: Some(Protected { ours: key(ours), theirs: key(theirs) }),
            ..stream(of.session.local_address(), Codec::Pcmu)
        };
        let (one, two, stranger) = (Party::of(&media), Party::of(&media), Party::of(&media));
        one.configure(with(&two, 1, 100));
        two.configure(with(&one, 100, 1));
        stranger.configure(with(&one, 50, 1));
        let (sender, mut recording) = audio_ring(8_000, 64_000);
        two.session.control(Control::Record(sender)).unwrap();
        // A change of the stream that keeps the keys keeps their counters, too.
        two.configure(with(&one, 100, 1));
        one.play(1, 8_000, tone(8_000, 700.0, 16_000));
        stranger.play(1, 8_000, tone(8_000, 1_900.0, 16_000));
        assert!(one.wait_for(|event| matches!(event, MediaEvent::PlaybackEnded { .. })));
        std::thread::sleep(Duration::from_millis(200));
        let (heard, _) = sides(&mut recording);
        let (share, level) = share(middle(&heard), 700.0);
        assert!(share > 0.98 && level > 4_000.0, "{suite:?}: {share} {level}");
        let quality = two.quality();
        assert!(quality.packets_lost == 0 && quality.packets_received > 90, "{quality:?}");
        // One who has no key is not heard, not even as the far side that a call's first packet shows.
        let deaf = Party::of(&media);
        let mut far = Far::of(&deaf);
        deaf.configure(Stream { remote: far.address(), ..with(&one, 1, 100) });
        std::thread::sleep(Duration::from_millis(60));
        for _ in 0..5 {
            far.send(&tone(8_000, 500.0, 160));
        }
        std::thread::sleep(Duration::from_millis(80));
        assert_eq!(deaf.told(), []);
        assert_eq!(deaf.quality().packets_received, 0);
    }
}
