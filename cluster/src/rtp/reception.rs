//! How a stream of packets came: loss, order and jitter (RFC 3550 appendix A).

use serde::{Deserialize, Serialize};

use super::Micros;
use super::packet::Header;

/// A gap up to here is loss; a larger one is another stream (appendix A.1).
const MOST_DROPOUT: u16 = 3_000;
/// A packet so far behind is reordered or repeated; further behind, it is another stream.
const MOST_MISORDER: u16 = 100;

/// A stream of packets, and the streams of the same call before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Reception {
    stream: Option<Stream>,
    /// What the streams before the present one counted.
    before: Counted,
    /// The running estimate of the RFC: the last packets count most.
    jitter: f32,
    /// The sum and the number of the differences that it is made of.
    differences: (f64, u64),
    transit: Option<i64>,
    at_last_report: Counted,
}

/// Packets of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
struct Counted {
    expected: u64,
    /// Those that came, each once.
    received: u64,
    repeated: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stream {
    ssrc: u32,
    base: u64,
    highest: u64,
    /// Which of the last packets came: the lowest bit is the highest one.
    came: u128,
    counted: Counted,
    /// The sequence number that would confirm a jump.
    astray: Option<u16>,
}

/// What a packet is to its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The first of its number.
    First,
    /// It came before.
    Again,
    /// It is far from the others; if the next agrees with it, the stream starts anew there.
    Astray,
    /// The first of another stream: its buffer and its events start over.
    Restarts,
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
    /// as telephone events.
    pub fn packet(&mut self, header: &Header, arrival: Option<Micros>) -> Arrival {
        let taken = match &mut self.stream {
            Some(stream) if stream.ssrc == header.ssrc => stream.take(header.sequence),
            _ => Arrival::Restarts,
        };
        match taken {
            Arrival::Astray => return taken,
            Arrival::Restarts => {
                self.before = self.counted();
                self.stream = Some(Stream::begin(header));
                self.transit = None;
                self.at_last_report = Counted::default();
            }
            Arrival::First | Arrival::Again => {}
        }
        if let Some(arrival) = arrival {
            self.measure(header.timestamp, arrival);
        }
        taken
    }

    fn measure(&mut self, timestamp: u32, arrival: Micros) {
        // Arrival in samples of the 8 kHz clock; only differences count.
        let transit = (arrival / 125).cast_signed().wrapping_sub(i64::from(timestamp));
        if let Some(before) = self.transit.replace(transit) {
            let difference = (transit - before).unsigned_abs();
            // A step of more than a second is a timestamp that jumped, not a late packet.
            if difference < 8_000 {
                self.jitter += (difference as f32 - self.jitter) / 16.0;
                self.differences.0 += difference as f64;
                self.differences.1 += 1;
            }
        }
    }

    fn counted(&self) -> Counted {
        let present = self.stream.as_ref().map_or(Counted::default(), |stream| stream.counted);
        Counted {
            expected: self.before.expected + present.expected,
            received: self.before.received + present.received,
            repeated: self.before.repeated + present.repeated,
        }
    }

    /// Packets that were sent to us, as far as those that came tell.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.counted().expected
    }

    /// Packets that came, each counted once.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.counted().received
    }

    /// Packets that never came. Those that came twice make none of them good.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let counted = self.counted();
        counted.expected.saturating_sub(counted.received)
    }

    /// Interarrival jitter in milliseconds, the mean since the first packet. A report's is the running estimate
    /// of the last few packets instead, which strays from the mean by an eighth of it on an even network.
    #[must_use]
    pub fn jitter_ms(&self) -> f32 {
        let (sum, count) = self.differences;
        (sum / count.max(1) as f64 / 8.0) as f32
    }

    /// The report on what came since the last one; none before the first packet. The fields about sender
    /// reports are left at zero. As the RFC has it, repetitions count against loss here, and it speaks of the
    /// present stream alone.
    pub fn report(&mut self) -> Option<ReportBlock> {
        let stream = self.stream.as_ref()?;
        let now = stream.counted;
        let last = std::mem::replace(&mut self.at_last_report, now);
        let due = now.expected.saturating_sub(last.expected);
        let missing = due.saturating_sub(now.came().saturating_sub(last.came()));
        let fraction_lost = (missing * 256).checked_div(due).map_or(0, |of_256| of_256.min(255) as u8);
        let lost = now.expected.cast_signed() - now.came().cast_signed();
        Some(ReportBlock {
            ssrc: stream.ssrc,
            fraction_lost,
            lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest: (stream.highest & 0xffff_ffff) as u32,
            jitter: self.jitter as u32,
            ..ReportBlock::default()
        })
    }
}

