use proptest::prelude::*;

use super::*;
use crate::rtp::FRAME;

/// A ramp that never repeats within a test, so that every sample tells where it came from.
fn ramp(from: u32, count: usize) -> Vec<i16> {
    (0..count as u32).map(|index| ((from + index) % 30_000) as i16 + 1).collect()
}

fn read(buffer: &mut JitterBuffer) -> (Vec<i16>, Frame) {
    let mut out = [0; FRAME];
    let frame = buffer.read(&mut out);
    (out.to_vec(), frame)
}

#[test]
fn packets_in_order_come_out_after_the_least_delay() {
    let mut buffer = JitterBuffer::new(&Settings::default());
    let mut heard = Vec::new();
    for packet in 0..50u32 {
        assert_eq!(buffer.insert(1_000 + packet * 160, &ramp(packet * 160, 160), 0), Placed::InTime);
        heard.extend(read(&mut buffer).0);
    }
    assert_eq!(heard[..320], [0; 320]);
    assert_eq!(heard[400..8_000], ramp(80, 7_600));
}

#[test]
fn packets_of_any_length_are_the_same_audio() {
    for length in [80usize, 160, 240, 320, 480] {
        let mut buffer = JitterBuffer::new(&Settings { least_delay_ms: 80, ..Settings::default() });
        let (mut sent, mut heard) = (0usize, Vec::new());
        for frame in 1..100usize {
            while sent + length <= frame * FRAME {
                buffer.insert(sent as u32, &ramp(sent as u32, length), 0);
                sent += length;
            }
            heard.extend(read(&mut buffer).0);
        }
        let start = heard.iter().position(|sample| *sample != 0).unwrap();
        let told = &heard[start + 100..start + 12_000];
        assert!(told.windows(2).all(|pair| pair[1] == pair[0] + 1), "{length}");
    }
}

#[test]
fn a_lost_packet_is_made_up_and_no_more_than_it() {
    let mut buffer = JitterBuffer::new(&Settings::default());
    let mut concealed = 0;
    for packet in 0..100u32 {
        if packet != 50 {
            buffer.insert(packet * 160, &[1_000; 160], 0);
        }
        concealed += read(&mut buffer).1.concealed;
    }
    assert_eq!(concealed, 160);
}

#[test]
fn a_repeated_packet_changes_nothing() {
    let mut buffer = JitterBuffer::new(&Settings::default());
    assert_eq!(buffer.insert(0, &[1; 160], 0), Placed::InTime);
    assert_eq!(buffer.insert(0, &[2; 160], 0), Placed::Duplicate);
}

#[test]
fn a_timestamp_that_jumps_is_followed_at_the_second_packet() {
    let mut buffer = JitterBuffer::new(&Settings::default());
    buffer.insert(0, &[1; 160], 0);
    read(&mut buffer);
    assert_eq!(buffer.insert(900_000, &[5; 160], 0), Placed::Astray);
    assert_eq!(buffer.insert(900_160, &[5; 160], 0), Placed::InTime);
    for _ in 0..2 {
        read(&mut buffer);
    }
    assert_eq!(read(&mut buffer).0[120..], [5; 40]);
}

#[test]
fn silence_that_is_not_sent_leaves_the_delay_as_it_was() {
    let mut buffer = JitterBuffer::new(&Settings::default());
    for packet in 0..400u32 {
        if !(100..250).contains(&packet) {
            assert_eq!(buffer.insert(packet * 160, &[9; 160], 0), Placed::InTime);
        }
        read(&mut buffer);
    }
    assert_eq!(buffer.delay_ms(), 40);
}

#[test]
fn a_stream_that_paused_its_timestamps_is_heard_again() {
    let mut buffer = JitterBuffer::new(&Settings::default());
    let mut heard = 0;
    for frame in 0..200u32 {
        // Nothing for 200 ms; then the timestamps go on as if no time had passed.
        if !(50..60).contains(&frame) {
            let packet = if frame < 50 { frame } else { frame - 10 };
            buffer.insert(packet * 160, &[9; 160], 0);
        }
        heard += read(&mut buffer).1.heard;
    }
    assert!(heard > 175 * 160, "{heard}");
}

