//! Backups, whole and broken.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::storage::conformance::{at, portable};
use crate::storage::recordings::{MasterKey, Recordings};
use crate::storage::{Memory, Part, Storage};

const PASSPHRASE: &str = "correct horse battery staple";

fn secret(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("closed");
    path
}

fn key_file(folder: &Path) -> KeySource {
    KeySource::KeyFile(secret(folder, "backup.key", &"0f".repeat(32)))
}

async fn made(folder: &Path, key: &KeySource) -> (Arc<Memory>, PathBuf, Summary) {
    let memory = Arc::new(Memory::new());
    portable::fill(&*memory).await;
    let master = folder.join("master.key");
    let recordings = Recordings::in_folder(
        &folder.join("recordings"),
        MasterKey::open(&master).expect("a key"),
        memory.clone(),
    )
    .expect("a folder");
    for number in 0..3 {
        recordings.put_object(&format!("barbers/{number}"), vec![number; 700_000]).await.expect("put");
    }
    let to = folder.join("backup");
    let options =
        Options { to: to.clone(), key: key.clone(), recordings: true, master_key: Some(master), now: at(0) };
    let summary = write(&*memory, &recordings, options.clone()).await.expect("made");
    assert!(matches!(write(&*memory, &recordings, options).await, Err(Error::Exists { .. })));
    assert!(!folder.join("backup.part").exists());
    (memory, to, summary)
}

fn read_all(path: &Path, key: &KeySource) -> Result<Vec<Item>> {
    let mut reader = Reader::open(path, key)?;
    let mut items = Vec::new();
    while let Some(item) = reader.next_item()? {
        items.push(item);
    }
    Ok(items)
}

#[tokio::test]
async fn what_went_in_comes_out() {
    let folder = TempDir::new().expect("a folder");
    let passphrase = KeySource::Passphrase(secret(folder.path(), "passphrase", &format!("{PASSPHRASE}\n")));
    let (memory, to, summary) = made(folder.path(), &passphrase).await;
    assert_eq!((summary.objects, summary.object_bytes), (3, 2_100_000));
    assert_eq!(std::fs::metadata(&to).expect("there").permissions().mode() & 0o777, 0o600);
    let copy = Memory::new();
    let (mut objects, mut master) = (Vec::new(), None);
    for item in read_all(&to, &passphrase).expect("whole") {
        match item {
            Item::Rows(rows) => copy.import(&rows).await.expect("imported"),
            Item::Object(object) => objects.push((object.name, object.bytes.len())),
            Item::MasterKey(bytes) => master = Some(bytes),
            other => panic!("{other:?}"),
        }
    }
    objects.sort();
    let names = [0, 1, 2].map(|number| (format!("barbers/{number}"), 700_000));
    assert_eq!(objects, names);
    assert_eq!(master, std::fs::read(folder.path().join("master.key")).ok());
    for part in Part::ALL {
        let rows = |store| portable::rows_of(store, part, 100);
        assert_eq!(rows(&copy as &dyn Storage).await, rows(&*memory).await);
        assert_eq!(summary.rows.get(&part), Some(&(rows(&copy).await.len() as u64)));
    }
    // Nothing that was said, and nobody's name, can be read in the file.
    let bytes = std::fs::read(&to).expect("there");
    for words in [&b"barbers"[..], b"+447700900001", b"Please call back"] {
        assert!(!bytes.windows(words.len()).any(|window| window == words));
    }
}

#[tokio::test]
async fn what_is_not_whole_or_not_ones_own_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let key = key_file(folder.path());
    let (_, to, _) = made(folder.path(), &key).await;
    let whole = std::fs::read(&to).expect("there");
    let changed = folder.path().join("changed");
    let told = |bytes: &[u8]| {
        std::fs::write(&changed, bytes).expect("written");
        read_all(&changed, &key).expect_err("refused").to_string()
    };
    for length in (0..whole.len()).step_by(9_973).chain([whole.len() - 1, 17, 20, 54]) {
        let told = told(&whole[..length]);
        assert!(told.contains("cut off") || told.contains("no backup"), "{length}: {told}");
    }
    for at in (16..whole.len()).step_by(49_999).chain([whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        told(&bytes);
    }
    assert!(told(&[&whole[..], b"x"].concat()).contains("changed"));
    let mut newer = whole.clone();
    newer[16] = b'2';
    assert!(told(&newer).contains("newer program (format 2)"), "{}", told(&newer));
    let other = KeySource::KeyFile(secret(folder.path(), "other.key", &"0e".repeat(32)));
    let error = Reader::open(&to, &other).expect_err("another key").to_string();
    assert!(error.contains("not this backup's"), "{error}");
    let passphrase = KeySource::Passphrase(secret(folder.path(), "passphrase", PASSPHRASE));
    let error = Reader::open(&to, &passphrase).expect_err("a passphrase").to_string();
    assert!(error.contains("made with a key file"), "{error}");
    for (text, mode, why) in [("0f", 0o600, "64 hexadecimal"), ("", 0o644, "chmod 600")] {
        let path = secret(folder.path(), "bad.key", text);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        let error = Reader::open(&to, &KeySource::KeyFile(path)).expect_err("bad").to_string();
        assert!(error.contains(why), "{error}");
    }
}
