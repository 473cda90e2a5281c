use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use models::audio::AudioSender;
use tempfile::TempDir;

use super::*;
use crate::storage::{FinishedRecording, Memory};
use crate::types::CallId;

/// Small segments, so that tests are short, and long queues, since they speak faster than callers.
fn settings() -> Settings {
    let merge = merge::Settings { enabled: false, ..merge::Settings::default() };
    Settings {
        segment_ms: 100,
        folder_segment_ms: 100,
        drain_ms: 5,
        retry_ms: 1,
        waiting_max: 1_000,
        merge,
        ..Settings::default()
    }
}

const SEGMENT: u64 = 800;
/// Bytes of a whole segment, sealed.
const SEALED: usize = 2 * 800 + 16;

#[tokio::test]
async fn their_folder_is_closed_to_others_even_where_it_was_open() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("recordings");
    for _ in 0..2 {
        recordings(&folder, &(Arc::new(Memory::new()) as Arc<dyn Storage>));
        assert_eq!(fs::metadata(&path).expect("made").permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("opens it");
    }
}

struct Studio {
    folder: TempDir,
    storage: Arc<dyn Storage>,
    recorder: Recorder,
    open: Open,
}

/// How another process opens the same recordings.
type Open = fn(&TempDir, &Arc<dyn Storage>) -> Recordings;

impl Studio {
    /// In a local folder, where segments are bundled.
    fn new() -> Self {
        Self::by(recordings)
    }

    /// In a store that has an object for each segment.
    fn of_objects() -> Self {
        Self::by(|folder, storage| {
            let path = folder.path().join("recordings");
            fs::create_dir_all(&path).expect("made");
            let store = object_store::local::LocalFileSystem::new_with_prefix(path).expect("a store");
            let master = MasterKey::open(&folder.path().join("master.key")).expect("a key");
            Recordings::new(Arc::new(store), master, Arc::clone(storage))
        })
    }

    fn by(open: Open) -> Self {
        let folder = TempDir::new().expect("a folder");
        let storage: Arc<dyn Storage> = Arc::new(Memory::new());
        let recorder = Recorder::start(&settings(), open(&folder, &storage)).expect("started");
        Self { folder, storage, recorder, open }
    }

    async fn open(&self, number: u128) -> (AudioSender, Handle) {
        self.recorder
            .open(&barbers(), call(number), recording(number), Timestamp::UNIX_EPOCH)
            .await
            .expect("opened")
    }

    /// Records so many samples of each side, and finishes.
    async fn record(&self, number: u128, samples: usize) -> FinishedRecording {
        let (mut ring, handle) = self.open(number).await;
        play(&mut ring, samples).await;
        handle.finish().await.expect("kept")
    }

    /// As another process sees it: nothing at hand but the folder, the key's file and the store.
    fn elsewhere(&self) -> Recordings {
        (self.open)(&self.folder, &self.storage)
    }

    fn object(&self, number: u128, index: u32) -> PathBuf {
        let path = object_of(&barbers(), recording(number), index);
        self.folder.path().join("recordings").join(path.to_string())
    }

    /// The file in which a segment lies among others, and where.
    fn bundle(&self, number: u128, index: u32) -> (PathBuf, usize) {
        let first = index / 32 * 32;
        let path = self.object(number, 0).with_file_name(format!("{first:08}-{:08}.sealed", first + 31));
        (path, (index - first) as usize * SEALED)
    }

    async fn read(&self, number: u128) -> Result<(Vec<u8>, Played)> {
        self.elsewhere().read(recording(number), &settings()).await
    }
}

fn recordings(folder: &TempDir, storage: &Arc<dyn Storage>) -> Recordings {
    let master = MasterKey::open(&folder.path().join("master.key")).expect("a key");
    Recordings::in_folder(&folder.path().join("recordings"), master, Arc::clone(storage)).expect("a folder")
}

pub(super) fn barbers() -> TenantId {
    TenantId::new("barbers")
}

pub(super) fn call(number: u128) -> CallId {
    CallId::new(uuid::Uuid::from_u128(number))
}

pub(super) fn recording(number: u128) -> RecordingId {
    RecordingId::new(uuid::Uuid::from_u128(number))
}

/// What is said: the caller a rising ramp, the receptionist a falling one.
fn pair(sample: usize) -> [i16; 2] {
    let level = i16::try_from(sample % 30_000).expect("small");
    [level, -level]
}

