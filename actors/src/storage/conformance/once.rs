//! What happens once per key, and what is kept beside calls.

use super::*;
use crate::storage::{FinishedRecording, MergedChunk, MergedRecording, Page, Recording};
use crate::types::{CallId, RecordingId, ToolOutcome};

pub(crate) async fn a_message_is_kept_once_per_key(store: Store) {
    let (first, second) = (message("barbers", 1, 0), message("barbers", 2, 1));
    assert_eq!(store.put_message(&first, &key("a/0")).await, Ok(first.clone()));
    assert_eq!(store.put_message(&second, &key("a/0")).await, Ok(first.clone()));
    assert_eq!(store.put_message(&second, &key("a/1")).await, Ok(second));
    let listed = store.messages(&tenant("barbers"), Page::first(9)).await.expect("listed").rows;
    assert_eq!(listed.len(), 2);
    let other = message("clinic", 3, 0);
    assert_eq!(store.put_message(&other, &key("a/0")).await, Ok(other), "keys are a business's own");
}

pub(crate) async fn messages_are_listed_newest_first(store: Store) {
    for (number, minute) in [(1, 5), (2, 9), (3, 7)] {
        let kept = store.put_message(&message("barbers", number, minute), &key(&number.to_string())).await;
        kept.expect("kept");
    }
    store.put_message(&message("clinic", 4, 20), &key("4")).await.expect("kept");
    let first = store.messages(&tenant("barbers"), Page::first(2)).await.expect("listed");
    let times: Vec<_> = first.rows.iter().map(|row| row.taken_at).collect();
    assert_eq!(times, [at(9), at(7)]);
    let rest =
        store.messages(&tenant("barbers"), Page { after: first.next, limit: 2 }).await.expect("listed");
    assert_eq!((rest.rows.len(), rest.next), (1, None));
}

pub(crate) async fn the_first_outcome_is_the_one(store: Store) {
    let refused = ToolOutcome::Refused { why: "We are closed then.".to_owned() };
    assert_eq!(store.outcome(&key("a/0")).await, Ok(None));
    assert_eq!(store.remember_outcome(&key("a/0"), &refused).await, Ok(refused.clone()));
    assert_eq!(store.remember_outcome(&key("a/0"), &ToolOutcome::NotFound).await, Ok(refused.clone()));
    assert_eq!(store.outcome(&key("a/0")).await, Ok(Some(refused)));
    assert_eq!(store.outcome(&key("a/")).await, Ok(None));
}

pub(crate) async fn of_many_outcomes_at_once_one_is_remembered(store: Store) {
    let tasks: Vec<_> = (0..40)
        .map(|index| {
            let store = store.clone();
            let outcome = ToolOutcome::Refused { why: index.to_string() };
            tokio::spawn(async move { store.remember_outcome(&key("a/0"), &outcome).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no panic").expect("answered"));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(store.outcome(&key("a/0")).await, Ok(answers.pop()));
}

pub(crate) async fn a_recording_is_read_as_it_was_last_written(store: Store) {
    let mut recording = Recording {
        id: RecordingId::new(uuid(1)),
        tenant: tenant("barbers"),
        call: CallId::new(uuid(2)),
        started_at: at(0),
        sealed_key: vec![0, 255, 7],
        rate_hz: 8_000,
        segment_samples: 16_000,
        finished: None,
        merged: None,
    };
    assert_eq!(store.recording(recording.id).await, Ok(None));
    store.put_recording(&recording).await.expect("written");
    recording.finished =
        Some(FinishedRecording { segments: 3, samples: 24_000, lost_segments: vec![1], cut_short: false });
    store.put_recording(&recording).await.expect("written");
    assert_eq!(store.recording(recording.id).await, Ok(Some(recording.clone())));
    recording.merged = Some(MergedRecording {
        object: "merged".to_owned(),
        sealed_key: vec![9],
        lead: 312,
        chunks: vec![MergedChunk { bytes: 7, until: 72_000 }],
        segments_removed: true,
    });
    assert_eq!(store.update_recording(&recording).await, Ok(true));
    assert_eq!(store.recording(recording.id).await, Ok(Some(recording)));
}

pub(crate) async fn a_business_has_one_key_for_ever(store: Store) {
    assert_eq!(store.key(&tenant("barbers")).await, Ok(None));
    assert_eq!(store.keep_key(&tenant("barbers"), b"one").await, Ok(b"one".to_vec()));
    assert_eq!(store.keep_key(&tenant("barbers"), b"two").await, Ok(b"one".to_vec()));
    assert_eq!(store.keep_key(&tenant("clinic"), b"two").await, Ok(b"two".to_vec()));
    assert_eq!(store.key(&tenant("barbers")).await, Ok(Some(b"one".to_vec())));
}

pub(crate) async fn odd_names_are_kept_apart(store: Store) {
    let names = ["", "\0", "\0\0", "a", "a\0", "a\0b", "a\u{1}", "\u{10ffff}"];
    for (index, name) in names.iter().enumerate() {
        store.keep_key(&tenant(name), &[u8::try_from(index).expect("few")]).await.expect("kept");
    }
    for (index, name) in names.iter().enumerate() {
        let expected = vec![u8::try_from(index).expect("few")];
        assert_eq!(store.key(&tenant(name)).await, Ok(Some(expected)), "{name:?}");
    }
}

pub(crate) async fn a_store_that_works_says_so(store: Store) {
    assert_eq!(store.check().await, Ok(()));
    assert_eq!(store.check().await, Ok(()));
}
