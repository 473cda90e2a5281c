//! The master key: in a file, or in a key management service that never gives it away.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};

use super::keys::{KeyBytes, open, random, seal};
use super::kms::{self, Kms};
use super::{Error, Result};

/// The key that seals all others. Whoever has it and the data can listen; whoever loses it can't any more.
#[derive(Debug)]
pub struct MasterKey(Kind);

#[derive(Debug)]
enum Kind {
    File(KeyFile),
    Kms(Box<Kms>),
}

struct KeyFile {
    key: RandomizedNonceKey,
    path: String,
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeyFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl MasterKey {
    /// The key that a URL names: a path or `file:///path` (see [`Self::open`]), or
    /// `aws-kms://region/key-id-or-alias`. Nothing is asked of a service yet.
    ///
    /// # Errors
    /// [`Error::Key`] where the URL is none of these, or as [`Self::open`].
    pub fn at(url: &str, settings: &kms::Settings) -> Result<Self> {
        let file = url.strip_prefix("file://").or_else(|| (!url.contains("://")).then_some(url));
        match (file, url.strip_prefix(kms::SCHEME)) {
            (Some(path), _) => Self::open(Path::new(path)),
            (None, Some(rest)) => Ok(Self(Kind::Kms(Box::new(Kms::new(rest, settings, &[])?)))),
            (None, None) => Err(Error::Key {
                which: format!("the master key at {url}"),
                why: "its URL is not known; write file:///path or aws-kms://region/key".to_owned(),
            }),
        }
    }

    /// Reads the key from its file, or makes one, readable by its owner only, where there is no such file.
    ///
    /// # Errors
    /// [`Error::Key`] where the file can't be read or made, is open to others, or holds no key.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let failed = |why: String| Error::Key { which: format!("the master key in {shown}"), why };
        let bytes = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => make(file, path).map_err(|why| failed(format!("it can't be written: {why}")))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => read(path).map_err(failed)?,
            Err(error) => return Err(failed(format!("it can't be made: {error}; check the folder's owner"))),
        };
        let key =
            RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| failed("no cipher".to_owned()))?;
        Ok(Self(Kind::File(KeyFile { key, path: shown })))
    }

    #[cfg(test)]
    pub(super) fn of_kms(kms: Kms) -> Self {
        Self(Kind::Kms(Box::new(kms)))
    }

    /// Where it is, for people.
    pub(super) fn place(&self) -> &str {
        match &self.0 {
            Kind::File(file) => &file.path,
            Kind::Kms(kms) => kms.place(),
        }
    }

    /// Seals a key; `purpose` is bound to it.
    pub(super) async fn seal(&self, purpose: &str, key: &KeyBytes) -> Result<Vec<u8>> {
        match &self.0 {
            Kind::File(file) => seal(&file.key, purpose, key),
            Kind::Kms(kms) => kms.seal(purpose, key).await,
        }
    }

    /// Opens a sealed key; nothing where another master key sealed it, or for another purpose.
    pub(super) async fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Option<KeyBytes>> {
        match &self.0 {
            Kind::File(file) => Ok(open(&file.key, purpose, sealed)),
            Kind::Kms(kms) => kms.unseal(purpose, sealed).await,
        }
    }
}

fn make(mut file: File, path: &Path) -> std::io::Result<KeyBytes> {
    let bytes = random().map_err(|error| std::io::Error::other(error.to_string()))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all()?,
        _ => {}
    }
    Ok(bytes)
}

fn read(path: &Path) -> std::result::Result<KeyBytes, String> {
    let mode = std::fs::metadata(path).map_err(|error| error.to_string())?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(format!(
            "others may read it (mode {:o}); run: chmod 600 {}",
            mode & 0o777,
            path.display()
        ));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{error}; start the node as the file's owner"))?;
    let digits = text.trim().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        "it does not hold 64 hexadecimal digits; restore it from a copy, since without it no recording can be \
         heard"
            .to_owned()
    })
}
