//! A session whose audio a connection carries (a carrier's websocket) instead of packets.
//!
//! The far side plays what it is sent at its own pace from a buffer of its own. So a little is sent ahead, that its
//! network does not make gaps, and no more than that, that what is cleared is soon over; and what was heard is what
//! the far side says it has played, by marks that it sends back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actors::call::conversation::UtteranceId;
use rtrb::{Consumer, Producer, RingBuffer};
use tokio::sync::mpsc;

use super::bridge::Bridge;
use super::playout::Playout;
use super::waiting::Sound;
use super::{MediaEvent, Settings};
use crate::rtp::{FRAME, Micros};

/// One frame.
const FRAME_MICROS: Micros = 20_000;
/// Places that audio leaves free for clears and marks.
const RESERVED: usize = 16;

/// Audio of the far side.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// Its place on the far side's clock, in samples at 8 kHz.
    pub timestamp: u32,
    /// Its samples at 8 kHz.
    pub audio: [i16; FRAME],
    /// How many of them there are.
    pub count: usize,
}

/// What is to be sent.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all of it is audio; a box would be an allocation per 20 ms"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// 20 ms at 8 kHz.
    Audio([i16; FRAME]),
    /// The far side is to tell when it has played everything before this.
    Mark(u64),
    /// The far side is to forget what it has not played yet.
    Clear,
}

/// The session's end of a line.
#[derive(Debug)]
pub struct Line {
    pieces: Consumer<Piece>,
    sent: mpsc::Sender<Sent>,
    reached: Arc<AtomicU64>,
}

/// The connection's end of a line.
#[derive(Debug)]
pub struct LineEnd {
    /// What the far side says.
    pub pieces: Producer<Piece>,
    /// What it is to hear.
    pub to_send: mpsc::Receiver<Sent>,
    reached: Arc<AtomicU64>,
}

impl Line {
    /// Both ends of a new line.
    #[must_use]
    pub fn new(settings: &Settings) -> (Self, LineEnd) {
        let (giving, pieces) = RingBuffer::new(settings.line_pieces.max(8));
        let (sent, to_send) = mpsc::channel(settings.line_waiting_max.max(2 * RESERVED));
        let reached = Arc::new(AtomicU64::new(0));
        let end = LineEnd { pieces: giving, to_send, reached: Arc::clone(&reached) };
        (Self { pieces, sent, reached }, end)
    }
}

impl LineEnd {
    /// The far side has played everything before this mark.
    pub fn reached(&self, mark: u64) {
        self.reached.fetch_max(mark, Ordering::AcqRel);
    }
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Word(UtteranceId, u32),
    Ended(UtteranceId, Option<u32>),
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    mark: u64,
    meaning: Meaning,
    /// When it counts as reached although the far side says nothing.
    due: Micros,
}

/// What a line plays and hears.
#[derive(Debug)]
pub(super) struct Playing {
    line: Line,
    lead: u64,
    patience: Micros,
    /// Frames that the far side has not played yet, by our clock, for the recording.
    ahead: VecDeque<[i16; FRAME]>,
    waiting: VecDeque<Waiting>,
    next_mark: u64,
    /// The word that was sent last.
    at: Option<(UtteranceId, u32)>,
    /// The word that was played last.
    heard: Option<(UtteranceId, u32)>,
    pub(super) frames: u64,
    pub(super) unsent: u64,
    pub(super) unmarked: u64,
}

impl Playing {
    pub(super) fn new(line: Line, settings: &Settings) -> Self {
        Self {
            line,
            lead: settings.line_lead_ms.div_ceil(20).max(1),
            patience: settings.line_mark_ms * 1_000,
            ahead: VecDeque::new(),
            waiting: VecDeque::new(),
            next_mark: 1,
            at: None,
            heard: None,
            frames: 0,
            unsent: 0,
            unmarked: 0,
        }
    }

    /// What the far side has said since the last turn.
    pub(super) fn piece(&mut self) -> Option<Piece> {
        self.line.pieces.pop().ok()
    }

