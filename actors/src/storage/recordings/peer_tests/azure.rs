//! Azure Blob Storage, as azurite speaks it.

use std::io::{Read, Write};
use std::net::TcpStream;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::line::Line;
use super::server::free_address;
use super::*;

/// The server of Azure's storage, from npm.
const AZURITE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/azurite/node_modules/.bin/azurite-blob");
/// Its one account, as its makers publish it.
pub(super) const ACCOUNT: &str = "devstoreaccount1";
pub(super) const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The server, with the container.
fn start(address: SocketAddr) -> Server {
    let port = address.port().to_string();
    let words = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"];
    let words = [&["--blobHost", "127.0.0.1", "--blobPort", &port][..], &words[..]].concat();
    let server = Server::run(address, AZURITE, &words);
    make_container(&server);
    server
}

/// Makes a container, signed with the account's key (Shared Key of the storage services' REST API).
fn make_container(server: &Server) {
    let date = crate::clock::Clock::system().now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let words = format!(
        "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2021-12-02\n\
         /{ACCOUNT}/{ACCOUNT}/bucket\nrestype:container"
    );
    let key = BASE64.decode(ACCOUNT_KEY).expect("a key");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), words.as_bytes());
    let signature = BASE64.encode(signature.as_ref());
    let mut line = TcpStream::connect(server.address).expect("connected");
    let request = format!(
        "PUT /{ACCOUNT}/bucket?restype=container HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\
         Connection: close\r\nx-ms-date: {date}\r\nx-ms-version: 2021-12-02\r\n\
         Authorization: SharedKey {ACCOUNT}:{signature}\r\n\r\n",
        server.address
    );
    line.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    line.read_to_string(&mut answer).expect("answered");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

fn studio(address: SocketAddr) -> Studio {
    let mut azure = settings(address);
    azure.url = "az://bucket/calls".to_owned();
    azure.objects.endpoint = Some(format!("http://{address}/{ACCOUNT}"));
    Studio::with(azure)
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_azure_a_server_in_trouble_delays_no_call_and_loses_nothing() {
    let server = start(free_address());
    let line = Line::to(server.address).await;
    in_trouble(&studio(line.address), &server, |mode| line.set(mode)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_azure_a_server_that_lost_everything_is_told_from_one_that_is_away() {
    let server = start(free_address());
    let address = server.address;
    let studio = studio(address);
    let recorder = studio.recorder();
    studio.record(&recorder, 1, 8_000).await;
    studio.sent().await;
    lost_everything(studio, recorder, server, || start(address)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_azure_what_was_altered_there_is_an_error_and_never_noise() {
    let server = start(free_address());
    altered(&studio(server.address)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_azure_a_call_is_kept_merged_played_and_removed() {
    let server = start(free_address());
    let studio = studio(server.address);
    let recorder = studio.recorder();
    studio.record(&recorder, 1, 480_000).await;
    studio.sent().await;
    assert_eq!(studio.objects().await.len(), 121);
    assert_eq!(studio.merge(1).await, Ok(true));
    assert_eq!(studio.objects().await.len(), 1);
    assert_eq!(studio.hear(1, &Extract::default()).await.map(|heard| heard.len()), Ok(960_000));
    let part = Extract { from_ms: Some(40_000), until_ms: Some(41_000), ..Extract::default() };
    assert_eq!(studio.hear(1, &part).await.map(|heard| heard.len()), Ok(16_000));
    studio.recordings.objects.clear(&folder_of(&barbers(), recording(1)), None).await.expect("removed");
    assert_eq!(studio.recordings.is_gone(&barbers()).await, Ok(true));
}
