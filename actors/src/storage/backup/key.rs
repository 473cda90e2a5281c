//! The key of a backup.

use std::fs::OpenOptions;
use std::io::Write;
use std::num::NonZeroU32;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::pbkdf2;
use aws_lc_rs::rand::fill;
use serde::{Deserialize, Serialize};

use super::{Error, Result};

/// A key of AES-256.
pub(super) type KeyBytes = [u8; 32];

/// Rounds of PBKDF2 for a new backup; OWASP's cheat sheet of 2023 asks for 210,000.
pub(super) const ROUNDS: u32 = 600_000;
/// More are not tried: a file that asks for them was made to keep a machine busy.
const ROUNDS_MAX: u32 = 20_000_000;
/// The shortest passphrase, in bytes.
const PASSPHRASE_BYTES_MIN: usize = 12;

/// Where the key comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// The first line of this file is a passphrase.
    Passphrase(PathBuf),
    /// This file holds a key: 64 hexadecimal digits.
    KeyFile(PathBuf),
}

impl KeySource {
    /// Makes a key file with a key of its own, which its owner alone may read.
    ///
    /// # Errors
    /// The file is there already, or can't be made.
    pub fn make(path: &Path) -> Result<Self> {
        let failed = |why| Error::File { path: path.to_owned(), why };
        let mut key: KeyBytes = [0; 32];
        fill(&mut key).map_err(|_| Error::Stopped { why: "the system gave no randomness".to_owned() })?;
        let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = made.map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(Self::KeyFile(path.to_owned()))
    }

    /// How a backup says which it is.
    pub(super) const fn kind(&self) -> u8 {
        match self {
            Self::Passphrase(_) => 1,
            Self::KeyFile(_) => 2,
        }
    }

    const fn path(&self) -> &PathBuf {
        match self {
            Self::Passphrase(path) | Self::KeyFile(path) => path,
        }
    }

    /// The key of the backup that has this salt and asks for these rounds.
    pub(super) fn key(&self, salt: &[u8; 32], rounds: u32) -> Result<KeyBytes> {
        let refused = |why: &str| Error::Key { path: self.path().clone(), why: why.to_owned() };
        let text = self.read()?;
        let mut first = [0; 64];
        let secret = match self {
            Self::Passphrase(_) => {
                let passphrase = text.lines().next().unwrap_or_default();
                if passphrase.len() < PASSPHRASE_BYTES_MIN {
                    return Err(refused("a passphrase has at least 12 letters"));
                }
                let rounds = NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= ROUNDS_MAX);
                let rounds =
                    rounds.ok_or_else(|| refused("the backup asks for more rounds than are tried"))?;
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, rounds, salt, passphrase.as_bytes(), &mut first);
                &first[..]
            }
            Self::KeyFile(_) => {
                let bytes =
                    digits(text.trim()).ok_or_else(|| refused("it does not hold 64 hexadecimal digits"))?;
                first[..32].copy_from_slice(&bytes);
                &first[..32]
            }
        };
        let mut key = [0; 32];
        let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
        let expanded = extracted.expand(&[b"strowger backup"], HKDF_SHA256);
        expanded.and_then(|bytes| bytes.fill(&mut key)).map_err(|_| refused("the system has no cipher"))?;
        Ok(key)
    }

    fn read(&self) -> Result<String> {
        let path = self.path();
        let failed = |why| Error::Key { path: path.clone(), why };
        let mode = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(failed(format!("others may read it; run: chmod 600 {}", Path::display(path))));
        }
        std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))
    }
}

fn digits(text: &str) -> Option<KeyBytes> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>()?.try_into().ok()
}
