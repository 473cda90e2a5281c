//! The endpoints over real loopback connections.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request as HttpRequest, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower_service::Service;

use super::*;
use crate::operator::{Answer, Request};

struct Fixed(State);

#[async_trait]
impl Readiness for Fixed {
    async fn state(&self) -> State {
        self.0.clone()
    }
}

#[async_trait]
impl Counter for Fixed {
    async fn serve(&self, _: Request) -> Answer {
        Answer::Done
    }
}

fn parts(state: State) -> Parts {
    let fixed = Arc::new(Fixed(state));
    Parts {
        render_metrics: Arc::new(|| "strowger_x 1\n".to_owned()),
        readiness: Arc::clone(&fixed) as Arc<dyn Readiness>,
        counter: fixed,
        token: Token::new("0123456789abcdef".to_owned()),
    }
}

fn any_port() -> Settings {
    Settings { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Settings::default() }
}

async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("reads");
    answer
}

async fn get(address: SocketAddr, path: &str) -> String {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await
}

async fn ask(address: SocketAddr, authorization: &str, body: &str) -> String {
    let head = format!(
        "POST /operator HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    exchange(address, &(head + body)).await
}

#[tokio::test]
async fn shows_metrics_and_health() {
    let state = State { reasons: vec!["draining".to_owned()], ..State::default() };
    let gateway = Gateway::start(&any_port(), parts(state)).await.expect("starts");
    let metrics = get(gateway.address(), "/metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 200") && metrics.ends_with("strowger_x 1\n"), "{metrics}");
    let alive = get(gateway.address(), "/healthz").await;
    assert!(alive.starts_with("HTTP/1.1 200"), "{alive}");
    let ready = get(gateway.address(), "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("\"draining\""), "{ready}");
    gateway.stop().await;
}

#[tokio::test]
async fn is_ready_though_the_store_is_ill() {
    let state =
        State { ready: true, warnings: vec!["the store is unavailable".to_owned()], ..State::default() };
    let gateway = Gateway::start(&any_port(), parts(state)).await.expect("starts");
    let ready = get(gateway.address(), "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("the store is unavailable"), "{ready}");
    gateway.stop().await;
}

#[tokio::test]
async fn operators_need_the_token() {
    let gateway = Gateway::start(&any_port(), parts(State::default())).await.expect("starts");
    let body = serde_json::to_string(&Request::Counts).expect("json");
    let address = gateway.address();
    assert!(ask(address, "", &body).await.starts_with("HTTP/1.1 401"));
    assert!(
        ask(address, "authorization: Bearer 0123456789abcdeX\r\n", &body).await.starts_with("HTTP/1.1 401")
    );
    assert!(ask(address, "authorization: Bearer 0123456789\r\n", &body).await.starts_with("HTTP/1.1 401"));
    let right = ask(address, "authorization: Bearer 0123456789abcdef\r\n", &body).await;
    assert!(right.starts_with("HTTP/1.1 200"), "{right}");
    gateway.stop().await;
}

#[tokio::test]
async fn operators_from_elsewhere_find_nothing() {
    let mut router = routes(parts(State::default()), &any_port());
    let mut request = HttpRequest::post("/operator")
        .header("authorization", "Bearer 0123456789abcdef")
        .header("content-type", "application/json")
        .body(Body::from("\"counts\""))
        .expect("a request");
    let elsewhere = SocketAddr::from((IpAddr::from(Ipv4Addr::new(192, 0, 2, 1)), 4_000));
    request.extensions_mut().insert(ConnectInfo(elsewhere));
    let answer = router.call(request).await.expect("answers");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let settings = Settings { body_bytes_max: 10, ..any_port() };
    let gateway = Gateway::start(&settings, parts(State::default())).await.expect("starts");
    let body = format!("\"{}\"", "x".repeat(100));
    let answer = ask(gateway.address(), "authorization: Bearer 0123456789abcdef\r\n", &body).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    gateway.stop().await;
}

#[tokio::test]
async fn a_slow_client_is_cut_off_and_its_place_is_free_again() {
    let settings = Settings { connections_max: 1, head_timeout_ms: 50, ..any_port() };
    let gateway = Gateway::start(&settings, parts(State::default())).await.expect("starts");
    let mut slow = TcpStream::connect(gateway.address()).await.expect("connects");
    slow.write_all(b"GET /healthz HTTP/1.1\r\n").await.expect("writes");
    let alive = get(gateway.address(), "/healthz").await;
    assert!(alive.starts_with("HTTP/1.1 200"), "{alive}");
    gateway.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let first = Gateway::start(&any_port(), parts(State::default())).await.expect("starts");
    let settings = Settings { address: first.address(), ..Settings::default() };
    let error = Gateway::start(&settings, parts(State::default())).await.expect_err("in use").to_string();
    assert!(error.contains(&first.address().to_string()) && error.contains("--http"), "{error}");
    first.stop().await;
}
