//! Whose voice it is, frame by frame.

use super::super::FRAME;
use super::Settings;
use super::levels::{BANDS, Levels, SLOT, is_nothing};
use super::path::Path;

/// Slots of a frame.
const SLOTS: usize = FRAME / SLOT;
/// Slots that are looked at together, and how many of them have to be beyond what an echo explains: 30 of 60 ms.
const RECENT: u32 = 6;
const BEYOND_MIN: u32 = 3;
/// Slots for which a caller counts as speaking after the last that was beyond: 200 ms, so that weak syllables and short
/// pauses stay theirs.
const HOLD: u32 = 20;
/// Slots for which nothing is learnt while a caller speaks over us, 600 ms. What they say is no echo; but where it
/// goes on, the line may be another.
const UNLEARNT: u32 = 60;
/// What is quieter is nobody's, in decibels below full scale.
const FAINT_DBFS: f32 = -60.0;

/// Whose a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The caller's, or nobody's.
    Caller,
    /// Ours: all of it can be an echo of what was sent.
    Ours,
}

/// One line's.
#[derive(Debug)]
pub struct Echo {
    settings: Settings,
    /// What was sent with the last frame.
    waiting: [Levels; SLOTS],
    /// Allocated when something is sent.
    pub(super) path: Option<Box<Path>>,
    /// One bit per slot, newest lowest: whether it was beyond what an echo explains.
    beyond: u32,
    /// Slots for which the caller still counts as speaking.
    open: u32,
    /// Slots since they began to.
    open_for: u32,
    held_back_ms: u64,
}

impl Echo {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            waiting: [Levels::NONE; SLOTS],
            path: None,
            beyond: 0,
            open: 0,
            open_for: 0,
            held_back_ms: 0,
        }
    }

    /// 20 ms that are sent: they can come back with the next frame at the earliest.
    pub fn sent(&mut self, ours: &[i16; FRAME]) {
        let is_silence = self.path.is_none() && is_nothing(ours);
        if is_silence || !self.settings.held_back {
            return;
        }
        self.path.get_or_insert_default();
        for (levels, slot) in self.waiting.iter_mut().zip(ours.as_chunks().0) {
            *levels = Levels::of(slot);
        }
    }

    /// Whose the 20 ms are that come now.
    pub fn comes(&mut self, theirs: &[i16; FRAME]) -> Whose {
        let Some(path) = &mut self.path else { return Whose::Caller };
        for waiting in &mut self.waiting {
            path.send(&std::mem::replace(waiting, Levels::NONE));
        }
        if path.is_silent() {
            (self.beyond, self.open, self.open_for) = (0, 0, 0);
            return Whose::Caller;
        }
        let slots: [Levels; SLOTS] = std::array::from_fn(|slot| {
            theirs.as_chunks::<SLOT>().0.get(slot).map_or(Levels::NONE, Levels::of)
        });
        // What nobody would have taken for a voice is not held back.
        let is_heard = slots.iter().any(|slot| slot.loudest_db() > FAINT_DBFS);
        let explained = if is_heard { path.explains(&self.settings) } else { [0.0; BANDS] };
        for slot in &slots {
            let beyond =
                slot.loudest_db() > FAINT_DBFS && is_beyond(slot, &explained, self.settings.margin_db);
            self.beyond = (self.beyond << 1 | u32::from(beyond)) & ((1 << RECENT) - 1);
            let speaks = self.beyond.count_ones() >= BEYOND_MIN;
            self.open = if speaks { HOLD } else { self.open.saturating_sub(1) };
            self.open_for = if self.open > 0 { self.open_for.saturating_add(1) } else { 0 };
        }
        if self.open_for == 0 || self.open_for > UNLEARNT {
            slots.last().into_iter().for_each(|comes| path.learn(comes));
        }
        if self.open > 0 || !is_heard {
            return Whose::Caller;
        }
        self.held_back_ms += 20;
        Whose::Ours
    }

    /// How much of what came was taken for an echo, in milliseconds.
    #[must_use]
    pub const fn held_back_ms(&self) -> u64 {
        self.held_back_ms
    }

    /// The delay in milliseconds and the loss in decibels of the line's echo, where it has one that is known.
    #[must_use]
    pub fn known(&self) -> Option<(usize, f32)> {
        self.path.as_ref()?.known()
    }
}

/// Whether at least half of the power is in bands that are louder than what explains them.
fn is_beyond(comes: &Levels, explained: &[f32], margin_db: f32) -> bool {
    let bands = comes.db.iter().zip(explained).zip(comes.power);
    let beyond: f32 =
        bands.filter(|((db, explained), _)| **db > **explained + margin_db).map(|(_, power)| power).sum();
    2.0 * beyond >= comes.sum()
}
