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

/// The levels of what was sent, newest first, and what is known of each delay.
#[derive(Debug)]
pub(super) struct Path {
    sent: [[f32; BANDS]; DELAYS],
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
            sent: [[NOTHING; BANDS]; DELAYS],
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
            self.sent.copy_within(..DELAYS - 1, 1);
            self.sent[0] = levels.db;
        }
    }

    /// Whether nothing was sent that could come back.
    pub(super) const fn is_silent(&self) -> bool {
        self.silent >= DELAYS
    }

    /// The loudest echo that would come now, in decibels below full scale.
    pub(super) fn explains(&self, settings: &Settings) -> [f32; BANDS] {
        let gain_max = -settings.loss_db_min;
        let around = self.around();
        let mut loudest = [NOTHING; BANDS];
        let known = self.gain_db.iter().zip(&self.varies_db).zip(&self.seen);
        for (sent, ((gains, varies), seen)) in around.iter().zip(known) {
            let against = HELD_AGAINST * (varies - VARIES_DB).max(0.0);
            for (((loudest, sent), gain), seen) in loudest.iter_mut().zip(sent).zip(gains).zip(seen) {
                let judged = (gain - against).min(gain_max);
                *loudest = loudest.max(sent + if *seen < SEEN_MIN { gain_max } else { judged });
            }
        }
        loudest
    }

    /// For each delay, the loudest that was sent around it.
    fn around(&self) -> [[f32; BANDS]; DELAYS] {
        let mut wide = [[NOTHING; BANDS]; DELAYS + 2 * AROUND];
        if let Some(middle) = wide.get_mut(AROUND..AROUND + DELAYS) {
            middle.copy_from_slice(&self.sent);
        }
        // Three neighbours, then three such groups.
        let mut three = [[NOTHING; BANDS]; DELAYS + 2 * AROUND];
        let next = wide.iter().zip(wide.iter().skip(1)).zip(wide.iter().skip(2));
        for (to, ((one, two), last)) in three.iter_mut().zip(next) {
            *to = loudest([one, two, last]);
        }
        let mut nine = [[NOTHING; BANDS]; DELAYS];
        let next = three.iter().zip(three.iter().skip(3)).zip(three.iter().skip(6));
        for (to, ((one, two), last)) in nine.iter_mut().zip(next) {
            *to = loudest([one, two, last]);
        }
        nine
    }

    /// Learns from what comes now.
    pub(super) fn learn(&mut self, comes: &Levels) {
        let known = self.gain_db.iter_mut().zip(&mut self.varies_db).zip(&mut self.seen);
        for (sent, ((gains, varies), seen)) in self.sent.iter().zip(known) {
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

/// The loudest of three, band by band.
fn loudest(of: [&[f32; BANDS]; 3]) -> [f32; BANDS] {
    let [mut loudest, two, last] = of.map(|levels| *levels);
    for ((loudest, two), last) in loudest.iter_mut().zip(two).zip(last) {
        *loudest = loudest.max(two).max(last);
    }
    loudest
}
