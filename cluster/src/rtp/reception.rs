//! How a stream of packets came: loss, order and jitter (RFC 3550 appendix A).

use serde::{Deserialize, Serialize};

use super::Micros;
use super::packet::Header;

/// A gap up to here is loss; a larger one is another stream (appendix A.1).
const MOST_DROPOUT: u16 = 3_000;
/// A packet so far behind is reordered or repeated; further behind, it is another stream.
const MOST_MISORDER: u16 = 100;

/// One source's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Reception {
    stream: Option<Stream>,
    received: u64,
    /// Packets expected in the streams before the present one.
    expected_before: u64,
    jitter: f32,
    transit: Option<i64>,
    at_last_report: (u64, u64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stream {
    ssrc: u32,
    base: u64,
    highest: u64,
    /// The sequence number that would confirm a jump.
    astray: Option<u16>,
}

/// The part of a report that speaks of one source (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// Whose packets.
    pub ssrc: u32,
    /// Lost since the last report, of 256.
    pub fraction_lost: u8,
    /// Lost so far, 24 bits signed: repetitions count against loss.
    pub lost: i32,
    /// The highest sequence number, with the count of wraps above it.
    pub highest: u32,
    /// Interarrival jitter, in samples.
    pub jitter: u32,
    /// The middle of the last sender report's NTP time.
    pub last_sender_report: u32,
    /// Since then, in 1/65,536 s.
    pub delay_since: u32,
}

impl Reception {
    /// Takes a packet and the moment it arrived; none for packets whose timestamps don't move with time, such
    /// as telephone events. Whether it starts another stream: its buffer and its events start over then.
    pub fn packet(&mut self, header: &Header, arrival: Option<Micros>) -> bool {
        let restarted = match &mut self.stream {
            Some(stream) if stream.ssrc == header.ssrc => match stream.take(header.sequence) {
                Taken::Belongs => false,
                Taken::Astray => return false,
                Taken::Restarts => true,
            },
            _ => true,
        };
        if restarted {
            self.expected_before = self.expected();
            let first = u64::from(header.sequence);
            self.stream = Some(Stream { ssrc: header.ssrc, base: first, highest: first, astray: None });
            self.transit = None;
        }
        self.received += 1;
        if let Some(arrival) = arrival {
            self.measure(header.timestamp, arrival);
        }
        restarted
    }

    fn measure(&mut self, timestamp: u32, arrival: Micros) {
        // Arrival in samples of the 8 kHz clock; only differences count.
        let transit = (arrival / 125).cast_signed().wrapping_sub(i64::from(timestamp));
        if let Some(before) = self.transit.replace(transit) {
            let difference = (transit - before).unsigned_abs();
            // A step of more than a second is a timestamp that jumped, not a late packet.
            if difference < 8_000 {
                self.jitter += (difference as f32 - self.jitter) / 16.0;
            }
        }
    }

    fn expected(&self) -> u64 {
        let present = self.stream.as_ref().map_or(0, |stream| stream.highest - stream.base + 1);
        self.expected_before + present
    }

    /// Packets that came.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Packets that never came.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    /// Interarrival jitter in milliseconds.
    #[must_use]
    pub fn jitter_ms(&self) -> f32 {
        self.jitter / 8.0
    }

    /// The report on what came since the last one; none before the first packet. The fields about sender
    /// reports are left at zero.
    pub fn report(&mut self) -> Option<ReportBlock> {
        let (ssrc, highest) = self.stream.as_ref().map(|stream| (stream.ssrc, stream.highest))?;
        let (expected, received) = (self.expected(), self.received);
        let (expected_before, received_before) =
            std::mem::replace(&mut self.at_last_report, (expected, received));
        let due = expected.saturating_sub(expected_before);
        let missing = due.saturating_sub(received.saturating_sub(received_before));
        let fraction_lost = (missing * 256).checked_div(due).map_or(0, |of_256| of_256.min(255) as u8);
        let lost = expected.cast_signed() - received.cast_signed();
        Some(ReportBlock {
            ssrc,
            fraction_lost,
            lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest: (highest & 0xffff_ffff) as u32,
            jitter: self.jitter as u32,
            ..ReportBlock::default()
        })
    }
}

enum Taken {
    Belongs,
    Astray,
    Restarts,
}

impl Stream {
    fn take(&mut self, sequence: u16) -> Taken {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        if ahead < MOST_DROPOUT {
            self.highest += u64::from(ahead);
        } else if ahead <= u16::MAX - MOST_MISORDER {
            if self.astray == Some(sequence) {
                return Taken::Restarts;
            }
            self.astray = Some(sequence.wrapping_add(1));
            return Taken::Astray;
        }
        self.astray = None;
        Taken::Belongs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, packet: u32) -> Header {
        Header { sequence, timestamp: packet.wrapping_mul(160), ssrc: 7, ..Header::default() }
    }

    #[test]
    fn loss_is_counted_over_a_wrap() {
        let mut reception = Reception::default();
        for packet in 0..1_000u32 {
            if packet % 10 != 3 {
                reception.packet(
                    &header(65_000u16.wrapping_add(packet as u16), packet),
                    Some(u64::from(packet) * 20_000),
                );
            }
        }
        assert_eq!((reception.received(), reception.lost()), (900, 100));
        let report = reception.report().unwrap();
        assert_eq!((report.fraction_lost, report.lost, report.highest), (25, 100, 65_999));
        assert_eq!(reception.report().unwrap().fraction_lost, 0);
    }

    #[test]
    fn jitter_settles_at_the_mean_difference() {
        let mut reception = Reception::default();
        for packet in 0..2_000u32 {
            let late = if packet % 2 == 0 { 0 } else { 10_000 };
            reception.packet(&header(packet as u16, packet), Some(u64::from(packet) * 20_000 + late));
        }
        assert!((reception.jitter_ms() - 10.0).abs() < 0.1, "{}", reception.jitter_ms());
    }

    #[test]
    fn another_source_or_a_confirmed_jump_starts_over_and_loses_nothing() {
        let mut reception = Reception::default();
        assert!(reception.packet(&header(10, 0), Some(0)));
        assert!(!reception.packet(&header(11, 1), Some(20_000)));
        assert!(!reception.packet(&header(30_000, 2), Some(40_000)), "one stray packet is passed over");
        assert!(reception.packet(&header(30_001, 3), Some(60_000)));
        assert!(reception.packet(&Header { ssrc: 8, ..header(5, 4) }, Some(80_000)));
        assert_eq!((reception.received(), reception.lost()), (4, 0));
    }

    #[test]
    fn repetition_and_reordering_are_no_loss() {
        let mut reception = Reception::default();
        for sequence in [1, 3, 2, 2, 4] {
            reception.packet(&header(sequence, u32::from(sequence)), None);
        }
        assert_eq!((reception.received(), reception.lost()), (5, 0));
        assert_eq!(reception.report().unwrap().lost, -1);
    }
}