/// Writes frames of 20 ms as fast as the ring takes them.
async fn play(ring: &mut AudioSender, samples: usize) {
    for start in (0..samples).step_by(160) {
        let frame: Vec<i16> = (start..(start + 160).min(samples)).flat_map(pair).collect();
        while ring.room() < frame.len() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(ring.write(&frame), frame.len());
    }
}

pub(super) fn decode(wav: &[u8]) -> Vec<i16> {
    let mut reader = hound::WavReader::new(wav).expect("a WAV file");
    assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 8_000));
    reader.samples::<i16>().collect::<std::result::Result<_, _>>().expect("whole")
}

/// µ-law keeps a sample within about three per cent.
fn check(samples: &[i16]) {
    for (index, heard) in samples.chunks(2).enumerate() {
        for (heard, said) in heard.iter().zip(pair(index)) {
            let apart = (i32::from(*heard) - i32::from(said)).abs();
            assert!(apart <= 8 + i32::from(said).abs() / 25, "sample {index}: {heard} for {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_heard_again() {
    let studio = Studio::new();
    let finished = studio.record(1, 4_321).await;
    assert_eq!(
        finished,
        FinishedRecording { segments: 6, samples: 4_321, lost_segments: Vec::new(), cut_short: false }
    );
    let (wav, played) = studio.read(1).await.expect("heard");
    assert_eq!(played, Played { samples: 4_321, lost_samples: 0, finished: true });
    let samples = decode(&wav);
    assert_eq!(samples.len(), 4_321 * 2);
    check(&samples);
    let file = studio.folder.path().join("call.wav");
    assert_eq!(studio.elsewhere().export(recording(1), &file, &Extract::default()).await, Ok(played));
    assert_eq!(fs::read(&file).expect("there"), wav);
    assert!(
        studio.elsewhere().export(recording(1), &file, &Extract::default()).await.is_err(),
        "nothing is written over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_not_to_be_read_by_others() {
    let studio = Studio::of_objects();
    studio.record(1, 1_600).await;
    let sealed = fs::read(studio.object(1, 0)).expect("there");
    let plain: Vec<u8> = (0..800).flat_map(pair).map(audio_codec_algorithms::encode_ulaw).collect();
    assert_eq!(sealed.len(), plain.len() + 16);
    let alike = sealed.iter().zip(&plain).filter(|(one, other)| one == other).count();
    assert!(alike < 100, "{alike} of {} bytes are as they were", plain.len());
    studio.record(2, 1_600).await;
    assert_ne!(sealed, fs::read(studio.object(2, 0)).expect("there"), "each has its own key");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_ring_finishes_a_recording() {
    let studio = Studio::new();
    let (mut ring, handle) = studio.open(1).await;
    play(&mut ring, 1_000).await;
    drop(ring);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        handle.finish().await.map(|finished| finished.samples),
        Ok(1_000),
        "and its handle may come later"
    );
    let (mut ring, handle) = studio.open(2).await;
    play(&mut ring, 1_000).await;
    drop(handle);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(studio.read(2).await.expect("heard").1.finished, "as does the end of its handle");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_all() {
    let studio = Studio::new();
    let (mut ring, _handle) = studio.open(1).await;
    play(&mut ring, 1_000).await;
    studio.recorder.stop().await;
    assert_eq!(
        studio.read(1).await.expect("heard").1,
        Played { samples: 1_000, lost_samples: 0, finished: true }
    );
    assert!(studio.recorder.open(&barbers(), call(3), recording(3), Timestamp::UNIX_EPOCH).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_loses_at_most_the_segment_it_was_filling() {
    let studio = Studio::new();
    let (mut ring, handle) = studio.open(1).await;
    play(&mut ring, 3_700).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Neither the ring nor the handle ended, nor will they ever: what is on the disk is all there is.
    let (wav, played) = studio.read(1).await.expect("heard");
    assert_eq!(played, Played { samples: 4 * SEGMENT, lost_samples: 0, finished: false });
    check(&decode(&wav));
    drop((ring, handle));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_is_an_error_and_never_noise() {
    let studio = Studio::of_objects();
    studio.record(1, 4_000).await;
    studio.record(2, 4_000).await;
    let bytes = |number, index| fs::read(studio.object(number, index)).expect("there");
    let (first, second, other) = (bytes(1, 0), bytes(1, 1), bytes(2, 1));
    let cut = second[..second.len() - 1].to_vec();
    let mut changed = second.clone();
    changed[100] ^= 1;
    for (what, wrong) in
        [("cut", cut), ("changed", changed), ("swapped", first), ("another's", other), ("empty", vec![])]
    {
        fs::write(studio.object(1, 1), wrong).expect("written");
        assert_eq!(studio.read(1).await, Err(Error::Altered { index: 1 }), "{what}");
    }
    fs::write(studio.object(1, 1), &second).expect("written");
    assert!(studio.read(1).await.is_ok());
    let last = studio.object(1, 5);
    fs::rename(&last, studio.folder.path().join("away")).expect("moved");
    assert_eq!(studio.read(1).await, Err(Error::Missing { index: 5, of: 6 }), "the end was cut off");
    fs::copy(studio.object(1, 4), &last).expect("copied");
    assert_eq!(studio.read(1).await, Err(Error::Altered { index: 5 }));
    let half = studio.folder.path().join("half.wav");
    assert!(studio.elsewhere().export(recording(1), &half, &Extract::default()).await.is_err());
    assert!(!half.exists(), "no half file is left");
    assert_eq!(studio.read(9).await, Err(Error::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_opens_nothing_and_says_so() {
    let studio = Studio::new();
    studio.record(1, 1_000).await;
    let key = studio.folder.path().join("master.key");
    fs::rename(&key, studio.folder.path().join("away")).expect("moved");
    let error = studio.read(1).await.expect_err("the wrong key").to_string();
    assert!(error.contains("master.key is not the master key that sealed it"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_call_opens_nothing() {
    let studio = Studio::new();
    studio.record(1, 1_000).await;
    studio.record(2, 1_000).await;
    let mut row = studio.storage.recording(recording(1)).await.expect("read").expect("there");
    let other = studio.storage.recording(recording(2)).await.expect("read").expect("there");
    row.sealed_key = other.sealed_key;
    studio.storage.put_recording(&row).await.expect("written");
    assert!(matches!(studio.read(1).await, Err(Error::Key { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_that_cannot_be_kept_are_counted_and_heard_as_silence() {
    let studio = Studio::new();
    let (mut ring, handle) = studio.open(1).await;
    // A file where the business's folder should be: nothing can be kept.
    let in_the_way = studio.folder.path().join("recordings/barbers");
    fs::write(&in_the_way, "").expect("written");
    play(&mut ring, 1_700).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    fs::remove_file(&in_the_way).expect("removed");
    play(&mut ring, 1_500).await;
    let finished = handle.finish().await.expect("kept");
    assert_eq!(
        finished,
        FinishedRecording { segments: 5, samples: 3_200, lost_segments: vec![0, 1], cut_short: false }
    );
    let (wav, played) = studio.read(1).await.expect("heard");
    assert_eq!(played, Played { samples: 3_200, lost_samples: 2 * SEGMENT, finished: true });
    assert!(decode(&wav)[..3_200].iter().all(|sample| *sample == 0), "silence");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_are_recorded_at_once_and_none_loses_a_sample() {
    let studio = Arc::new(Studio::new());
    let tasks: Vec<_> = (1..=64)
        .map(|number| {
            let studio = Arc::clone(&studio);
            tokio::spawn(async move { studio.record(number, 8_000).await })
        })
        .collect();
    for task in tasks {
        let finished = task.await.expect("no panic");
        assert_eq!((finished.samples, finished.lost_segments), (8_000, Vec::new()));
    }
    for number in 1..=64 {
        check(&decode(&studio.read(number).await.expect("heard").0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_an_end_to_how_many_are_recorded_and_how_much_is_read() {
    let studio = Studio::new();
    let few = Settings { recordings_max: 1, ..settings() };
    let recorder = Recorder::start(&few, studio.elsewhere()).expect("started");
    let open = |number| {
        let recorder = &recorder;
        async move { recorder.open(&barbers(), call(number), recording(number), Timestamp::UNIX_EPOCH).await }
    };
    let first = open(1).await.expect("opened");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(matches!(open(2).await, Err(Error::Refused { .. })));
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(open(3).await.is_ok());
    studio.record(4, 16_000).await;
    let short = Settings { read_seconds_max: 1, ..settings() };
    let refused = studio.elsewhere().read(recording(4), &short).await;
    assert_eq!(refused.map(drop), Err(Error::TooLong { seconds: 2, most: 1 }));
}

#[test]
fn a_master_key_is_its_owners_alone() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("master.key");
    MasterKey::open(&path).expect("made");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    let text = fs::read_to_string(&path).expect("there");
    MasterKey::open(&path).expect("read");
    assert_eq!(fs::read_to_string(&path).expect("there"), text, "made once");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
    let error = MasterKey::open(&path).expect_err("open to others").to_string();
    assert!(error.contains("chmod 600"), "{error}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("changed");
    for wrong in ["", "abc", &text[..62], &"é".repeat(32)] {
        fs::write(&path, wrong).expect("written");
        let error = MasterKey::open(&path).expect_err("no key").to_string();
        assert!(error.contains("64 hexadecimal digits"), "{error}");
        assert!(wrong.is_empty() || !error.contains(wrong), "and shows none of it");
    }
    assert!(MasterKey::open(&folder.path().join("nowhere/master.key")).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_businesss_name_leads_nowhere_else() {
    let studio = Studio::new();
    let odd = TenantId::new("../../etc");
    let (mut ring, handle) =
        studio.recorder.open(&odd, call(1), recording(1), Timestamp::UNIX_EPOCH).await.expect("opened");
    play(&mut ring, 1_000).await;
    handle.finish().await.expect("kept");
    assert!(studio.read(1).await.is_ok());
    let within: Vec<_> = fs::read_dir(studio.folder.path().join("recordings")).expect("there").collect();
    assert_eq!(within.len(), 1);
    assert!(!studio.folder.path().join("etc").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_left_of_a_recording_is_brought_to_an_end() {
    let studio = Studio::of_objects();
    studio.record(1, 4_321).await;
    // As it was while the call went on, and without the last two pieces and one in between.
    let row = studio.storage.recording(recording(1)).await.expect("read").expect("there");
    let open = crate::storage::Recording { finished: None, ..row };
    assert_eq!(studio.storage.update_recording(&open).await, Ok(true));
    for index in [2, 4, 5] {
        std::fs::remove_file(studio.object(1, index)).expect("removed");
    }
    let elsewhere = studio.elsewhere();
    assert_eq!(elsewhere.salvage(recording(1)).await, Ok(true));
    let row = studio.storage.recording(recording(1)).await.expect("read").expect("there");
    let expected = FinishedRecording { segments: 4, samples: 3_200, lost_segments: vec![2], cut_short: true };
    assert_eq!((row.finished.as_ref(), row.to_merge()), (Some(&expected), true));
    assert_eq!(elsewhere.salvage(recording(1)).await, Ok(false), "it is done");
    let played = Played { samples: 3_200, lost_samples: 800, finished: false };
    assert_eq!(studio.read(1).await.expect("heard").1, played);
    assert_eq!(elsewhere.merge(recording(1), &merge::Settings::default()).await, Ok(true));
    assert_eq!(studio.read(1).await.expect("heard").1, played);
    // One of which nothing was kept is empty, and over.
    let sealed_key = elsewhere.keys.make(&barbers(), recording(2)).await.expect("a key").1;
    let nothing = crate::storage::Recording { id: recording(2), sealed_key, ..open };
    studio.storage.put_recording(&nothing).await.expect("written");
    assert_eq!(elsewhere.salvage(recording(2)).await, Ok(true));
    assert_eq!(elsewhere.merge(recording(2), &merge::Settings::default()).await.map(drop), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_folder_segments_share_files_and_are_heard_again() {
    let studio = Studio::new();
    let finished = studio.record(1, 70 * 800 + 5).await;
    assert_eq!((finished.segments, finished.lost_segments.len()), (71, 0));
    let size = |index| {
        let (path, _) = studio.bundle(1, index);
        let found = fs::metadata(path).expect("there");
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
        found.len() as usize
    };
    assert_eq!([size(0), size(32), size(64)], [32 * SEALED, 32 * SEALED, 6 * SEALED + 2 * 5 + 16]);
    let files = fs::read_dir(studio.bundle(1, 0).0.parent().expect("a folder")).expect("there");
    assert_eq!(files.count(), 3);
    let (wav, played) = studio.read(1).await.expect("heard");
    assert_eq!(played, Played { samples: 56_005, lost_samples: 0, finished: true });
    check(&decode(&wav));
    let merged = studio.elsewhere().merge(recording(1), &merge::Settings::default()).await;
    assert_eq!((merged, studio.bundle(1, 0).0.exists()), (Ok(true), false));
    assert_eq!(studio.read(1).await.expect("heard").1, played);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_among_others_is_an_error_and_never_noise() {
    let studio = Studio::new();
    studio.record(1, 4_100).await;
    studio.record(2, 4_100).await;
    let (path, second) = studio.bundle(1, 1);
    let whole = fs::read(&path).expect("there");
    let other = fs::read(studio.bundle(2, 1).0).expect("there");
    let with = |part: &[u8]| {
        let mut all = whole.clone();
        all[second..second + part.len()].copy_from_slice(part);
        all
    };
    let altered = Err(Error::Altered { index: 1 });
    let missing = |index| Err(Error::Missing { index, of: 6 });
    for (what, file, told) in [
        ("changed", with(&[1, 2, 3]), altered.clone()),
        ("swapped", with(&whole[..SEALED]), altered.clone()),
        ("another's", with(&other[second..second + SEALED]), altered),
        ("a hole", with(&[0; SEALED]), missing(1)),
        ("cut between", whole[..5 * SEALED].to_vec(), missing(5)),
        ("cut within", whole[..whole.len() - 1].to_vec(), Err(Error::Altered { index: 5 })),
        ("cut early", whole[..second + 9].to_vec(), Err(Error::Altered { index: 1 })),
        ("longer", [whole.clone(), vec![0]].concat(), Err(Error::Altered { index: 5 })),
    ] {
        fs::write(&path, file).expect("written");
        assert_eq!(studio.read(1).await, told, "{what}");
    }
    fs::write(&path, &whole).expect("written");
    assert!(studio.read(1).await.is_ok());
    fs::remove_file(&path).expect("removed");
    assert_eq!(studio.read(1).await, missing(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_left_of_a_bundle_is_brought_to_an_end() {
    let studio = Studio::new();
    studio.record(1, 40 * 800 + 321).await;
    let row = studio.storage.recording(recording(1)).await.expect("read").expect("there");
    let open = crate::storage::Recording { finished: None, ..row };
    let finish = |row: &crate::storage::Recording| row.finished.clone().expect("an end");
    let (first, third) = studio.bundle(1, 3);
    let whole = fs::read(&first).expect("there");
    let (second, _) = studio.bundle(1, 32);
    let rest = fs::read(&second).expect("there");
    let mut with_hole = whole.clone();
    with_hole[third..third + SEALED].fill(0);
    let torn = rest[..3 * SEALED + 700].to_vec();
    for (rest, segments, samples, lost) in [
        (&rest[..], 41, 40 * 800 + 321, vec![3]),
        (&rest[..8 * SEALED], 40, 32_000, vec![3]),
        // It died while it wrote.
        (&torn[..], 35, 28_000, vec![3]),
        (&[][..], 32, 25_600, vec![3]),
    ] {
        studio.storage.put_recording(&open).await.expect("written");
        fs::write(&first, &with_hole).expect("written");
        fs::write(&second, rest).expect("written");
        let live = studio.read(1).await.expect("heard").1;
        assert_eq!((live.samples, live.lost_samples, live.finished), (samples, SEGMENT, false));
        assert_eq!(studio.elsewhere().salvage(recording(1)).await, Ok(true));
        let row = studio.storage.recording(recording(1)).await.expect("read").expect("there");
        let told = FinishedRecording { segments, samples, lost_segments: lost, cut_short: true };
        assert_eq!(finish(&row), told);
        let played = studio.read(1).await.expect("heard").1;
        assert_eq!((played.samples, played.lost_samples), (samples, SEGMENT));
    }
    assert_eq!(studio.elsewhere().merge(recording(1), &merge::Settings::default()).await, Ok(true));
    assert_eq!(studio.read(1).await.expect("heard").1.samples, 25_600);
}

/// A backup of the one kind may be restored to the other, and a folder has what was there before segments were bundled.
#[tokio::test(flavor = "multi_thread")]
async fn segments_are_found_bundled_and_one_by_one() {
    let (bundled, single) = (Studio::new(), Studio::of_objects());
    for (studio, other) in [(&bundled, single.open), (&single, bundled.open)] {
        studio.record(1, 4_321).await;
        let here = studio.read(1).await.expect("heard");
        let elsewhere = other(&studio.folder, &studio.storage);
        assert_eq!(elsewhere.read(recording(1), &settings()).await, Ok(here.clone()));
        let row = studio.storage.recording(recording(1)).await.expect("read").expect("there");
        let open = crate::storage::Recording { finished: None, ..row };
        studio.storage.put_recording(&open).await.expect("written");
        assert_eq!(elsewhere.salvage(recording(1)).await, Ok(true));
        assert_eq!(elsewhere.merge(recording(1), &merge::Settings::default()).await, Ok(true));
        assert_eq!(studio.read(1).await.expect("heard").1.samples, here.1.samples);
    }
}
