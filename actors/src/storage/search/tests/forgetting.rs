//! What is forgotten is gone: for questions, in the index's terms, and from its files.
//!
//! Words lie in the segments' term dictionaries, letter by letter in an automaton, and nowhere else: nothing is stored,
//! and positions are numbers. So no file of another segment, and no such term in those that are left, is no trace.

use tantivy::{Index, Term};

use super::*;
use crate::storage::search::Forget;
use crate::storage::search::document::{analyser, schema};

/// Whether any segment of the index knows this word, deleted or not.
fn is_in_terms(folder: &Path, word: &str) -> bool {
    let index = Index::open_in_dir(folder.join("index")).expect("opens");
    let searcher = index.reader().expect("reads").searcher();
    let mut stem = String::new();
    analyser().token_stream(word).process(&mut |token| stem.clone_from(&token.text));
    let term = Term::from_field_text(schema().1.words, &stem);
    assert_eq!(term.value().as_str(), Some(stem.as_str()));
    searcher.segment_readers().iter().any(|segment| {
        let words = segment.inverted_index(schema().1.words).expect("reads");
        words.get_term_info(&term).expect("reads").is_some()
    })
}

/// Files of the index that belong to no segment that is searched.
fn stray_files(folder: &Path) -> Vec<String> {
    let index = Index::open_in_dir(folder.join("index")).expect("opens");
    let living: Vec<String> =
        index.searchable_segment_ids().expect("reads").iter().map(|id| id.uuid_string()).collect();
    let names = std::fs::read_dir(folder.join("index")).expect("reads").flatten();
    names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && name != "meta.json")
        .filter(|name| !living.iter().any(|segment| name.starts_with(segment.as_str())))
        .collect()
}

/// Whether any file below holds these bytes.
fn is_in_files(folder: &Path, text: &str) -> bool {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    walk(folder).iter().any(|file| holds(&std::fs::read(file).expect("reads")))
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("reads").flatten() {
        if entry.path().is_dir() { files.extend(walk(&entry.path())) } else { files.push(entry.path()) }
    }
    files
}

async fn three_calls() -> World {
    let world = World::new(quick()).await;
    world
        .ends(
            &CallRecord { caller: Some(number("+441632960777")), ..call("barbers", 1) },
            &["xylofrag please"],
        )
        .await;
    world.settles().await;
    world.ends(&call("barbers", 2), &["zwiebelkuchen please"]).await;
    world.ends(&call("plumbers", 3), &["quarzlampe please"]).await;
    world.settles().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_a_caller_and_a_business_leave_nothing_behind() {
    let world = three_calls().await;
    let folder = world.folder.path();
    let words = ["xylofrag", "zwiebelkuchen", "quarzlampe"];
    for word in words {
        assert!(is_in_terms(folder, word), "{word} was there");
    }
    let steps = [
        Forget::Calls(vec![CallId::new(uuid::Uuid::from_u128(2))]),
        Forget::Caller(TenantId::new("barbers"), number("+441632960777")),
        Forget::Tenant(TenantId::new("plumbers")),
    ];
    let left: [&[&str]; 3] = [&["xylofrag", "quarzlampe"], &["quarzlampe"], &[]];
    for (step, left) in steps.into_iter().zip(left) {
        world.search.forget(step).await.expect("forgets");
        for word in words {
            assert_eq!(is_in_terms(folder, word), left.contains(&word), "{word}");
        }
        assert_eq!(stray_files(folder), Vec::<String>::new());
    }
    assert_eq!(world.search.state().calls, 0);
    assert_eq!(world.found("barbers", "please").await, [].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_committed_yet_is_forgotten_as_well() {
    let world = World::new(Settings { commit_ms: 60_000, ..quick() }).await;
    world.settles().await;
    world.ends(&call("barbers", 1), &["xylofrag"]).await;
    world.ends(&call("barbers", 2), &["zwiebelkuchen"]).await;
    world.search.forget(Forget::Calls(vec![CallId::new(uuid::Uuid::from_u128(1))])).await.expect("forgets");
    // The order may overtake the call in the queue; then it is in no file yet.
    let record = CallRecord { tenant: TenantId::new("plumbers"), ..call("barbers", 1) };
    world.store.put_call(&record).await.expect("writes");
    assert_eq!(world.found("barbers", "xylofrag").await, [].into());
    world.search.forget(Forget::Calls(vec![CallId::new(uuid::Uuid::from_u128(1))])).await.expect("forgets");
    assert!(!is_in_terms(world.folder.path(), "xylofrag"));
    assert_eq!(stray_files(world.folder.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_in_no_file_and_the_folder_is_its_owner_s() {
    use std::os::unix::fs::PermissionsExt;
    let world = three_calls().await;
    for digits in ["1632960777", "441632960123", "1632960123"] {
        assert!(!is_in_files(world.folder.path(), digits), "{digits}");
    }
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&world.folder.path().join("index")), 0o700);
    assert_eq!(mode(&world.folder.path().join("caller.key")), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_waits_for_merges_and_leaves_the_others() {
    let world = World::new(Settings { commit_ms: 1, ..quick() }).await;
    for id in 0..60 {
        world.ends(&call("barbers", id), &["haircut", if id % 3 == 0 { "xylofrag" } else { "beard" }]).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    world.settles().await;
    for id in (0..60).step_by(3) {
        world
            .search
            .forget(Forget::Calls(vec![CallId::new(uuid::Uuid::from_u128(id))]))
            .await
            .expect("forgets");
    }
    assert!(!is_in_terms(world.folder.path(), "xylofrag"));
    assert_eq!(stray_files(world.folder.path()), Vec::<String>::new());
    assert_eq!(world.found("barbers", "haircut").await.len(), 40);
}
