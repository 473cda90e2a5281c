//! How the journal lies in its file: a heading, then records of a length, a checksum and a body.
//!
//! ```text
//! "strwjrn1" | length u32 | CRC-32 of the body | body: kind u8, number u64, then for a write: time i64, JSON
//! ```
//! All numbers are little-endian; the time is in milliseconds since 1970. What a process that died was writing is
//! shorter than its length says or has another checksum: it and all after it are cut. A record that is whole in
//! length and followed by a sound one, but damaged, is passed over.

use jiff::Timestamp;

use super::entry::Entry;

/// What the file begins with; the last digit is the version.
pub(super) const HEADING: &[u8; 8] = b"strwjrn1";

/// Before each body: its length and its checksum.
const FRAME_BYTES: usize = 8;

const WRITE: u8 = 1;
const DONE: u8 = 2;

/// A body shorter than this is none.
const BODY_BYTES_MIN: usize = 9;

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    /// A write that was kept.
    Write { number: u64, at: Timestamp, entry: Box<Entry> },
    /// The write of this number was made.
    Done { number: u64 },
}

/// A write as it lies in the file.
pub(super) fn write(number: u64, at: Timestamp, entry: &Entry) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = vec![WRITE];
    body.extend(number.to_le_bytes());
    body.extend(at.as_millisecond().to_le_bytes());
    serde_json::to_writer(&mut body, entry)?;
    Ok(framed(&body))
}

/// A mark that a write was made.
pub(super) fn done(number: u64) -> Vec<u8> {
    let mut body = vec![DONE];
    body.extend(number.to_le_bytes());
    framed(&body)
}

fn framed(body: &[u8]) -> Vec<u8> {
    // A body is bounded by a setting far below 4 GiB.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(FRAME_BYTES + body.len());
    bytes.extend(length.to_le_bytes());
    bytes.extend(crc32fast::hash(body).to_le_bytes());
    bytes.extend(body);
    bytes
}

/// What a file holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Contents {
    /// Its records, in order.
    pub(super) records: Vec<Record>,
    /// How much of it is sound, in bytes from its beginning, the heading included.
    pub(super) sound: usize,
    /// Records that are damaged and were passed over.
    pub(super) damaged: usize,
}

/// Reads what comes after the heading.
pub(super) fn read(after_heading: &[u8]) -> Contents {
    let mut contents = Contents { sound: HEADING.len(), ..Contents::default() };
    let mut rest = after_heading;
    while let Some((body, is_whole, after)) = next(rest) {
        match parse(body).filter(|_| is_whole) {
            Some(record) => contents.records.push(record),
            // The last one is what a process was writing when it died; or, after it, there is a sound one.
            None if next(after).is_some_and(|(_, is_whole, _)| is_whole) => contents.damaged += 1,
            None => break,
        }
        contents.sound += rest.len() - after.len();
        rest = after;
    }
    contents
}

/// The next body, whether its checksum is right, and what comes after it.
fn next(bytes: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if length < BODY_BYTES_MIN {
        return None;
    }
    let (body, after) = rest.split_at_checked(length)?;
    Some((body, crc32fast::hash(body) == u32::from_le_bytes(*checksum), after))
}

fn parse(body: &[u8]) -> Option<Record> {
    let (&kind, rest) = body.split_first()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let number = u64::from_le_bytes(*number);
    match kind {
        DONE => Some(Record::Done { number }),
        WRITE => {
            let (at, json) = rest.split_first_chunk::<8>()?;
            let at = Timestamp::from_millisecond(i64::from_le_bytes(*at)).ok()?;
            Some(Record::Write { number, at, entry: Box::new(serde_json::from_slice(json).ok()?) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::CallId;

    fn entry(byte: u8) -> Entry {
        Entry::Checkpoint { call: CallId::default(), fence: None, state: vec![byte; 3] }
    }

    fn sample() -> (Vec<Vec<u8>>, Vec<Record>) {
        let at = Timestamp::UNIX_EPOCH;
        let write = |number, byte| super::write(number, at, &entry(byte)).expect("small");
        let bytes = vec![write(0, 1), write(1, 0xfe), done(0), write(2, 3), done(1)];
        let record = |number, byte| Record::Write { number, at, entry: Box::new(entry(byte)) };
        let done = |number| Record::Done { number };
        (bytes, vec![record(0, 1), record(1, 0xfe), done(0), record(2, 3), done(1)])
    }

    #[test]
    fn whatever_is_cut_off_what_was_whole_before_is_read() {
        let (parts, records) = sample();
        let whole = parts.concat();
        for length in 0..=whole.len() {
            let contents = read(&whole[..length]);
            let mut end = 0;
            let complete = parts.iter().take_while(|part| {
                end += part.len();
                end <= length
            });
            let complete = complete.count();
            assert_eq!(contents.records, records[..complete], "cut to {length}");
            let sound: usize = parts[..complete].iter().map(Vec::len).sum();
            assert_eq!((contents.sound, contents.damaged), (HEADING.len() + sound, 0), "cut to {length}");
        }
    }

    #[test]
    fn one_flipped_bit_costs_no_record_before_it_and_never_makes_up_one() {
        let (parts, records) = sample();
        let whole = parts.concat();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut end = 0;
            let hit = parts.iter().position(|part| {
                end += part.len();
                bit / 8 < end
            });
            let hit = hit.expect("within");
            let contents = read(&bytes);
            assert_eq!(contents.records[..hit], records[..hit], "bit {bit}");
            assert!(contents.records.iter().all(|record| records.contains(record)), "bit {bit}");
        }
    }

    #[test]
    fn a_damaged_record_among_sound_ones_is_passed_over() {
        let (mut parts, mut records) = sample();
        *parts[1].last_mut().expect("bytes") ^= 1;
        records.remove(1);
        let contents = read(&parts.concat());
        assert_eq!((contents.records, contents.damaged), (records, 1));
    }
}
