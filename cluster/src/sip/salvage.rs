//! What a broken request still says: enough to tell its sender what is wrong with it (RFC 4475 section 3.1.2).

use bytes::Bytes;

use super::check::is_answerable;
use super::wire::{Limits, Message, Request, parse_datagram};

/// The headers that a response copies, in both spellings.
const COPIED: &[&[u8]] = &[b"via", b"v", b"from", b"f", b"to", b"t", b"call-id", b"i", b"cseq"];

/// Lines that are looked at.
const LINES_MAX: usize = 512;

/// A request with the method and the copied headers of one that can't be read, and nothing else of it. `None`
/// for what is no SIP request at all, what has no Via and so nobody to answer, and an ACK.
#[must_use]
pub fn salvage(datagram: &[u8]) -> Option<Request> {
    let mut lines = datagram.split(|byte| *byte == b'\n').take(LINES_MAX);
    let start = lines.next()?.trim_ascii();
    let method: Vec<u8> = start.iter().copied().take_while(|byte| !byte.is_ascii_whitespace()).collect();
    if !start.ends_with(b"SIP/2.0") || !method.iter().all(u8::is_ascii_graphic) || method.is_empty() {
        return None;
    }
    let mut head = method;
    head.extend_from_slice(b" sip:unreadable.invalid SIP/2.0\r\n");
    let mut copying = false;
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(first) = line.first() else { break };
        copying = if first.is_ascii_whitespace() { copying } else { is_copied(line) };
        if copying {
            head.extend_from_slice(line);
            head.extend_from_slice(b"\r\n");
        }
    }
    head.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    match parse_datagram(Bytes::from(head), &Limits::datagram()).ok()? {
        Message::Request(request) if is_answerable(&request) => Some(request),
        _ => None,
    }
}

fn is_copied(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
    COPIED.iter().any(|copied| name.eq_ignore_ascii_case(copied))
}

#[cfg(test)]
mod tests {
    use super::super::wire::{HeaderName, Method, text};
    use super::*;

    const BROKEN: &str = "INVITE <sip:a@b> SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1\r\n ;branch=z9hG4bK1\r\n\
        From: <sip:c@d>;tag=1\r\nSubject: From: nobody\r\nTo: <sip:a@b>\r\nCSeq: 1 INVITE\r\n\r\nVia: body\r\n";

    #[test]
    fn who_asked_and_what_for_is_kept() {
        let request = salvage(BROKEN.as_bytes()).unwrap();
        assert_eq!(request.method, Method::Invite);
        assert_eq!(request.headers.count(&HeaderName::Via), 1);
        assert_eq!(
            text(&request.headers, &HeaderName::Via).as_deref(),
            Some("SIP/2.0/UDP 192.0.2.1 ;branch=z9hG4bK1")
        );
        assert_eq!(text(&request.headers, &HeaderName::CSeq).as_deref(), Some("1 INVITE"));
        assert_eq!(request.headers.count(&HeaderName::Subject), 0);
    }

    #[test]
    fn noise_and_what_nobody_waits_for_is_left() {
        for noise in [
            BROKEN.replace("SIP/2.0\r\nv", "HTTP/1.1\r\nv"),
            BROKEN.replace("v: ", "x: "),
            BROKEN.replace("INVITE", "ACK"),
            String::new(),
            "\r\n\r\n".to_owned(),
        ] {
            assert!(salvage(noise.as_bytes()).is_none(), "{noise}");
        }
    }
}
