//! What we say of a network beside what it did: the packets of a seeded network go through the media path as they
//! would from a socket, in a time of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use actors::types::CallQuality;
use models::engine::{
    self as engines, Expectation, ListenRequest, Listening, RecogniserEvent, SpeechToTextChoice,
    TextToSpeechChoice,
};

use super::batch::Datagram;
use super::incoming::Incoming;
use super::{Codec, Direction, Settings, Stream};
use crate::rtp::codec::Encoder;
use crate::rtp::latch::Latch;
use crate::rtp::packet::Header;
use crate::rtp::reception::ReportBlock;
use crate::rtp::rtcp::{self, Report};
use crate::rtp::{FRAME, Micros};

/// The time between two packets, and between two turns of a session.
const FRAME_MICROS: Micros = 20_000;
/// Turns between two reports: five seconds.
const REPORT_TURNS: u64 = 250;

/// What a network does to packets.
#[derive(Debug, Clone, Copy)]
struct Network {
    seed: u64,
    /// Of a thousand packets, so many are lost, each by itself.
    lost: u64,
    /// Of a thousand, so many come twice.
    doubled: u64,
    /// Of a thousand, so many are held back for 35 ms, so that the next one or two overtake them.
    held: u64,
    /// What every packet takes, and what it may take beside.
    delay_ms: u64,
    spread_ms: u64,
}

impl Default for Network {
    fn default() -> Self {
        Self { seed: 1, lost: 0, doubled: 0, held: 0, delay_ms: 30, spread_ms: 0 }
    }
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

/// The fate of a stream: which packet comes when, in the order of their coming, and what that amounts to.
#[derive(Debug, Default)]
struct Fate {
    arrivals: Vec<(Micros, u64)>,
    sent: u64,
    lost: u64,
    overtaken: u64,
}

impl Network {
    fn carry(&self, packets: u64) -> Fate {
        let mut dice = Dice(self.seed);
        let mut fate = Fate { sent: packets, ..Fate::default() };
        for number in 0..packets {
            let lost = dice.below(1_000) < self.lost;
            let copies = 1 + u64::from(dice.below(1_000) < self.doubled);
            let held = if dice.below(1_000) < self.held { 35_000 } else { 0 };
            for _ in 0..copies {
                let spread = dice.below(self.spread_ms * 1_000 + 1);
                let at = (number + 1) * FRAME_MICROS + self.delay_ms * 1_000 + held + spread;
                if !lost {
                    fate.arrivals.push((at, number));
                }
            }
            fate.lost += u64::from(lost);
        }
        fate.arrivals.sort_unstable();
        let mut newest = 0;
        for (_, number) in &fate.arrivals {
            fate.overtaken += u64::from(*number < newest);
            newest = newest.max(*number);
        }
        fate
    }
}

impl Fate {
    /// The mean of how much longer or shorter than the one before a packet was under way, in milliseconds.
    fn jitter_ms(&self) -> f64 {
        let transits: Vec<f64> = self
            .arrivals
            .iter()
            .map(|(at, number)| (*at as f64 - (*number * FRAME_MICROS) as f64) / 1_000.0)
            .collect();
        let sum: f64 = transits.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
        sum / (transits.len() - 1) as f64
    }
}

/// What came of it.
struct Told {
    fate: Fate,
    quality: CallQuality,
    /// The reports as the far side reads them.
    reports: Vec<ReportBlock>,
    heard: Vec<i16>,
    /// Packets that came after their moment.
    late: u64,
}

fn far() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_000))
}

fn stream() -> Stream {
    Stream {
        remote: far(),
        codec: Codec::Pcmu,
        payload_type: 0,
        telephone_event: Some(101),
        direction: Direction::SendReceive,
        packet_ms: 20,
        protected: None,
    }
}

