//! When has a caller finished? Silence alone says it late or wrongly: people pause in the middle of a sentence. Here
//! silence has to last the longer, the less the other signs say that the turn is over: how the words sounded, what
//! the recogniser itself heard, and whether the words are a whole.
//!
//! Pure: signs in, a length of silence out.

use serde::{Deserialize, Serialize};

/// Whether the words so far are a whole, as whoever reads them judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completeness {
    /// They answer what was asked, or are a sentence.
    Complete,
    /// They break off: "I'd like to", "at half past".
    Open,
    /// Nobody can say, or nothing was understood yet.
    #[default]
    Unknown,
}

/// What the recogniser itself says of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Heard {
    /// It was trained to hear ends and hears none.
    GoingOn,
    /// It hears that the caller has finished.
    Finished,
    /// It hears that the caller only showed that they listen.
    BackChannel,
    /// It was not trained for it.
    #[default]
    Unknown,
}

/// The signs at a pause.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Signs {
    /// What [`super::smart_turn`] says, where it was asked: from 0 (will go on) to 1 (has finished).
    pub sounds_finished: Option<f32>,
    /// What the recogniser says.
    pub recogniser: Heard,
    /// What the words say.
    pub words: Completeness,
}

/// How signs become a length of silence. The probability that the turn is over is a logistic regression over the
/// signs; the silence goes from the longest to the shortest as it grows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndOfTurnSettings {
    /// The silence that ends a turn which is certainly over, in milliseconds. This is the least latency.
    pub shortest_ms: u32,
    /// The silence that ends any turn, in milliseconds. This bounds the latency where every sign is wrong.
    pub longest_ms: u32,
    /// Log-odds that a pause ends a turn, before any sign. Higher cuts callers off more often and answers sooner:
    /// this is the one to turn.
    pub eagerness: f32,
    /// Weight of the sound's own log-odds.
    pub sound_weight: f32,
    /// Log-odds that the recogniser's word adds, or takes away where it hears none.
    pub recogniser_weight: f32,
    /// Log-odds that whole words add and open ones take away.
    pub words_weight: f32,
}

impl Default for EndOfTurnSettings {
    fn default() -> Self {
        Self {
            shortest_ms: 240,
            longest_ms: 1_600,
            eagerness: 0.0,
            sound_weight: 1.0,
            recogniser_weight: 1.5,
            words_weight: 1.5,
        }
    }
}

/// Probabilities nearer to 0 or 1 are no more certain than this.
const CERTAIN: f32 = 0.01;

impl EndOfTurnSettings {
    /// How probably the turn is over, from 0 to 1.
    #[must_use]
    pub fn probability(&self, signs: &Signs) -> f32 {
        let sound =
            signs.sounds_finished.filter(|probability| probability.is_finite()).map_or(0.0, |probability| {
                let probability = probability.clamp(CERTAIN, 1.0 - CERTAIN);
                self.sound_weight * (probability / (1.0 - probability)).ln()
            });
        let recogniser = match signs.recogniser {
            Heard::Finished => self.recogniser_weight,
            Heard::GoingOn => -self.recogniser_weight / 2.0,
            // Nobody has said anything that wants an answer.
            Heard::BackChannel => -self.recogniser_weight,
            Heard::Unknown => 0.0,
        };
        let words = match signs.words {
            Completeness::Complete => self.words_weight,
            Completeness::Open => -self.words_weight,
            Completeness::Unknown => 0.0,
        };
        1.0 / (1.0 + (-(self.eagerness + sound + recogniser + words)).exp())
    }

    /// How long the caller must have been silent for the turn to be over, in milliseconds.
    #[must_use]
    pub fn silence_ms(&self, signs: &Signs) -> u32 {
        let span = self.longest_ms.saturating_sub(self.shortest_ms) as f32;
        self.longest_ms.min(self.shortest_ms + (span * (1.0 - self.probability(signs))).round() as u32)
    }

    /// Whether a turn with these signs is over after so much silence.
    #[must_use]
    pub fn is_over(&self, signs: &Signs, silent_ms: u32) -> bool {
        silent_ms >= self.silence_ms(signs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signs(sound: Option<f32>, recogniser: Heard, words: Completeness) -> Signs {
        Signs { sounds_finished: sound, recogniser, words }
    }

    #[test]
    fn signs_that_agree_are_quick_and_signs_that_disagree_wait() {
        let settings = EndOfTurnSettings::default();
        let all = settings.silence_ms(&signs(Some(0.95), Heard::Finished, Completeness::Complete));
        let none = settings.silence_ms(&Signs::default());
        let open = settings.silence_ms(&signs(Some(0.1), Heard::GoingOn, Completeness::Open));
        let torn = settings.silence_ms(&signs(Some(0.95), Heard::GoingOn, Completeness::Open));
        assert!(all < 260 && (800..1_000).contains(&none) && open > 1_550, "{all} {none} {open}");
        assert!((all..open).contains(&torn), "{torn}");
        assert!(settings.is_over(&Signs::default(), none) && !settings.is_over(&Signs::default(), none - 1));
    }

    proptest! {
        #[test]
        fn more_certainty_never_waits_longer_and_the_bounds_hold(
            one in 0f32..=1.0, other in 0f32..=1.0, eagerness in -9f32..9.0, recogniser in 0..4, words in 0..3
        ) {
            let settings = EndOfTurnSettings { eagerness, ..EndOfTurnSettings::default() };
            let recogniser = [Heard::GoingOn, Heard::Finished, Heard::BackChannel, Heard::Unknown][recogniser as usize];
            let words = [Completeness::Complete, Completeness::Open, Completeness::Unknown][words as usize];
            let wait = |sound| settings.silence_ms(&signs(Some(sound), recogniser, words));
            let (less, more) = (one.min(other), one.max(other));
            prop_assert!(wait(more) <= wait(less));
            for silence in [wait(more), wait(less), wait(f32::NAN)] {
                prop_assert!((settings.shortest_ms..=settings.longest_ms).contains(&silence));
            }
        }
    }
}
