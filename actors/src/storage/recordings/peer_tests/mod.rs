//! Recordings on real servers of objects and keys in a real KMS, all spoken to over the wire: stopped, killed,
//! started again with nothing, slow, and cut off. `ops/install test` installs the servers.

mod azure;
mod front;
mod google;
mod kms;
mod line;
mod proofs;
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
use proofs::{altered, in_trouble, lost_everything};
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
