//! The buffer: what is put in, what is taken out, and how long it waits.

use serde::{Deserialize, Serialize};

use super::slack::{Slack, Span};
use super::timeline::{CAPACITY, Timeline};
use crate::rtp::concealment::Concealment;
use crate::rtp::{FRAME, Micros};

/// How long packets may wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The least delay between a packet's arrival and its playing, in milliseconds; also the first.
    pub least_delay_ms: u32,
    /// The most that late packets can raise it to, in milliseconds. At most 200.
    pub most_delay_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { least_delay_ms: 40, most_delay_ms: 120 }
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It will be heard, at least in part.
    InTime,
    /// All of it was there already.
    Duplicate,
    /// It came after its moment.
    Late,
    /// Its timestamp is far from the others'; if the next agrees with it, the timeline moves there.
    Astray,
}

/// What a frame is made of, in samples; the rest of it is silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    /// Samples that came.
    pub heard: usize,
    /// Samples made up.
    pub concealed: usize,
}

/// Samples kept before a packet of the least slack, so that the next slightly later one is still in time.
const MARGIN: i32 = 80;
/// How far one correction of the delay goes.
const STEP: usize = 80;
/// Samples over which a shortening is blended.
const BLEND: usize = 40;
/// The most by which one late packet lengthens the delay: 40 ms.
const MOST_GROWTH: i32 = 320;
/// Frames in a row that brought only late packets before the timeline moves to them.
const LATE_FRAMES: u32 = 3;
/// Frames between shortenings.
const SHORTEN_EVERY: u32 = 10;
/// Mean magnitude below which a place counts as quiet.
const QUIET: u32 = 160;

/// One stream's buffer.
#[derive(Debug, Clone)]
pub struct JitterBuffer {
    least_delay: i32,
    most_delay: i32,
    timeline: Timeline,
    concealment: Concealment,
    slack: Slack,
    /// The timestamp of the next sample to be played; none before the first packet.
    cursor: Option<u32>,
    /// Samples still to be made up without moving on, to lengthen the delay.
    stall: usize,
    since_shortened: u32,
    came_in_time: bool,
    came_late: bool,
    late_frames: u32,
    astray: Option<u32>,
}

