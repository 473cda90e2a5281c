//! Bounds of a call's shell. How the conversation behaves is set in its own settings.

use serde::{Deserialize, Serialize};

/// Bounds of the actor around a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Events of the leg and the engines that may wait for a call; beyond it those that can be spared are
    /// dropped and counted.
    pub waiting_events_max: u32,
    /// Inputs that one message may lead to; a conversation that goes on beyond it is taken for broken.
    pub inputs_per_message_max: u32,
    /// How long the leg may take to report its end after it was told to hang up, in milliseconds.
    pub hang_up_ms: u64,
    /// How long the record of a call that is over waits for tools that are still under way, in milliseconds.
    pub tools_after_end_ms: u64,
    /// How long opening the recording may take, in milliseconds; then the call goes on without one.
    pub recording_ms: u64,
    /// How long a caller may hear it ring while people are called before the receptionist answers, in milliseconds. Less
    /// than the edge's own patience with a call that rings, which is a minute.
    pub reach_ms_max: u64,
    /// The voice.
    pub voice: VoiceSettings,
    /// The recogniser.
    pub hearing: HearingSettings,
    /// Handing callers over to people.
    pub hand_over: super::HandOverSettings,
    /// What callers hear meanwhile, and while a tool takes its time.
    pub waiting: super::WaitingSettings,
    /// What callers hear while people are called and nobody has answered.
    pub early_media: super::EarlyMediaSettings,
    /// Where calls may be made and transferred to, and how many.
    pub outgoing: super::CapSettings,
    /// How a mailbox is told from a person, in calls that we make.
    pub answering: models::answering::Settings,
    /// How calls are judged before they are answered.
    pub screening: super::ScreeningSettings,
    /// What is written down as the call goes.
    pub journal: JournalSettings,
    /// What the other nodes are told of the calls.
    pub sharing: SharingSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            waiting_events_max: 256,
            inputs_per_message_max: 1_000,
            hang_up_ms: 5_000,
            tools_after_end_ms: 10_000,
            recording_ms: 5_000,
            reach_ms_max: 50_000,
            voice: VoiceSettings::default(),
            hearing: HearingSettings::default(),
            hand_over: super::HandOverSettings::default(),
            waiting: super::WaitingSettings::default(),
            early_media: super::EarlyMediaSettings::default(),
            outgoing: super::CapSettings::default(),
            answering: models::answering::Settings::default(),
            screening: super::ScreeningSettings::default(),
            journal: JournalSettings::default(),
            sharing: SharingSettings::default(),
        }
    }
}

/// Bounds of the voice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoiceSettings {
    /// How long the engine may take to an utterance's first sample, retries included, in milliseconds.
    pub ready_ms: u64,
    /// How often an utterance is tried.
    pub attempts_max: u32,
    /// The length of the tone that asks for a message, in milliseconds.
    pub tone_ms: u32,
    /// Its pitch, in hertz.
    pub tone_hz: u32,
}

impl Default for VoiceSettings {
    fn default() -> Self {
        Self { ready_ms: 1_500, attempts_max: 2, tone_ms: 300, tone_hz: 1_000 }
    }
}

/// Bounds of the recogniser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HearingSettings {
    /// How long the sound of a pause may take to be judged, in milliseconds; then the other signs decide.
    pub judge_ms: u64,
    /// How long a turn's final words may take before the session is taken for dead, in milliseconds.
    pub final_ms: u64,
    /// The wait before a failed session's second reopening, in milliseconds; the first is at once, and each
    /// further one waits twice as long.
    pub reopen_ms: u64,
    /// Failures in a row after which it is given up. Words heard in between start the count anew.
    pub failures_max: u32,
}

impl Default for HearingSettings {
    fn default() -> Self {
        Self { judge_ms: 600, final_ms: 2_500, reopen_ms: 200, failures_max: 5 }
    }
}

/// Bounds of a call's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalSettings {
    /// Events of one call that may wait for the store; beyond it they are lost and counted.
    pub events_max: usize,
    /// Events written at once.
    pub batch_max: usize,
    /// How long one write may take before it is tried again, in milliseconds.
    pub write_ms: u64,
    /// The wait before a failed write is tried again, in milliseconds; doubled each time.
    pub retry_ms: u64,
    /// The longest such wait, in milliseconds. Tried until it is written or the process ends.
    pub retry_max_ms: u64,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self { events_max: 10_000, batch_max: 256, write_ms: 3_000, retry_ms: 100, retry_max_ms: 3_000 }
    }
}

/// What the other nodes are told of the calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharingSettings {
    /// How long a ringing call waits to hear whether its tenant has room on all nodes, in milliseconds; then this
    /// node's own count decides.
    pub admission_ms: u64,
    /// How often what the others know of calls under way is prolonged, in milliseconds.
    pub refresh_ms: u64,
    /// How long a dead node's calls count against their tenants' limits, in milliseconds.
    pub place_ms: u64,
    /// How long a dead node's calls stay in the directory, in milliseconds.
    pub entry_ms: u64,
    /// How long a call's state is kept after it was last written, in milliseconds.
    pub state_ms: u64,
    /// Calls of which the others are told at once.
    pub writers: usize,
    /// Calls, over or not, of which something is told or still to be told; of further ones the others hear nothing.
    pub calls_max: usize,
    /// How long a node that stops goes on telling the others, in milliseconds.
    pub settle_ms: u64,
}

impl Default for SharingSettings {
    fn default() -> Self {
        Self {
            admission_ms: 200,
            refresh_ms: 10_000,
            place_ms: 30_000,
            entry_ms: 60_000,
            state_ms: 3_600_000,
            writers: 8,
            calls_max: 10_000,
            settle_ms: 1_000,
        }
    }
}
