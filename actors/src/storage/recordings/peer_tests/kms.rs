//! AWS KMS, as moto speaks it.

use super::super::kms::Kms;
use super::*;

fn kms_settings(address: SocketAddr) -> super::super::kms::Settings {
    super::super::kms::Settings {
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
