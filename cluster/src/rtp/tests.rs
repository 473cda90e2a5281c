//! A line from packet to frame over a modelled network: a seed makes a line, and the same seed the same line.

use models::audio::g711::Law;

use super::jitter_buffer::{JitterBuffer, Placed, Settings};
use super::packet::{Header, Packet};
use super::reception::Reception;
use super::score::mean_opinion_score;
use super::*;

/// What the network does to packets.
#[derive(Debug, Clone, Copy)]
struct Network {
    /// Of a thousand packets, so many are lost, in runs of one to three.
    lost: u64,
    /// Of a thousand packets, so many come twice.
    doubled: u64,
    /// The most that a packet is delayed, in milliseconds; overtaking follows from it.
    jitter_ms: u64,
    seed: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    heard: Vec<i16>,
    /// For each sample, whether the packet that carries it was lost on the way.
    lost: Vec<bool>,
    late: usize,
    reception: Reception,
    concealed: usize,
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound.max(1)
    }
}

fn speech() -> Vec<i16> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/speech/librivox-0880-8khz.wav");
    let once: Vec<i16> = hound::WavReader::open(path).unwrap().samples().map(Result::unwrap).collect();
    once.repeat(8)
}

/// The packets with the moments at which they arrive, in that order.
fn send(audio: &[i16], network: Network) -> (Vec<(Micros, Vec<u8>)>, Vec<bool>) {
    let mut chance = Chance(network.seed | 1);
    let (mut wire, mut lost, mut run) = (Vec::new(), Vec::new(), 0);
    for (number, frame) in (0u64..).zip(audio.chunks_exact(FRAME)) {
        // Half of the losses begin a run, so that their sum is as asked for.
        if run == 0 && number > 0 && chance.below(2_000) < network.lost {
            run = 1 + chance.below(3);
        }
        let is_lost = run > 0;
        run = run.saturating_sub(1);
        lost.extend([is_lost; FRAME]);
        if is_lost {
            continue;
        }
        let header =
            Header { sequence: number as u16, timestamp: number as u32 * 160, ssrc: 3, ..Header::default() };
        let mut bytes = header.to_bytes().to_vec();
        bytes.resize(12 + FRAME, 0);
        Law::A.encode_into(frame, &mut bytes[12..]);
        let delay = if number == 0 { 0 } else { chance.below(network.jitter_ms * 1_000) };
        wire.push((number * 20_000 + delay, bytes.clone()));
        if chance.below(1_000) < network.doubled {
            wire.push((number * 20_000 + delay + chance.below(10_000), bytes));
        }
    }
    wire.sort_by_key(|(arrival, _)| *arrival);
    (wire, lost)
}

fn carry(audio: &[i16], network: Network) -> Line {
    let (wire, lost) = send(audio, network);
    let mut line = Line { heard: Vec::new(), lost, late: 0, reception: Reception::default(), concealed: 0 };
    let mut buffer = JitterBuffer::new(&Settings { least_delay_ms: 60, most_delay_ms: 60 });
    let mut waiting = wire.iter().peekable();
    for frame in 0..(audio.len() / FRAME) as u64 + 3 {
        let now = frame * 20_000 + 500;
        while let Some((arrival, bytes)) = waiting.next_if(|(arrival, _)| *arrival <= now) {
            let packet = Packet::parse(bytes).unwrap();
            line.reception.packet(&packet.header, Some(*arrival));
            let mut samples = [0; FRAME];
            Law::A.decode_into(packet.payload, &mut samples);
            let placed = buffer.insert(packet.header.timestamp, &samples, now - arrival);
            line.late += usize::from(placed == Placed::Late);
        }
        let mut out = [0; FRAME];
        line.concealed += buffer.read(&mut out).concealed;
        line.heard.extend(out);
    }
    // What was heard 60 ms later than it was said stands at its own place again.
    line.heard.drain(..480);
    line
}

