//! Keys whose bytes sort as their parts do.

use jiff::Timestamp;
use uuid::Uuid;

use crate::storage::{Error, Result};
use crate::types::TenantId;

/// Keys are made part by part. A text never begins another: it ends with a mark that sorts before all else.
#[derive(Debug, Clone, Default)]
pub(in crate::storage) struct Key(Vec<u8>);

impl Key {
    pub(in crate::storage) fn new() -> Self {
        Self::default()
    }

    /// A text; its zero bytes are escaped, since a zero ends it.
    pub(in crate::storage) fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(0xff);
            }
        }
        self.0.extend([0, 0]);
        self
    }

    /// The beginning of a text: all texts that begin with it, and whatever follows them.
    pub(super) fn text_start(mut self, text: &str) -> Self {
        self = self.text(text);
        self.0.truncate(self.0.len().saturating_sub(2));
        self
    }

    /// The text that a key begins with.
    pub(super) fn read_text(key: &[u8]) -> Option<String> {
        let (mut text, mut bytes) = (Vec::new(), key.iter());
        loop {
            match bytes.next()? {
                0 if *bytes.next()? == 0 => return String::from_utf8(text).ok(),
                byte => text.push(*byte),
            }
        }
    }

    pub(in crate::storage) fn uuid(mut self, uuid: Uuid) -> Self {
        self.0.extend(uuid.as_bytes());
        self
    }

    pub(super) fn number(mut self, number: u32) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// A time, earliest first.
    pub(in crate::storage) fn time(mut self, time: Timestamp) -> Self {
        self.0.extend(ordered(time).to_be_bytes());
        self
    }

    /// A time, latest first.
    pub(in crate::storage) fn time_descending(mut self, time: Timestamp) -> Self {
        self.0.extend((!ordered(time)).to_be_bytes());
        self
    }

    /// The time that a key begins with which was put latest first.
    #[cfg(feature = "scylla")]
    pub(in crate::storage) fn read_time_descending(key: &[u8]) -> Option<Timestamp> {
        let nanoseconds = !u128::from_be_bytes(*key.first_chunk()?) ^ (1 << 127);
        Timestamp::from_nanosecond(nanoseconds as i128).ok()
    }

    /// Bytes as they are, such as a cursor's.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(in crate::storage) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The first key after all that begin with this one.
    pub(in crate::storage) fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if last < 0xff {
                end.push(last + 1);
                return end;
            }
        }
        // Every byte is 0xff or there is none: longer than any key here.
        vec![0xff; 256]
    }

    /// The first key after this one.
    pub(super) fn next(mut self) -> Self {
        self.0.push(0);
        self
    }
}

/// A key's parts, read in their order.
#[derive(Debug)]
pub(super) struct Parts<'k>(&'k [u8]);

impl<'k> Parts<'k> {
    pub(super) const fn of(key: &'k [u8]) -> Self {
        Self(key)
    }

    /// A text.
    pub(super) fn text(&mut self) -> Result<String> {
        let mut bytes = Vec::new();
        loop {
            match *self.0 {
                [0, 0xff, ref rest @ ..] => {
                    bytes.push(0);
                    self.0 = rest;
                }
                [0, 0, ref rest @ ..] => {
                    self.0 = rest;
                    return String::from_utf8(bytes).map_err(|_| wrong());
                }
                [byte, ref rest @ ..] if byte != 0 => {
                    bytes.push(byte);
                    self.0 = rest;
                }
                _ => return Err(wrong()),
            }
        }
    }

    /// A text that names a business.
    pub(super) fn name(&mut self) -> Result<TenantId> {
        self.text().map(TenantId::new)
    }

    pub(super) fn uuid(&mut self) -> Result<Uuid> {
        let (first, rest) = self.0.split_at_checked(16).ok_or_else(wrong)?;
        self.0 = rest;
        Uuid::from_slice(first).map_err(|_| wrong())
    }
}

fn wrong() -> Error {
    Error::Corrupt { what: "key", why: "it is not made of the parts that it should be".to_owned() }
}

/// Nanoseconds since the epoch, moved so that the earliest sorts first.
fn ordered(time: Timestamp) -> u128 {
    (time.as_nanosecond() as u128) ^ (1 << 127)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_sort_as_parts_do(
            one in "[\u{0}-\u{2}a]{0,4}", other in "[\u{0}-\u{2}a]{0,4}",
            early in -9_000_000_000_i64..9_000_000_000, late in -9_000_000_000_i64..9_000_000_000,
        ) {
            let times = [early, late].map(|second| Timestamp::new(second, 0).expect("in range"));
            let key = |text: &str, time| Key::new().text(text).time(time).as_bytes().to_vec();
            prop_assert_eq!(
                key(&one, times[0]).cmp(&key(&other, times[1])),
                (one.as_bytes(), early).cmp(&(other.as_bytes(), late))
            );
            let descending = times.map(|time| Key::new().time_descending(time).as_bytes().to_vec());
            prop_assert_eq!(descending[0].cmp(&descending[1]), late.cmp(&early));
            #[cfg(feature = "scylla")]
            prop_assert_eq!(Key::read_time_descending(&descending[0]), Some(times[0]));
        }

        #[test]
        fn parts_are_read_as_they_were_put(one in "[\u{0}-\u{2}aé]{0,6}", other in ".{0,6}", number in any::<u128>()) {
            let uuid = Uuid::from_u128(number);
            let key = Key::new().text(&one).uuid(uuid).text(&other);
            let mut parts = Parts::of(key.as_bytes());
            prop_assert_eq!(parts.text(), Ok(one));
            prop_assert_eq!(parts.uuid(), Ok(uuid));
            prop_assert_eq!(parts.text(), Ok(other));
            prop_assert!(parts.text().is_err() && parts.uuid().is_err());
        }

        #[test]
        fn a_text_is_read_as_it_was_written(text in "[\u{0}-\u{2}a]{0,4}", start in "[\u{0}-\u{2}a]{0,4}") {
            let key = Key::new().text(&format!("{start}{text}"));
            prop_assert_eq!(Key::read_text(key.as_bytes()), Some(format!("{start}{text}")));
            prop_assert!(key.as_bytes().starts_with(Key::new().text_start(&start).as_bytes()));
        }

        #[test]
        fn the_end_is_after_all_that_begin_with_it(
            prefix in proptest::collection::vec(any::<u8>(), 0..6), rest in proptest::collection::vec(any::<u8>(), 0..6),
        ) {
            let key = Key::new().bytes(&prefix);
            let longer = key.clone().bytes(&rest);
            prop_assert!(longer.as_bytes() < key.end().as_slice());
        }
    }
}
