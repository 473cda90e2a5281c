//! Something that can be played: a finished clip or a stream that an engine is still writing.

use super::{AudioReceiver, Clip, MarkKind};

/// What one [`Speech::read`] brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    /// Samples written to the start of the buffer.
    pub samples: usize,
    /// The last word that begins at or before the end of what was read so far.
    pub word: Option<u32>,
    /// Nothing more will come.
    pub ended: bool,
}

/// An utterance's audio, read once from start to end by the media thread that plays it.
#[derive(Debug)]
pub struct Speech {
    source: Source,
    word: Option<u32>,
}

#[derive(Debug)]
enum Source {
    Clip { clip: Clip, position: usize, next_word: usize },
    Stream { receiver: AudioReceiver, ended: bool },
}

impl Speech {
    /// Plays a finished clip from its start.
    #[must_use]
    pub fn clip(clip: Clip) -> Self {
        Self { source: Source::Clip { clip, position: 0, next_word: 0 }, word: None }
    }

    /// Plays what an engine writes, until its [`MarkKind::End`] or until its sender is dropped.
    #[must_use]
    pub fn stream(receiver: AudioReceiver) -> Self {
        Self { source: Source::Stream { receiver, ended: false }, word: None }
    }

    /// Sampling rate in hertz.
    #[must_use]
    pub fn rate_hz(&self) -> u32 {
        match &self.source {
            Source::Clip { clip, .. } => clip.rate_hz,
            Source::Stream { receiver, .. } => receiver.rate_hz(),
        }
    }

    /// Fills the start of `out` with what is there. Fewer samples than asked for without `ended` means that
    /// the engine is late; the player sends silence and asks again.
    pub fn read(&mut self, out: &mut [i16]) -> Read {
        match &mut self.source {
            Source::Clip { clip, position, next_word } => {
                let rest = clip.samples.get(*position..).unwrap_or_default();
                let count = rest.len().min(out.len());
                for (to, from) in out.iter_mut().zip(rest) {
                    *to = *from;
                }
                *position += count;
                while let Some(mark) =
                    clip.words.get(*next_word).filter(|mark| mark.at_sample < *position as u64)
                {
                    self.word = Some(mark.word);
                    *next_word += 1;
                }
                Read { samples: count, word: self.word, ended: *position >= clip.samples.len() }
            }
            Source::Stream { receiver, ended } => {
                let samples = receiver.read(out);
                while let Some(mark) = receiver.next_mark() {
                    match mark.kind {
                        MarkKind::Word(word) => self.word = Some(word),
                        MarkKind::End => *ended = true,
                        MarkKind::SpeechStarted | MarkKind::SpeechStopped => {}
                    }
                }
                let ended = (*ended && receiver.waiting() == 0) || receiver.is_finished();
                Read { samples, word: self.word, ended }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::audio_ring;

    #[test]
    fn a_clip_reports_words_as_they_begin() {
        let mut speech = Speech::clip(Clip::with_estimated_words(8_000, vec![7; 400].into(), "one two"));
        let mut out = [0; 160];
        assert_eq!(speech.read(&mut out), Read { samples: 160, word: Some(0), ended: false });
        assert_eq!(speech.read(&mut out), Read { samples: 160, word: Some(1), ended: false });
        assert_eq!(speech.read(&mut out), Read { samples: 80, word: Some(1), ended: true });
    }

    #[test]
    fn a_stream_ends_when_its_sender_is_dropped() {
        let (mut sender, receiver) = audio_ring(8_000, 320);
        let mut speech = Speech::stream(receiver);
        let mut out = [0; 160];
        assert_eq!(speech.read(&mut out), Read::default());
        sender.write(&[1; 160]);
        drop(sender);
        assert_eq!(speech.read(&mut out), Read { samples: 160, word: None, ended: true });
    }
}
