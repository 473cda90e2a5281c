//! Values as bytes: one that says how they are written, then the value.
//!
//! JSON, since its fields have names: a field that is added with a default is read from rows that lack it, and a
//! row that has more fields is read by an older program. The first byte is there for the day that this won't do.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::storage::{Error, Result};

/// How values are written now.
const JSON: u8 = 1;
/// The largest value, in bytes. A call's record or checkpoint is a few kilobytes.
pub(super) const VALUE_BYTES_MAX: usize = 4 << 20;

/// Writes a value.
pub(in crate::storage) fn encode<T: Serialize>(what: &'static str, value: &T) -> Result<Vec<u8>> {
    let mut bytes = vec![JSON];
    serde_json::to_writer(&mut bytes, value)
        .map_err(|error| Error::Corrupt { what, why: format!("it can't be written: {error}") })?;
    bound(what, bytes)
}

/// Refuses what is too large to be meant.
pub(in crate::storage) fn bound(what: &'static str, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.len() > VALUE_BYTES_MAX {
        let why = format!("{what} is {} bytes long, at most {VALUE_BYTES_MAX} are kept", bytes.len());
        return Err(Error::Unavailable { why });
    }
    Ok(bytes)
}

/// Reads a value. What is wrong is told by its place, never by its content.
pub(in crate::storage) fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T> {
    match bytes.split_first() {
        Some((&JSON, json)) => serde_json::from_slice(json).map_err(|error| {
            let why = format!("its JSON is wrong ({:?}) at byte {}", error.classify(), error.column());
            Error::Corrupt { what, why }
        }),
        Some((version, _)) => {
            let why = format!("it is written in format {version}; this program knows 1: use a newer one");
            Err(Error::Corrupt { what, why })
        }
        None => Err(Error::Corrupt { what, why: "it is empty".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CallRecord, Heading};

    /// A row as the first version wrote it, byte for byte. It must be readable for ever.
    const FIRST_RECORD: &str = "\u{1}{\"id\":\"01920000-0000-7000-8000-000000000001\",\"tenant\":\"barbers\",\
        \"business_version\":3,\"caller\":\"+447700900001\",\"called\":\"1000\",\
        \"started_at\":\"2026-11-22T10:00:00Z\",\"answered_at\":\"2026-11-22T10:00:01Z\",\"ended_at\":null,\
        \"outcome\":null,\"sip_status\":200,\"heading\":\"booked\",\"summary\":\"Booked a haircut.\",\
        \"bookings\":[\"01920000-0000-7000-8000-000000000002\"],\"messages\":[],\"recording\":null,\
        \"quality\":{\"packets_received\":1,\"packets_sent\":2,\"packets_lost\":0,\"jitter_ms\":0.5,\
        \"round_trip_ms\":null,\"mos\":4.2,\"concealed_ms\":0},\
        \"latencies\":[{\"turn_ended_ms\":1,\"words_final_ms\":2,\"answered_ms\":3,\"audible_ms\":4}]}";

    #[test]
    fn the_first_versions_rows_are_read() {
        let record: CallRecord = decode("call", FIRST_RECORD.as_bytes()).expect("readable");
        assert_eq!(record.heading, Heading::Booked);
        assert_eq!(record.quality.packets_sent, 2);
        assert_eq!(encode("call", &record).expect("small"), FIRST_RECORD.as_bytes(), "and written the same");
    }

    #[test]
    fn a_row_of_a_newer_version_with_more_fields_is_read() {
        let newer = FIRST_RECORD.replacen('{', "{\"mood\":\"cheerful\",", 1);
        assert!(decode::<CallRecord>("call", newer.as_bytes()).is_ok());
    }

    #[test]
    fn what_cannot_be_read_says_so_and_shows_nothing() {
        let broken = FIRST_RECORD.replace("\"booked\"", "\"hacked\"");
        let error = decode::<CallRecord>("call", broken.as_bytes()).expect_err("wrong").to_string();
        assert!(error.starts_with("call can't be read") && !error.contains("hacked"), "{error}");
        let error = decode::<CallRecord>("call", b"\x02x").expect_err("newer").to_string();
        assert!(error.contains("format 2"), "{error}");
        assert!(decode::<CallRecord>("call", b"").is_err());
    }

    #[test]
    fn what_is_too_large_is_refused() {
        assert!(encode("message", &"x".repeat(VALUE_BYTES_MAX)).is_err());
    }
}
