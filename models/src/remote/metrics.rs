//! What engines on other nodes measure, on both sides. The label `sense` is `hearing`, `speaking`, `comparing` or
//! `pausing`; no label says which node, call or text.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Streams that other nodes have open here, by sense.
pub const SERVED: &str = "strowger_remote_served_streams";
/// Streams that this node has open on others, by sense.
pub const OPEN: &str = "strowger_remote_open_streams";
/// Streams that were granted to other nodes, by sense.
pub const GRANTED: &str = "strowger_remote_granted_total";
/// Streams that other nodes were refused, by sense and why (`full`, `bad_request`, `engine`, `stopping`).
pub const REFUSED: &str = "strowger_remote_refused_total";
/// Streams that were ended before they were over, by sense and why (`cancelled`, `bad_request`, `stalled`, `unread`,
/// `engine`, `stopping`).
pub const CUT: &str = "strowger_remote_cut_total";
/// Callers and utterances that were taken to another node or to this one's own engine, by sense and why (`full`,
/// `unreachable`, `broken`, `late`, `stalled`, `bad_request`).
pub const MOVED: &str = "strowger_remote_moved_total";
/// Those that nobody took, by sense.
pub const REFUSALS: &str = "strowger_remote_nobody_total";
/// Those that this node's own engine took in a remote one's stead, by sense.
pub const INSTEAD: &str = "strowger_remote_instead_total";
/// Audio that was heard again on another node, in milliseconds, per move.
pub const REPLAYED_MS: &str = "strowger_remote_replayed_ms";
/// Callers' audio that was dropped because no node took it in time, in milliseconds.
pub const LOST_MS: &str = "strowger_remote_lost_audio_ms_total";
/// Time to ask a node how it is, in seconds.
pub const ROUND_TRIP: &str = "strowger_remote_round_trip_seconds";
/// Nodes that can be asked.
pub const NODES_WELL: &str = "strowger_remote_nodes_well";
/// Bytes of audio and vectors, by sense and direction (`sent`, `received`), as a client counts them.
pub const BYTES: &str = "strowger_remote_bytes_total";
/// Changed certificates, by `answer`: `taken`, or `refused` where they can't be used.
pub const CERTIFICATES: &str = "strowger_remote_certificates_total";
/// Audio that was spoken for other nodes, in milliseconds.
pub const SPOKEN_MS: &str = "strowger_remote_spoken_ms_total";

/// Tells the recorder what each metric means.
pub(crate) fn describe() {
    describe_gauge!(SERVED, "streams that other nodes have open here");
    describe_gauge!(OPEN, "streams that this node has open on others");
    describe_counter!(GRANTED, "streams granted to other nodes");
    describe_counter!(REFUSED, "streams refused to other nodes");
    describe_counter!(CUT, "streams ended before they were over");
    describe_counter!(MOVED, "callers and utterances taken to another node");
    describe_counter!(REFUSALS, "callers and utterances that nobody took");
    describe_counter!(INSTEAD, "callers and utterances that this node's own engine took");
    describe_histogram!(REPLAYED_MS, "milliseconds of audio heard again after a move");
    describe_counter!(LOST_MS, "milliseconds of callers' audio that no node took in time");
    describe_histogram!(ROUND_TRIP, "seconds to ask a node how it is");
    describe_gauge!(NODES_WELL, "nodes that can be asked");
    describe_counter!(BYTES, "bytes of audio and vectors");
    describe_counter!(CERTIFICATES, "changed certificates, taken or refused");
    describe_counter!(SPOKEN_MS, "milliseconds of audio spoken for other nodes");
}

/// What an engine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    Hearing,
    Speaking,
    Comparing,
    Pausing,
}

impl Sense {
    pub(super) const ALL: [Self; 4] = [Self::Hearing, Self::Speaking, Self::Comparing, Self::Pausing];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Hearing => "hearing",
            Self::Speaking => "speaking",
            Self::Comparing => "comparing",
            Self::Pausing => "pausing",
        }
    }
}

pub(super) fn set_served(sense: Sense, open: usize) {
    gauge!(SERVED, "sense" => sense.word()).set(open as f64);
}

pub(super) fn count_granted(sense: Sense) {
    counter!(GRANTED, "sense" => sense.word()).increment(1);
}

pub(super) fn count_refused(sense: Sense, why: &'static str) {
    counter!(REFUSED, "sense" => sense.word(), "why" => why).increment(1);
}

pub(super) fn count_cut(sense: Sense, why: &'static str) {
    counter!(CUT, "sense" => sense.word(), "why" => why).increment(1);
}

pub(super) fn set_open(sense: Sense, open: usize) {
    gauge!(OPEN, "sense" => sense.word()).set(open as f64);
}

pub(super) fn count_moved(sense: Sense, why: &'static str) {
    counter!(MOVED, "sense" => sense.word(), "why" => why).increment(1);
}

pub(super) fn count_nobody(sense: Sense) {
    counter!(REFUSALS, "sense" => sense.word()).increment(1);
}

pub(super) fn count_instead(sense: Sense) {
    counter!(INSTEAD, "sense" => sense.word()).increment(1);
}

pub(super) fn record_replayed(samples: usize, rate_hz: u32) {
    histogram!(REPLAYED_MS).record(samples as f64 * 1_000.0 / f64::from(rate_hz.max(1)));
}

pub(super) fn count_lost(samples: u64, rate_hz: u32) {
    counter!(LOST_MS).increment(samples * 1_000 / u64::from(rate_hz.max(1)));
}

pub(super) fn record_round_trip(took: Duration) {
    histogram!(ROUND_TRIP).record(took.as_secs_f64());
}

pub(super) fn set_nodes_well(count: usize) {
    gauge!(NODES_WELL).set(count as f64);
}

pub(super) fn count_bytes(sense: Sense, direction: &'static str, bytes: usize) {
    counter!(BYTES, "sense" => sense.word(), "direction" => direction).increment(bytes as u64);
}

pub(super) fn count_certificates(answer: &'static str) {
    counter!(CERTIFICATES, "answer" => answer).increment(1);
}

pub(super) fn count_spoken(samples: usize, rate_hz: u32) {
    counter!(SPOKEN_MS).increment(samples as u64 * 1_000 / u64::from(rate_hz.max(1)));
}