/// Says something to a session through a network.
fn say(said: &[i16], network: Network) -> Told {
    let fate = network.carry((said.len() / FRAME) as u64);
    let mut encoder = Encoder::new(Codec::Pcmu).unwrap();
    let payloads: Vec<Vec<u8>> = said
        .chunks_exact(FRAME)
        .map(|frame| {
            let mut payload = vec![0; FRAME];
            encoder.encode(frame, &mut payload);
            payload
        })
        .collect();
    let mut incoming = Incoming::new(&Settings::default());
    let mut latch = Latch::new(far(), 0);
    let (stream, mut heard, mut reports) = (stream(), Vec::new(), Vec::new());
    let mut waiting = fate.arrivals.iter().peekable();
    // A session's turns fall anywhere between the packets.
    let phase = 7_300;
    for turn in 0..fate.sent + 50 {
        let now = turn * FRAME_MICROS + phase;
        while let Some((at, number)) = waiting.next_if(|(at, _)| *at <= now) {
            let header = Header {
                sequence: (*number as u16).wrapping_add(65_000),
                timestamp: (*number as u32 * FRAME as u32).wrapping_sub(9_000),
                ssrc: 77,
                ..Header::default()
            };
            let bytes = [&header.to_bytes()[..], &payloads[*number as usize]].concat();
            let datagram = Datagram { bytes: &bytes, source: far(), age: now - at };
            assert!(incoming.datagram(&datagram, &stream, &mut latch, now, &mut |_| {}));
        }
        let mut frame = [0; FRAME];
        incoming.frame(&mut frame);
        heard.extend(frame);
        if turn % REPORT_TURNS == REPORT_TURNS - 1 {
            let block = incoming.reception.report();
            let report = Report { ssrc: 9, sender: None, block, name: "us", goodbye: false };
            reports.extend(rtcp::parse(&report.to_bytes(), 77).and_then(|read| read.about_us));
        }
    }
    let quality = incoming.quality(0, Some(2.0 * network.delay_ms as f32));
    Told { fate, quality, reports, heard, late: incoming.late }
}

fn reading(name: &str) -> Vec<i16> {
    let path = format!("{}/../models/tests/speech/librivox-{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let reader = hound::WavReader::open(path).unwrap();
    let rate_hz = reader.spec().sample_rate;
    let samples: Vec<i16> = reader.into_samples().map(Result::unwrap).collect();
    models::audio::resample(&samples, rate_hz, 8_000)
}

/// A hundred seconds of a voice that never pauses for long.
fn long_speech() -> Vec<i16> {
    reading("0920").repeat(20).into_iter().take(100 * 8_000).collect()
}

/// The recommendation's rating of G.711 with concealment and random loss, without what a telephone line has no part in
/// (ITU-T G.107 sections 7.1, 7.4 and 7.5, annex B for the score), written down apart from the code that is tried.
fn score(loss: f64, mouth_to_ear_ms: f64) -> f64 {
    let equipment = 95.0 * loss * 100.0 / (loss * 100.0 + 25.1);
    let delay = 0.024 * mouth_to_ear_ms + 0.11 * (mouth_to_ear_ms - 177.3).max(0.0);
    let rating = 93.2 - equipment - delay;
    1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7.0e-6
}

/// How much later than it was said the end of a speech is heard, in milliseconds: the shift at which both are most
/// alike.
fn mouth_to_ear_ms(said: &[i16], heard: &[i16]) -> f64 {
    let window = said.len() - 3 * 8_000..said.len() - 2 * 8_000;
    let alike = |shift: usize| -> f64 {
        let later = &heard[window.start + shift..window.end + shift];
        said[window.clone()].iter().zip(later).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum()
    };
    let best = (0..3_200).step_by(4).max_by(|one, other| alike(*one).total_cmp(&alike(*other)));
    best.unwrap() as f64 / 8.0
}

/// What is told otherwise than it was.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn within_a_tenth(&mut self, told: f64, truly: f64, what: &str, network: Network) {
        if (told - truly).abs() > truly / 10.0 {
            self.0.push(format!("{what}: told {told:.2}, truly {truly:.2}: {network:?}"));
        }
    }
}

