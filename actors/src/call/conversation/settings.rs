//! Every wait and bound of a conversation, and what a conversation is told when it starts.

use serde::{Deserialize, Serialize};

use crate::types::{Announcement, PhoneNumber, Private, RecordingId};

/// Waits and bounds, in milliseconds unless the name says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long the caller must speak over the receptionist before it falls silent, where no word was
    /// recognised yet. One recognised word that is no back-channel is enough at any time.
    pub barge_in_ms: u64,
    /// The same where all words so far are a back-channel ("yeah", "okay").
    pub back_channel_ms_max: u64,
    /// A voice without words that was shorter than this was a cough, not a turn.
    pub cough_ms_max: u64,
    /// After so many interruptions without words (a noisy line), only words interrupt.
    pub false_barge_ins_max: u32,
    /// From the end of the voice to the end of the turn, where the words look complete.
    pub end_of_turn_ms: u64,
    /// The same where the recogniser has no words yet.
    pub end_of_turn_unknown_ms: u64,
    /// The same where the words look cut off: "my name is".
    pub end_of_turn_incomplete_ms: u64,
    /// The same while digits or letters are being dictated.
    pub end_of_turn_dictation_ms: u64,
    /// The shortest of these waits, however finished the caller sounds.
    pub end_of_turn_ms_min: u64,
    /// The longest, however unfinished the caller sounds.
    pub end_of_turn_ms_max: u64,
    /// How much the sound of the caller's voice counts, in percent of what its judge says; 0 leaves it out.
    pub end_of_turn_sound_percent: u32,
    /// How much the recogniser's own word on the end counts, in hundredths of log-odds; 0 leaves it out.
    pub end_of_turn_recogniser_percent: u32,
    /// A caller who speaks again this soon after a turn was ended, before an answer is heard, was cut off; counted.
    pub cut_off_ms_max: u64,
    /// The longest turn; then its words are asked for although the voice goes on.
    pub turn_ms_max: u64,
    /// How long the recogniser may take for the final words; then the partial ones count.
    pub final_words_ms_max: u64,
    /// So many turns in a row without final words count as a dead recogniser.
    pub recogniser_misses_max: u32,
    /// How long a failed recogniser may take to come back; then a message is taken by tone.
    pub recogniser_ms_max: u64,
    /// How often a recogniser may fail in one call; then the same.
    pub recogniser_failures_max: u32,
    /// The caller's silence after a question, until the brain is asked to prompt.
    pub silence_ms: u64,
    /// The prompt with this number ends the call.
    pub silences_max: u32,
    /// The pause that ends digits not ended by `#`.
    pub digit_pause_ms: u64,
    /// The most digits in one entry; they are asked about at once.
    pub digits_max: usize,
    /// From the call of a tool, or the end of what was said before, to the tool's own filler.
    pub tool_filler_ms: u64,
    /// The receptionist's own silence, until it says a filler.
    pub filler_ms: u64,
    /// The receptionist's own silence, until it plays a tone because even the filler is late.
    pub quiet_ms_max: u64,
    /// How long the brain may be silent; then a message is taken without it.
    pub brain_ms_max: u64,
    /// How long a tool may take; then its outcome counts as unknown.
    pub tool_ms_max: u64,
    /// How many tools the brain may use before it turns to the caller again; then a message is taken without it.
    pub tools_in_a_row_max: u32,
    /// How long the voice may take to start; then it counts as failed.
    pub voice_start_ms_max: u64,
    /// How often the voice may fail in one call; then the call ends.
    pub voice_failures_max: u32,
    /// How long an utterance may play beyond its expected length before it is given up.
    pub playback_grace_ms: u64,
    /// How long the leg may take to say what was heard of a stopped utterance; then it is estimated.
    pub stop_ms_max: u64,
    /// How long a transfer may take; then it failed with 408.
    pub transfer_ms_max: u64,
    /// The silence during a transfer, until the caller is told that it goes on.
    pub transfer_reminder_ms: u64,
    /// After the tone: the silence before the caller's first word that means there is no message.
    pub message_start_ms: u64,
    /// After the tone: the silence that ends the message.
    pub message_silence_ms: u64,
    /// The longest message.
    pub message_ms_max: u64,
    /// From the answer to the far side's acknowledgement.
    pub establish_ms_max: u64,
    /// The longest goodbye.
    pub ending_ms_max: u64,
    /// The longest goodbye of a node that stops.
    pub stopping_ms_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            barge_in_ms: 600,
            back_channel_ms_max: 1_500,
            cough_ms_max: 400,
            false_barge_ins_max: 3,
            end_of_turn_ms: 500,
            end_of_turn_unknown_ms: 800,
            end_of_turn_incomplete_ms: 1_400,
            end_of_turn_dictation_ms: 1_400,
            end_of_turn_ms_min: 100,
            end_of_turn_ms_max: 2_000,
            end_of_turn_sound_percent: 100,
            end_of_turn_recogniser_percent: 150,
            cut_off_ms_max: 1_500,
            turn_ms_max: 60_000,
            final_words_ms_max: 3_000,
            recogniser_misses_max: 2,
            recogniser_ms_max: 4_000,
            recogniser_failures_max: 5,
            silence_ms: 8_000,
            silences_max: 3,
            digit_pause_ms: 2_500,
            digits_max: 32,
            tool_filler_ms: 800,
            filler_ms: 1_400,
            quiet_ms_max: 1_900,
            brain_ms_max: 8_000,
            tool_ms_max: 15_000,
            tools_in_a_row_max: 8,
            voice_start_ms_max: 1_800,
            voice_failures_max: 6,
            playback_grace_ms: 5_000,
            stop_ms_max: 1_000,
            transfer_ms_max: 30_000,
            transfer_reminder_ms: 6_000,
            message_start_ms: 6_000,
            message_silence_ms: 4_000,
            message_ms_max: 120_000,
            establish_ms_max: 35_000,
            ending_ms_max: 20_000,
            stopping_ms_max: 5_000,
        }
    }
}

/// The most characters kept of one turn or one message; more are dropped.
pub(super) const WORDS_LENGTH_MAX: usize = 2_000;
/// The most utterances waiting to be said; more are dropped.
pub(super) const LINES_MAX: usize = 32;

/// What a conversation is told when it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Waits and bounds.
    pub settings: Settings,
    /// What the caller is told about recording.
    pub announcement: Announcement,
    /// The recording; absent where there is none, whatever the policy.
    pub recording: Option<RecordingId>,
    /// Who calls, where the network says: the sender of a message taken without the brain.
    pub caller: Option<Private<PhoneNumber>>,
    /// How long the call may last, in minutes.
    pub call_minutes_max: u32,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            announcement: Announcement::NotRecorded,
            recording: None,
            caller: None,
            call_minutes_max: 30,
        }
    }
}
