//! What a caller hears while nobody speaks to them: music of the business's own, or a quiet pattern.

mod file;
mod pattern;
mod seam;
mod settings;

use std::collections::HashMap;
use std::path::PathBuf;

use models::audio::{Clip, TELEPHONE_HZ};

pub use settings::{Settings, Sound};

use crate::types::TenantId;

/// The file for the businesses that have none of their own.
const OTHERWISE: &str = "default";

/// The sounds of a node's businesses, at 8 kHz and one level, each made to be heard again and again.
#[derive(Debug, Clone, Default)]
pub struct WaitingSounds {
    own: HashMap<TenantId, Clip>,
    otherwise: Option<Clip>,
}

/// Why there are no such sounds, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or the folder can't be read.
    #[error("{}: {why}; mend it, or set calls.call.waiting.folder to another folder, or to \"\" for none", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// A file is larger than it may be.
    #[error("{} has {bytes} bytes; calls.call.waiting.file_bytes_max allows {most}", .path.display())]
    Large {
        /// Which.
        path: PathBuf,
        /// Its bytes.
        bytes: u64,
        /// How many it may have.
        most: u64,
    },
    /// A sound is longer or shorter than it may be.
    #[error("{} lasts {} a second{}: write one of 1 s to {most} s (calls.call.waiting.seconds_max)", .path.display(), if *.short { "less than" } else { "more than" }, if *.short { "" } else { " too many" })]
    Length {
        /// Which.
        path: PathBuf,
        /// It is too short rather than too long.
        short: bool,
        /// How long it may be, in seconds.
        most: u32,
    },
    /// It is no sound that is known here.
    #[error("{}: {why}; write WAV (PCM) or Ogg/Opus, named <business>.wav, <business>.opus or default.wav", .path.display())]
    Sound {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There are too many.
    #[error("{} has more than {most} sounds; raise calls.call.waiting.files_max or take some away", .path.display())]
    Many {
        /// The folder.
        path: PathBuf,
        /// How many there may be.
        most: usize,
    },
}

impl WaitingSounds {
    /// Reads and checks every file of the folder, and makes the pattern.
    ///
    /// # Errors
    /// [`Error`], for the first file that can't be used.
    pub fn load(settings: &Settings) -> Result<Self, Error> {
        if settings.sound == Sound::Off {
            return Ok(Self::default());
        }
        let level = f64::from(settings.level_dbfs.clamp(-60, -12));
        let ready = |mut samples: Vec<i16>| {
            seam::bring_to(&mut samples, level);
            Clip { rate_hz: TELEPHONE_HZ, samples: seam::closed(samples).into(), words: Vec::new().into() }
        };
        let mut own = HashMap::new();
        let mut otherwise = Some(ready(pattern::pattern()));
        if !settings.folder.as_os_str().is_empty() {
            for (name, samples) in file::read_all(settings)? {
                if name == OTHERWISE {
                    otherwise = Some(ready(samples));
                } else {
                    own.insert(TenantId::new(name), ready(samples));
                }
            }
        }
        Ok(Self { own, otherwise })
    }

    /// What the callers of a business hear; none where they hear nothing.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> Option<Clip> {
        self.own.get(tenant).or(self.otherwise.as_ref()).cloned()
    }
}

#[cfg(test)]
mod tests;
