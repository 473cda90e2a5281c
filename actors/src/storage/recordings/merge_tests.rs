//! Merging, playing in part, and the spool, over a store that is watched and can die.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use parking_lot::Mutex;
use tempfile::TempDir;

use super::tests::{barbers, call, decode, recording};
use super::*;
use crate::storage::{Erased, Extent, FinishedRecording, Memory, MergedRecording, Page};
use crate::types::CallRecord;

type Answer<T> = object_store::Result<T>;

/// A store in memory that counts what is asked and read of it, and dies when it is told to.
#[derive(Debug)]
struct Watched {
    inner: InMemory,
    /// Requests that still work.
    left: AtomicUsize,
    asked: AtomicUsize,
    read_bytes: AtomicU64,
    put: Mutex<Vec<String>>,
}

impl Watched {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: InMemory::new(),
            left: AtomicUsize::new(usize::MAX),
            asked: AtomicUsize::new(0),
            read_bytes: AtomicU64::new(0),
            put: Mutex::default(),
        })
    }

    fn die_after(&self, requests: usize) {
        self.left.store(requests, Ordering::SeqCst);
    }

    fn step(&self) -> Answer<()> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| object_store::Error::Generic { store: "dead", source: "it died".into() })
    }

    async fn objects(&self) -> Vec<String> {
        let listed: Vec<_> = self.inner.list(None).collect().await;
        listed.into_iter().map(|object| object.expect("listed").location.to_string()).collect()
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("watched")
    }
}

#[async_trait]
impl ObjectStore for Watched {
    async fn put_opts(&self, at: &ObjectPath, what: PutPayload, options: PutOptions) -> Answer<PutResult> {
        self.step()?;
        self.put.lock().push(at.to_string());
        self.inner.put_opts(at, what, options).await
    }

    async fn put_multipart_opts(
        &self,
        at: &ObjectPath,
        options: PutMultipartOptions,
    ) -> Answer<Box<dyn MultipartUpload>> {
        self.step()?;
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &ObjectPath, options: GetOptions) -> Answer<GetResult> {
        self.step()?;
        let found = self.inner.get_opts(at, options).await?;
        self.read_bytes.fetch_add(found.range.end - found.range.start, Ordering::SeqCst);
        Ok(found)
    }

    fn delete_stream(
        &self,
        places: BoxStream<'static, Answer<ObjectPath>>,
    ) -> BoxStream<'static, Answer<ObjectPath>> {
        match self.step() {
            Ok(()) => self.inner.delete_stream(places),
            Err(error) => futures_util::stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, Answer<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> Answer<ListResult> {
        self.step()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &ObjectPath, to: &ObjectPath, options: CopyOptions) -> Answer<()> {
        self.step()?;
        self.inner.copy_opts(from, to, options).await
    }
}

struct Room {
    folder: TempDir,
    store: Arc<Watched>,
    storage: Arc<dyn Storage>,
    recordings: Recordings,
}

/// What is said: the caller speaks in the first half of each second, the receptionist in the second.
fn pair(sample: u64) -> [i16; 2] {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a tone")]
    let tone = (9_000.0 * (sample as f64 * TAU * 440.0 / 8_000.0).sin()) as i16;
    if sample % 8_000 < 4_000 { [tone, 0] } else { [0, tone] }
}

const SEGMENT: u32 = 4_000;

impl Room {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let storage: Arc<dyn Storage> = Arc::new(Memory::new());
        let store = Watched::new();
        let master = MasterKey::open(&folder.path().join("master.key")).expect("a key");
        let recordings =
            Recordings::new(Arc::clone(&store) as Arc<dyn ObjectStore>, master, Arc::clone(&storage));
        Self { folder, store, storage, recordings }
    }

    /// Leaves a finished recording, as the recorder does, some segments lost.
    async fn leave(&self, number: u128, samples: u64, lost: &[u32]) -> Recording {
        let (key, sealed_key) =
            self.recordings.keys.make(&barbers(), recording(number)).await.expect("a key");
        let seal = seal::Seal::new(&key, &barbers(), call(number), recording(number)).expect("a seal");
        let segments = u32::try_from(samples / u64::from(SEGMENT) + 1).expect("few");
        for index in (0..segments).filter(|index| !lost.contains(index)) {
            let from = u64::from(index * SEGMENT);
            let until = (from + u64::from(SEGMENT)).min(samples);
            let audio = (from..until).flat_map(pair).map(audio_codec_algorithms::encode_ulaw).collect();
            let sealed = seal.seal(index, index + 1 == segments, audio).expect("sealed");
            let object = object_of(&barbers(), recording(number), index);
            self.recordings.objects.put(&object, sealed.into()).await.expect("kept");
        }
        let row = Recording {
            id: recording(number),
            tenant: barbers(),
            call: call(number),
            started_at: Timestamp::UNIX_EPOCH,
            sealed_key,
            rate_hz: 8_000,
            segment_samples: SEGMENT,
            finished: Some(FinishedRecording {
                segments,
                samples,
                lost_segments: lost.to_vec(),
                cut_short: false,
            }),
            merged: None,
        };
        self.storage.put_recording(&row).await.expect("written");
        row
    }

