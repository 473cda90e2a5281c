//! Connectivity checks (STUN, RFC 8489) as the lite half of ICE answers them (RFC 8445 section 2.5).
//!
//! A check proves by the password that was exchanged in the session descriptions that it comes from who we talk with;
//! what proves nothing is not answered, so that nothing is sent to whoever did not ask, and an answer is never longer
//! than its question.

use std::net::{IpAddr, SocketAddr};

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};

/// Bytes of a message before its attributes.
const HEADER: usize = 20;
/// What every message has at its fifth byte.
const COOKIE: u32 = 0x2112_a442;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const FINGERPRINT_XOR: u32 = 0x5354_554e;
/// Attributes from here on may be passed over by who does not know them.
const OPTIONAL: u16 = 0x8000;
/// Attributes of a check; no agent sends as many.
const ATTRIBUTES_MAX: usize = 32;

/// One side's name and password for one call.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Its `a=ice-ufrag`.
    pub fragment: String,
    /// Its `a=ice-pwd`.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").field("fragment", &self.fragment).finish_non_exhaustive()
    }
}

/// A check that has proved itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    transaction: [u8; 12],
    /// The far side wants this way to be used.
    pub nominates: bool,
}

/// Whether these bytes are STUN rather than anything else on the port (RFC 7983).
#[must_use]
pub fn is_stun(bytes: &[u8]) -> bool {
    matches!(bytes, [0..=3, ..])
}

/// Reads a check of a far side with the user fragment `theirs` on us. `None` where it does not prove itself, or wants
/// more than we know.
#[must_use]
pub fn check(bytes: &[u8], ours: &Credentials, theirs: &str) -> Option<Check> {
    let ([kind0, kind1, length0, length1, c0, c1, c2, c3, transaction @ ..], attributes) =
        bytes.split_first_chunk::<HEADER>()?;
    let length = usize::from(u16::from_be_bytes([*length0, *length1]));
    if u16::from_be_bytes([*kind0, *kind1]) != BINDING_REQUEST
        || u32::from_be_bytes([*c0, *c1, *c2, *c3]) != COOKIE
        || length != attributes.len()
    {
        return None;
    }
    let mut named = false;
    let mut nominates = false;
    let mut proved = false;
    let mut at = HEADER;
    for _ in 0..ATTRIBUTES_MAX {
        let Some(([k0, k1, l0, l1], rest)) = bytes.get(at..)?.split_first_chunk::<4>() else { break };
        let kind = u16::from_be_bytes([*k0, *k1]);
        let value = rest.get(..usize::from(u16::from_be_bytes([*l0, *l1])))?;
        match kind {
            FINGERPRINT => {
                // The last of all; the whole before it is what it is of.
                let told = u32::from_be_bytes(*value.first_chunk()?);
                let whole = value.len() == 4 && rest.len() == 4 && told == fingerprint(bytes.get(..at)?);
                return (whole && named && proved).then_some(Check { transaction: *transaction, nominates });
            }
            // What comes after the proof is not proved.
            _ if proved => {}
            USERNAME => {
                let (us, them) = value.split_at_checked(ours.fragment.len())?;
                named = us == ours.fragment.as_bytes() && them.strip_prefix(b":") == Some(theirs.as_bytes());
            }
            MESSAGE_INTEGRITY => {
                proved = is_proof(bytes.get(..at)?, value, &ours.password);
                if !proved {
                    return None;
                }
            }
            USE_CANDIDATE => nominates = true,
            PRIORITY | OPTIONAL.. => {}
            _ => return None,
        }
        at += 4 + value.len().next_multiple_of(4);
    }
    // ICE has every check carry a fingerprint (RFC 8445 section 7.1).
    None
}

/// The answer to a check from `source`.
#[must_use]
pub fn answer(check: &Check, source: SocketAddr, ours: &Credentials) -> Vec<u8> {
    let mut message = Vec::with_capacity(80);
    message.extend(BINDING_SUCCESS.to_be_bytes());
    message.extend([0; 2]);
    message.extend(COOKIE.to_be_bytes());
    message.extend(check.transaction);
    let mask: Vec<u8> = COOKIE.to_be_bytes().into_iter().chain(check.transaction).collect();
    let (family, address) = match source.ip() {
        IpAddr::V4(four) => (1, four.octets().to_vec()),
        IpAddr::V6(six) => (2, six.octets().to_vec()),
    };
    let port = source.port() ^ (COOKIE >> 16) as u16;
    let masked = address.iter().zip(&mask).map(|(byte, mask)| byte ^ mask);
    let value: Vec<u8> = [0, family].into_iter().chain(port.to_be_bytes()).chain(masked).collect();
    append(&mut message, XOR_MAPPED_ADDRESS, &value);
    let tag = sign(&with_length(&message, 24), &ours.password);
    append(&mut message, MESSAGE_INTEGRITY, tag.as_ref());
    let sum = fingerprint(&with_length(&message, 8));
    append(&mut message, FINGERPRINT, &sum.to_be_bytes());
    message
}

