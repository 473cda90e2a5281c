//! Finished clips by what was asked for, bounded by the memory that they hold.

use std::collections::{BTreeMap, HashMap};

use crate::audio::Clip;
use crate::engine::SpeakRequest;

/// Clips, least recently used out first.
#[derive(Debug)]
pub(super) struct Cache {
    bytes_max: usize,
    bytes: usize,
    uses: u64,
    clips: HashMap<SpeakRequest, (Clip, u64)>,
    by_use: BTreeMap<u64, SpeakRequest>,
}

impl Cache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: 0, uses: 0, clips: HashMap::new(), by_use: BTreeMap::new() }
    }

    pub(super) fn get(&mut self, request: &SpeakRequest) -> Option<Clip> {
        let (clip, used) = self.clips.get_mut(request)?;
        self.uses += 1;
        if let Some(key) = self.by_use.remove(used) {
            self.by_use.insert(self.uses, key);
        }
        *used = self.uses;
        Some(clip.clone())
    }

    /// Keeps `clip`, unless it alone is over the bound.
    pub(super) fn insert(&mut self, request: &SpeakRequest, clip: Clip) {
        let size = size(request, &clip);
        if size > self.bytes_max || self.clips.contains_key(request) {
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
        self.by_use.insert(self.uses, request.clone());
        self.clips.insert(request.clone(), (clip, self.uses));
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size(request: &SpeakRequest, clip: &Clip) -> usize {
    size_of_val(&*clip.samples) + size_of_val(&*clip.words) + 2 * (request.text.len() + request.voice.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> SpeakRequest {
        SpeakRequest { text: text.into(), voice: String::new(), rate_hz: 8_000 }
    }

    fn clip(samples: usize) -> Clip {
        Clip { rate_hz: 8_000, samples: vec![0; samples].into(), words: [].into() }
    }

    #[test]
    fn the_least_recently_used_clip_goes_first_and_the_bound_holds() {
        let mut cache = Cache::new(2_100);
        cache.insert(&request("a"), clip(500));
        cache.insert(&request("b"), clip(500));
        assert!(cache.get(&request("a")).is_some());
        cache.insert(&request("c"), clip(500));
        assert!(cache.get(&request("b")).is_none());
        assert!(cache.get(&request("a")).is_some() && cache.get(&request("c")).is_some());
        cache.insert(&request("too large"), clip(2_000));
        assert!(cache.get(&request("too large")).is_none());
        assert!(cache.bytes() <= 2_100);
    }
}