impl Counted {
    const fn came(self) -> u64 {
        self.received + self.repeated
    }
}

impl Stream {
    fn begin(header: &Header) -> Self {
        let first = u64::from(header.sequence);
        let counted = Counted { expected: 1, received: 1, repeated: 0 };
        Self { ssrc: header.ssrc, base: first, highest: first, came: 1, counted, astray: None }
    }

    fn take(&mut self, sequence: u16) -> Arrival {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        let behind = ahead.wrapping_neg();
        if ahead != 0 && ahead < MOST_DROPOUT {
            self.highest += u64::from(ahead);
            self.came = self.came.checked_shl(ahead.into()).unwrap_or(0);
        } else if behind > MOST_MISORDER {
            if self.astray == Some(sequence) {
                return Arrival::Restarts;
            }
            self.astray = Some(sequence.wrapping_add(1));
            return Arrival::Astray;
        }
        self.astray = None;
        let back = if ahead < MOST_DROPOUT { 0 } else { behind };
        let bit = 1_u128 << back;
        if self.came & bit != 0 {
            self.counted.repeated += 1;
            return Arrival::Again;
        }
        self.came |= bit;
        self.counted.received += 1;
        // One from before the first that came is due, too.
        self.base = self.base.min(self.highest.saturating_sub(back.into()));
        self.counted.expected = self.highest - self.base + 1;
        Arrival::First
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
    fn another_source_or_a_confirmed_jump_starts_over() {
        let mut reception = Reception::default();
        assert_eq!(reception.packet(&header(10, 0), Some(0)), Arrival::Restarts);
        assert_eq!(reception.packet(&header(12, 1), Some(20_000)), Arrival::First);
        assert_eq!(reception.packet(&header(30_000, 2), Some(40_000)), Arrival::Astray);
        assert_eq!(reception.packet(&header(30_001, 3), Some(60_000)), Arrival::Restarts);
        assert_eq!(reception.packet(&Header { ssrc: 8, ..header(5, 4) }, Some(80_000)), Arrival::Restarts);
        assert_eq!((reception.received(), reception.lost()), (4, 1));
        // The far side is told of its present stream alone.
        let report = reception.report().unwrap();
        assert_eq!((report.ssrc, report.lost, report.fraction_lost), (8, 0, 0));
    }

    #[test]
    fn repetition_and_reordering_are_no_loss() {
        let mut reception = Reception::default();
        let taken =
            [2, 1, 4, 3, 3, 5].map(|sequence| reception.packet(&header(sequence, sequence.into()), None));
        assert_eq!(taken[4], Arrival::Again);
        assert_eq!((reception.expected(), reception.received(), reception.lost()), (5, 5, 0));
        assert_eq!(reception.report().unwrap().lost, -1);
    }

    #[test]
    fn what_came_twice_makes_no_loss_good() {
        let mut reception = Reception::default();
        for packet in (0..1_000_u16).filter(|packet| packet % 10 != 5) {
            for _ in 0..=u32::from(packet % 10 == 4) {
                reception.packet(&header(packet, packet.into()), None);
            }
        }
        assert_eq!((reception.received(), reception.lost()), (900, 100));
        assert_eq!(reception.report().unwrap().lost, 0, "which is how the RFC counts");
    }
}
