//! The audio of the turns that are not answered, how far a node has it, and what is told of its words.
//!
//! A node counts its turns from 0; whoever listens counts as they like. A turn that is final is not held any more.

use std::collections::VecDeque;

use super::told::Told;
use crate::audio::MarkKind;
use crate::engine::{Expectation, Heard, RecogniserEvent};

/// The next thing for a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::remote) enum Piece {
    Audio(Vec<i16>),
    Mark(MarkKind),
    Expect(Expectation),
    /// The node's turn with this number ends.
    Finish(u64),
}

/// What a node says, of its own turn.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::remote) enum Said {
    Partial { turn: u64, heard: Heard },
    Final { turn: u64, heard: Heard },
    EndOfTurn { turn: u64, back_channel: bool },
}

/// One session's audio, words and place.
#[derive(Debug)]
pub(in crate::remote) struct Replay {
    /// Samples held at most.
    held_max: usize,
    pub(super) held: usize,
    /// The oldest first; the last is the one that is spoken now.
    turns: VecDeque<Turn>,
    /// Turns that the node has answered.
    answered: u64,
    next_number: u64,
    /// What was expected before anything that is held.
    expectation: Expectation,
    at: Cursor,
    /// Samples that were dropped before any node had them.
    lost: u64,
}

#[derive(Debug, Default)]
struct Turn {
    audio: VecDeque<i16>,
    /// Samples of its start that are no longer held.
    forgotten: u64,
    notes: VecDeque<Note>,
    /// Its number, once it is finished.
    finished: Option<u64>,
    told: Told,
}

#[derive(Debug, Clone, Copy)]
struct Note {
    /// The sample of its turn before which it stands.
    at: u64,
    kind: NoteKind,
}

#[derive(Debug, Clone, Copy)]
enum NoteKind {
    Mark(MarkKind),
    Expect(Expectation),
}

/// What of everything held the node has: the turn, and in it the sample and the note to come.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    turn: usize,
    sample: u64,
    note: usize,
    /// The node has some of the turn's audio.
    begun: bool,
}

impl Turn {
    fn end(&self) -> u64 {
        self.forgotten + self.audio.len() as u64
    }
}

impl Replay {
    pub(in crate::remote) fn new(held_max: usize) -> Self {
        Self {
            held_max,
            held: 0,
            turns: VecDeque::from([Turn::default()]),
            answered: 0,
            next_number: 0,
            expectation: Expectation::default(),
            at: Cursor::default(),
            lost: 0,
        }
    }

    /// What a node is to expect when it begins.
    pub(in crate::remote) const fn expectation(&self) -> Expectation {
        self.expectation
    }

    /// Samples dropped before any node had them, since this was asked last.
    pub(in crate::remote) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Whether there is something that the node does not have.
    pub(in crate::remote) fn has_unsent(&self) -> bool {
        self.turns.get(self.at.turn).is_some_and(|turn| {
            self.at.sample < turn.end() || self.at.note < turn.notes.len() || turn.finished.is_some()
        })
    }

    /// Whether a turn waits for its words.
    pub(in crate::remote) fn waits(&self) -> bool {
        self.turns.front().is_some_and(|turn| turn.finished.is_some())
    }

    /// The caller's audio goes on.
    pub(in crate::remote) fn hear(&mut self, samples: &[i16]) {
        if let Some(turn) = self.turns.back_mut() {
            turn.audio.extend(samples);
            self.held += samples.len();
        }
        while self.held > self.held_max {
            let over = self.held - self.held_max;
            self.forget(over);
        }
    }

