//! Recordings on real servers of objects and keys in a real KMS, all spoken to over the wire: stopped, killed,
//! started again with nothing, slow, and cut off. `ops/install test` installs the servers.

mod azure;
mod front;
mod google;
mod kms;
mod line;
mod s3;
mod server;

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use models::audio::AudioSender;
use nix::sys::signal::Signal;
use object_store::{ObjectStoreExt, PutPayload};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::tests::{barbers, call, decode, recording};
use super::*;
use crate::storage::{Memory, Recording};

use line::{BUSY, CUT, FULL, PASS, SLOW};
use server::{KEYS, Server};

/// A recorder whose recordings go to a server.
struct Studio {
    folder: TempDir,
    storage: Arc<dyn Storage>,
    settings: Settings,
    recordings: Recordings,
}

fn settings(address: SocketAddr) -> Settings {
    let limits = remote::Limits {
        connect_ms: 500,
        request_ms: 1_500,
        retries_max: 1,
        retry_ms: 50,
        retries_ms: 3_000,
    };
    let endpoint = Some(format!("http://{address}"));
    Settings {
        url: "s3://bucket/calls".to_owned(),
        segment_ms: 500,
        drain_ms: 5,
        waiting_max: 1_000,
        objects: remote::Settings {
            endpoint,
            region: Some("us-east-1".to_owned()),
            allow_http: true,
            limits,
        },
        spool: spool::Settings {
            retry_ms: 50,
            retry_max_ms: 400,
            stop_ms: 700,
            ..spool::Settings::default()
        },
        merge: merge::Settings { enabled: false, ..merge::Settings::default() },
        ..Settings::default()
    }
}

impl Studio {
    fn at(address: SocketAddr) -> Self {
        Self::with(settings(address))
    }

    fn with(settings: Settings) -> Self {
        let folder = TempDir::new().expect("a folder");
        let storage: Arc<dyn Storage> = Arc::new(Memory::new());
        let recordings = open(&folder, &settings, &storage, "master.key");
        Self { folder, storage, settings, recordings }
    }

    fn recorder(&self) -> Recorder {
        Recorder::start(&self.settings, self.recordings.clone()).expect("started")
    }

    async fn record(&self, recorder: &Recorder, number: u128, samples: usize) {
        let (mut ring, handle) = recorder
            .open(&barbers(), call(number), recording(number), Timestamp::UNIX_EPOCH)
            .await
            .expect("opened");
        speak(&mut ring, samples).await;
        let finished = timeout(Duration::from_secs(2), handle.finish()).await;
        let finished = finished.expect("a call waits for no network").expect("kept");
        assert_eq!((finished.samples, finished.lost_segments), (samples as u64, Vec::new()));
    }

    /// Until all is sent.
    async fn sent(&self) {
        let until = Instant::now() + Duration::from_secs(30);
        let spool = &self.recordings.objects.spool.as_ref().expect("a spool").store;
        loop {
            use futures_util::TryStreamExt;
            if spool.list(None).try_next().await.expect("listed").is_none() {
                return;
            }
            assert!(Instant::now() < until, "it was not sent");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn merge(&self, number: u128) -> Result<bool> {
        self.recordings.merge(recording(number), &merge::Settings::default()).await
    }

    async fn hear(&self, number: u128, extract: &Extract) -> Result<Vec<i16>> {
        let file = self.folder.path().join("heard.wav");
        self.recordings.export(recording(number), &file, extract).await?;
        let samples = decode(&std::fs::read(&file).expect("there"));
        std::fs::remove_file(&file).expect("removed");
        Ok(samples)
    }

    async fn objects(&self) -> Vec<ObjectPath> {
        use futures_util::TryStreamExt;
        let found = self.recordings.objects.store.list(None).try_collect::<Vec<_>>().await.expect("listed");
        found.into_iter().map(|object| object.location).collect()
    }

    async fn row(&self, number: u128) -> Recording {
        self.storage.recording(recording(number)).await.expect("read").expect("there")
    }
}

fn open(folder: &TempDir, settings: &Settings, storage: &Arc<dyn Storage>, key: &str) -> Recordings {
    let master = MasterKey::open(&folder.path().join(key)).expect("a key");
    let store = remote::open(&settings.url, folder.path(), &settings.objects, &KEYS).expect("a store").store;
    Recordings::new(store, master, Arc::clone(storage))
        .with_spool(&folder.path().join("spool"), &settings.spool)
        .expect("a spool")
}

/// A store that is full, busy, cut off, slow and that stands still, one after the other: no call waits for it, and
/// nothing is lost.
async fn in_trouble(studio: &Studio, server: &Server, set: impl Fn(u8)) {
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
async fn altered(studio: &Studio) {
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
async fn lost_everything(studio: Studio, recorder: Recorder, server: Server, again: impl FnOnce() -> Server) {
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

async fn speak(ring: &mut AudioSender, samples: usize) {
    for start in (0..samples).step_by(160) {
        let until = (start + 160).min(samples);
        let frame: Vec<i16> = (start..until)
            .flat_map(|sample| {
                // Two sounds that rise and fall, so that there is something to encode.
                let level = |period: usize| i16::try_from(sample % period).expect("small") * 40;
                [level(60 + sample / 211 % 190), level(200 - sample / 97 % 150)]
            })
            .collect();
        while ring.room() < frame.len() {
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(ring.write(&frame), frame.len());
    }
}