fn energy(samples: impl Iterator<Item = f32>) -> f32 {
    samples.map(|sample| sample * sample).sum()
}

#[test]
fn lines_with_loss_are_measured_as_they_are_and_have_no_holes() {
    let audio = speech();
    for lost in [10, 30, 50, 100] {
        let network = Network { lost, doubled: 5, jitter_ms: 30, seed: 77 + lost };
        let line = carry(&audio, network);
        let truly = line.lost.iter().filter(|lost| **lost).count() / FRAME;
        let told = line.reception.lost() as usize + line.late;
        let doubled = audio.len() / FRAME / 100;
        assert!(told.abs_diff(truly) <= doubled, "{network:?}: told {told}, truly {truly}");
        assert!(
            line.concealed.abs_diff(truly * FRAME) <= line.concealed / 4,
            "{network:?}: {}",
            line.concealed
        );
        let of = |wanted: bool, pick: fn(i16, i16) -> f32| {
            let both = line.heard.iter().zip(&audio).zip(&line.lost);
            energy(both.filter(|(_, lost)| **lost == wanted).map(|((heard, said), _)| pick(*heard, *said)))
        };
        let error = |heard, said| f32::from(heard) - f32::from(said);
        let holes = of(true, |_, said| f32::from(said));
        let made_up = of(true, |heard, _| f32::from(heard));
        assert!(
            of(false, error) < of(false, |_, said| f32::from(said)) / 50.0,
            "{network:?}: what came is as it was"
        );
        assert!((0.25..2.0).contains(&(made_up / holes)), "{network:?}: {made_up} for {holes}");
        println!(
            "{lost}/1000 lost: error {:.2} of the holes', level {:.2}",
            of(true, error) / holes,
            made_up / holes
        );
    }
}

#[test]
fn a_seed_makes_the_same_line_again() {
    let audio = &speech()[..40_000];
    let network = Network { lost: 50, doubled: 20, jitter_ms: 55, seed: 4 };
    assert!(carry(audio, network) == carry(audio, network));
    assert!(carry(audio, network).heard != carry(audio, Network { seed: 7, ..network }).heard);
}

#[test]
fn no_packet_is_late_where_jitter_stays_below_the_delay() {
    let network = Network { lost: 0, doubled: 0, jitter_ms: 38, seed: 9 };
    let audio = speech();
    let line = carry(&audio, network);
    assert_eq!((line.late, line.reception.lost(), line.concealed), (0, 0, 0));
    assert!((5.0..20.0).contains(&line.reception.jitter_ms()), "{}", line.reception.jitter_ms());
}

#[test]
fn the_score_falls_with_the_loss() {
    let audio = speech();
    let scores: Vec<f32> = [0, 20, 50, 100]
        .into_iter()
        .map(|lost| {
            let line = carry(&audio, Network { lost, doubled: 0, jitter_ms: 10, seed: 21 });
            let (gone, came) = (line.reception.lost() as f32, line.reception.received() as f32);
            mean_opinion_score(gone / (gone + came), 80.0)
        })
        .collect();
    assert!(scores.windows(2).all(|pair| pair[1] < pair[0]), "{scores:?}");
}

#[test]
fn the_first_ten_milliseconds_of_a_gap_come_nearer_than_a_hole() {
    let audio = speech();
    let (mut error, mut hole) = (0.0f32, 0.0f32);
    for seed in 0..8 {
        let line = carry(&audio, Network { lost: 50, doubled: 0, jitter_ms: 5, seed: 2 * seed + 1 });
        let mut into = 0;
        for ((heard, said), lost) in line.heard.iter().zip(&audio).zip(&line.lost) {
            into = if *lost { into + 1 } else { 0 };
            if (1..=80).contains(&into) {
                error += (f32::from(*heard) - f32::from(*said)).powi(2);
                hole += f32::from(*said).powi(2);
            }
        }
    }
    println!("error {:.2} of a hole's", error / hole);
    assert!(error < hole, "{error} {hole}");
}
