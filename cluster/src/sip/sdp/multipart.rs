//! The session description within a multipart body (RFC 5621), as gateways with ISUP send it.

use super::super::wire::{self, Headers};

/// Parts of a body that are looked at.
const PARTS_MAX: usize = 8;

/// The session description that this body is or contains; `None` where there is none.
#[must_use]
pub fn sdp_of(headers: &Headers, body: &[u8]) -> Option<Vec<u8>> {
    if body.is_empty() {
        return None;
    }
    let Some(boundary) = wire::boundary(headers) else {
        return wire::body_is(headers, "application", "sdp").then(|| body.to_vec());
    };
    let text = String::from_utf8_lossy(body);
    let separator = format!("--{boundary}");
    text.split(separator.as_str()).skip(1).take(PARTS_MAX).find_map(|part| {
        let part = part.trim_start_matches("\r\n").trim_start_matches('\n');
        let (head, content) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
        head.to_ascii_lowercase().contains("application/sdp").then(|| content.trim_end().as_bytes().to_vec())
    })
}