#[test]
fn what_a_network_did_is_what_we_say_of_it() {
    let said = long_speech();
    println!(
        "| injected: loss, delay spread, held back, doubled | truly lost | told lost | by RTCP | truly jitter ms | told | by RTCP, mean | overtaken | concealed ms | mouth to ear ms | score | told |"
    );
    let mut findings = Findings::default();
    for lost in [10, 20, 50, 100] {
        for (spread_ms, held, doubled) in [(0, 0, 0), (15, 0, 30), (35, 20, 20), (60, 30, 30)] {
            let network = Network { seed: lost + spread_ms, lost, doubled, held, delay_ms: 40, spread_ms };
            compare(&said, network, &mut findings);
        }
    }
    assert!(findings.0.is_empty(), "{:#?}", findings.0);
}

fn compare(said: &[i16], network: Network, findings: &mut Findings) {
    let Told { fate, quality, reports, heard, late } = say(said, network);
    let last = reports.last().unwrap();
    let mean = |of: &dyn Fn(&ReportBlock) -> f64| reports.iter().map(of).sum::<f64>() / reports.len() as f64;
    let (lost, jitter) = (fate.lost as f64, fate.jitter_ms());
    let reported_jitter = mean(&|block| f64::from(block.jitter) / 8.0);
    let delay = mouth_to_ear_ms(said, &heard);
    let truly_scored = score(lost / fate.sent as f64, delay);
    let told_score = f64::from(quality.mos.unwrap());
    println!(
        "| {:.1} %, {} ms, {:.1} %, {:.1} % | {lost} | {} ({late} late) | {} | {jitter:.2} | {:.2} | {reported_jitter:.2} | {} | {} | {delay:.0} | {truly_scored:.2} | {told_score:.2} |",
        network.lost as f64 / 10.0,
        network.spread_ms,
        network.held as f64 / 10.0,
        network.doubled as f64 / 10.0,
        quality.packets_lost,
        last.lost,
        quality.jitter_ms,
        fate.overtaken,
        quality.concealed_ms,
    );
    findings.within_a_tenth((quality.packets_lost - late) as f64, lost, "packets lost", network);
    findings.within_a_tenth(f64::from(quality.jitter_ms), jitter, "jitter", network);
    // The RFC takes repetitions off the loss.
    let repeated = fate.arrivals.len() as f64 - (fate.sent - fate.lost) as f64;
    findings.within_a_tenth(f64::from(last.lost) + repeated, lost, "reported lost", network);
    if network.spread_ms > 0 {
        findings.within_a_tenth(reported_jitter, jitter, "reported jitter", network);
    }
    if network.doubled == 0 {
        // Of 256, cut to a whole number: half of one is lost by that in the mean.
        let fraction = mean(&|block| (f64::from(block.fraction_lost) + 0.5) / 256.0);
        let truly = lost / fate.sent as f64;
        if (fraction - truly).abs() > truly / 10.0 + 0.5 / 256.0 {
            findings.0.push(format!("reported fraction: told {fraction:.4}, truly {truly:.4}: {network:?}"));
        }
    }
    // The buffer follows the network: what comes too late until it has is little, and made up like what is lost.
    if late * 100 > fate.sent {
        findings.0.push(format!("{late} packets came too late: {network:?}"));
    }
    if late == 0 {
        findings.within_a_tenth(quality.concealed_ms as f64, lost * 20.0, "concealed", network);
    }
    findings.within_a_tenth(told_score, truly_scored, "score", network);
}

#[test]
fn the_same_seed_is_the_same_network() {
    let said: Vec<i16> = long_speech().into_iter().take(80_000).collect();
    let network = Network { seed: 5, lost: 50, spread_ms: 40, doubled: 20, held: 20, ..Network::default() };
    let (one, other) = (say(&said, network), say(&said, network));
    assert!(one.heard == other.heard && one.quality == other.quality);
    assert!(say(&said, Network { seed: 6, ..network }).heard != one.heard);
}