#[test]
fn late_packets_make_the_delay_longer_and_early_ones_shorter_again() {
    let mut buffer = JitterBuffer::new(&Settings::default());
    // Frames 100 to 110 meet an extra 80 ms of network; so does everything until frame 300.
    let mut late = 0;
    for frame in 0..1_500u32 {
        let delay = if (100..300).contains(&frame) { 4 } else { 0 };
        for packet in 0..1_500u32 {
            let arrives = packet + if (100..300).contains(&packet) { 4 } else { 0 };
            if arrives == frame && buffer.insert(packet * 160, &[20; 160], 0) == Placed::Late {
                late += 1;
            }
        }
        read(&mut buffer);
        if frame == 299 {
            assert!(buffer.delay_ms() <= 60, "{} {delay}", buffer.delay_ms());
        }
    }
    assert!(late < 8, "{late}");
    assert_eq!(buffer.delay_ms() / 10, 4, "{}", buffer.delay_ms());
}

#[test]
fn a_far_clock_that_runs_fast_does_not_pile_up() {
    let mut buffer = JitterBuffer::new(&Settings::default());
    // 400 parts per million: one packet more in 2,500.
    let mut packet = 0u32;
    for frame in 0..20_000u32 {
        buffer.insert(packet * 160, &[30; 160], 0);
        packet += 1;
        if frame % 2_500 == 0 {
            buffer.insert(packet * 160, &[30; 160], 0);
            packet += 1;
        }
        read(&mut buffer);
    }
    assert!(buffer.delay_ms() <= 70, "{}", buffer.delay_ms());
}

#[test]
fn timestamps_wrap() {
    let mut buffer = JitterBuffer::new(&Settings::default());
    let mut heard = 0;
    for packet in 0..100u32 {
        buffer.insert((u32::MAX - 8_000).wrapping_add(packet * 160), &[1; 160], 0);
        heard += read(&mut buffer).1.heard;
    }
    assert_eq!(heard, 98 * 160);
}

proptest! {
    /// Any loss, order, repetition and delay within the buffer's reach: what comes out is the sent ramp or
    /// made up, never a sample in a wrong place, and every packet that was in time is heard.
    #[test]
    fn every_packet_in_time_is_heard_in_its_place(
        fates in proptest::collection::vec((0u8..100, 0u32..2, any::<bool>()), 300),
    ) {
        let mut buffer = JitterBuffer::new(&Settings { least_delay_ms: 60, most_delay_ms: 60 });
        let mut heard = 0;
        let mut placed = 0;
        for frame in 0..310u32 {
            for (packet, (luck, delay, twice)) in (0u32..).zip(&fates) {
                let lost = *luck < 10;
                // The first packet sets the pace.
                let delay = if packet == 0 { 0 } else { *delay };
                if packet + delay == frame && (!lost || packet == 0) {
                    placed += usize::from(buffer.insert(packet * 160, &ramp(packet * 160, 160), 0) == Placed::InTime);
                    if *twice {
                        prop_assert_eq!(buffer.insert(packet * 160, &ramp(packet * 160, 160), 0), Placed::Duplicate);
                    }
                }
            }
            heard += read(&mut buffer).1.heard;
        }
        prop_assert_eq!(heard, placed * 160);
    }

    #[test]
    fn no_schedule_makes_it_fail(
        packets in proptest::collection::vec((any::<u32>(), 0usize..2_000, 0u64..3_000_000, 0u8..4), 0..200),
    ) {
        let mut buffer = JitterBuffer::new(&Settings::default());
        for (timestamp, length, age, reads) in packets {
            buffer.insert(timestamp, &vec![3; length], age);
            for _ in 0..reads {
                let (_, frame) = read(&mut buffer);
                prop_assert!(frame.heard + frame.concealed <= FRAME);
            }
        }
    }
}
