//! What is being said: utterances that wait, utterances handed to the voice, and how much of them was heard.
//!
//! An utterance is handed over only when the one before it is audible. So one that fails can be said again
//! without changing the order, and what is still to be said can be dropped without asking anybody.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::settings::LINES_MAX;
use super::{PlaybackEnd, Utterance, UtteranceId, words};
use crate::types::CallTime;

/// What an utterance is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum LineKind {
    /// Tells of the recording; can't be interrupted.
    Announcement,
    /// The brain's words.
    Answer,
    /// Bridges a wait; never said again.
    Filler,
    /// The conversation's own words.
    Own,
}

/// Something to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) kind: LineKind,
}

/// What becomes of the unheard rest, once what plays has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum AfterStop {
    /// It is dropped.
    Drop,
    /// It is said again as soon as we may speak.
    SayAgain,
    /// The caller interrupted; the listening phase decides.
    Interrupted,
}

/// An utterance that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Handed {
    id: UtteranceId,
    line: Line,
    /// Since when it could be audible: it was handed over, and what plays before it has ended.
    awaited_since: CallTime,
    started: Option<CallTime>,
    /// How many words were heard, where it has ended.
    heard: Option<u32>,
}

/// What was heard of an utterance that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) text: String,
    pub(super) kind: LineKind,
    pub(super) complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mouth {
    next: u64,
    waiting: VecDeque<Line>,
    handed: VecDeque<Handed>,
    stopping: Option<AfterStop>,
    /// What waited when what plays was told to stop.
    stopped: Vec<Line>,
    /// Since when nothing has been audible.
    quiet_since: CallTime,
    /// How fast the voice speaks, learned from what it said.
    ms_per_word: u64,
    /// What was heard of the answer to the newest question.
    answer_heard: String,
    /// Failures since something was audible last, and in the whole call.
    failed_in_a_row: u32,
    failed: u32,
    /// Nothing can be said any more.
    gone: bool,
}

impl Default for Mouth {
    fn default() -> Self {
        Self {
            next: 0,
            waiting: VecDeque::new(),
            handed: VecDeque::new(),
            stopping: None,
            stopped: Vec::new(),
            quiet_since: CallTime::START,
            ms_per_word: 350,
            answer_heard: String::new(),
            failed_in_a_row: 0,
            failed: 0,
            gone: false,
        }
    }
}

impl Mouth {
    /// Queues a line. `false` where there are too many.
    pub(super) fn say(&mut self, text: impl Into<String>, kind: LineKind) -> bool {
        let text = text.into();
        let fits = self.waiting.len() < LINES_MAX;
        if fits && !self.gone && !text.trim().is_empty() {
            self.waiting.push_back(Line { text, kind });
        }
        fits
    }

    /// Queues a line before all others.
    pub(super) fn say_first(&mut self, line: Line) {
        self.waiting.push_front(line);
    }

    /// The next utterance to hand over, where one may be.
    pub(super) fn hand_over(&mut self, now: CallTime) -> Option<Utterance> {
        if self.stopping.is_some() || self.handed.iter().any(|handed| handed.started.is_none()) {
            return None;
        }
        let line = self.waiting.pop_front()?;
        let id = UtteranceId(self.next);
        self.next += 1;
        let utterance = Utterance { id, text: line.text.clone() };
        self.handed.push_back(Handed { id, line, awaited_since: now, started: None, heard: None });
        Some(utterance)
    }

    /// The first sample left. `false` where the utterance isn't ours any more.
    pub(super) fn started(&mut self, now: CallTime, id: UtteranceId) -> bool {
        let Some(handed) = self.handed.iter_mut().find(|handed| handed.id == id && handed.heard.is_none())
        else {
            return false;
        };
        handed.started.get_or_insert(now);
        self.failed_in_a_row = 0;
        true
    }

    /// An utterance is no longer playing.
    pub(super) fn ended(&mut self, now: CallTime, id: UtteranceId, end: PlaybackEnd) -> Option<Heard> {
        let place = self.handed.iter().position(|handed| handed.id == id && handed.heard.is_none())?;
        let handed = self.handed.get_mut(place)?;
        let all = u32::try_from(handed.line.text.split_whitespace().count()).unwrap_or(u32::MAX);
        let heard = if end.complete { all } else { end.words.min(all) };
        handed.heard = Some(heard);
        if handed.started.is_some() {
            self.quiet_since = now;
        }
        if let (true, Some(started), true) = (end.complete, handed.started, all >= 3) {
            let measured = (now.since_ms(started) / u64::from(all)).clamp(100, 1_000);
            self.ms_per_word = (self.ms_per_word * 3 + measured) / 4;
        }
        let heard = Heard {
            text: words::first_words(&handed.line.text, heard),
            kind: handed.line.kind,
            complete: heard >= all,
        };
        for next in self.handed.iter_mut().filter(|handed| handed.started.is_none()) {
            next.awaited_since = now;
        }
        if matches!(heard.kind, LineKind::Answer | LineKind::Own) {
            self.answer_heard = words::joined(&self.answer_heard, &heard.text);
        }
        if self.stopping.is_none() {
            let rest = self.handed.remove(place).and_then(rest_of);
            if let Some(rest) = rest {
                self.waiting.push_front(rest);
            }
        }
        Some(heard)
    }