/// Whether a message proves itself by its password.
fn is_proof(before: &[u8], tag: &[u8], password: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    tag.len() == 20 && hmac::verify(&key, &with_length(before, 24), tag).is_ok()
}

fn sign(message: &[u8], password: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()), message)
}

/// The message so far with the length that it has with `more` bytes.
fn with_length(message: &[u8], more: usize) -> Vec<u8> {
    let mut message = message.to_vec();
    let length = u16::try_from((message.len() + more).saturating_sub(HEADER)).unwrap_or(u16::MAX);
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&length.to_be_bytes());
    }
    message
}

fn append(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    *message = with_length(message, 0);
}

/// CRC-32 of the message, told from others' (RFC 8489 section 14.7).
fn fingerprint(message: &[u8]) -> u32 {
    crc32fast::hash(message) ^ FINGERPRINT_XOR
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 5769 section 2.1: a check with short-term credentials, as an agent that controls sends it.
    const SAMPLE: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74\
                          002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020\
                          000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn ours() -> Credentials {
        Credentials { fragment: "evtj".into(), password: "VOkJxbRl1RmTxUk/WvJxBt".into() }
    }

    fn asked(nominates: bool, password: &str) -> Vec<u8> {
        asked_of(&Credentials { password: password.to_owned(), ..ours() }, "h6vY", nominates)
    }

    /// What an agent that controls asks.
    pub(crate) fn asked_of(credentials: &Credentials, theirs: &str, nominates: bool) -> Vec<u8> {
        let Credentials { fragment, password } = credentials;
        let mut message = bytes("000100002112a442000102030405060708090a0b");
        append(&mut message, USERNAME, format!("{fragment}:{theirs}").as_bytes());
        append(&mut message, PRIORITY, &[0x6e, 0, 1, 0xff]);
        append(&mut message, 0x802a, &[1; 8]);
        if nominates {
            append(&mut message, USE_CANDIDATE, &[]);
        }
        let tag = sign(&with_length(&message, 24), password);
        append(&mut message, MESSAGE_INTEGRITY, tag.as_ref());
        let sum = fingerprint(&with_length(&message, 8));
        append(&mut message, FINGERPRINT, &sum.to_be_bytes());
        message
    }

    #[test]
    fn the_rfcs_check_is_believed_and_nothing_that_differs_from_it() {
        let sample = bytes(SAMPLE);
        assert!(is_stun(&sample));
        let read = check(&sample, &ours(), "h6vY").unwrap();
        assert!(!read.nominates);
        assert_eq!(check(&sample, &ours(), "h6vZ"), None);
        assert_eq!(check(&sample, &Credentials { password: "another".into(), ..ours() }, "h6vY"), None);
        for at in 0..sample.len() {
            let mut changed = sample.clone();
            changed[at] ^= 1;
            assert_eq!(check(&changed, &ours(), "h6vY"), None, "byte {at}");
            assert_eq!(check(&sample[..at], &ours(), "h6vY"), None, "{at} bytes");
        }
    }

    #[test]
    fn the_answer_is_the_rfcs() {
        // RFC 5769 section 2.2, without its SOFTWARE: the same transaction, 192.0.2.1 port 32853.
        let check = check(&bytes(SAMPLE), &ours(), "h6vY").unwrap();
        let answered = answer(&check, "192.0.2.1:32853".parse().unwrap(), &ours());
        assert_eq!(answered[..20], bytes("0101002c2112a442b7e7a701bc34d686fa87dfae"));
        assert_eq!(answered[20..32], bytes("002000080001a147e112a643"));
        assert!(is_proof(&answered[..32], &answered[36..56], &ours().password));
        assert_eq!(answered[60..], fingerprint(&answered[..56]).to_be_bytes());
        // And section 2.3.
        let six = answer(&check, "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap(), &ours());
        assert_eq!(six[20..44], bytes("002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"));
        assert!(six.len() <= SAMPLE.len() / 2, "no longer than what was asked");
    }

    #[test]
    fn a_nomination_is_told_and_a_stranger_is_not_answered() {
        assert!(check(&asked(true, &ours().password), &ours(), "h6vY").unwrap().nominates);
        assert!(!check(&asked(false, &ours().password), &ours(), "h6vY").unwrap().nominates);
        assert_eq!(check(&asked(true, "guess"), &ours(), "h6vY"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(check(&bytes, &ours(), "h6vY"), None);
        }

        #[test]
        fn no_change_makes_it_fail(at in 0usize..120, byte: u8, length in 0usize..120) {
            let mut message = asked(true, &ours().password);
            if let Some(place) = message.get_mut(at) {
                *place = byte;
            }
            message.truncate(length);
            let _ = check(&message, &ours(), "h6vY");
        }
    }
}
