//! S3, as moto speaks it.

use std::process::Command;

use super::line::Line;
use super::*;

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
    altered(&studio).await;
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
    lost_everything(studio, recorder, server, || Server::with_bucket(address)).await;
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