impl JitterBuffer {
    /// An empty buffer.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let samples = |ms: u32| i32::try_from(ms.clamp(10, 200)).unwrap_or(40) * 8;
        let least_delay = samples(settings.least_delay_ms);
        Self {
            least_delay,
            most_delay: samples(settings.most_delay_ms).max(least_delay),
            timeline: Timeline::new(),
            concealment: Concealment::default(),
            slack: Slack::default(),
            cursor: None,
            stall: 0,
            since_shortened: 0,
            came_in_time: false,
            came_late: false,
            late_frames: 0,
            astray: None,
        }
    }

    /// Forgets what waits and the timeline; the next packet starts a new one. For a new source.
    pub fn restart(&mut self) {
        self.timeline.clear();
        self.slack = Slack::default();
        self.cursor = None;
        self.stall = 0;
        self.late_frames = 0;
        self.astray = None;
    }

    /// Takes a packet's samples that arrived `age` before this call.
    pub fn insert(&mut self, timestamp: u32, audio: &[i16], age: Micros) -> Placed {
        let audio = audio.get(..audio.len().min(CAPACITY / 2)).unwrap_or_default();
        let length = audio.len() as i32;
        let mut ahead = match self.cursor {
            Some(cursor) => timestamp.wrapping_sub(cursor).cast_signed(),
            None => self.start_at(timestamp),
        };
        if self.late_frames >= LATE_FRAMES && ahead.saturating_add(length) <= 0 {
            ahead = self.start_at(timestamp);
        }
        if !(-(CAPACITY as i32)..=CAPACITY as i32 - length).contains(&ahead) {
            let agrees = self.astray.is_some_and(|other| timestamp.wrapping_sub(other) < CAPACITY as u32);
            self.astray = Some(timestamp);
            if !agrees {
                return Placed::Astray;
            }
            ahead = self.start_at(timestamp);
        }
        self.astray = None;
        let slack = ahead.saturating_add(i32::try_from(age.min(1_000_000) / 125).unwrap_or(0));
        self.slack.note(slack);
        if slack < 0 {
            self.lengthen(-slack);
        }
        let passed = usize::try_from(-ahead).unwrap_or(0);
        let Some(rest) = audio.get(passed..).filter(|rest| !rest.is_empty()) else {
            self.came_late = true;
            return Placed::Late;
        };
        self.came_in_time = true;
        match self.timeline.write(timestamp.wrapping_add(passed as u32), rest) {
            0 => Placed::Duplicate,
            _ => Placed::InTime,
        }
    }

    /// Fills `out` with the next 20 ms.
    pub fn read(&mut self, out: &mut [i16; FRAME]) -> Frame {
        let mut frame = Frame::default();
        let Some(mut cursor) = self.cursor else {
            out.fill(0);
            return frame;
        };
        self.note_frame();
        let stalled = self.stall.min(FRAME);
        let (stretch, mut rest) = out.split_at_mut(stalled);
        if stalled > 0 {
            self.stall -= stalled;
            self.concealment.fill(stretch);
        }
        let mut blended = [0i16; BLEND];
        let shortened = stalled == 0 && self.shorten(&mut cursor, &mut blended);
        while !rest.is_empty() {
            let (there, length) = self.timeline.run(cursor, rest.len());
            let (run, after) = rest.split_at_mut(length.max(1).min(rest.len()));
            if there {
                self.timeline.copy(cursor, run);
                if shortened && frame == Frame::default() {
                    blend(&blended, run);
                }
                self.concealment.good(run);
                frame.heard += run.len();
            } else {
                frame.concealed += self.concealment.fill(run);
            }
            self.timeline.forget(cursor, run.len());
            cursor = cursor.wrapping_add(run.len() as u32);
            rest = after;
        }
        self.cursor = Some(cursor);
        frame
    }

    /// The delay between the arrival of the fastest packet of the last seconds and its playing, in
    /// milliseconds.
    #[must_use]
    pub fn delay_ms(&self) -> u32 {
        self.slack.span().map_or(0, |span| u32::try_from(span.most / 8).unwrap_or(0))
    }

    /// Starts the timeline anew, so that this timestamp is played after the least delay, which it returns.
    fn start_at(&mut self, timestamp: u32) -> i32 {
        self.restart();
        self.cursor = Some(timestamp.wrapping_sub(self.least_delay.cast_unsigned()));
        self.least_delay
    }

    fn note_frame(&mut self) {
        self.slack.frame();
        if self.came_in_time {
            self.late_frames = 0;
        } else if self.came_late {
            self.late_frames += 1;
        }
        self.came_in_time = false;
        self.came_late = false;
        self.since_shortened = self.since_shortened.saturating_add(1);
    }

    /// A packet came so many samples too late.
    fn lengthen(&mut self, by: i32) {
        let delay = self.slack.span().map_or(self.least_delay, |span| span.most);
        let wanted = (by + MARGIN).min(MOST_GROWTH).min(self.most_delay - delay);
        let steps = usize::try_from(wanted).unwrap_or(0) / STEP;
        self.stall += steps * STEP;
        self.slack.shift((steps * STEP) as i32);
    }

    /// Moves the cursor on by a step where every packet of the last seconds came with time to spare.
    /// `passed_over` gets what would have been played, to be blended with what is.
    fn shorten(&mut self, cursor: &mut u32, passed_over: &mut [i16; BLEND]) -> bool {
        let Some(Span { least, most }) = self.slack.span().filter(|_| self.slack.is_settled()) else {
            return false;
        };
        let spare = (least - MARGIN).min(most - self.least_delay);
        if spare < STEP as i32 || self.since_shortened < SHORTEN_EVERY {
            return false;
        }
        if spare < 4 * STEP as i32 && !self.is_quiet(*cursor) {
            return false;
        }
        self.since_shortened = 0;
        self.timeline.copy(*cursor, passed_over);
        let all_there =
            matches!(self.timeline.run(*cursor, STEP + BLEND), (true, length) if length == STEP + BLEND);
        self.timeline.forget(*cursor, STEP);
        *cursor = cursor.wrapping_add(STEP as u32);
        self.slack.shift(-(STEP as i32));
        all_there
    }

    fn is_quiet(&self, cursor: u32) -> bool {
        let (there, length) = self.timeline.run(cursor, STEP + BLEND);
        if !there {
            return length == STEP + BLEND;
        }
        let mut samples = [0i16; STEP + BLEND];
        self.timeline.copy(cursor, &mut samples);
        let sum: u32 = samples.iter().map(|sample| u32::from(sample.unsigned_abs())).sum();
        sum < QUIET * samples.len() as u32
    }
}

/// Leads from what would have been played into what is.
fn blend(from: &[i16; BLEND], to: &mut [i16]) {
    for (index, (new, old)) in to.iter_mut().zip(from).enumerate() {
        let weight = (index + 1) as f32 / (BLEND + 1) as f32;
        *new = (f32::from(*new) * weight + f32::from(*old) * (1.0 - weight)) as i16;
    }
}