    /// Drops up to so many samples of the oldest turn that has any.
    fn forget(&mut self, over: usize) {
        let Some(place) = self.turns.iter().position(|turn| !turn.audio.is_empty()) else { return };
        let Some(turn) = self.turns.get_mut(place) else { return };
        let count = over.min(turn.audio.len());
        turn.audio.drain(..count);
        turn.forgotten += count as u64;
        self.held -= count;
        // A node that has not come so far misses them.
        let unseen = match place.cmp(&self.at.turn) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => turn.forgotten.saturating_sub(self.at.sample).min(count as u64),
            std::cmp::Ordering::Greater => count as u64,
        };
        self.lost += unseen;
        if unseen > 0 && !(place == self.at.turn && self.at.begun) {
            turn.told.starts_later();
        }
    }

    /// A mark at this place of the audio.
    pub(in crate::remote) fn mark(&mut self, kind: MarkKind) {
        self.note(NoteKind::Mark(kind));
    }

    /// What is expected from here on.
    pub(in crate::remote) fn expect(&mut self, expectation: Expectation) {
        self.note(NoteKind::Expect(expectation));
    }

    fn note(&mut self, kind: NoteKind) {
        if let Some(turn) = self.turns.back_mut() {
            let at = turn.end();
            turn.notes.push_back(Note { at, kind });
        }
    }

    /// The turn that is spoken now ends and is called `number`.
    pub(in crate::remote) fn finish(&mut self, number: u64) {
        if let Some(turn) = self.turns.back_mut() {
            turn.finished = Some(number);
        }
        self.next_number = number + 1;
        self.turns.push_back(Turn::default());
    }

    /// The next piece for the node, of at most so many samples.
    pub(in crate::remote) fn next(&mut self, samples_max: usize) -> Option<Piece> {
        let turn = self.turns.get(self.at.turn)?;
        // Its start may be forgotten before its turn came.
        self.at.sample = self.at.sample.max(turn.forgotten);
        let note = turn.notes.get(self.at.note).copied();
        if let Some(note) = note.filter(|note| note.at <= self.at.sample) {
            self.at.note += 1;
            return Some(match note.kind {
                NoteKind::Mark(kind) => Piece::Mark(kind),
                NoteKind::Expect(expectation) => Piece::Expect(expectation),
            });
        }
        let until = note.map_or(turn.end(), |note| note.at.min(turn.end()));
        let count = usize::try_from(until.saturating_sub(self.at.sample)).unwrap_or(usize::MAX);
        if count > 0 {
            let from = usize::try_from(self.at.sample - turn.forgotten).unwrap_or(usize::MAX);
            let piece: Vec<i16> =
                turn.audio.iter().skip(from).take(count.min(samples_max)).copied().collect();
            self.at.sample += piece.len() as u64;
            self.at.begun = true;
            return Some(Piece::Audio(piece));
        }
        turn.finished?;
        let number = self.answered + self.at.turn as u64;
        self.at = Cursor { turn: self.at.turn + 1, ..Cursor::default() };
        Some(Piece::Finish(number))
    }

    /// Another node begins, with nothing. Returns how many samples it hears again.
    pub(in crate::remote) fn rewind(&mut self) -> usize {
        self.answered = 0;
        self.at = Cursor::default();
        for turn in &mut self.turns {
            turn.told.moved(turn.forgotten > 0);
        }
        self.held
    }

    /// What a node says; what is to be told of it.
    pub(in crate::remote) fn on(&mut self, said: Said) -> Option<RecogniserEvent> {
        match said {
            Said::Partial { turn, heard } => {
                let (turn, place) = self.number(turn)?;
                let heard = self.turns.get_mut(place)?.told.partial(heard)?;
                Some(RecogniserEvent::Partial { turn, heard })
            }
            Said::EndOfTurn { turn, back_channel } => {
                let (turn, place) = self.number(turn)?;
                let news = self.turns.get_mut(place)?.told.ends(back_channel);
                news.then_some(RecogniserEvent::EndOfTurn { turn, back_channel })
            }
            Said::Final { turn, heard } => {
                let (turn, place) = self.number(turn)?;
                // Only the oldest turn can be answered, and only once it was asked for.
                if place != 0 || self.turns.front()?.finished.is_none() || self.at.turn == 0 {
                    return None;
                }
                let over = self.turns.pop_front()?;
                self.held -= over.audio.len();
                self.answered += 1;
                self.at.turn -= 1;
                for note in &over.notes {
                    if let NoteKind::Expect(expectation) = note.kind {
                        self.expectation = expectation;
                    }
                }
                Some(RecogniserEvent::Final { turn, heard: over.told.last(heard) })
            }
        }
    }

    /// The listener's number of a node's turn, and its place.
    fn number(&self, turn: u64) -> Option<(u64, usize)> {
        let place = usize::try_from(turn.checked_sub(self.answered)?).ok()?;
        Some((self.turns.get(place)?.finished.unwrap_or(self.next_number), place))
    }
}
