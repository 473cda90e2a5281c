//! What goes wrong, and when: as a script says, or by chance.

use std::collections::BTreeMap;

/// No caller waits longer than this without hearing anything while it is our turn.
pub(crate) const SILENCE_MS_MAX: u64 = 2_000;

/// Nobody hears nothing for longer than this, whoever's turn it is: the caller's silence before a prompt (8 s),
/// the pause after a key that is pressed in its last moment (2.5 s), and our own silence.
pub(crate) const ANY_SILENCE_MS_MAX: u64 = 8_000 + 2_500 + SILENCE_MS_MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum VoiceFault {
    #[default]
    None,
    /// Says that it can't.
    Fails,
    /// Takes the text and never starts.
    Silent,
    /// Starts late.
    Slow(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BrainFault {
    #[default]
    None,
    Slow(u64),
    Silent,
    GivesUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ToolFault {
    #[default]
    None,
    Slow(u64),
    Failed,
    /// It is done, but nobody says so.
    Unknown,
    Silent,
}

/// Decides about faults by chance.
pub(crate) trait Chance {
    fn voice(&mut self) -> VoiceFault;
    /// How finished a pause sounds and how late that is said, where it is.
    fn sound(&mut self) -> Option<(f32, u64)>;
    fn brain(&mut self) -> BrainFault;
    fn tool(&mut self) -> ToolFault;
    /// Whether something that is told is told twice.
    fn twice(&mut self) -> bool;
    /// Whether the call goes on from its bytes now.
    fn resumes(&mut self) -> bool;
}

#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) voice: VoiceFault,
    /// The next utterance only.
    pub(crate) voice_once: VoiceFault,
    pub(crate) brain: BrainFault,
    pub(crate) tools: BTreeMap<String, ToolFault>,
    /// The recogniser hears voices and understands nothing.
    pub(crate) deaf: bool,
    /// How finished the caller sounds at a pause, and how long judging that takes; nobody judges where it is absent.
    pub(crate) sound: Option<(f32, u64)>,
    /// Instead of all that, by chance.
    pub(crate) chance: Option<Box<dyn Chance>>,
}

impl Faults {
    pub(crate) fn voice(&mut self) -> VoiceFault {
        match (std::mem::take(&mut self.voice_once), &mut self.chance) {
            (VoiceFault::None, Some(chance)) => chance.voice(),
            (VoiceFault::None, None) => self.voice,
            (once, _) => once,
        }
    }

    pub(crate) fn sound(&mut self) -> Option<(f32, u64)> {
        match &mut self.chance {
            Some(chance) => chance.sound(),
            None => self.sound,
        }
    }

    pub(crate) fn brain(&mut self) -> BrainFault {
        self.chance.as_mut().map_or(self.brain, |chance| chance.brain())
    }

    pub(crate) fn tool(&mut self, name: &str) -> ToolFault {
        let scripted = self.tools.get(name).copied().unwrap_or_default();
        self.chance.as_mut().map_or(scripted, |chance| chance.tool())
    }
}
