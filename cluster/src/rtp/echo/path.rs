//! What is known of the way from what was sent to what comes, delay by delay.

use super::Settings;
use super::levels::{BANDS, Levels, NOTHING, SLOT};

/// Delays that are known of, 10 ms apart: from 20 ms, which our packets take at least, to 650 ms.
pub(super) const DELAYS: usize = 64;
/// What was sent is compared where a band of it is louder than this, in decibels below full scale: below, the line's
/// noise is compared with.
const LOUD_DBFS: f32 = -50.0;
/// Comparisons over which is averaged, one every 20 ms: half a second of our voice.
const WINDOW: u8 = 24;
/// Comparisons before a delay is judged by them.
const SEEN_MIN: u8 = 8;
/// How much the loss of an echo varies between slots, in decibels: by what codecs, rooms and slots' edges do.
const VARIES_DB: f32 = 6.0;
/// What each decibel beyond that is held against a delay with, in decibels.
const HELD_AGAINST: f32 = 4.0;
/// What a comparison may say, in decibels.
const RATIO_DB_MIN: f32 = -60.0;
const RATIO_DB_MAX: f32 = 20.0;
/// The most by which it may differ from those before it, so that a lost packet isn't taken for much.
const OFF_DB_MAX: f32 = 16.0;
/// Slots to either side of a delay in which it explains what comes: a jitter buffer moves by so much at once.
const AROUND: usize = 4;

/// Room for new entries before old ones are moved.
const ROOM: usize = 16;

/// The levels of what was sent, newest first, and what is known of each delay.
#[derive(Debug)]
pub(super) struct Path {
    sent: Latest,
    /// For each delay, the loudest that was sent around it.
    around: Latest,
    /// How much louder what comes is than what was sent, in decibels.
    gain_db: [[f32; BANDS]; DELAYS],
    /// By how much that varies.
    varies_db: [f32; DELAYS],
    /// How often it was compared, up to the window.
    seen: [[u8; BANDS]; DELAYS],
    /// Slots since something loud was sent.
    silent: usize,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            sent: Latest::default(),
            around: Latest::default(),
            gain_db: [[RATIO_DB_MIN; BANDS]; DELAYS],
            varies_db: [0.0; DELAYS],
            seen: [[0; BANDS]; DELAYS],
            silent: DELAYS,
        }
    }
}

impl Path {
    /// So much was sent, 20 ms ago.
    pub(super) fn send(&mut self, levels: &Levels) {
        self.silent = if levels.loudest_db() > LOUD_DBFS { 0 } else { self.silent.saturating_add(1) };
        if self.silent <= DELAYS {
            self.sent.push(levels.db);
            self.around.push([NOTHING; BANDS]);
            let before = self.sent.all().iter().take(AROUND + 1);
            let newest = before.fold([NOTHING; BANDS], louder);
            if let Some((first, others)) = self.around.all_mut().split_first_mut() {
                *first = newest;
                others.iter_mut().take(AROUND).for_each(|around| *around = louder(*around, &levels.db));
            }
        }
    }

    /// Whether nothing was sent that could come back.
    pub(super) const fn is_silent(&self) -> bool {
        self.silent >= DELAYS
    }

    /// The loudest echo that would come now, in decibels below full scale.
    pub(super) fn explains(&self, settings: &Settings) -> [f32; BANDS] {
        let gain_max = -settings.loss_db_min;
        let mut loudest = [NOTHING; BANDS];
        let known = self.gain_db.iter().zip(&self.varies_db).zip(&self.seen);
        for (sent, ((gains, varies), seen)) in self.around.all().iter().zip(known) {
            let against = HELD_AGAINST * (varies - VARIES_DB).max(0.0);
            for (((loudest, sent), gain), seen) in loudest.iter_mut().zip(sent).zip(gains).zip(seen) {
                let judged = (gain - against).min(gain_max);
                *loudest = loudest.max(sent + if *seen < SEEN_MIN { gain_max } else { judged });
            }
        }
        loudest
    }

    /// Learns from what comes now.
    pub(super) fn learn(&mut self, comes: &Levels) {
        let known = self.gain_db.iter_mut().zip(&mut self.varies_db).zip(&mut self.seen);
        for (sent, ((gains, varies), seen)) in self.sent.all().iter().zip(known) {
            let (mut off, mut compared, mut weight) = (0.0_f32, 0.0_f32, 0.0_f32);
            for (((gain, seen), sent), comes) in gains.iter_mut().zip(seen).zip(sent).zip(comes.db) {
                // Without a branch, so that the bands are worked on together.
                let loud = f32::from(u8::from(*sent > LOUD_DBFS));
                let before = f32::from(*seen);
                let share = loud / (before + 1.0);
                let difference = (comes - sent).clamp(RATIO_DB_MIN, RATIO_DB_MAX) - *gain;
                let bounded = difference.clamp(-OFF_DB_MAX, OFF_DB_MAX);
                // The first comparison is with nothing.
                let again = before.min(loud);
                *gain += share * if *seen == 0 { difference } else { bounded };
                off += again * bounded.abs();
                compared += again;
                weight = weight.max(share * again);
                *seen = (*seen + u8::from(*sent > LOUD_DBFS)).min(WINDOW - 1);
            }
            *varies += (off / compared.max(1.0) - *varies) * weight;
        }
    }

    /// The delay in milliseconds and the loss in decibels of the echo that is known, where one is.
    pub(super) fn known(&self) -> Option<(usize, f32)> {
        let judged = self.seen.iter().zip(&self.varies_db).enumerate();
        let (at, _) = judged
            .filter(|(_, (seen, varies))| seen.iter().any(|seen| *seen >= WINDOW / 2) && **varies < VARIES_DB)
            .min_by(|(_, (_, one)), (_, (_, other))| one.total_cmp(other))?;
        let loudest = self.gain_db.get(at)?.iter().copied().fold(RATIO_DB_MIN, f32::max);
        Some((20 + at * SLOT / 8, -loudest))
    }
}

/// The louder of two, band by band.
fn louder(mut one: [f32; BANDS], other: &[f32; BANDS]) -> [f32; BANDS] {
    for (one, other) in one.iter_mut().zip(other) {
        *one = one.max(*other);
    }
    one
}

/// One entry for each delay, newest first. A new one moves nothing: the newest lie before the others until there is no
/// room left, and only then all move to the end.
#[derive(Debug)]
struct Latest {
    entries: [[f32; BANDS]; DELAYS + ROOM],
    /// Where the newest lies.
    first: usize,
}

impl Default for Latest {
    fn default() -> Self {
        Self { entries: [[NOTHING; BANDS]; DELAYS + ROOM], first: ROOM }
    }
}

impl Latest {
    fn push(&mut self, newest: [f32; BANDS]) {
        if self.first == 0 {
            self.entries.copy_within(..DELAYS - 1, ROOM + 1);
            self.first = ROOM + 1;
        }
        self.first -= 1;
        if let Some(entry) = self.entries.get_mut(self.first) {
            *entry = newest;
        }
    }

    fn all(&self) -> &[[f32; BANDS]] {
        self.entries.get(self.first..self.first + DELAYS).unwrap_or_default()
    }

    fn all_mut(&mut self) -> &mut [[f32; BANDS]] {
        self.entries.get_mut(self.first..self.first + DELAYS).unwrap_or_default()
    }
}
