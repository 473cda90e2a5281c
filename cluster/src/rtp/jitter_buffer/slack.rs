//! How early packets came before they were needed, over the last three seconds.

const BUCKETS: usize = 6;
/// Frames per bucket: half a second.
const FRAMES: u32 = 25;

/// The least and the most, in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) least: i32,
    pub(super) most: i32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Slack {
    buckets: [Option<Span>; BUCKETS],
    newest: usize,
    frames: u32,
    filled: usize,
}

impl Slack {
    pub(super) fn note(&mut self, slack: i32) {
        if let Some(bucket) = self.buckets.get_mut(self.newest) {
            let span = bucket.get_or_insert(Span { least: slack, most: slack });
            span.least = span.least.min(slack);
            span.most = span.most.max(slack);
        }
    }

    /// One frame went by.
    pub(super) fn frame(&mut self) {
        self.frames += 1;
        if self.frames >= FRAMES {
            self.frames = 0;
            self.newest = (self.newest + 1) % BUCKETS;
            self.filled = (self.filled + 1).min(BUCKETS);
            if let Some(bucket) = self.buckets.get_mut(self.newest) {
                *bucket = None;
            }
        }
    }

    /// The reading position moved: everything came so much earlier (or later, if negative) than was noted.
    pub(super) fn shift(&mut self, samples: i32) {
        for span in self.buckets.iter_mut().flatten() {
            span.least += samples;
            span.most += samples;
        }
    }

    pub(super) fn span(&self) -> Option<Span> {
        self.buckets
            .iter()
            .flatten()
            .copied()
            .reduce(|one, other| Span { least: one.least.min(other.least), most: one.most.max(other.most) })
    }

    /// Whether it has seen as much time as it holds.
    pub(super) fn is_settled(&self) -> bool {
        self.filled >= BUCKETS - 1
    }
}
