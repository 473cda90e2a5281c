//! The data directory: one node's, and nobody else's to read.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use nix::sys::stat::{Mode, umask};

use super::Error;
use crate::operator::Presence;

/// Makes the directory where it does not exist, readable by its user only.
pub(super) fn make(path: &Path) -> Result<(), Error> {
    let unusable = |why| Error::Data { path: path.to_owned(), why };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)
}

/// Makes the directory, and proves that it can be written and that no other node has it.
pub(super) fn prepare(path: &Path) -> Result<(), Error> {
    let unusable = |why| Error::Data { path: path.to_owned(), why };
    make(path)?;
    if let Some(mode) = open_to_others(path).map_err(unusable)? {
        tracing::warn!(
            path = %path.display(),
            mode = %format_args!("{mode:03o}"),
            "the data directory is open to other users of this machine; close it with chmod 700"
        );
    }
    let probe = path.join("writable");
    std::fs::write(&probe, []).map_err(unusable)?;
    std::fs::remove_file(&probe).map_err(unusable)?;
    match Presence::find(path) {
        Some(other) => Err(Error::Running { path: path.to_owned(), pid: other.pid }),
        None => Ok(()),
    }
}

/// The directory's mode, where others than its owner have any right to it.
fn open_to_others(path: &Path) -> io::Result<Option<u32>> {
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// From now on, what this process makes is its user's only: not every file is made by code that can be told so.
pub(crate) fn keep_private() {
    umask(Mode::from_bits_truncate(0o077));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_directory_is_its_user_s_own() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("a/b");
        prepare(&path).expect("makes it");
        prepare(&path).expect("a second time, too");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(open_to_others(&path).expect("there"), None);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).expect("opens it");
        assert_eq!(open_to_others(&path).expect("there"), Some(0o750));
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("file");
        std::fs::write(&path, "x").expect("writes");
        let told = prepare(&path).expect_err("a file").to_string();
        assert!(told.contains("file") && told.contains("--data"), "{told}");
    }
}
