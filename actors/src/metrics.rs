//! The names of this crate's metrics. No label tells a call, a tenant or a person.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// Calls offered, by `answer`: `taken` or the refusal's name.
pub const CALLS_OFFERED: &str = "strowger_calls_offered_total";
/// Calls that are over, by `result` and `reason`.
pub const CALLS_ENDED: &str = "strowger_calls_ended_total";
/// Calls under way.
pub const CALLS_LIVE: &str = "strowger_calls_live";
/// Call actors that failed, by `how`: `panicked`, `hung` or `died`.
pub const CALLS_CRASHED: &str = "strowger_calls_crashed_total";
/// Events of legs and engines that found a call's inlet full and were dropped, by `kind`.
pub const EVENTS_DROPPED: &str = "strowger_call_events_dropped_total";
/// Inputs that made no sense to the conversation, by `why`.
pub const INPUTS_IGNORED: &str = "strowger_call_inputs_ignored_total";
/// From the end of the caller's words to the first sample of the answer, in seconds.
pub const TURN_SECONDS: &str = "strowger_turn_seconds";
/// From the caller's last sound to the decision that their turn is over, in seconds, by the `sign` that decided:
/// `silence`, `words`, `sound`, `recogniser` or `limit`.
pub const END_OF_TURN_SECONDS: &str = "strowger_end_of_turn_seconds";
/// Turns that were decided to be over although the caller then went on, by the same `sign`.
pub const TURNS_CUT_OFF: &str = "strowger_turns_cut_off_total";
/// Pauses whose sound was not judged, by `why`: the judge was `full`, or `failed`, for instance at its deadline.
pub const PAUSES_UNJUDGED: &str = "strowger_pauses_unjudged_total";
/// Utterances that could not be spoken, by `why`.
pub const VOICE_FAILED: &str = "strowger_voice_failed_total";
/// Recogniser sessions that failed, by `then`: `reopened` or `given_up`.
pub const RECOGNISER_FAILED: &str = "strowger_recogniser_failed_total";
/// Tool calls, by `tool` and `outcome`.
pub const TOOLS_ANSWERED: &str = "strowger_tools_answered_total";
/// How long a tool call took, in seconds, by `tool`.
pub const TOOL_SECONDS: &str = "strowger_tool_seconds";
/// Integrations that were restarted after a panic, by `kind`.
pub const INTEGRATIONS_RESTARTED: &str = "strowger_integrations_restarted_total";
/// Breakers that opened, by `kind`.
pub const BREAKERS_OPENED: &str = "strowger_breakers_opened_total";
/// Journal writes that failed and are tried again.
pub const JOURNAL_RETRIES: &str = "strowger_journal_retries_total";
/// Journal entries lost: the journal was full or the store can't ever take them.
pub const JOURNAL_LOST: &str = "strowger_journal_lost_total";
/// Calls refused because no engine would hear them, or speak to them: by `sense` (`hearing` or `speaking`) and `why`
/// (`full`, `failed` where the engine is behind or being rebuilt, or `late`).
pub const ENGINES_FULL: &str = "strowger_calls_engines_full_total";
/// Calls admitted or not, by whom (`by`: `all` nodes together, or `this_node` because the others could not be asked)
/// and `answer`: `granted` or `full`.
pub const ADMISSIONS: &str = "strowger_admissions_total";
/// Calls of which something is still to be told to the other nodes.
pub const SHARING_WAITING: &str = "strowger_sharing_waiting";
/// Calls of which the other nodes hear nothing, because too many wait.
pub const SHARING_LOST: &str = "strowger_sharing_lost_total";
/// Journals with something to write.
pub const JOURNALS_WRITING: &str = "strowger_journals_writing";

/// Calls and transfers that were not made because a business may not make them, by `why`: `number`, `at_once`,
/// `per_hour` or `spend`.
pub const OUTGOING_DENIED: &str = "strowger_outgoing_denied_total";

/// What was done with calls first, by `route`.
pub const CALLS_ARRIVED: &str = "strowger_calls_arrived_total";
/// People who were called before the receptionist answered, by `outcome`.
pub const PEOPLE_TRIED: &str = "strowger_people_tried_total";
/// What callers were let hear before their call was answered, by `what`: `announcement`, `sound` of ours, or the `line`
/// of somebody who was called.
pub const HEARD_EARLY: &str = "strowger_heard_before_answer_total";

/// Calls that we made and a mailbox answered, by its sound, by `call`: `person`, whom a caller would have been put
/// together with, or `back`.
pub const MAILBOXES: &str = "strowger_mailboxes_total";
/// Calls back, by `what`: `planned`, `not_planned` because too many wait, `called`, `denied` or `no_room`.
pub const CALL_BACKS: &str = "strowger_call_backs_total";

/// Describes them to the recorder; called once by the node.
pub fn describe() {
    crate::storage::metrics::describe();
    describe_counter!(CALLS_OFFERED, "calls offered, by answer");
    describe_counter!(CALLS_ENDED, "calls that are over, by result and reason");
    describe_gauge!(CALLS_LIVE, "calls under way");
    describe_counter!(CALLS_CRASHED, "call actors that failed, by how");
    describe_counter!(EVENTS_DROPPED, "events that found a call's inlet full, by kind");
    describe_counter!(INPUTS_IGNORED, "inputs that made no sense to the conversation, by why");
    describe_histogram!(TURN_SECONDS, "from the end of the caller's words to the answer's first sample");
    describe_histogram!(
        END_OF_TURN_SECONDS,
        "from the caller's last sound to the end of their turn, by sign"
    );
    describe_counter!(
        TURNS_CUT_OFF,
        "turns ended although the caller then went on, by the sign that ended them"
    );
    describe_counter!(PAUSES_UNJUDGED, "pauses whose sound was not judged, by why");
    describe_counter!(VOICE_FAILED, "utterances that could not be spoken, by why");
    describe_counter!(RECOGNISER_FAILED, "recogniser sessions that failed, by what was done then");
    describe_counter!(TOOLS_ANSWERED, "tool calls, by tool and outcome");
    describe_histogram!(TOOL_SECONDS, "how long a tool call took, by tool");
    describe_counter!(INTEGRATIONS_RESTARTED, "integrations restarted after a panic, by kind");
    describe_counter!(BREAKERS_OPENED, "breakers that opened, by kind");
    describe_counter!(JOURNAL_RETRIES, "journal writes that failed and are tried again");
    describe_counter!(JOURNAL_LOST, "journal entries lost");
    describe_gauge!(JOURNALS_WRITING, "journals with something to write");
    describe_counter!(ENGINES_FULL, "calls refused because no engine would hear them or speak to them");
    describe_counter!(ADMISSIONS, "calls admitted or not, by whom");
    describe_counter!(OUTGOING_DENIED, "calls and transfers that a business may not make");
    describe_counter!(CALLS_ARRIVED, "what was done with calls first, by route");
    describe_counter!(PEOPLE_TRIED, "people called before the receptionist answered, by outcome");
    describe_counter!(HEARD_EARLY, "what callers were let hear before their call was answered");
    describe_counter!(MAILBOXES, "calls that we made and a mailbox answered, by its sound");
    describe_counter!(CALL_BACKS, "calls back, by what became of them");
    describe_gauge!(SHARING_WAITING, "calls of which something is still to be told to the other nodes");
    describe_counter!(SHARING_LOST, "calls of which the other nodes hear nothing");
}