    /// Takes back an utterance that could not be spoken.
    pub(super) fn failed(&mut self, id: UtteranceId) -> Option<Line> {
        let place = self.handed.iter().position(|handed| handed.id == id && handed.heard.is_none())?;
        self.failed_in_a_row += 1;
        self.failed += 1;
        if self.stopping.is_some() {
            if let Some(handed) = self.handed.get_mut(place) {
                handed.heard = Some(0);
            }
            return None;
        }
        self.handed.remove(place).map(|handed| handed.line)
    }

    /// Stops what plays and sets aside what waits; what is said from now on comes after. `true` where the leg must be told, and [`Self::settle`] follows
    /// once all that was handed over is reported.
    pub(super) fn stop(&mut self, then: AfterStop) -> bool {
        let must_tell = self.stopping.is_none() && !self.handed.is_empty();
        self.stopping = Some(then);
        self.stopped.extend(std::mem::take(&mut self.waiting));
        must_tell
    }

    /// What is left unsaid, once everything that was handed over has been reported.
    pub(super) fn settle(&mut self) -> Option<(AfterStop, Vec<Line>)> {
        let then = self.stopping?;
        if self.handed.iter().any(|handed| handed.heard.is_none()) {
            return None;
        }
        self.stopping = None;
        let rest = std::mem::take(&mut self.handed).into_iter().filter_map(rest_of);
        let unsaid = rest.chain(std::mem::take(&mut self.stopped));
        Some((then, unsaid.filter(|line| line.kind != LineKind::Filler).collect()))
    }

    /// Gives up on reports and tells what was probably heard of each utterance still playing.
    pub(super) fn estimate_ends(&self, now: CallTime) -> Vec<(UtteranceId, PlaybackEnd)> {
        self.handed
            .iter()
            .filter(|handed| handed.heard.is_none())
            .map(|handed| (handed.id, PlaybackEnd { complete: false, words: self.words_by(now, handed) }))
            .collect()
    }

    fn words_by(&self, now: CallTime, handed: &Handed) -> u32 {
        let all = u32::try_from(handed.line.text.split_whitespace().count()).unwrap_or(u32::MAX);
        handed.started.map_or(0, |started| {
            u32::try_from(now.since_ms(started) / self.ms_per_word + 1).unwrap_or(u32::MAX).min(all)
        })
    }

    /// Whether a question has been put to the caller in what plays now, by the speed of the voice. One that
    /// is a word or two away counts: people answer before the end.
    pub(super) fn question_is_put(&self, now: CallTime) -> bool {
        self.answer_heard.ends_with('?')
            || self.handed.iter().any(|handed| {
                let until = words::words_until_question(&handed.line.text);
                until.is_some_and(|until| handed.started.is_some() && self.words_by(now, handed) + 2 >= until)
            })
    }

    /// Drops everything, and whatever is still to be said: there is nobody to hear it, or no voice.
    pub(super) fn close(&mut self) {
        self.gone = true;
        self.waiting.clear();
        self.handed.clear();
        self.stopped.clear();
        self.stopping = None;
    }

    /// Drops what waits.
    pub(super) fn drop_waiting(&mut self) {
        self.waiting.clear();
    }

    /// Forgets what was heard of the last answer: a new question is asked.
    pub(super) fn new_answer(&mut self) {
        self.answer_heard.clear();
    }

    /// A tone was played.
    pub(super) fn tone_played(&mut self, now: CallTime) {
        self.quiet_since = now;
    }

    pub(super) fn answer_heard(&self) -> &str {
        &self.answer_heard
    }

    pub(super) const fn quiet_since(&self) -> CallTime {
        self.quiet_since
    }

    pub(super) const fn failed_in_a_row(&self) -> u32 {
        self.failed_in_a_row
    }

    pub(super) const fn failures(&self) -> u32 {
        self.failed
    }

