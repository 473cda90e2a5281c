//! What every store of objects is put through.

use super::*;

/// A store that is full, busy, cut off, slow and that stands still, one after the other: no call waits for it, and
/// nothing is lost.
pub(super) async fn in_trouble(studio: &Studio, server: &Server, set: impl Fn(u8)) {
    let recorder = studio.recorder();
    for (number, trouble) in [(1, FULL), (2, BUSY), (3, CUT)] {
        set(trouble);
        studio.record(&recorder, number, 20_000).await;
        // Longer than all tries of one object.
        sleep(Duration::from_secs(2)).await;
        let heard = studio.hear(number, &Extract::default()).await.map(|heard| heard.len());
        assert_eq!(heard, Ok(40_000), "what waits in the spool is heard");
        set(SLOW);
        studio.sent().await;
        set(PASS);
        assert_eq!(studio.merge(number).await, Ok(true));
        assert_eq!(studio.hear(number, &Extract::default()).await.map(|heard| heard.len()), Ok(40_000));
    }
    studio.record(&recorder, 4, 4_000).await;
    studio.sent().await;
    server.signal(Signal::SIGSTOP);
    studio.record(&recorder, 5, 20_000).await;
    let began = Instant::now();
    assert!(studio.merge(4).await.is_err(), "nobody answers");
    assert!(began.elapsed() < Duration::from_secs(8), "and that is told in time: {:?}", began.elapsed());
    assert!(studio.row(4).await.merged.is_none(), "nothing is claimed that is not so");
    server.signal(Signal::SIGCONT);
    studio.sent().await;
    for number in [4, 5] {
        assert_eq!(studio.merge(number).await, Ok(true));
    }
    assert_eq!(studio.objects().await.len(), 5);
}

/// What was truncated, changed places, is gone, or is opened with the wrong key is an error, and never noise.
pub(super) async fn altered(studio: &Studio) {
    let recorder = studio.recorder();
    studio.record(&recorder, 1, 480_000).await;
    studio.merge(1).await.expect("merged");
    let row = studio.row(1).await;
    let merged = row.merged.clone().expect("merged");
    assert!(merged.chunks.len() > 1, "{} chunks", merged.chunks.len());
    let place = merged_object(&row, &merged.object);
    let store = &studio.recordings.objects.store;
    let whole = store.get(&place).await.expect("there").bytes().await.expect("read").to_vec();
    let first = merged.chunks[0].bytes as usize;
    let mut swapped = whole[first..].to_vec();
    swapped.extend(&whole[..first]);
    for (what, bytes, index) in [
        ("truncated", whole[..whole.len() - 9].to_vec(), merged.chunks.len() as u32 - 1),
        ("swapped", swapped, 0),
    ] {
        store.put(&place, PutPayload::from(bytes)).await.expect("put");
        let refused = studio.hear(1, &Extract::default()).await.map(|heard| heard.len());
        assert_eq!(refused, Err(Error::Altered { index }), "{what}");
    }
    store.put(&place, PutPayload::from(whole)).await.expect("put");
    assert!(studio.hear(1, &Extract::default()).await.is_ok());
    let other = open(&studio.folder, &studio.settings, &studio.storage, "another.key");
    let error = other.read(recording(1), &studio.settings).await.expect_err("the wrong key").to_string();
    assert!(error.contains("another.key is not the master key that sealed it"), "{error}");
    store.delete(&place).await.expect("deleted");
    let gone = studio.hear(1, &Extract::default()).await;
    assert!(matches!(gone, Err(Error::Missing { index: 0, .. })), "{gone:?}");
}

/// A server that is killed after it was sent recording 1, and comes back empty: away is told from lost, and what waited
/// meanwhile goes there.
pub(super) async fn lost_everything(
    studio: Studio,
    recorder: Recorder,
    server: Server,
    again: impl FnOnce() -> Server,
) {
    drop(server);
    studio.record(&recorder, 2, 8_000).await;
    let away = studio.hear(1, &Extract::default()).await;
    assert!(matches!(away, Err(Error::Objects { .. })), "{away:?}");
    // The process ends and another begins; the server comes back empty.
    recorder.stop().await;
    let _server = again();
    let recordings = open(&studio.folder, &studio.settings, &studio.storage, "master.key");
    let studio = Studio { recordings, ..studio };
    let _recorder = studio.recorder();
    studio.sent().await;
    assert_eq!(studio.hear(2, &Extract::default()).await.map(|heard| heard.len()), Ok(16_000));
    let lost = studio.hear(1, &Extract::default()).await;
    assert!(matches!(lost, Err(Error::Missing { index: 0, .. })), "{lost:?}");
}
