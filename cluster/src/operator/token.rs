//! What a command line shows a running node to be served.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

use crate::chance;

/// The token's file in the data directory.
const FILE: &str = "operator.token";

/// A random token, new at every start of a node, in a file that only the node's user can read.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// Wraps a token's text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// Makes a token and writes it to `directory`, replacing the one before.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn create(directory: &Path) -> io::Result<Self> {
        let text = chance::bytes::<32>().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        let path = directory.join(FILE);
        // A file that is there may be readable by others; the mode counts only for a new one.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(Self::new(text))
    }

    /// Reads the token of the node that runs on `directory`.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn read(directory: &Path) -> io::Result<Self> {
        std::fs::read_to_string(directory.join(FILE)).map(|text| Self::new(text.trim().to_owned()))
    }

    /// Removes the token's file; one that is gone already is fine.
    pub fn remove(directory: &Path) {
        if let Err(error) = std::fs::remove_file(directory.join(FILE))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the operator token's file could not be removed");
        }
    }

    /// Whether `shown` is this token. Takes as long whether its first or its last letter differs.
    #[must_use]
    pub fn is(&self, shown: &str) -> bool {
        let (own, shown) = (self.0.as_bytes(), shown.as_bytes());
        // Every byte is looked at; the length is no secret.
        let different =
            own.iter().zip(shown).fold(0, |different, (one, other)| black_box(different | (one ^ other)));
        own.len() == shown.len() && different == 0
    }

    /// The token's text, for the request that shows it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("‹secret›")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_its_user_can_read_it_even_where_the_file_was_open_to_all() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join(FILE), "old").expect("writes");
        let token = Token::create(directory.path()).expect("creates");
        let mode = std::fs::metadata(directory.path().join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = Token::read(directory.path()).expect("reads");
        assert!(token.is(read.reveal()) && !token.is("old") && !token.is(""));
        assert_eq!(token.reveal().len(), 64);
        assert_eq!(format!("{token:?}"), "‹secret›");
    }
}
