//! What the fuzzers are pointed at: one function for each parser that sees the network.
//!
//! Each takes any bytes, must return, and checks what has to hold of what it made of them; a violation is a
//! panic, which a fuzzer reports. `cluster/fuzz` gives them bytes that nobody thought of; `cluster/tests` gives
//! them the seeds of that folder, so that they stay true without a fuzzer at hand.

mod carriers;
mod rtp;
mod sip;

/// A target: its name and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its folder of seeds.
pub const TARGETS: &[Target] = &[
    ("sip_message", sip::message),
    ("sip_stream", sip::stream),
    ("sip_salvage", sip::salvaged),
    ("sip_dialog", sip::dialog),
    ("sip_digest", sip::digest),
    ("sdp", sip::description),
    ("rtp", rtp::packets),
    ("rtcp", rtp::reports),
    ("srtp", rtp::protected),
    ("stun", rtp::checks),
    ("carrier_twilio", carriers::twilio),
    ("carrier_telnyx", carriers::telnyx),
    ("carrier_plivo", carriers::plivo),
    ("carrier_vonage", carriers::vonage),
    ("carrier_webhook", carriers::webhook),
    ("carrier_proof", carriers::proof),
];
