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

/// Delays that are worked on side by side: a register of AVX-512, two of AVX2. What is done to each is the same, and
/// in the same order, whatever the processor.
const LANES: usize = 16;
/// Groups of that many.
const GROUPS: usize = DELAYS / LANES;

/// A group's levels, gains or variations.
type Group = [f32; LANES];

/// The levels of what was sent, newest first, and what is known of each delay.
#[derive(Debug)]
pub(super) struct Path {
    sent: Latest,
    /// For each delay, the loudest that was sent around it.
    around: Latest,
    /// How much louder what comes is than what was sent, in decibels.
    gain_db: [[Group; GROUPS]; BANDS],
    /// By how much that varies.
    varies_db: [Group; GROUPS],
    /// How often it was compared, up to the window.
    seen: [[[u8; LANES]; GROUPS]; BANDS],
    /// Slots since something loud was sent.
    silent: usize,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            sent: Latest::default(),
            around: Latest::default(),
            gain_db: [[[RATIO_DB_MIN; LANES]; GROUPS]; BANDS],
            varies_db: [[0.0; LANES]; GROUPS],
            seen: [[[0; LANES]; GROUPS]; BANDS],
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
            for ((sent, around), level) in self.sent.bands().zip(self.around.bands_mut()).zip(levels.db) {
                let newest = sent.iter().take(AROUND + 1).copied().fold(NOTHING, louder);
                if let Some((first, others)) = around.split_first_mut() {
                    *first = newest;
                    others.iter_mut().take(AROUND).for_each(|around| *around = louder(*around, level));
                }
            }
        }
    }

    /// Whether nothing was sent that could come back.
    pub(super) const fn is_silent(&self) -> bool {
        self.silent >= DELAYS
    }

    /// The loudest echo that would come now, in decibels below full scale.
    pub(super) fn explains(&self, settings: &Settings) -> [f32; BANDS] {
        pulp::Arch::new().dispatch(Explaining { path: self, gain_max: -settings.loss_db_min })
    }

    /// Learns from what comes now.
    pub(super) fn learn(&mut self, comes: &Levels) {
        pulp::Arch::new().dispatch(Learning { path: self, comes: &comes.db });
    }

    /// The delay in milliseconds and the loss in decibels of the echo that is known, where one is.
    pub(super) fn known(&self) -> Option<(usize, f32)> {
        let varies = self.varies_db.as_flattened();
        let is_known =
            |at: usize| self.seen.iter().any(|seen| seen.as_flattened().get(at) >= Some(&(WINDOW / 2)));
        let judged = varies.iter().enumerate().filter(|(at, varies)| **varies < VARIES_DB && is_known(*at));
        let (at, _) = judged.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
        let gains = self.gain_db.iter().filter_map(|gains| gains.as_flattened().get(at));
        Some((20 + at * SLOT / 8, -gains.copied().fold(RATIO_DB_MIN, louder)))
    }
}

/// Work that is compiled once for each kind of processor. All that it calls is inlined: what is a function of its own is
/// compiled for the oldest.
struct Explaining<'a> {
    path: &'a Path,
    gain_max: f32,
}

impl pulp::WithSimd for Explaining<'_> {
    type Output = [f32; BANDS];

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> [f32; BANDS] {
        let Path { around, gain_db, varies_db, seen, .. } = self.path;
        let mut explained = [NOTHING; BANDS];
        for band in 0..BANDS {
            let (sent, gains, seen) = (around.groups(band), &gain_db[band], &seen[band]);
            let mut loudest = [NOTHING; LANES];
            for group in 0..GROUPS.min(sent.len()) {
                let (sent, gains) = (&sent[group], &gains[group]);
                let (varies, seen) = (&varies_db[group], &seen[group]);
                for lane in 0..LANES {
                    let against = HELD_AGAINST * louder(varies[lane] - VARIES_DB, 0.0);
                    let judged = quieter(gains[lane] - against, self.gain_max);
                    let gain = if seen[lane] < SEEN_MIN { self.gain_max } else { judged };
                    loudest[lane] = louder(loudest[lane], sent[lane] + gain);
                }
            }
            for loud in loudest {
                explained[band] = louder(explained[band], loud);
            }
        }
        explained
    }
}

/// The same.
struct Learning<'a> {
    path: &'a mut Path,
    comes: &'a [f32; BANDS],
}

impl pulp::WithSimd for Learning<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Path { sent, gain_db, varies_db, seen, .. } = self.path;
        for group in 0..GROUPS {
            let (mut off, mut compared, mut weight) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
            for band in 0..BANDS {
                let Some(sent) = sent.groups(band).get(group) else { return };
                let (gains, seen) = (&mut gain_db[band][group], &mut seen[band][group]);
                for lane in 0..LANES {
                    // Without a branch, so that the delays are worked on together.
                    let loud = f32::from(u8::from(sent[lane] > LOUD_DBFS));
                    let before = f32::from(seen[lane]);
                    let share = loud / (before + 1.0);
                    let ratio = quieter(louder(self.comes[band] - sent[lane], RATIO_DB_MIN), RATIO_DB_MAX);
                    let difference = ratio - gains[lane];
                    let bounded = quieter(louder(difference, -OFF_DB_MAX), OFF_DB_MAX);
                    // The first comparison is with nothing.
                    let again = quieter(before, loud);
                    gains[lane] += share * if seen[lane] == 0 { difference } else { bounded };
                    off[lane] += again * bounded.abs();
                    compared[lane] += again;
                    weight[lane] = louder(weight[lane], share * again);
                    seen[lane] = (seen[lane] + u8::from(sent[lane] > LOUD_DBFS)).min(WINDOW - 1);
                }
            }
            let varies = &mut varies_db[group];
            for lane in 0..LANES {
                varies[lane] += (off[lane] / louder(compared[lane], 1.0) - varies[lane]) * weight[lane];
            }
        }
    }
}

/// The louder of two. Of a level that is none, the other: a comparison is one instruction, the library's are three.
#[inline(always)]
fn louder(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
}

/// The quieter of two.
#[inline(always)]
fn quieter(one: f32, other: f32) -> f32 {
    if one < other { one } else { other }
}

/// One entry for each delay, newest first. A new one moves nothing: the newest lie before the others until there is no
/// room left, and only then all move to the end.
#[derive(Debug)]
struct Latest {
    entries: [[f32; DELAYS + ROOM]; BANDS],
    /// Where the newest lies.
    first: usize,
}

impl Default for Latest {
    fn default() -> Self {
        Self { entries: [[NOTHING; DELAYS + ROOM]; BANDS], first: ROOM }
    }
}

impl Latest {
    fn push(&mut self, newest: [f32; BANDS]) {
        if self.first == 0 {
            self.entries.iter_mut().for_each(|band| band.copy_within(..DELAYS - 1, ROOM + 1));
            self.first = ROOM + 1;
        }
        self.first -= 1;
        for (band, newest) in self.entries.iter_mut().zip(newest) {
            if let Some(entry) = band.get_mut(self.first) {
                *entry = newest;
            }
        }
    }

    fn bands(&self) -> impl Iterator<Item = &[f32]> {
        self.entries.iter().map(|band| band.get(self.first..).unwrap_or_default())
    }

    fn bands_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let first = self.first;
        self.entries.iter_mut().map(move |band| band.get_mut(first..).unwrap_or_default())
    }

    /// A band's entries, for each delay.
    #[inline(always)]
    fn groups(&self, band: usize) -> &[Group] {
        self.entries[band].get(self.first..).unwrap_or_default().as_chunks().0
    }
}
