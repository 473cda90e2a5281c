//! What is said elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::super::NAME;
use super::super::metrics::{self as measured, Sense};
use super::shared::Shared;
use super::trouble::nobody;
use super::utterance::Utterance;
use crate::Error;
use crate::engine::{SpeakRequest, Speaking, SpeechReady, TextToSpeech};

/// Text to speech on other nodes.
pub(super) struct Mouths {
    shared: Arc<Shared>,
    instead: Option<Arc<dyn TextToSpeech>>,
    under_way: Arc<AtomicUsize>,
}

/// One of the utterances under way.
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Dropped, it cancels what has no audio yet. What has, ends when whoever plays it drops that.
struct Handle {
    _cancel: watch::Sender<()>,
}

impl Speaking for Handle {}

impl Mouths {
    pub(super) fn new(shared: Arc<Shared>, instead: Option<Arc<dyn TextToSpeech>>) -> Self {
        Self { shared, instead, under_way: Arc::default() }
    }
}

impl TextToSpeech for Mouths {
    fn name(&self) -> &'static str {
        NAME
    }

    /// What the nodes said when they were last looked at; where none works, nobody is full.
    fn has_room(&self) -> bool {
        let is_full = self.under_way.load(Ordering::Acquire) >= self.shared.settings.speaking_max;
        let here = || self.instead.as_ref().is_some_and(|instead| instead.has_room());
        match self.shared.has_room(Sense::Speaking) {
            Some(there) => !is_full && there || here(),
            None => self.instead.as_ref().is_none_or(|instead| instead.has_room()),
        }
    }

    fn speak(&self, request: SpeakRequest, ready: SpeechReady) -> Result<Box<dyn Speaking>, Error> {
        if self.shared.pick(Sense::Speaking, &[]).is_none() {
            let Some(instead) = &self.instead else {
                measured::count_nobody(Sense::Speaking);
                return Err(nobody(self.shared.links.len(), None));
            };
            measured::count_instead(Sense::Speaking);
            return instead.speak(request, ready);
        }
        let limit = self.shared.settings.speaking_max;
        let taken = self
            .under_way
            .try_update(Ordering::AcqRel, Ordering::Acquire, |count| (count < limit).then_some(count + 1));
        if taken.is_err() {
            return Err(Error::Full { engine: NAME, limit });
        }
        let under_way = UnderWay(Arc::clone(&self.under_way));
        let (cancel, cancelled) = watch::channel(());
        let utterance =
            Utterance::new(Arc::clone(&self.shared), self.instead.clone(), request, ready, under_way);
        self.shared.runtime.spawn(utterance.carry(cancelled));
        Ok(Box::new(Handle { _cancel: cancel }))
    }
}
