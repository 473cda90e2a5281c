//! When has a caller finished? Silence alone says it late or wrongly: people pause in the middle of a sentence. Here
//! silence has to last the longer, the less the other signs say that the turn is over: whether the words are a whole,
//! how they sounded, and what the recogniser itself heard.
//!
//! The words set a wait. As a place between the shortest and the longest it is a probability that the caller goes on;
//! the other signs move its log-odds. A sign that is not there, or not in time, moves nothing: no turn waits for it.

use serde::{Deserialize, Serialize};

use super::settings::Settings;
use super::words::Completeness;

/// What ended a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndSign {
    /// The pause alone: no sign spoke for the end.
    Silence,
    /// The words were a whole.
    Words,
    /// The caller sounded finished.
    Sound,
    /// The recogniser heard the end.
    Recogniser,
    /// The turn was as long as one may be.
    Limit,
}

/// What the recogniser itself heard of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum HeardEnd {
    Finished,
    /// The caller only showed that they listen: nothing that wants an answer.
    BackChannel,
}

/// The signs at a pause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Signs {
    pub(super) words: Completeness,
    /// From 0 (will go on) to 1 (has finished), where that was judged.
    pub(super) sound: Option<f32>,
    pub(super) recogniser: Option<HeardEnd>,
}

/// How long a pause has to be, and what made it no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) ms: u64,
    pub(super) sign: EndSign,
}

/// Probabilities nearer to 0 or 1 are no more certain than this.
const CERTAIN: f64 = 0.01;

/// How long a pause ends a turn with these signs.
pub(super) fn wait(settings: &Settings, signs: &Signs) -> Wait {
    let by_words = words_ms(settings, signs.words);
    let of_words =
        goes_on_odds(settings, words_ms(settings, Completeness::Unknown)) - goes_on_odds(settings, by_words);
    let of_sound = signs
        .sound
        .map_or(0.0, |sound| odds(f64::from(sound)) * f64::from(settings.end_of_turn_sound_percent) / 100.0);
    let weight = f64::from(settings.end_of_turn_recogniser_percent) / 100.0;
    let of_recogniser = match signs.recogniser {
        Some(HeardEnd::Finished) => weight,
        Some(HeardEnd::BackChannel) => -weight,
        None => 0.0,
    };
    // Each group of a number that is dictated sounds finished.
    let most = if signs.words == Completeness::Dictated { 0.0 } else { f64::INFINITY };
    let (of_sound, of_recogniser) = (of_sound.min(most), of_recogniser.min(most));
    let others = of_sound + of_recogniser;
    let ms = if others == 0.0 {
        by_words
    } else {
        let goes_on = 1.0 / (1.0 + (others - goes_on_odds(settings, by_words)).exp());
        let ms = settings.end_of_turn_ms_min + (span(settings) * goes_on).round() as u64;
        // At the bounds themselves odds are cut off, which must not turn a sign round.
        if others > 0.0 { ms.min(by_words) } else { ms.max(by_words) }
    };
    let spoke =
        [(EndSign::Words, of_words), (EndSign::Sound, of_sound), (EndSign::Recogniser, of_recogniser)]
            .into_iter()
            .filter(|(_, weight)| *weight > 0.0)
            .max_by(|(_, one), (_, other)| one.total_cmp(other));
    Wait { ms: bounded(settings, ms), sign: spoke.map_or(EndSign::Silence, |(sign, _)| sign) }
}

/// The wait where there are only the words.
fn words_ms(settings: &Settings, words: Completeness) -> u64 {
    let ms = match words {
        Completeness::Complete => settings.end_of_turn_ms,
        Completeness::Unknown => settings.end_of_turn_unknown_ms,
        Completeness::Open => settings.end_of_turn_incomplete_ms,
        Completeness::Dictated => settings.end_of_turn_dictation_ms,
    };
    bounded(settings, ms)
}

fn bounded(settings: &Settings, ms: u64) -> u64 {
    ms.min(settings.end_of_turn_ms_max).max(settings.end_of_turn_ms_min)
}

fn span(settings: &Settings) -> f64 {
    settings.end_of_turn_ms_max.saturating_sub(settings.end_of_turn_ms_min) as f64
}

/// The log-odds that a caller goes on, of whom a wait between the bounds is asked.
fn goes_on_odds(settings: &Settings, ms: u64) -> f64 {
    let above = ms.saturating_sub(settings.end_of_turn_ms_min) as f64;
    odds(above / span(settings).max(1.0))
}

