//! Finished clips by what was asked for, bounded by the memory that they hold.

use std::collections::{BTreeMap, HashMap};

use super::Words;
use crate::audio::Clip;

/// Clips, least recently used out first.
#[derive(Debug)]
pub(super) struct Cache {
    bytes_max: usize,
    bytes: usize,
    uses: u64,
    clips: HashMap<Words, (Clip, u64)>,
    by_use: BTreeMap<u64, Words>,
}

impl Cache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: 0, uses: 0, clips: HashMap::new(), by_use: BTreeMap::new() }
    }

    pub(super) fn get(&mut self, words: &Words) -> Option<Clip> {
        let (clip, used) = self.clips.get_mut(words)?;
        self.uses += 1;
        if let Some(key) = self.by_use.remove(used) {
            self.by_use.insert(self.uses, key);
        }
        *used = self.uses;
        Some(clip.clone())
    }

    /// Keeps `clip`, unless it alone is over the bound.
    pub(super) fn insert(&mut self, words: &Words, clip: Clip) {
        let size = size(words, &clip);
        if size > self.bytes_max || self.clips.contains_key(words) {
            return;
        }
        while self.bytes + size > self.bytes_max {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some((gone, _)) = self.clips.remove(&oldest) {
                self.bytes -= self::size(&oldest, &gone);
            }
        }
        self.uses += 1;
        self.bytes += size;
        self.by_use.insert(self.uses, words.clone());
        self.clips.insert(words.clone(), (clip, self.uses));
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size(words: &Words, clip: &Clip) -> usize {
    size_of_val(&*clip.samples) + size_of_val(&*clip.words) + 2 * (words.text.len() + words.voice.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words { text: text.into(), voice: String::new(), rate_hz: 8_000 }
    }

    fn clip(samples: usize) -> Clip {
        Clip { rate_hz: 8_000, samples: vec![0; samples].into(), words: [].into() }
    }

    #[test]
    fn the_least_recently_used_clip_goes_first_and_the_bound_holds() {
        let mut cache = Cache::new(2_100);
        cache.insert(&words("a"), clip(500));
        cache.insert(&words("b"), clip(500));
        assert!(cache.get(&words("a")).is_some());
        cache.insert(&words("c"), clip(500));
        assert!(cache.get(&words("b")).is_none());
        assert!(cache.get(&words("a")).is_some() && cache.get(&words("c")).is_some());
        cache.insert(&words("too large"), clip(2_000));
        assert!(cache.get(&words("too large")).is_none());
        assert!(cache.bytes() <= 2_100);
    }
}