/// A far side's figures about our stream come back with the time that they took.
#[test]
fn the_round_trip_is_the_networks() {
    for (there, waited, back) in [(20_u64, 0_u64, 25_u64), (60, 1_500, 80), (150, 4_000, 190)] {
        let ntp = |ms: u64| ((3_900_000_000 + ms / 1_000) << 32) | ((ms % 1_000) << 32) / 1_000;
        let middle = |ms: u64| (ntp(ms) >> 16) as u32;
        let sent = 12_345;
        let block = ReportBlock {
            ssrc: 77,
            last_sender_report: middle(sent),
            delay_since: (waited * 65_536 / 1_000) as u32,
            ..ReportBlock::default()
        };
        let told = rtcp::round_trip_ms(&block, middle(sent + there + waited + back)).unwrap();
        let truly = (there + back) as f32;
        assert!((told - truly).abs() < truly / 10.0, "{told} {truly}");
    }
}

const READ: &[(&str, &str)] = &[
    ("0880", "he was not an ill disposed young man"),
    ("0930", "he might even have been made amiable himself"),
    (
        "0920",
        "had he married a more amiable woman he might have been made still more respectable than he was",
    ),
];

struct Ear {
    ring: models::audio::AudioSender,
    listening: Box<dyn Listening>,
    heard: Receiver<RecogniserEvent>,
    turn: u64,
}

impl Ear {
    fn open() -> (Self, Arc<dyn models::engine::SpeechToText>) {
        let mut settings = engines::Settings {
            speech_to_text: SpeechToTextChoice::Pocketsphinx,
            text_to_speech: TextToSpeechChoice::Off,
            ..engines::Settings::default()
        };
        settings.pocketsphinx.decoders = 1;
        settings.pocketsphinx.ring_ms = 10_000;
        let engine = engines::choose(&settings).unwrap().0.speech_to_text.unwrap();
        // The words one by one: whole sentences would let the recogniser guess what broken audio lacks.
        let words = READ.iter().flat_map(|(_, text)| text.split(' '));
        let phrases: Arc<[String]> = words.map(str::to_owned).collect();
        let (sender, heard) = sync_channel(1_000);
        let request = ListenRequest { rate_hz: 8_000, phrases };
        let (ring, listening) =
            engine.listen(request, Box::new(move |event| drop(sender.send(event)))).unwrap();
        listening.expect(Expectation::Open);
        (Self { ring, listening, heard, turn: 0 }, engine)
    }

    /// The words that are recognised.
    fn hear(&mut self, audio: &[i16]) -> String {
        self.ring.write(audio);
        self.listening.finish_turn(self.turn);
        self.turn += 1;
        loop {
            match self.heard.recv_timeout(std::time::Duration::from_secs(60)).unwrap() {
                RecogniserEvent::Final { heard, .. } => return heard.text(),
                RecogniserEvent::Failed(error) => panic!("{error}"),
                _ => {}
            }
        }
    }
}

/// How many words of `said` are in `heard`, in the same order.
fn words_in_common(said: &str, heard: &str) -> usize {
    let heard: Vec<&str> = heard.split_whitespace().collect();
    let mut row = vec![0; heard.len() + 1];
    for one in said.split(' ') {
        let mut diagonal = 0;
        for (at, other) in heard.iter().enumerate() {
            let longest = if one == *other { diagonal + 1 } else { row[at].max(row[at + 1]) };
            diagonal = std::mem::replace(&mut row[at + 1], longest);
        }
    }
    row[heard.len()]
}

#[test]
fn peer_concealed_speech_is_still_recognised() {
    let (mut ear, _engine) = Ear::open();
    let mut understood = |network: Network| -> usize {
        READ.iter()
            .map(|(name, text)| {
                let words = ear.hear(&say(&reading(name), network).heard);
                words_in_common(text, &words)
            })
            .sum()
    };
    let all: usize = READ.iter().map(|(_, text)| text.split(' ').count()).sum();
    let clean = understood(Network::default());
    println!("| loss | words understood of {all}, three seeds |\n| 0 % | {clean} |");
    for lost in [10, 30, 50, 100] {
        let each: Vec<usize> = [1, 2, 3]
            .map(|seed| understood(Network { seed, lost, spread_ms: 30, ..Network::default() }))
            .into();
        println!("| {} % | {each:?} |", lost / 10);
        let mean = each.iter().sum::<usize>() as f64 / each.len() as f64;
        assert!(mean >= clean as f64 * 0.85, "{lost} of 1000 lost: {mean} of {clean} words");
    }
}
