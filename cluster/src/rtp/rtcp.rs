//! RTCP (RFC 3550 section 6): sender and receiver reports, our name, goodbye.

use super::reception::ReportBlock;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CANONICAL_NAME: u8 = 1;
const BLOCK_BYTES: usize = 24;

/// What we sent so far, for a sender report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderInfo {
    /// Now, in NTP's 32.32 format.
    pub ntp: u64,
    /// Now, as an RTP timestamp.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub bytes: u32,
}

/// A compound packet of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<'a> {
    /// Our source.
    pub ssrc: u32,
    /// What we sent; a receiver report where we sent nothing.
    pub sender: Option<SenderInfo>,
    /// What we received.
    pub block: Option<ReportBlock>,
    /// Our canonical name, 255 bytes at most.
    pub name: &'a str,
    /// We leave.
    pub goodbye: bool,
}

/// What the far side's compound packet says that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// The source that reports.
    pub ssrc: u32,
    /// The middle 32 bits of its sender report's time.
    pub sender_report: Option<u32>,
    /// What it says of our stream.
    pub about_us: Option<ReportBlock>,
    /// It leaves.
    pub goodbye: bool,
}

impl Report<'_> {
    /// The packet.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        let count = u8::from(self.block.is_some());
        let kind = if self.sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
        section(&mut bytes, count, kind, |body| {
            body.extend(self.ssrc.to_be_bytes());
            if let Some(sender) = self.sender {
                body.extend(sender.ntp.to_be_bytes());
                body.extend(sender.timestamp.to_be_bytes());
                body.extend(sender.packets.to_be_bytes());
                body.extend(sender.bytes.to_be_bytes());
            }
            if let Some(block) = &self.block {
                write_block(body, block);
            }
        });
        section(&mut bytes, 1, DESCRIPTION, |body| {
            let name = self.name.as_bytes();
            let name = name.get(..name.len().min(255)).unwrap_or_default();
            body.extend(self.ssrc.to_be_bytes());
            body.extend([CANONICAL_NAME, name.len() as u8]);
            body.extend(name);
            // The list of items ends with a zero, and the chunk at a multiple of four.
            body.push(0);
        });
        if self.goodbye {
            section(&mut bytes, 1, GOODBYE, |body| body.extend(self.ssrc.to_be_bytes()));
        }
        bytes
    }
}

/// Writes one packet of a compound, padded to whole words.
fn section(bytes: &mut Vec<u8>, count: u8, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend([0x80 | count, kind, 0, 0]);
    write(bytes);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let words = u16::try_from((bytes.len() - start) / 4 - 1).unwrap_or(u16::MAX);
    if let Some(length) = bytes.get_mut(start + 2..start + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

fn write_block(body: &mut Vec<u8>, block: &ReportBlock) {
    body.extend(block.ssrc.to_be_bytes());
    body.extend(
        (u32::from(block.fraction_lost) << 24 | block.lost.cast_unsigned() & 0x00ff_ffff).to_be_bytes(),
    );
    body.extend(block.highest.to_be_bytes());
    body.extend(block.jitter.to_be_bytes());
    body.extend(block.last_sender_report.to_be_bytes());
    body.extend(block.delay_since.to_be_bytes());
}

/// Reads a compound packet, as far as it is well-formed. `ours` is our source. `None` if not even the first
/// packet is a report.
#[must_use]
pub fn parse(mut bytes: &[u8], ours: u32) -> Option<Heard> {
    let mut heard = None;
    while let Some(([first, kind, high, low], rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([*high, *low])) * 4;
        let Some((body, after)) = rest.split_at_checked(length) else { break };
        if first >> 6 != 2 {
            break;
        }
        match *kind {
            SENDER_REPORT | RECEIVER_REPORT => {
                let heard = heard.get_or_insert_with(Heard::default);
                read_report(heard, *kind, usize::from(first & 0x1f), body, ours);
            }
            GOODBYE => {
                heard.as_mut()?.goodbye = true;
            }
            _ => {
                heard.as_ref()?;
            }
        }
        bytes = after;
    }
    heard
}

fn read_report(heard: &mut Heard, kind: u8, count: usize, body: &[u8], ours: u32) {
    heard.ssrc = word(body, 0).unwrap_or(0);
    let blocks_at = if kind == SENDER_REPORT { 24 } else { 4 };
    if let (SENDER_REPORT, Some(high), Some(low)) = (kind, word(body, 4), word(body, 8)) {
        heard.sender_report = Some(high << 16 | low >> 16);
    }
    let blocks = body.get(blocks_at..).unwrap_or_default().chunks_exact(BLOCK_BYTES);
    let about_us = blocks.take(count).filter_map(read_block).find(|block| block.ssrc == ours);
    heard.about_us = about_us.or(heard.about_us);
}

fn read_block(bytes: &[u8]) -> Option<ReportBlock> {
    let loss = word(bytes, 4)?;
    Some(ReportBlock {
        ssrc: word(bytes, 0)?,
        fraction_lost: (loss >> 24) as u8,
        lost: (loss << 8).cast_signed() >> 8,
        highest: word(bytes, 8)?,
        jitter: word(bytes, 12)?,
        last_sender_report: word(bytes, 16)?,
        delay_since: word(bytes, 20)?,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The round trip that a block about us tells of, in milliseconds, at `ntp_middle` (the middle 32 bits of
/// now). None where it is not plausible: no report of ours was seen, or more than ten seconds.
#[must_use]
pub fn round_trip_ms(block: &ReportBlock, ntp_middle: u32) -> Option<f32> {
    if block.last_sender_report == 0 {
        return None;
    }
    let trip = ntp_middle.wrapping_sub(block.last_sender_report).wrapping_sub(block.delay_since);
    (trip < 10 << 16).then(|| trip as f32 * 1_000.0 / 65_536.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block() -> ReportBlock {
        ReportBlock {
            ssrc: 77,
            fraction_lost: 12,
            lost: -3,
            highest: 70_000,
            jitter: 40,
            last_sender_report: 0x1234_5678,
            delay_since: 65_536,
        }
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let sender = SenderInfo { ntp: 0x0000_1234_5678_9abc, timestamp: 5, packets: 6, bytes: 7 };
        for sender in [None, Some(sender)] {
            let report = Report { ssrc: 9, sender, block: Some(block()), name: "a@b", goodbye: true };
            let bytes = report.to_bytes();
            assert_eq!(bytes.len() % 4, 0);
            let expected = Heard {
                ssrc: 9,
                sender_report: sender.map(|_| 0x1234_5678),
                about_us: Some(block()),
                goodbye: true,
            };
            assert_eq!(parse(&bytes, 77), Some(expected));
            assert_eq!(parse(&bytes, 78).and_then(|heard| heard.about_us), None);
        }
    }

    #[test]
    fn the_round_trip_leaves_out_what_the_far_side_waited() {
        let now = 0x1234_5678 + 65_536 + 6_554;
        assert!((round_trip_ms(&block(), now).unwrap() - 100.0).abs() < 0.1);
        assert_eq!(round_trip_ms(&block(), 0x1234_5678), None);
        assert_eq!(round_trip_ms(&ReportBlock::default(), now), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, 1);
        }

        #[test]
        fn a_broken_report_is_read_without_panic(at in 0usize..100, byte: u8, length in 0usize..100) {
            let report = Report { ssrc: 9, sender: Some(SenderInfo::default()), block: Some(block()), name: "x", goodbye: true };
            let mut bytes = report.to_bytes();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(length);
            let _ = parse(&bytes, 77);
        }
    }
}
