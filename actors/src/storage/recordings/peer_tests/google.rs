//! Google Cloud Storage, by the XML API that its client speaks. Nobody but Google has a server of it; moto's is of S3,
//! whose requests for objects, ranges, listings and large objects in parts the XML API shares. What it lacks stands
//! between (`Front`): who has no token is turned away, every object has a generation, and what is not there can't be
//! deleted.
//!
//! So this proves our half: that every request goes where it should, with its token, and that answers, faults and
//! refusals are understood. It proves nothing of Google's own: tokens of service accounts, quotas, and what its
//! servers accept beyond what was written down (<https://cloud.google.com/storage/docs/xml-api/overview>).

use super::front::Front;
use super::server::free_address;
use super::*;

/// A server, and what stands between.
async fn start() -> (Server, Front) {
    let server = Server::with_bucket(free_address());
    let line = Front::of(server.address).await;
    (server, line)
}

fn studio(line: &Front) -> Studio {
    Studio::with(Settings { url: "gs://bucket/calls".to_owned(), ..settings(line.address) })
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_google_a_call_is_kept_merged_played_and_removed() {
    let (_server, line) = start().await;
    let studio = studio(&line);
    let recorder = studio.recorder();
    studio.record(&recorder, 1, 480_000).await;
    studio.sent().await;
    assert_eq!(studio.objects().await.len(), 121, "each segment lies there");
    assert_eq!(studio.hear(1, &Extract::default()).await.map(|heard| heard.len()), Ok(960_000));
    assert_eq!(studio.merge(1).await, Ok(true));
    assert_eq!(studio.objects().await.len(), 1);
    assert_eq!(studio.hear(1, &Extract::default()).await.map(|heard| heard.len()), Ok(960_000));
    let part = Extract { from_ms: Some(20_000), until_ms: Some(21_000), ..Extract::default() };
    assert_eq!(studio.hear(1, &part).await.map(|heard| heard.len()), Ok(16_000));
    let place = {
        let row = studio.row(1).await;
        merged_object(&row, &row.merged.clone().expect("merged").object)
    };
    let folder = folder_of(&barbers(), recording(1));
    // As Google says it, and not as S3 does: what is gone is not there to be deleted.
    for _ in 0..2 {
        studio.recordings.objects.remove(&place).await.expect("removed, or gone already");
    }
    let refused = studio.recordings.objects.store.delete(&place).await;
    assert!(matches!(refused, Err(object_store::Error::NotFound { .. })), "{refused:?}");
    let gone = studio.hear(1, &Extract::default()).await;
    assert!(matches!(gone, Err(Error::Missing { index: 0, .. })), "{gone:?}");
    studio.recordings.objects.clear(&folder, None).await.expect("nothing is left");
    assert_eq!(studio.recordings.is_gone(&barbers()).await, Ok(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_google_what_was_altered_there_is_an_error_and_never_noise() {
    let (_server, line) = start().await;
    let studio = studio(&line);
    altered(&studio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_google_a_server_in_trouble_delays_no_call_and_loses_nothing() {
    let (server, line) = start().await;
    let studio = studio(&line);
    in_trouble(&studio, &server, |mode| line.set(mode)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_google_a_server_that_lost_everything_is_told_from_one_that_is_away() {
    let (server, line) = start().await;
    let address = server.address;
    let studio = studio(&line);
    let recorder = studio.recorder();
    studio.record(&recorder, 1, 8_000).await;
    studio.sent().await;
    lost_everything(studio, recorder, server, || Server::with_bucket(address)).await;
}

/// A token that is not taken is told with what to do, and nothing is lost meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn peer_google_whoever_has_no_token_is_turned_away() {
    let (_server, line) = start().await;
    let studio = studio(&line);
    let recorder = studio.recorder();
    studio.record(&recorder, 1, 8_000).await;
    studio.sent().await;
    line.asks_for("another token");
    studio.record(&recorder, 2, 8_000).await;
    let heard = studio.hear(1, &Extract::default()).await;
    let Err(Error::Objects { why }) = heard else { panic!("{:?}", heard.map(|heard| heard.len())) };
    assert!(why.to_lowercase().contains("unauthenticated") || why.contains("401"), "{why}");
    line.asks_for(super::server::TOKEN);
    studio.sent().await;
    assert_eq!(studio.hear(2, &Extract::default()).await.map(|heard| heard.len()), Ok(16_000));
}
