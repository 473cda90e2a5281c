//! What the conversation says by itself, without its brain: as little as possible.

/// Said first, where the business announces its recording.
pub(super) const ANNOUNCEMENT: &str = "This call is recorded.";
/// Said while the caller waits for us; in turns.
pub(super) const FILLERS: [&str; 3] =
    ["One moment, please.", "I'm still working on it.", "Thank you for your patience, I'm nearly there."];
/// Said where the caller's words were lost.
pub(super) const SAY_AGAIN: &str = "Sorry, I didn't catch that. Could you say it again?";
/// Said instead of a text that the voice can't speak.
pub(super) const SPEECHLESS: &str = "Sorry, could you ask me that in another way?";
/// Said instead of a goodbye that the voice can't speak.
pub(super) const GOODBYE: &str = "Goodbye.";
/// Said after a hold.
pub(super) const AFTER_HOLD: &str = "Thank you for waiting.";
/// Said where a transfer starts and the brain said nothing.
pub(super) const TRANSFERRING: &str = "I'm putting you through now.";
/// Said while a transfer goes on.
pub(super) const STILL_TRANSFERRING: &str = "I'm still trying to connect you.";
/// Said at the last silence, where the brain says nothing.
pub(super) const NOBODY_THERE: &str = "I can't hear anybody, so I'll hang up now. Goodbye.";
/// Said where the call has lasted as long as it may.
pub(super) const TOO_LONG: &str =
    "I'm sorry, but I have to end this call now. Please call again if there is anything else. Goodbye.";
/// Said where the node stops.
pub(super) const STOPPING: &str = "I'm sorry, I have to end this call. Please call again. Goodbye.";
/// Asks for a message by tone.
pub(super) const LEAVE_A_MESSAGE: &str = "I'm sorry, I'm having technical trouble. Please leave your name, your \
     number and a message after the tone, and press the hash key when you are done.";
/// The same, for a voice that can't speak the long form.
pub(super) const LEAVE_A_MESSAGE_SHORT: &str = "Please leave a message after the tone.";
/// Said where not even a message can be taken.
pub(super) const CALL_AGAIN: &str =
    "I'm sorry, I'm having technical trouble and can't help you now. Please call again later. Goodbye.";
/// Said where the message is kept.
pub(super) const MESSAGE_KEPT: &str = "Thank you. Your message has been kept. Goodbye.";
/// Said where it is not certain that the message is kept.
pub(super) const MESSAGE_UNCERTAIN: &str = "I'm sorry, I can't be sure that your message was kept. Please call \
     again later. Goodbye.";
