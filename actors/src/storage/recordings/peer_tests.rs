//! Recordings on a real S3 server and keys in a real KMS, both spoken to over the wire: stopped, killed, started
//! again with nothing, slow, and cut off. `ops/install test` installs the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use models::audio::AudioSender;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use object_store::{ObjectStoreExt, PutPayload};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::kms::Kms;
use super::tests::{barbers, call, decode, recording};
use super::*;
use crate::storage::{Memory, Recording};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/moto/bin/moto_server");
/// The server of Azure's storage, from npm.
const AZURITE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/azurite/node_modules/.bin/azurite-blob");
/// Its one account, as its makers publish it.
const ACCOUNT: &str = "devstoreaccount1";
const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/// What each cloud's environment would say.
const KEYS: [(&str, &str); 5] = [
    ("azure_storage_account_name", ACCOUNT),
    ("azure_storage_account_key", ACCOUNT_KEY),
    ("aws_access_key_id", "test"),
    ("aws_secret_access_key", "test"),
    ("aws_virtual_hosted_style_request", "false"),
];

/// The server, in a process group of its own; killed when this is dropped, when the test is killed, and in any
/// case after two minutes.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        Self::start_at(address)
    }

    fn start_at(address: SocketAddr) -> Self {
        Self::run(address, SERVER, &["-H", "127.0.0.1", "-p", &address.port().to_string()])
    }

    fn start_azure() -> Self {
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let port = address.port().to_string();
        let words = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"];
        Self::run(
            address,
            AZURITE,
            &[&["--blobHost", "127.0.0.1", "--blobPort", &port][..], &words[..]].concat(),
        )
    }

    fn run(address: SocketAddr, program: &str, words: &[&str]) -> Self {
        assert!(std::path::Path::new(program).exists(), "{program} is missing: run `ops/install test`");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "timeout", "--kill-after=2", "120"])
            .args(["setpriv", "--pdeathsig", "KILL", program])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("started");
        let server = Self { child, address };
        for _ in 0..400 {
            if TcpStream::connect(address).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server did not start");
    }

    fn signal(&self, signal: Signal) {
        let group = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        let _ = killpg(group, signal);
    }

    /// Makes an Azure container, signed with the account's key (Shared Key of the storage services' REST API).
    fn make_container(&self) {
        let date = crate::clock::Clock::system().now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let words = format!(
            "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2021-12-02\n\
             /{ACCOUNT}/{ACCOUNT}/bucket\nrestype:container"
        );
        let key = BASE64.decode(ACCOUNT_KEY).expect("a key");
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), words.as_bytes());
        let signature = BASE64.encode(signature.as_ref());
        let mut line = TcpStream::connect(self.address).expect("connected");
        let request = format!(
            "PUT /{ACCOUNT}/bucket?restype=container HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\
             Connection: close\r\nx-ms-date: {date}\r\nx-ms-version: 2021-12-02\r\n\
             Authorization: SharedKey {ACCOUNT}:{signature}\r\n\r\n",
            self.address
        );
        line.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        line.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }

    fn make_bucket(&self) {
        let mut line = TcpStream::connect(self.address).expect("connected");
        let request = "PUT /bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\
                       Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, \
                       SignedHeaders=host, Signature=0\r\n\r\n";
        line.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        line.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::SIGCONT);
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

const PASS: u8 = 0;
const CUT: u8 = 1;
const SLOW: u8 = 2;
const FULL: u8 = 3;
const BUSY: u8 = 4;

/// What a server without room answers (RFC 4918 section 11.5), and one that has too much to do, as S3 says it.
const NO_ROOM: &str = "HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const SLOW_DOWN: &str = "HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 36\r\n\
    Connection: close\r\n\r\n<Error><Code>SlowDown</Code></Error>";

/// What stands between: passes everything, cuts every connection after some bytes, takes its time, or takes nothing
/// new.
struct Line {
    address: SocketAddr,
    mode: Arc<AtomicU8>,
}