/// Log-odds; 0 for what is no number.
fn odds(probability: f64) -> f64 {
    if !probability.is_finite() {
        return 0.0;
    }
    let probability = probability.clamp(CERTAIN, 1.0 - CERTAIN);
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: [Completeness; 4] =
        [Completeness::Complete, Completeness::Unknown, Completeness::Open, Completeness::Dictated];
    const HEARD: [Option<HeardEnd>; 3] = [None, Some(HeardEnd::Finished), Some(HeardEnd::BackChannel)];

    fn of(words: Completeness, sound: Option<f32>, recogniser: Option<HeardEnd>) -> Wait {
        wait(&Settings::default(), &Signs { words, sound, recogniser })
    }

    #[test]
    fn without_other_signs_the_words_alone_decide() {
        let settings = Settings::default();
        let words = |words| of(words, None, None);
        assert_eq!(words(Completeness::Complete), Wait { ms: settings.end_of_turn_ms, sign: EndSign::Words });
        assert_eq!(
            words(Completeness::Unknown),
            Wait { ms: settings.end_of_turn_unknown_ms, sign: EndSign::Silence }
        );
        assert_eq!(
            words(Completeness::Open),
            Wait { ms: settings.end_of_turn_incomplete_ms, sign: EndSign::Silence }
        );
        assert_eq!(words(Completeness::Dictated).ms, settings.end_of_turn_dictation_ms);
    }

    #[test]
    fn signs_that_agree_are_quick_and_signs_that_disagree_wait() {
        let settings = Settings::default();
        let all = of(Completeness::Complete, Some(0.97), Some(HeardEnd::Finished));
        let none = of(Completeness::Open, Some(0.03), Some(HeardEnd::BackChannel));
        let torn = of(Completeness::Open, Some(0.97), None);
        assert!(
            all.ms < settings.end_of_turn_ms_min + 50 && none.ms > settings.end_of_turn_ms_max - 50,
            "{all:?} {none:?}"
        );
        assert!((all.ms..none.ms).contains(&torn.ms), "{torn:?}");
        assert_eq!((all.sign, none.sign, torn.sign), (EndSign::Sound, EndSign::Silence, EndSign::Sound));
        let heard = of(Completeness::Unknown, None, Some(HeardEnd::Finished));
        assert!(heard.ms < settings.end_of_turn_unknown_ms && heard.sign == EndSign::Recogniser, "{heard:?}");
    }

    #[test]
    fn a_group_of_a_dictated_number_is_waited_for_however_finished_it_sounds() {
        let settings = Settings::default();
        let sure = of(Completeness::Dictated, Some(0.99), Some(HeardEnd::Finished));
        assert_eq!(sure, Wait { ms: settings.end_of_turn_dictation_ms, sign: EndSign::Silence });
        assert!(of(Completeness::Dictated, Some(0.1), None).ms > settings.end_of_turn_dictation_ms);
    }

    #[test]
    fn a_sign_without_weight_counts_for_nothing() {
        let settings = Settings {
            end_of_turn_sound_percent: 0,
            end_of_turn_recogniser_percent: 0,
            ..Settings::default()
        };
        let signs = Signs {
            words: Completeness::Complete,
            sound: Some(0.01),
            recogniser: Some(HeardEnd::BackChannel),
        };
        assert_eq!(wait(&settings, &signs), of(Completeness::Complete, None, None));
    }

    proptest! {
        #[test]
        fn more_certainty_never_waits_longer_and_the_bounds_hold(
            one in 0f32..=1.0, other in 0f32..=1.0, words in 0usize..4, heard in 0usize..3,
            min in 0u64..1_000, max in 0u64..3_000, percent in 0u32..400,
        ) {
            let settings = Settings {
                end_of_turn_ms_min: min, end_of_turn_ms_max: max, end_of_turn_sound_percent: percent,
                ..Settings::default()
            };
            let of = |sound| wait(&settings, &Signs { words: WORDS[words], sound, recogniser: HEARD[heard] }).ms;
            let (less, more) = (Some(one.min(other)), Some(one.max(other)));
            prop_assert!(of(more) <= of(less));
            for ms in [of(more), of(less), of(None), of(Some(f32::NAN))] {
                prop_assert!(ms >= min && ms <= max.max(min));
            }
            prop_assert_eq!(of(None), of(Some(f32::NAN)));
        }
    }
}
