//! Chromium, a browser that shares no code with us, with a page that is a telephone.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use super::peer::Peer;
use super::softphone::write_wav;

/// The telephone.
const PAGE: &str = include_str!("chromium.html");
/// A browser takes its time where others build.
const PATIENCE: Duration = Duration::from_secs(60);
const SECONDS_MAX: u32 = 150;
const ORDERS_MAX: usize = 16;
/// What it is started with: no window, no sandbox (that wants another user than root), nothing from outside, audio
/// without a device, media on loopback, and belief in a certificate that the test has made.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-audio-output",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--ignore-certificate-errors",
    "--enable-logging=stderr",
];

/// A running browser. Killed when dropped.
pub(super) struct Browser {
    _peer: Peer,
    home: tempfile::TempDir,
    told: Arc<Mutex<Vec<Value>>>,
    orders: mpsc::Sender<Value>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Browser {
    /// Starts it with its telephone connected to the trunk at this URL. Its microphone hears `voice` again and again,
    /// at 48 kHz.
    pub(super) async fn start(trunk: &str, voice: &[i16]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let sound = home.path().join("voice.wav");
        write_wav(&sound, voice, 48_000, 1);
        let (page, control) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let address = format!("http://127.0.0.1:{}/?control={}&sip={trunk}", port(&page), port(&control));
        let told: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (orders, waiting) = mpsc::channel(ORDERS_MAX);
        let tasks =
            vec![tokio::spawn(serve(page)), tokio::spawn(converse(control, waiting, Arc::clone(&told)))];
        let folder = |name: &str, path: &Path| format!("--{name}={}", path.display());
        let own = [
            folder("user-data-dir", &home.path().join("profile")),
            folder("use-file-for-fake-audio-capture", &sound),
            address,
        ];
        let arguments: Vec<&str> = ARGUMENTS.iter().copied().chain(own.iter().map(String::as_str)).collect();
        let peer = Peer::start_for(SECONDS_MAX, "chromium", &arguments, &home.path().join("log"));
        let browser = Self { _peer: peer, home, told, orders, tasks };
        browser.until("ready").await;
        browser
    }

    /// Tells the telephone to do something.
    pub(super) fn order(&self, order: Value) {
        self.orders.try_send(order).unwrap();
    }

    /// Waits until it tells of this, and takes what it told.
    pub(super) async fn until(&self, what: &str) -> Value {
        self.until_like(what, |_| true).await
    }

    /// The same, where it has to be like this.
    pub(super) async fn until_like(&self, what: &str, like: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            {
                let mut told = self.told.lock();
                if let Some(failed) = told.iter().find(|one| one["what"] == "failed") {
                    panic!("the page failed while {what} was waited for: {failed}");
                }
                if let Some(at) = told.iter().position(|one| one["what"] == what && like(one)) {
                    return told.remove(at);
                }
            }
            assert!(Instant::now() < end, "not {what}: {:?}\n{}", self.told.lock(), self.log());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Calls with an offer and is answered; the descriptions of both sides.
    pub(super) async fn calls(&self, number: &str, codecs: &[&str]) -> Value {
        self.calls_so("at once", number, codecs).await
    }

    /// The same with an offer "at once", or "whole" with all its candidates, video and a channel for data, or "late"
    /// with none.
    pub(super) async fn calls_so(&self, how: &str, number: &str, codecs: &[&str]) -> Value {
        self.order(json!({ "what": "dial", "number": number, "codecs": codecs, "how": how }));
        let up = self.until("up").await;
        self.until_like("connection", |told| told["state"] == "connected").await;
        up
    }

    /// Offers anew, by this order, and is answered.
    pub(super) async fn again(&self, order: &str) -> Value {
        self.order(json!({ "what": order }));
        self.until("up").await
    }

    /// What it hears now: the share of this tone, and the level of it all.
    pub(super) async fn hears(&self, hz: f32) -> (f64, f64) {
        self.order(json!({ "what": "hear", "hz": hz }));
        let heard = self.until("heard").await;
        (heard["share"].as_f64().unwrap(), heard["level"].as_f64().unwrap())
    }

    /// Waits until it hears nothing but this tone.
    pub(super) async fn until_it_hears(&self, hz: f32) -> f64 {
        let end = Instant::now() + PATIENCE;
        loop {
            let (share, level) = self.hears(hz).await;
            if share > 0.95 && level > 0.05 {
                return share;
            }
            assert!(Instant::now() < end, "{share} of {level} is at {hz} Hz\n{}", self.log());
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Its statistics of this kind (W3C, Identifiers for WebRTC's Statistics API).
    pub(super) async fn figures(&self, kind: &str) -> Vec<Value> {
        self.order(json!({ "what": "figures" }));
        let figures = self.until("figures").await;
        figures["all"].as_array().unwrap().iter().filter(|one| one["type"] == kind).cloned().collect()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

/// Gives everybody the page.
async fn serve(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                asked.push(byte);
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                PAGE.len()
            );
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(PAGE.as_bytes()).await;
        });
    }
}

/// Passes on what the page tells and is told.
async fn converse(listener: TcpListener, mut orders: mpsc::Receiver<Value>, told: Arc<Mutex<Vec<Value>>>) {
    let (stream, _): (TcpStream, _) = listener.accept().await.unwrap();
    let mut socket = accept_async(stream).await.unwrap();
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => told.lock().push(serde_json::from_str(&text).unwrap()),
                Some(Ok(_)) => {}
                _ => return,
            },
            order = orders.recv() => match order {
                Some(order) => drop(socket.send(Message::text(order.to_string())).await),
                None => return,
            },
        }
    }
}