impl Line {
    async fn to(server: SocketAddr) -> Self {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mode = Arc::new(AtomicU8::new(PASS));
        let set = Arc::clone(&mode);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let set = Arc::clone(&set);
                tokio::spawn(async move {
                    let Ok(far) = tokio::net::TcpStream::connect(server).await else { return };
                    let (mut near_in, mut near_out) = near.into_split();
                    let (mut far_in, mut far_out) = far.into_split();
                    let sending = async {
                        let mut bytes = vec![0; 4_096];
                        while let Ok(count @ 1..) = near_in.read(&mut bytes).await {
                            match set.load(Ordering::SeqCst) {
                                mode @ (FULL | BUSY) if bytes.starts_with(b"PUT ") => {
                                    // It is heard out, or its sender would miss the answer.
                                    let rest = near_in.read(&mut bytes);
                                    let mut rest = timeout(Duration::from_millis(50), rest).await;
                                    while matches!(rest, Ok(Ok(1..))) {
                                        let more = near_in.read(&mut bytes);
                                        rest = timeout(Duration::from_millis(50), more).await;
                                    }
                                    return Some(if mode == FULL { NO_ROOM } else { SLOW_DOWN });
                                }
                                CUT => return None,
                                SLOW => sleep(Duration::from_millis(40)).await,
                                _ => {}
                            }
                            if far_out.write_all(&bytes[..count]).await.is_err() {
                                return None;
                            }
                        }
                        None
                    };
                    let refused = tokio::select! {
                        refused = sending => refused,
                        _ = tokio::io::copy(&mut far_in, &mut near_out) => None,
                    };
                    if let Some(answer) = refused {
                        let _ = near_out.write_all(answer.as_bytes()).await;
                    }
                });
            }
        });
        Self { address, mode }
    }

    fn set(&self, mode: u8) {
        self.mode.store(mode, Ordering::SeqCst);
    }
}

/// A recorder whose recordings go to S3.
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

