//! What is known outlives the process, stays within its bounds, and follows the store.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::storage::Memory;
use crate::storage::conformance::{at, business, number};

fn book(folder: &Path, settings: Settings) -> (AddressBook, PathBuf) {
    let path = folder.join("book");
    (AddressBook::open(&path, settings, Clock::starting_at(at(0))), path)
}

fn known(id: &str, number: &str) -> Arc<Business> {
    Arc::new(business(id, 1, &[number]))
}

fn named(book: &AddressBook, of: &str) -> Option<String> {
    book.find(&number(of)).map(|(business, _)| business.id.to_string())
}

#[tokio::test]
async fn what_is_known_outlives_the_process_and_is_its_owner_s_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, path) = book(folder.path(), Settings::default());
    first.note(&known("barbers", "1000"));
    first.write_if_changed().await;
    let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let (second, _) = book(folder.path(), Settings::default());
    assert_eq!(named(&second, "1000").as_deref(), Some("barbers"));
    assert_eq!(named(&second, "2000"), None);
    assert_eq!(second.book.lock().unwritten(), None, "nothing has changed");
    // Whatever is wrong with it, a node starts.
    let whole = std::fs::read(&path).expect("reads");
    let mut flipped = whole.clone();
    *flipped.last_mut().expect("bytes") ^= 1;
    for broken in [&whole[..20], &flipped, b"", b"a shopping list"] {
        std::fs::write(&path, broken).expect("writes");
        assert_eq!(named(&book(folder.path(), Settings::default()).0, "1000"), None);
    }
}

#[tokio::test]
async fn the_store_is_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (book, _) = book(folder.path(), Settings::default());
    let store = Memory::new();
    for (id, number) in [("barbers", "1000"), ("clinic", "2000")] {
        store.put_business(&business(id, 1, &[number]), None).await.expect("written");
    }
    book.note(&known("ghost", "3000"));
    book.refresh(&store).await.expect("read");
    let found = ["1000", "2000", "3000"].map(|number| named(&book, number));
    assert_eq!(
        found,
        [Some("barbers".to_owned()), Some("clinic".to_owned()), None],
        "the store has no ghost"
    );
    // A number changes hands; what is told late of an older version changes nothing.
    store.put_business(&business("barbers", 2, &[]), Some(1)).await.expect("written");
    store.put_business(&business("clinic", 2, &["2000", "1000"]), Some(1)).await.expect("written");
    book.refresh(&store).await.expect("read");
    assert_eq!(named(&book, "1000").as_deref(), Some("clinic"));
    book.note(&known("barbers", "1000"));
    assert_eq!(named(&book, "1000").as_deref(), Some("clinic"));
    book.is_nobodys(&number("2000"));
    assert_eq!(named(&book, "2000"), None);
}

/// A business's key is known with it, however its file changes, until the store says that there is none.
#[tokio::test]
async fn keys_go_with_their_businesses() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, path) = book(folder.path(), Settings::default());
    let (store, [barbers, clinic]) = (Memory::new(), ["barbers", "clinic"].map(TenantId::new));
    for (id, number) in [("barbers", "1000"), ("clinic", "2000")] {
        store.put_business(&business(id, 1, &[number]), None).await.expect("written");
    }
    store.keep_key(&barbers, b"sealed").await.expect("kept");
    store.keep_key(&TenantId::new("unknown"), b"another").await.expect("kept");
    first.refresh(&store).await.expect("read");
    first.note_key(&clinic, Some(b"of a call"));
    first.note(&Arc::new(business("barbers", 2, &["1000"])));
    first.write_if_changed().await;
    let (second, _) = book(folder.path(), Settings::default());
    assert_eq!(second.key(&barbers).as_deref(), Some(&b"sealed"[..]));
    assert_eq!(second.key(&clinic).as_deref(), Some(&b"of a call"[..]));
    assert_eq!(second.key(&TenantId::new("unknown")), None);
    store.drop_key(&barbers).await.expect("dropped");
    second.refresh(&store).await.expect("read");
    assert_eq!(second.key(&barbers), None);
    second.write_if_changed().await;
    let bytes = std::fs::read(&path).expect("reads");
    let sealed = serde_json::to_vec(&b"sealed").expect("small");
    assert!(!bytes.windows(sealed.len()).any(|window| window == sealed), "nor is it on the disk");
}

#[test]
fn those_not_called_for_longest_are_forgotten_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let (book, _) = book(folder.path(), Settings { businesses_max: 2, ..Settings::default() });
    book.look(business("read", 1, &["1001"]));
    book.note(&known("called", "1002"));
    book.look(business("left-out", 1, &["1003"]));
    assert_eq!(named(&book, "1003"), None, "it was only read, and there is no room");
    book.note(&known("new", "1004"));
    assert_eq!(["1001", "1002", "1004"].map(|number| named(&book, number).is_some()), [false, true, true]);
    let small = Settings { bytes_max: 10, ..Settings::default() };
    let (tiny, _) = self::book(&folder.path().join("x"), small);
    tiny.note(&known("large", "1001"));
    assert_eq!(named(&tiny, "1001"), None, "it is larger than all may be");
}
