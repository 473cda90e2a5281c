//! Media's metrics. Counted on the threads, told once a second.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Sessions open, gauge.
pub const SESSIONS: &str = "strowger_media_sessions";
/// Port pairs, gauge by `state`: `in_use`, `resting`.
pub const PORTS: &str = "strowger_media_ports";
/// RTP packets, by `direction`: `received`, `sent`.
pub const PACKETS: &str = "strowger_media_packets_total";
/// RTP packets that never came or came too late, counted at a session's end.
pub const PACKETS_LOST: &str = "strowger_media_packets_lost_total";
/// Audio made up for lost packets, in milliseconds, counted at a session's end.
pub const CONCEALED_MS: &str = "strowger_media_concealed_milliseconds_total";
/// Silence sent because an engine was late in an utterance, in milliseconds, counted at a session's end.
pub const STARVED_MS: &str = "strowger_media_starved_milliseconds_total";
/// Audio that came and was taken for an echo of our voice, in milliseconds, counted at a session's end.
pub const ECHO_HELD_BACK_MS: &str = "strowger_media_echo_held_back_milliseconds_total";
/// How late the echo of a line came, histogram, in milliseconds, for each session whose line had one.
pub const ECHO_DELAY_MS: &str = "strowger_media_echo_delay_milliseconds";
/// How much quieter it was than what was sent, histogram, in decibels.
pub const ECHO_LOSS_DB: &str = "strowger_media_echo_loss_decibels";
/// Samples that a recogniser or a recording had no room for, counted at a session's end.
pub const OVERRUN_SAMPLES: &str = "strowger_media_overrun_samples_total";
/// Turns of a wheel that began more than 5 ms late.
pub const TURNS_LATE: &str = "strowger_media_turns_late_total";
/// Sessions that failed within and were ended for it.
pub const SESSIONS_FAILED: &str = "strowger_media_sessions_failed_total";
/// Sessions whose far side fell silent for too long.
pub const TIMEOUTS: &str = "strowger_media_timeouts_total";
/// Packets of protected sessions that did not prove themselves: changed, replayed, in clear or of another key.
pub const UNPROVEN: &str = "strowger_media_packets_unproven_total";
/// Connectivity checks that did not prove themselves, and were not answered.
pub const CHECKS_UNPROVEN: &str = "strowger_media_checks_unproven_total";
/// Handshakes about keys, by `outcome`: `keys`, or why there are none: `fingerprint`, `certificate`, `alert`, `profile`,
/// `broken`, `timed_out`.
pub const HANDSHAKES: &str = "strowger_media_handshakes_total";
/// Those who began a handshake and are not where the session description points, by `outcome`: `ignored`, or why they
/// failed, as in [`HANDSHAKES`].
pub const STRANGERS: &str = "strowger_media_handshake_strangers_total";
/// Frames that a carrier's connection had no room for, counted at the line's end.
pub const LINE_UNSENT: &str = "strowger_media_line_frames_unsent_total";
/// Marks that a carrier has not answered in time, counted at the line's end.
pub const LINE_UNMARKED: &str = "strowger_media_line_marks_unanswered_total";
/// Mean opinion score per session, histogram.
pub const MEAN_OPINION_SCORE: &str = "strowger_media_mean_opinion_score";
/// Interarrival jitter per session, histogram, in milliseconds.
pub const JITTER_MS: &str = "strowger_media_jitter_milliseconds";

/// Tells the recorder what each means.
pub fn describe() {
    describe_gauge!(SESSIONS, Unit::Count, "media sessions open");
    describe_gauge!(PORTS, Unit::Count, "media port pairs by state");
    describe_counter!(PACKETS, Unit::Count, "RTP packets by direction");
    describe_counter!(PACKETS_LOST, Unit::Count, "RTP packets that never came or came too late");
    describe_counter!(CONCEALED_MS, Unit::Milliseconds, "audio made up for lost packets");
    describe_counter!(STARVED_MS, Unit::Milliseconds, "silence sent because an engine was late");
    describe_counter!(ECHO_HELD_BACK_MS, Unit::Milliseconds, "audio taken for an echo of our voice");
    describe_histogram!(ECHO_DELAY_MS, Unit::Milliseconds, "delay of a line's echo per session that had one");
    describe_histogram!(
        ECHO_LOSS_DB,
        Unit::Count,
        "loss of a line's echo in decibels per session that had one"
    );
    describe_counter!(
        OVERRUN_SAMPLES,
        Unit::Count,
        "samples that a recogniser or a recording had no room for"
    );
    describe_counter!(TURNS_LATE, Unit::Count, "turns of a media wheel that began more than 5 ms late");
    describe_counter!(SESSIONS_FAILED, Unit::Count, "media sessions ended by a fault of their own");
    describe_counter!(TIMEOUTS, Unit::Count, "media sessions whose far side fell silent for too long");
    describe_counter!(UNPROVEN, Unit::Count, "packets of protected sessions that did not prove themselves");
    describe_counter!(CHECKS_UNPROVEN, Unit::Count, "connectivity checks that did not prove themselves");
    describe_counter!(HANDSHAKES, Unit::Count, "handshakes about keys by outcome");
    describe_counter!(STRANGERS, Unit::Count, "strangers to handshakes about keys by outcome");
    describe_counter!(LINE_UNSENT, Unit::Count, "frames that a carrier's connection had no room for");
    describe_counter!(LINE_UNMARKED, Unit::Count, "marks that a carrier has not answered in time");
    describe_histogram!(MEAN_OPINION_SCORE, Unit::Count, "estimated mean opinion score per session");
    describe_histogram!(JITTER_MS, Unit::Milliseconds, "interarrival jitter per session");
}
