//! What the caller does, at a natural speed.

use actors::call::conversation::Input;
use actors::types::EndReason;

use super::{Happening, Telephone};

/// How long a spoken word takes.
pub(crate) const WORD_MS: u64 = 300;
/// How long after a word the recogniser says that it was the last; later than the word itself.
const END_MS: u64 = 170;
/// How fast keys are pressed.
const KEY_MS: u64 = 300;

impl Telephone {
    /// Says this from `wait_ms` on: words, `[1200ms]` pauses, `[cough]` and `[noise 2s]`; `[sounds 0.9]` is how
    /// finished the pauses that follow sound, `[end]` and `[end of mm-hm]` where the recogniser hears an end. Returns
    /// when it is said.
    pub(crate) fn speak(&mut self, wait_ms: u64, text: &str) -> u64 {
        let mut at = wait_ms;
        let mut sounding = false;
        for part in Part::of(text) {
            match part {
                Part::Word(word) => {
                    if !sounding {
                        self.after(at, Happening::Sound);
                        sounding = true;
                    }
                    at += WORD_MS;
                    self.after(at, Happening::Word(word));
                }
                Part::Pause(ms) => {
                    if std::mem::take(&mut sounding) {
                        self.after(at, Happening::Hush);
                    }
                    at += ms;
                }
                Part::Sounds(finished) => self.after(at, Happening::Sounds(finished)),
                Part::End(back_channel) => self.after(at + END_MS, Happening::EndHeard(back_channel)),
                Part::Noise(ms) => {
                    self.after(at, Happening::Sound);
                    at += ms;
                    self.after(at, Happening::Hush);
                    at += 10;
                }
            }
        }
        if sounding {
            self.after(at, Happening::Hush);
        }
        at
    }

    /// Presses these keys.
    pub(crate) fn press(&mut self, wait_ms: u64, keys: &str) {
        for (place, key) in keys.chars().enumerate() {
            self.after(wait_ms + place as u64 * KEY_MS, Happening::Input(Input::Digit(key)));
        }
    }

    pub(crate) fn caller_hangs_up(&mut self) {
        self.leg_ends(EndReason::CallerHungUp);
    }

    /// The leg is over, whoever ended it.
    pub(crate) fn leg_ends(&mut self, reason: EndReason) {
        self.leg_stops();
        self.tell(Input::LegEnded(reason));
    }
}

enum Part {
    Word(String),
    Pause(u64),
    Noise(u64),
    Sounds(f32),
    End(bool),
}

impl Part {
    fn of(text: &str) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('[') {
            let (inside, behind) = after.split_once(']').unwrap_or((after, ""));
            parts.extend(before.split_whitespace().map(|word| Self::Word(word.to_owned())));
            parts.push(match inside.split_once(' ') {
                Some(("noise", length)) => Self::Noise(milliseconds(length)),
                Some(("sounds", finished)) => Self::Sounds(finished.parse().unwrap_or(f32::NAN)),
                _ if inside == "end" || inside == "end of mm-hm" => Self::End(inside != "end"),
                _ if inside == "cough" => Self::Noise(300),
                _ => Self::Pause(milliseconds(inside)),
            });
            rest = behind;
        }
        parts.extend(rest.split_whitespace().map(|word| Self::Word(word.to_owned())));
        parts
    }
}

/// Reads `800ms` or `8s`.
pub(crate) fn milliseconds(text: &str) -> u64 {
    let text = text.trim();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or(text), 1_000),
    };
    number
        .trim()
        .parse::<u64>()
        .unwrap_or_else(|_| panic!("`{text}` is no length of time; write 800ms or 8s"))
        * unit
}