    /// Sends what there is to say, as far ahead as may be, and returns what is heard of us now.
    pub(super) fn frame(
        &mut self,
        playout: &mut Playout,
        (bridge, waiting): (Option<&mut Bridge>, Option<&mut Sound>),
        now: Micros,
        tell: &mut impl FnMut(MediaEvent),
    ) -> [i16; FRAME] {
        self.tell_reached(now, tell);
        let heard = self.ahead.pop_front();
        // Who speaks with somebody else hears them, and nothing ahead of its time.
        if let Some(bridge) = bridge {
            let mut ours = [0; FRAME];
            if bridge.hear(&mut ours) {
                self.send_audio(ours);
            }
            return heard.unwrap_or([0; FRAME]);
        }
        while (self.ahead.len() as u64) < self.lead {
            let mut ours = [0; FRAME];
            let mut ended = Vec::new();
            let made = playout.frame(&mut ours, &mut |event| match event {
                MediaEvent::PlaybackEnded { utterance, complete: true, last_word } => {
                    ended.push((utterance, last_word));
                }
                other => tell(other),
            });
            if made > 0 {
                self.send_audio(ours);
            }
            let word = playout.at();
            if let Some((utterance, word)) = word.filter(|word| self.at != Some(*word)) {
                self.at = Some((utterance, word));
                self.mark(Meaning::Word(utterance, word), now);
            }
            for (utterance, last_word) in ended {
                self.mark(Meaning::Ended(utterance, last_word), now);
            }
            if made == 0 {
                break;
            }
        }
        // What fills the time is sent at its own, so that nothing of it stands before what is said.
        let mut ours = [0; FRAME];
        if waiting.is_some_and(|waiting| waiting.frame(&mut ours, !self.ahead.is_empty())) {
            self.send_audio(ours);
        }
        heard.unwrap_or([0; FRAME])
    }

    fn send_audio(&mut self, audio: [i16; FRAME]) {
        self.ahead.push_back(audio);
        self.frames += 1;
        if self.line.sent.capacity() <= RESERVED || self.line.sent.try_send(Sent::Audio(audio)).is_err() {
            self.unsent += 1;
        }
    }

    fn mark(&mut self, meaning: Meaning, now: Micros) {
        let mark = self.next_mark;
        self.next_mark += 1;
        let due = now + self.ahead.len() as u64 * FRAME_MICROS + self.patience;
        self.waiting.push_back(Waiting { mark, meaning, due });
        // One that finds no room is told when it is due.
        let _ = self.line.sent.try_send(Sent::Mark(mark));
    }

    fn tell_reached(&mut self, now: Micros, tell: &mut impl FnMut(MediaEvent)) {
        let reached = self.line.reached.load(Ordering::Acquire);
        while let Some(first) = self.waiting.front().copied() {
            if first.mark > reached && now < first.due {
                return;
            }
            self.unmarked += u64::from(first.mark > reached);
            self.waiting.pop_front();
            match first.meaning {
                Meaning::Word(utterance, word) => self.heard = Some((utterance, word)),
                Meaning::Ended(utterance, last_word) => {
                    tell(MediaEvent::PlaybackEnded { utterance, complete: true, last_word });
                }
            }
        }
    }

    /// Forgets what was not played yet, here and at the far side, and tells how far each utterance came.
    pub(super) fn stop(&mut self, playout: &mut Playout, tell: &mut impl FnMut(MediaEvent)) {
        let heard = self.heard;
        let word_of = |utterance| heard.filter(|(of, _)| *of == utterance).map(|(_, word)| word);
        for waiting in self.waiting.drain(..) {
            if let Meaning::Ended(utterance, _) = waiting.meaning {
                let last_word = word_of(utterance);
                tell(MediaEvent::PlaybackEnded { utterance, complete: false, last_word });
            }
        }
        playout.stop(&mut |event| match event {
            MediaEvent::PlaybackEnded { utterance, .. } => {
                let last_word = word_of(utterance);
                tell(MediaEvent::PlaybackEnded { utterance, complete: false, last_word });
            }
            other => tell(other),
        });
        self.ahead.clear();
        self.at = None;
        // What was sent and not played is worth a clear; where that finds no room, the connection has stalled and
        // is closed for it.
        let _ = self.line.sent.try_send(Sent::Clear);
    }
}