#[tokio::test(flavor = "multi_thread")]
async fn peer_s3_a_call_is_kept_merged_played_and_removed() {
    let server = Server::start();
    server.make_bucket();
    let studio = Studio::at(server.address);
    let recorder = studio.recorder();
    studio.record(&recorder, 1, 480_000).await;
    studio.sent().await;
    assert_eq!(studio.objects().await.len(), 121, "each segment lies there");
    let before = studio.hear(1, &Extract::default()).await.expect("heard");
    assert_eq!(before.len(), 960_000);
    assert_eq!(studio.merge(1).await, Ok(true));
    let merged = studio.row(1).await.merged.expect("merged");
    assert!(merged.chunks.len() > 1, "{} chunks", merged.chunks.len());
    assert_eq!(studio.objects().await.len(), 1);
    assert_eq!(studio.hear(1, &Extract::default()).await.map(|heard| heard.len()), Ok(960_000));
    let part = Extract { from_ms: Some(20_000), until_ms: Some(21_000), ..Extract::default() };
    assert_eq!(studio.hear(1, &part).await.map(|heard| heard.len()), Ok(16_000));
    // As another tool reads it.
    let file = studio.folder.path().join("call.ogg");
    let whole = Extract { format: Format::Ogg, ..Extract::default() };
    studio.recordings.export(recording(1), &file, &whole).await.expect("written");
    let told = Command::new("opusinfo").arg(&file).output().expect("opusinfo: run `ops/install test`");
    let told = String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr);
    assert!(told.contains("Channels: 2") && told.contains("Original sample rate: 8000 Hz"), "{told}");
    assert!(
        told.contains("Playback length: 1m:00.000s") && !told.to_lowercase().contains("warning"),
        "{told}"
    );
    studio.storage.erase_tenant(&barbers(), None).await.expect("its key is gone");
    studio.recordings.forget_key(&barbers());
    let error = studio.hear(1, &Extract::default()).await.expect_err("no key").to_string();
    assert!(error.contains("it was erased"), "{error}");
    studio.recordings.objects.clear(&tenant_folder(&barbers()), None).await.expect("nothing there by itself");
    studio.recordings.objects.clear(&folder_of(&barbers(), recording(1)), None).await.expect("removed");
    assert_eq!(studio.recordings.is_gone(&barbers()).await, Ok(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_s3_what_was_altered_there_is_an_error_and_never_noise() {
    let server = Server::start();
    server.make_bucket();
    let studio = Studio::at(server.address);
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

#[tokio::test(flavor = "multi_thread")]
async fn peer_s3_a_server_without_room_gets_what_it_missed_when_it_has_room() {
    let server = Server::start();
    server.make_bucket();
    let line = Line::to(server.address).await;
    let studio = Studio::at(line.address);
    let recorder = studio.recorder();
    for (number, refuses) in [(1, FULL), (2, BUSY)] {
        line.set(refuses);
        studio.record(&recorder, number, 20_000).await;
        // Longer than all tries of one object.
        sleep(Duration::from_secs(2)).await;
        let there = studio.objects().await;
        assert!(there.iter().all(|object| !object.as_ref().contains(recording(number).to_string().as_str())));
        let heard = studio.hear(number, &Extract::default()).await.map(|heard| heard.len());
        assert_eq!(heard, Ok(40_000), "what waits in the spool is heard");
        line.set(PASS);
        studio.sent().await;
        assert_eq!(studio.merge(number).await, Ok(true));
        assert_eq!(studio.hear(number, &Extract::default()).await.map(|heard| heard.len()), Ok(40_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_s3_a_server_that_stands_still_delays_no_call() {
    let server = Server::start();
    server.make_bucket();
    let studio = Studio::at(server.address);
    let recorder = studio.recorder();
    studio.record(&recorder, 1, 4_000).await;
    studio.sent().await;
    server.signal(Signal::SIGSTOP);
    studio.record(&recorder, 2, 20_000).await;
    let began = Instant::now();
    assert!(studio.merge(1).await.is_err(), "nobody answers");
    assert!(began.elapsed() < Duration::from_secs(8), "and that is told in time: {:?}", began.elapsed());
    assert_eq!(
        studio.hear(2, &Extract::default()).await.map(|heard| heard.len()),
        Ok(40_000),
        "what waits in the spool is heard"
    );
    server.signal(Signal::SIGCONT);
    studio.sent().await;
    // One that is finished by stopping is sent before that returns.
    let opened = recorder.open(&barbers(), call(3), recording(3), Timestamp::UNIX_EPOCH).await;
    let (mut ring, _handle) = opened.expect("opened");
    speak(&mut ring, 2_000).await;
    recorder.stop().await;
    assert_eq!(
        studio.objects().await.iter().filter(|at| at.to_string().contains(&recording(3).to_string())).count(),
        1
    );
    studio.merge(3).await.expect("merged");
    studio.recordings.objects.clear(&folder_of(&barbers(), recording(3)), None).await.expect("removed");
    assert_eq!(studio.merge(1).await, Ok(true));
    assert_eq!(studio.merge(2).await, Ok(true));
    for (number, samples) in [(1, 8_000), (2, 40_000)] {
        assert_eq!(studio.hear(number, &Extract::default()).await.map(|heard| heard.len()), Ok(samples));
    }
    assert_eq!(studio.objects().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_s3_a_server_that_lost_everything_is_told_from_one_that_is_away() {
    let server = Server::start();
    let address = server.address;
    let studio = Studio::at(address);
    let recorder = studio.recorder();
    // There is no bucket yet: everything waits.
    studio.record(&recorder, 1, 8_000).await;
    sleep(Duration::from_millis(300)).await;
    assert!(studio.hear(1, &Extract::default()).await.is_ok());
    server.make_bucket();
    studio.sent().await;
    drop(server);
    studio.record(&recorder, 2, 8_000).await;
    let away = studio.hear(1, &Extract::default()).await;
    assert!(matches!(away, Err(Error::Objects { .. })), "{away:?}");
    // The process ends and another begins; the server comes back empty.
    recorder.stop().await;
    let server = Server::start_at(address);
    server.make_bucket();
    let again = Studio {
        recordings: open(&studio.folder, &studio.settings, &studio.storage, "master.key"),
        folder: studio.folder,
        storage: studio.storage,
        settings: studio.settings,
    };
    let _recorder = again.recorder();
    again.sent().await;
    assert_eq!(again.hear(2, &Extract::default()).await.map(|heard| heard.len()), Ok(16_000));
    let lost = again.hear(1, &Extract::default()).await;
    assert!(matches!(lost, Err(Error::Missing { index: 0, .. })), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_s3_cut_and_slow_lines_lose_nothing() {
    let server = Server::start();
    server.make_bucket();
    let line = Line::to(server.address).await;
    let studio = Studio::at(line.address);
    let recorder = studio.recorder();
    line.set(CUT);
    studio.record(&recorder, 1, 16_000).await;
    sleep(Duration::from_millis(500)).await;
    line.set(SLOW);
    studio.record(&recorder, 2, 16_000).await;
    studio.sent().await;
    line.set(PASS);
    assert_eq!(studio.objects().await.len(), 2 * 5);
    for number in [1, 2] {
        assert_eq!(studio.hear(number, &Extract::default()).await.map(|heard| heard.len()), Ok(32_000));
    }
    line.set(CUT);
    assert!(studio.merge(1).await.is_err());
    assert!(studio.row(1).await.merged.is_none(), "nothing is claimed that is not so");
    line.set(SLOW);
    assert_eq!(studio.merge(1).await, Ok(true));
    line.set(PASS);
    assert_eq!(studio.hear(1, &Extract::default()).await.map(|heard| heard.len()), Ok(32_000));
    assert_eq!(studio.objects().await.len(), 1 + 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_azure_a_call_is_kept_merged_played_and_removed() {
    let server = Server::start_azure();
    server.make_container();
    let mut azure = settings(server.address);
    azure.url = "az://bucket/calls".to_owned();
    azure.objects.endpoint = Some(format!("http://{}/{ACCOUNT}", server.address));
    let studio = Studio::with(azure);
    let recorder = studio.recorder();
    studio.record(&recorder, 1, 480_000).await;
    studio.sent().await;
    assert_eq!(studio.objects().await.len(), 121);
    assert_eq!(studio.merge(1).await, Ok(true));
    assert_eq!(studio.objects().await.len(), 1);
    assert_eq!(studio.hear(1, &Extract::default()).await.map(|heard| heard.len()), Ok(960_000));
    let part = Extract { from_ms: Some(40_000), until_ms: Some(41_000), ..Extract::default() };
    assert_eq!(studio.hear(1, &part).await.map(|heard| heard.len()), Ok(16_000));
    let row = studio.row(1).await;
    let place = merged_object(&row, &row.merged.clone().expect("merged").object);
    let store = &studio.recordings.objects.store;
    let whole = store.get(&place).await.expect("there").bytes().await.expect("read").to_vec();
    store.put(&place, PutPayload::from(whole[..whole.len() / 4].to_vec())).await.expect("put");
    let refused = studio.hear(1, &Extract::default()).await.map(|heard| heard.len());
    assert_eq!(refused, Err(Error::Altered { index: 0 }));
    studio.recordings.objects.clear(&folder_of(&barbers(), recording(1)), None).await.expect("removed");
    assert_eq!(studio.recordings.is_gone(&barbers()).await, Ok(true));
}

fn kms_settings(address: SocketAddr) -> kms::Settings {
    kms::Settings {
        endpoint: Some(format!("http://{address}")),
        allow_http: true,
        request_ms: 1_000,
        attempts_max: 2,
        retry_ms: 50,
    }
}

async fn kms_key(address: SocketAddr) -> Kms {
    let settings = kms_settings(address);
    let maker = Kms::new("us-east-1/none", &settings, &KEYS).expect("a client");
    let id = maker.make_key().await.expect("made");
    Kms::new(&format!("us-east-1/{id}"), &settings, &KEYS).expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_kms_seals_and_opens_and_tells_what_is_not_its_own() {
    let server = Server::start();
    let (one, other) = (kms_key(server.address).await, kms_key(server.address).await);
    let key = [7; 32];
    let sealed = one.seal("tenant|barbers", &key).await.expect("sealed");
    assert!(!sealed.windows(32).any(|window| window == key), "it is not there in the clear");
    assert_eq!(one.unseal("tenant|barbers", &sealed).await, Ok(Some(key)));
    assert_eq!(one.unseal("tenant|clinic", &sealed).await, Ok(None), "for another purpose");
    // AWS says `IncorrectKeyException`, this server `AccessDeniedException`: either way it is not opened.
    let anothers = other.unseal("tenant|barbers", &sealed).await;
    assert!(matches!(anothers, Ok(None) | Err(Error::Key { .. })), "another key's: {anothers:?}");
    let mut changed = sealed.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(one.unseal("tenant|barbers", &changed).await, Ok(None));
    assert_eq!(one.unseal("tenant|barbers", &[1, 2, 3]).await, Ok(None), "a key file's");
    let missing = Kms::new("us-east-1/nowhere", &kms_settings(server.address), &KEYS).expect("a client");
    let error = missing.seal("tenant|barbers", &key).await.expect_err("no such key").to_string();
    assert!(error.contains("aws-kms://us-east-1/nowhere") && error.contains("NotFound"), "{error}");
    server.signal(Signal::SIGSTOP);
    let began = Instant::now();
    let error = one.unseal("tenant|barbers", &sealed).await.expect_err("nobody answers").to_string();
    assert!(error.contains("2 tries") && began.elapsed() < Duration::from_secs(4), "{error}");
    server.signal(Signal::SIGCONT);
    assert_eq!(one.unseal("tenant|barbers", &sealed).await, Ok(Some(key)));
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_kms_takes_over_from_a_key_file() {
    let server = Server::start();
    let folder = TempDir::new().expect("a folder");
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let file = || MasterKey::open(&folder.path().join("master.key")).expect("a key");
    let objects = folder.path().join("recordings");
    let before = Recordings::in_folder(&objects, file(), Arc::clone(&storage)).expect("a folder");
    let quick = Settings { url: String::new(), ..settings(server.address) };
    let recorder = Recorder::start(&quick, before).expect("started");
    let record = async |recorder: &Recorder, number: u128| {
        let opened = recorder.open(&barbers(), call(number), recording(number), Timestamp::UNIX_EPOCH).await;
        let (mut ring, handle) = opened.expect("opened");
        speak(&mut ring, 4_000).await;
        handle.finish().await.expect("kept");
    };
    record(&recorder, 1).await;
    let kms = kms_key(server.address).await;
    let place = kms.place().to_owned();
    let new = MasterKey::of_kms(kms);
    assert_eq!(reseal(storage.as_ref(), &file(), &new).await, Ok(vec![barbers()]));
    assert_eq!(reseal(storage.as_ref(), &file(), &new).await, Ok(Vec::new()));
    let after = Recordings::in_folder(&objects, new, Arc::clone(&storage)).expect("a folder");
    let recorder = Recorder::start(&quick, after.clone()).expect("started");
    record(&recorder, 2).await;
    for number in [1, 2] {
        assert_eq!(after.read(recording(number), &quick).await.map(|(_, played)| played.samples), Ok(4_000));
    }
    // The business's key is at hand: KMS may go away meanwhile, and calls are still recorded.
    server.signal(Signal::SIGSTOP);
    record(&recorder, 3).await;
    server.signal(Signal::SIGCONT);
    let old = Recordings::in_folder(&objects, file(), storage).expect("a folder");
    let error = old.read(recording(1), &quick).await.expect_err("the old key").to_string();
    assert!(error.contains("master.key is not the master key") && place.contains("aws-kms://"), "{error}");
}
