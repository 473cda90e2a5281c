//! The node's name: the same after every start, and no other node's.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{Error, Settings};
use crate::{chance, clock};

/// The file in the data directory where a name that was made up is kept.
const FILE: &str = "node.name";
/// The longest name.
const CHARACTERS_MAX: usize = 64;

/// The name that the settings give; or the one that was made up at the first start on this data.
pub(super) fn of(settings: &Settings) -> Result<String, Error> {
    match settings.name.as_str() {
        "" => {
            let kept = kept(&settings.data.join(FILE));
            kept.map_err(|why| Error::Data { path: settings.data.clone(), why })
        }
        name if is_name(name) => Ok(name.to_owned()),
        name => Err(Error::Name { name: name.to_owned() }),
    }
}

/// A name for one process, that no other has.
pub(super) fn of_run() -> String {
    let ms = u64::try_from(clock::now().as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(ms, &chance::bytes()).into_uuid().to_string()
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

fn kept(path: &Path) -> io::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(name) if is_name(name.trim()) => return Ok(name.trim().to_owned()),
        // A process died while it made it, before anybody used it.
        Ok(_) => std::fs::remove_file(path)?,
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    let name = of_run();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(name.as_bytes())?;
    file.sync_all()?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_made_up_stays() {
        let data = tempfile::tempdir().expect("a directory");
        let settings = Settings { data: data.path().to_owned(), ..Settings::default() };
        let name = of(&settings).expect("made up");
        assert_eq!(of(&settings).expect("kept"), name);
        std::fs::write(data.path().join(FILE), "").expect("writes");
        assert_ne!(of(&settings).expect("made up anew"), name);
        let named = Settings { name: "london-1".to_owned(), ..settings.clone() };
        assert_eq!(of(&named).expect("given"), "london-1");
        for wrong in ["two words", "a/b", &"x".repeat(65)] {
            let wrong = Settings { name: wrong.to_owned(), ..settings.clone() };
            assert!(of(&wrong).expect_err("no name").to_string().contains("node.name"));
        }
    }
}