    async fn merge(&self, number: u128) -> Result<bool> {
        self.recordings.merge(recording(number), &merge::Settings::default()).await
    }

    async fn merged(&self, number: u128) -> MergedRecording {
        assert_eq!(self.merge(number).await, Ok(true));
        let row = self.storage.recording(recording(number)).await.expect("read").expect("there");
        row.merged.expect("merged")
    }

    async fn hear(&self, number: u128, extract: Extract) -> Result<(Vec<i16>, Played)> {
        let file = self.folder.path().join("heard.wav");
        let played = self.recordings.export(recording(number), &file, &extract).await?;
        let samples = decode(&std::fs::read(&file).expect("there"));
        std::fs::remove_file(&file).expect("removed");
        Ok((samples, played))
    }
}

/// The power of each side, without sign.
fn power(samples: &[i16]) -> [f64; 2] {
    let side = |side: usize| -> f64 {
        let sum: f64 = samples.iter().skip(side).step_by(2).map(|sample| f64::from(*sample).powi(2)).sum();
        sum / (samples.len().max(1) as f64 / 2.0)
    };
    [side(0), side(1)]
}

/// How alike two sides of recordings are, from 0 to 1.
fn likeness(one: &[i16], other: &[i16]) -> f64 {
    let product: f64 = one.iter().zip(other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    let square = |samples: &[i16]| -> f64 { samples.iter().map(|a| f64::from(*a).powi(2)).sum() };
    product / (square(one) * square(other)).sqrt().max(1.0)
}

fn part(from_ms: u64, until_ms: u64) -> Extract {
    Extract { from_ms: Some(from_ms), until_ms: Some(until_ms), ..Extract::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_merged_is_heard_as_it_was() {
    let room = Room::new();
    for (number, samples) in [(1, 40_123), (2, 1), (3, 0), (4, 7_999), (5, 4_000)] {
        room.leave(number, samples, &[]).await;
        let (before, told) = room.hear(number, Extract::default()).await.expect("heard");
        assert_eq!(room.merge(number).await, Ok(true));
        assert_eq!(room.merge(number).await, Ok(false), "there is nothing left to do");
        let (after, played) = room.hear(number, Extract::default()).await.expect("heard");
        assert_eq!((after.len(), &played), (before.len(), &told), "of {samples} samples");
        assert_eq!(played.samples, samples);
        let left = room.store.objects().await;
        assert_eq!(left.iter().filter(|object| object.contains(&recording(number).to_string())).count(), 1);
        if samples > 8_000 {
            let alike = likeness(&before, &after);
            assert!(alike > 0.94, "{alike}");
            // Half a second of the caller alone, then of the receptionist alone.
            for (from, loud, quiet) in [(1_600, 0, 1), (9_600, 1, 0)] {
                let heard = power(&after[from..from + 4_800]);
                assert!(heard[loud] > 1e7 && heard[quiet] < heard[loud] / 100.0, "{heard:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_ogg_opus() {
    let room = Room::new();
    room.leave(1, 80_000, &[]).await;
    let file = room.folder.path().join("call.ogg");
    let extract = Extract { format: Format::Ogg, ..Extract::default() };
    let fresh = room.recordings.export(recording(1), &file, &extract).await.expect("written");
    let before = std::fs::read(&file).expect("there");
    std::fs::remove_file(&file).expect("removed");
    room.merged(1).await;
    let kept = room.recordings.export(recording(1), &file, &extract).await.expect("written");
    let after = std::fs::read(&file).expect("there");
    assert!(before == after && fresh == kept, "the same, merged or not");
    assert!(after.len() < 50_000, "{} bytes of ten seconds", after.len());
    let mut reader = ogg::PacketReader::new(std::io::Cursor::new(&after));
    let head = reader.read_packet_expected().expect("a header").data;
    assert_eq!((&head[..8], head[8], head[9]), (&b"OpusHead"[..], 1, 2));
    let lead = u64::from(u16::from_le_bytes([head[10], head[11]]));
    assert_eq!(u32::from_le_bytes([head[12], head[13], head[14], head[15]]), 8_000);
    assert!(reader.read_packet_expected().expect("a header").data.starts_with(b"OpusTags"));
    let (mut packets, mut last) = (0, 0);
    while let Some(packet) = reader.read_packet().expect("whole") {
        packets += 1;
        last = packet.absgp_page();
    }
    assert_eq!(last, lead + 80_000 * 6);
    assert_eq!(packets, last.div_ceil(960));
    let wrong = Extract { format: Format::Ogg, ..part(0, 1_000) };
    let other = room.folder.path().join("other");
    for refused in [wrong, part(5, 5), part(9, 1)] {
        let refused = room.recordings.export(recording(1), &other, &refused).await;
        assert!(matches!(refused, Err(Error::Extract { .. })) && !other.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_dies_anywhere_is_begun_again() {
    let room = Room::new();
    for (died, number) in (1..200).enumerate() {
        room.leave(number, 20_000, &[2]).await;
        let (before, _) = room.hear(number, Extract::default()).await.expect("heard");
        room.store.die_after(usize::try_from(number - 1).expect("few"));
        let whole = room.merge(number).await.is_ok();
        room.store.die_after(usize::MAX);
        let (middle, _) = room.hear(number, Extract::default()).await.expect("heard at any time");
        assert_eq!(middle.len(), before.len());
        assert_eq!(room.merge(number).await, Ok(!whole));
        let (after, played) = room.hear(number, Extract::default()).await.expect("heard");
        assert!(likeness(&before, &after) > 0.97);
        assert_eq!((played.samples, played.lost_samples), (20_000, 4_000));
        let left = room.store.objects().await;
        let left = left.iter().filter(|object| object.contains(&recording(number).to_string())).count();
        assert_eq!(left, 1, "whatever was written before is gone");
        if whole {
            assert!(died > 12, "it died {died} times before");
            return;
        }
    }
    panic!("it never came through");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_died_between_the_row_and_the_segments_is_finished() {
    let room = Room::new();
    let row = room.leave(1, 20_000, &[]).await;
    let merged = room.merged(1).await;
    // As it was before the last word: the segments are gone, and the row does not say so.
    let unsaid = Some(MergedRecording { segments_removed: false, ..merged.clone() });
    assert_eq!(room.storage.update_recording(&Recording { merged: unsaid, ..row.clone() }).await, Ok(true));
    assert_eq!(room.merged(1).await, merged);
    // With segments there as well, the object is what counts.
    room.leave(1, 20_000, &[]).await;
    let unsaid = Some(MergedRecording { segments_removed: false, ..merged.clone() });
    room.storage.update_recording(&Recording { merged: unsaid, ..row }).await.expect("written");
    assert!(room.hear(1, Extract::default()).await.is_ok());
    assert_eq!(room.merged(1).await, merged);
    assert_eq!(room.store.objects().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_copies_recordings_keeps_the_segments_that_its_rows_name() {
    let room = Room::new();
    let row = room.leave(1, 12_000, &[]).await;
    let still = room.recordings.hold_still().await;
    assert_eq!(room.merge(1).await, Ok(true));
    let names = |objects: Vec<String>| objects.iter().filter(|name| !name.contains(".ogg")).count();
    assert_eq!(names(room.store.objects().await), 4, "a row of before names them");
    assert_eq!(room.merge(1).await, Ok(true), "there is something left to do");
    assert!(room.storage.recordings_to_merge(Page::first(9)).await.expect("listed").rows[0].id == row.id);
    drop(still);
    assert_eq!(room.merge(1).await, Ok(true));
    assert_eq!(names(room.store.objects().await), 0);
    assert_eq!(room.merge(1).await, Ok(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_heard_without_reading_the_whole() {
    let room = Room::new();
    room.leave(1, 180 * 8_000, &[]).await;
    let segments = room.hear(1, part(60_250, 62_750)).await.expect("heard").0;
    let expected: Vec<i16> = (60_250 * 8..62_750 * 8).flat_map(pair).collect();
    assert_eq!(segments.len(), expected.len());
    assert!(likeness(&segments, &expected) > 0.999);
    let chunks = room.merged(1).await.chunks;
    let whole: u64 = chunks.iter().map(|chunk| u64::from(chunk.bytes)).sum();
    assert!(chunks.len() > 6, "{} chunks", chunks.len());
    for (from, until) in [(0, 1_000), (60_250, 62_750), (100_000, 100_020), (179_000, 400_000)] {
        room.store.read_bytes.store(0, Ordering::SeqCst);
        let (heard, played) = room.hear(1, part(from, until)).await.expect("heard");
        let read = room.store.read_bytes.load(Ordering::SeqCst);
        assert!(read <= 2 * 65_552 && read < whole / 3, "{read} of {whole} bytes for {from}..{until}");
        let expected: Vec<i16> = (from * 8..until.min(180_000) * 8).flat_map(pair).collect();
        assert_eq!((heard.len(), played.samples), (expected.len(), (expected.len() / 2) as u64));
        assert!(likeness(&heard, &expected) > 0.9, "{from}..{until}: {}", likeness(&heard, &expected));
    }
    let nothing = room.hear(1, part(500_000, 600_000)).await.expect("nothing").0;
    assert_eq!(nothing, [0; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_segments_are_silence_and_counted_in_parts_too() {
    let room = Room::new();
    room.leave(1, 40_000, &[1, 2]).await;
    for _ in 0..2 {
        let (heard, played) = room.hear(1, part(750, 2_000)).await.expect("heard");
        assert_eq!((played.samples, played.lost_samples), (10_000, 6_000));
        let quiet = power(&heard[2_000..8_000]);
        assert!(quiet[0] < 2_000.0 && quiet[1] < 2_000.0, "{quiet:?}");
        room.merge(1).await.expect("merged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_not_as_it_was_is_an_error_and_never_noise() {
    let room = Room::new();
    room.leave(1, 60 * 8_000, &[]).await;
    room.leave(2, 60 * 8_000, &[]).await;
    let (mine, other) = (room.merged(1).await, room.merged(2).await);
    let row = room.storage.recording(recording(1)).await.expect("read").expect("there");
    let place = merged_object(&row, &mine.object);
    let whole = room.store.inner.get(&place).await.expect("there").bytes().await.expect("read").to_vec();
    let first = mine.chunks[0].bytes as usize;
    let second = mine.chunks[1].bytes as usize;
    let cut = whole[..whole.len() - 1].to_vec();
    let half = whole[..first].to_vec();
    let mut flipped = whole.clone();
    flipped[first + 99] ^= 1;
    // A chunk in the place of another; where they differ in length, its start.
    let mut swapped = whole.clone();
    let short = first.min(second);
    swapped[first..first + short].copy_from_slice(&whole[..short]);
    let theirs = Recording { id: recording(2), call: call(2), ..row.clone() };
    let theirs = merged_object(&theirs, &other.object);
    let theirs = room.store.inner.get(&theirs).await.expect("there").bytes().await.expect("read").to_vec();
    let last = u32::try_from(mine.chunks.len() - 1).expect("few");
    for (what, bytes, index) in [
        ("cut", cut, last),
        ("half", half, 1),
        ("flipped", flipped, 1),
        ("swapped", swapped, 1),
        ("another's", theirs, 0),
        ("empty", Vec::new(), 0),
    ] {
        room.store.inner.put(&place, bytes.into()).await.expect("put");
        let refused = room.hear(1, Extract::default()).await;
        assert_eq!(refused.map(drop), Err(Error::Altered { index }), "{what}");
    }
    room.store.inner.delete(&place).await.expect("gone");
    let of = last + 1;
    assert_eq!(room.hear(1, Extract::default()).await.map(drop), Err(Error::Missing { index: 0, of }));
    room.store.inner.put(&place, whole.into()).await.expect("put");
    assert!(room.hear(1, Extract::default()).await.is_ok());
    std::fs::remove_file(room.folder.path().join("master.key")).expect("removed");
    let master = MasterKey::open(&room.folder.path().join("master.key")).expect("another key");
    let elsewhere =
        Recordings::new(Arc::clone(&room.store) as Arc<dyn ObjectStore>, master, Arc::clone(&room.storage));
    let error = elsewhere.read(recording(1), &Settings::default()).await.expect_err("the wrong key");
    assert!(error.to_string().contains("is not the master key that sealed it"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_erased_recording_no_object_remains() {
    let room = Room::new();
    for number in 1..=3 {
        room.leave(number, 20_000, &[]).await;
        let mut record: CallRecord = crate::storage::conformance::call("barbers", 0, 0);
        (record.id, record.recording) = (call(number), Some(recording(number)));
        room.storage.put_call(&record).await.expect("written");
    }
    room.merge(2).await.expect("merged");
    // One of them is erased while it is being merged: it is not written again.
    let row = room.storage.recording(recording(3)).await.expect("read").expect("there");
    for number in 1..=3 {
        let erasure = room.storage.erase_call(call(number), Extent::Everything).await.expect("erased");
        assert_eq!(erasure.erased, Erased { calls: 1, recordings: 1, ..Erased::default() });
    }
    assert_eq!(room.storage.update_recording(&row).await, Ok(false));
    assert_eq!(room.merge(3).await, Ok(false));
    room.store.die_after(3);
    assert!(room.recordings.remove_erased().await.is_err());
    room.store.die_after(usize::MAX);
    let left = room.storage.removals(Page::first(9)).await.expect("listed").rows.len();
    assert!((1..=3).contains(&left), "what is left to do is known");
    assert_eq!(room.recordings.remove_erased().await, Ok(left as u64));
    assert_eq!(room.store.objects().await, [""; 0]);
    assert_eq!(room.recordings.is_gone(&barbers()).await, Ok(true));
    assert_eq!(room.storage.removals(Page::first(9)).await.expect("listed").rows, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_wait_in_the_spool_and_are_sent_in_order_once() {
    let room = Room::new();
    let spool = room.folder.path().join("spool");
    let open = || room.recordings.clone().with_spool(&spool, &spool::Settings::default()).expect("a spool");
    let away = Room { recordings: open(), ..Room::new() };
    let far: Arc<dyn ObjectStore> = Arc::clone(&room.store) as Arc<dyn ObjectStore>;
    room.storage.keep_key(&barbers(), b"x").await.expect("kept");
    room.storage.drop_key(&barbers()).await.expect("dropped");
    away.leave(1, 20_000, &[]).await;
    assert_eq!(room.store.objects().await, [""; 0], "nothing was sent yet");
    let waiting = away.recordings.objects.spool.clone().expect("a spool");
    // The store takes two segments, and then it is away.
    room.store.die_after(2);
    assert!(waiting.round(&far).await.is_err());
    room.store.die_after(usize::MAX);
    assert_eq!(room.store.objects().await.len(), 2);
    // Another process finds what waits, and knows how much that is.
    let again = open();
    let waiting = again.objects.spool.clone().expect("a spool");
    assert_eq!(waiting.round(&far).await.expect("sent"), 4);
    assert_eq!(waiting.round(&far).await.expect("nothing waits"), 0);
    let put = room.store.put.lock().clone();
    let expected: Vec<String> =
        (0..6).map(|index| object_of(&barbers(), recording(1), index).to_string()).collect();
    assert_eq!(put, expected, "in order, each once");
    assert!(std::fs::read_dir(&spool).expect("there").next().is_none(), "the spool is empty");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_takes_no_more_and_says_so() {
    let folder = TempDir::new().expect("a folder");
    let settings = spool::Settings { bytes_max: 100, ..spool::Settings::default() };
    let spool = Spool::open(&folder.path().join("spool"), &settings).expect("a spool");
    let place = |index| object_of(&barbers(), recording(1), index);
    spool.put(&place(0), vec![0; 60].into()).await.expect("kept");
    let refused = spool.put(&place(1), vec![0; 60].into()).await.expect_err("full").to_string();
    assert!(refused.contains("100 bytes wait"), "{refused}");
    spool.remove(&place(0)).await.expect("removed");
    spool.remove(&place(0)).await.expect("removed before");
    spool.put(&place(1), vec![0; 60].into()).await.expect("kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_sealed_anew_for_another_master_key() {
    let room = Room::new();
    room.leave(1, 8_000, &[]).await;
    let key = |name: &str| MasterKey::open(&room.folder.path().join(name)).expect("a key");
    let (old, new) = (key("master.key"), key("new.key"));
    assert_eq!(reseal(room.storage.as_ref(), &old, &new).await, Ok(vec![barbers()]));
    assert_eq!(reseal(room.storage.as_ref(), &old, &new).await, Ok(vec![]), "begun again, it does nothing");
    let store = || Arc::clone(&room.store) as Arc<dyn ObjectStore>;
    let after = Recordings::new(store(), new, Arc::clone(&room.storage));
    assert!(after.read(recording(1), &Settings::default()).await.is_ok());
    let before = Recordings::new(store(), old, Arc::clone(&room.storage));
    assert!(before.read(recording(1), &Settings::default()).await.is_err());
    let refused = reseal(room.storage.as_ref(), &key("third.key"), &key("fourth.key")).await;
    assert!(matches!(refused, Err(Error::Key { .. })));
}
