//! A provider's server that answers as the test says, by datagrams.

use std::net::SocketAddr;
use std::sync::Arc;

use cluster::sip::respond::{Draft, respond};
use cluster::sip::wire::{HeaderName, Limits, Message, Method, Request, parse_datagram, text};
use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep};

/// It answers until it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The answer to a request; none for silence.
pub(super) type Script = Box<dyn FnMut(&Request) -> Option<Draft> + Send>;

impl Server {
    pub(super) async fn start(mut script: Script) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Request>>> = Arc::default();
        let seen = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 65_535];
            while let Ok((length, source)) = socket.recv_from(&mut buffer).await {
                let bytes = bytes::Bytes::copy_from_slice(&buffer[..length]);
                let Ok(Message::Request(request)) = parse_datagram(bytes, &Limits::datagram()) else {
                    continue;
                };
                let answer = script(&request);
                seen.lock().push(request);
                if let Some(draft) = answer {
                    let _ = socket.send_to(&Message::Response(draft.build()).to_bytes(), source).await;
                }
            }
        });
        Self { address, asked, task }
    }

    /// What it was asked by this method, repeats left out.
    pub(super) fn asked(&self, method: &Method) -> Vec<Request> {
        let mut seen = Vec::new();
        let asked = self.asked.lock();
        let new = |request: &&Request| {
            let via = text(&request.headers, &HeaderName::Via);
            let first = !seen.contains(&via);
            seen.push(via);
            first
        };
        asked.iter().filter(|request| request.method == *method).filter(new).cloned().collect()
    }

    /// Waits until it was asked so often.
    pub(super) async fn was_asked(&self, method: &Method, times: usize) -> Vec<Request> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let asked = self.asked(method);
            if asked.len() >= times {
                return asked;
            }
            assert!(Instant::now() < end, "asked {} times", asked.len());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(super) fn header(request: &Request, name: &HeaderName) -> String {
    text(&request.headers, name).unwrap_or_default()
}

/// A 200 that keeps the binding for so long.
pub(super) fn granted(request: &Request, seconds: u32) -> Draft {
    let contact = header(request, &HeaderName::Contact);
    let contact = contact.split(';').next().unwrap_or_default().to_owned();
    let asked_for = header(request, &HeaderName::Expires);
    let seconds = if asked_for == "0" { 0 } else { seconds };
    let draft = respond(request, 200, Some("registrar"));
    if seconds == 0 { draft } else { draft.with(HeaderName::Contact, format!("{contact};expires={seconds}")) }
}