    /// An utterance broke off by itself.
    pub(super) const fn count_failure(&mut self) {
        self.failed += 1;
    }

    pub(super) const fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Whether nothing can be said any more.
    pub(super) const fn is_gone(&self) -> bool {
        self.gone
    }

    /// Whether the caller hears us now.
    pub(super) fn is_audible(&self) -> bool {
        self.stopping.is_none() && self.playing().is_some()
    }

    /// Whether anything is being said, is on its way or waits.
    pub(super) fn is_busy(&self) -> bool {
        self.stopping.is_some() || !self.handed.is_empty() || !self.waiting.is_empty()
    }

    fn playing(&self) -> Option<&Handed> {
        self.handed.iter().find(|handed| handed.started.is_some() && handed.heard.is_none())
    }

    /// Whether what plays must not be interrupted.
    pub(super) fn is_announcing(&self) -> bool {
        self.handed.front().is_some_and(|handed| handed.line.kind == LineKind::Announcement)
            || self.waiting.iter().any(|line| line.kind == LineKind::Announcement)
    }

    /// The utterance that should be audible but isn't, and since when. The time that it waited behind another
    /// one doesn't count.
    pub(super) fn starting(&self) -> Option<(UtteranceId, CallTime)> {
        if self.stopping.is_some() || self.playing().is_some() {
            return None;
        }
        let awaited = self.handed.iter().find(|handed| handed.started.is_none())?;
        Some((awaited.id, awaited.awaited_since))
    }

    /// The utterance that plays, and when it should have ended at the latest, without grace.
    pub(super) fn expected_end(&self) -> Option<(UtteranceId, CallTime)> {
        if self.stopping.is_some() {
            return None;
        }
        let handed = self.playing()?;
        let words = handed.line.text.split_whitespace().count() as u64;
        handed.started.map(|started| (handed.id, started + words * 1_000))
    }
}

/// What is left of an utterance that ended, where anything is.
fn rest_of(handed: Handed) -> Option<Line> {
    let text = words::unheard(&handed.line.text, handed.heard.unwrap_or(0));
    (!text.is_empty() && handed.line.kind != LineKind::Filler)
        .then_some(Line { text, kind: handed.line.kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: CallTime = CallTime::from_ms(1_000);

    fn ended(words: u32) -> PlaybackEnd {
        PlaybackEnd { complete: false, words }
    }

    #[test]
    fn the_next_utterance_is_handed_over_when_the_one_before_is_audible() {
        let mut mouth = Mouth::default();
        mouth.say("One two.", LineKind::Answer);
        mouth.say("Three.", LineKind::Answer);
        assert_eq!(mouth.hand_over(NOW).map(|utterance| utterance.text), Some("One two.".to_owned()));
        assert_eq!(mouth.hand_over(NOW), None);
        assert!(mouth.started(NOW, UtteranceId(0)));
        assert_eq!(mouth.hand_over(NOW).map(|utterance| utterance.id), Some(UtteranceId(1)));
        assert!(!mouth.started(NOW, UtteranceId(7)));
    }

    #[test]
    fn a_stop_keeps_the_unheard_sentences() {
        let mut mouth = Mouth::default();
        mouth.say("One two. Three four five.", LineKind::Answer);
        mouth.say("Six.", LineKind::Answer);
        mouth.hand_over(NOW);
        mouth.started(NOW, UtteranceId(0));
        mouth.hand_over(NOW);
        assert!(mouth.stop(AfterStop::Interrupted));
        assert_eq!(mouth.settle(), None);
        let heard = mouth.ended(NOW, UtteranceId(0), ended(3));
        assert_eq!(heard.map(|heard| heard.text), Some("One two. Three".to_owned()));
        mouth.ended(NOW, UtteranceId(1), ended(0));
        let unsaid =
            mouth.settle().map(|(_, unsaid)| unsaid.into_iter().map(|line| line.text).collect::<Vec<_>>());
        assert_eq!(unsaid, Some(vec!["Three four five.".to_owned(), "Six.".to_owned()]));
        assert_eq!(mouth.answer_heard(), "One two. Three");
        assert!(!mouth.is_busy());
    }

    #[test]
    fn a_question_counts_as_put_shortly_before_its_end() {
        let mut mouth = Mouth::default();
        mouth.say("We have nine and ten. Which would you like?", LineKind::Answer);
        mouth.hand_over(NOW);
        assert!(!mouth.question_is_put(NOW + 60_000));
        mouth.started(NOW, UtteranceId(0));
        assert!(!mouth.question_is_put(NOW + 350));
        assert!(mouth.question_is_put(NOW + 350 * 7));
    }
}
