//! The line of a conversation that answers a question best.

use std::collections::BTreeSet;
use std::ops::Range;

use tantivy::tokenizer::TextAnalyzer;

use super::question::{Line, Piece};
use crate::types::{CallEvent, CallEventKind, CallTime, Speaker};

/// The most that is shown of a line, in bytes.
const SHOWN_BYTES: usize = 160;
/// How much of that stands before the first word that was found.
const BEFORE_BYTES: usize = 40;
/// What stands for what is left out.
const LEFT_OUT: &str = "…";

/// A line that may be shown.
struct Candidate<'a> {
    different: usize,
    at: CallTime,
    speaker: Speaker,
    text: &'a str,
    marks: Vec<Range<usize>>,
}

/// The first of the lines with the most different words of `wanted`, which are as `analyser` leaves them.
pub(super) fn line(
    events: &[CallEvent],
    wanted: &BTreeSet<String>,
    analyser: &mut TextAnalyzer,
) -> Option<Line> {
    let mut best: Option<Candidate<'_>> = None;
    for event in events {
        let CallEventKind::Said { speaker, text, .. } = &event.kind else { continue };
        let (different, marks) = marks(text.reveal(), wanted, analyser);
        if different > best.as_ref().map_or(0, |best| best.different) {
            best = Some(Candidate { different, at: event.at, speaker: *speaker, text: text.reveal(), marks });
        }
    }
    best.map(|best| Line { at: best.at, speaker: best.speaker, pieces: pieces(best.text, &best.marks) })
}

/// How many different words of `wanted` are in `text`, and where all of them stand.
fn marks(text: &str, wanted: &BTreeSet<String>, analyser: &mut TextAnalyzer) -> (usize, Vec<Range<usize>>) {
    let (mut different, mut marks) = (BTreeSet::new(), Vec::new());
    analyser.token_stream(text).process(&mut |token| {
        if let Some(word) = wanted.get(&token.text) {
            different.insert(word);
            marks.push(token.offset_from..token.offset_to);
        }
    });
    (different.len(), marks)
}

/// The text around the first mark, cut where marks begin and end.
fn pieces(text: &str, marks: &[Range<usize>]) -> Vec<Piece> {
    let first = marks.first().map_or(0, |mark| mark.start);
    let start = word_start(text, first.saturating_sub(BEFORE_BYTES), first);
    let end = word_end(text, start.saturating_add(SHOWN_BYTES));
    let mut pieces = Vec::new();
    let mut push = |text: &str, found| {
        if !text.is_empty() {
            pieces.push(Piece { text: text.into(), found });
        }
    };
    if start > 0 {
        push(LEFT_OUT, false);
    }
    let mut at = start;
    for mark in marks.iter().filter(|mark| mark.start >= start && mark.end <= end) {
        push(text.get(at..mark.start).unwrap_or_default(), false);
        push(text.get(mark.clone()).unwrap_or_default(), true);
        at = mark.end;
    }
    push(text.get(at..end).unwrap_or_default(), false);
    if end < text.len() {
        push(LEFT_OUT, false);
    }
    pieces
}

/// The beginning of a word at or after `from`, but not after `latest`.
fn word_start(text: &str, from: usize, latest: usize) -> usize {
    if from == 0 {
        return 0;
    }
    let from = text.ceil_char_boundary(from);
    let space = text.get(from..latest).and_then(|before| before.find(char::is_whitespace));
    space.map_or(latest, |space| {
        let rest = text.get(from + space..latest).unwrap_or_default();
        latest - rest.trim_start().len()
    })
}

/// The end of a word at or before `until`.
fn word_end(text: &str, until: usize) -> usize {
    if until >= text.len() {
        return text.len();
    }
    let until = text.floor_char_boundary(until);
    let shown = text.get(..until).unwrap_or_default();
    shown.rfind(char::is_whitespace).unwrap_or(until)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::storage::search::document::analyser;

    fn said(at: u64, text: &str) -> CallEvent {
        let kind = CallEventKind::Said {
            speaker: Speaker::Caller,
            text: text.into(),
            interrupted: false,
            confidence: None,
        };
        CallEvent { seq: 0, at: CallTime::from_ms(at), kind }
    }

    fn shown(line: &Line) -> String {
        line.pieces
            .iter()
            .map(
                |piece| {
                    if piece.found {
                        format!("[{}]", piece.text.reveal())
                    } else {
                        piece.text.reveal().clone()
                    }
                },
            )
            .collect()
    }

    fn wanted(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_line_with_most_of_the_words_is_shown_with_its_marks() {
        let events = [
            said(1, "a haircut please"),
            said(2, "Haircuts on Monday, on monday"),
            said(3, "monday haircut"),
        ];
        let line = line(&events, &wanted(&["haircut", "monday"]), &mut analyser()).expect("a line");
        assert_eq!(line.at, CallTime::from_ms(2));
        assert_eq!(shown(&line), "[Haircuts] on [Monday], on [monday]");
        assert_eq!(super::line(&events, &wanted(&["beard"]), &mut analyser()), None);
    }

    #[test]
    fn a_long_line_is_cut_between_words() {
        let text = format!("{} a haircut {}", "well ".repeat(40), "and so on ".repeat(40));
        let line = line(&[said(1, &text)], &wanted(&["haircut"]), &mut analyser()).expect("a line");
        let shown = shown(&line);
        assert!(
            shown.starts_with("…well") && shown.contains("a [haircut] and") && shown.ends_with('…'),
            "{shown}"
        );
        assert!(shown.len() < 180, "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_is_cut_within_a_letter(before in "\\PC{0,90}", after in "\\PC{0,200}") {
            let text = format!("{before} haircut {after}");
            let line = line(&[said(1, &text)], &wanted(&["haircut"]), &mut analyser()).expect("a line");
            prop_assert!(line.pieces.iter().any(|piece| piece.found));
        }
    }
}
