//! The little HTTP that carriers speak: a client for their webhooks, a server for their REST.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Asks, and returns the status and the body.
pub(super) async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: calls.example\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut answer = Vec::new();
    timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await.expect("in time").expect("reads");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}

/// A request that a carrier's REST was sent.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) authorization: String,
    pub(super) body: String,
}

/// How a REST server answers the next request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Manner {
    Status(u16),
    /// Takes the request and says nothing.
    Silent,
    /// Takes the request and cuts the line.
    Cut,
}

/// A carrier's REST.
pub(super) struct Rest {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    manners: Arc<Mutex<VecDeque<Manner>>>,
    task: JoinHandle<()>,
}

impl Rest {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let manners = Arc::new(Mutex::new(VecDeque::new()));
        let (kept, mannered) = (Arc::clone(&asked), Arc::clone(&manners));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manner = mannered.lock().pop_front().unwrap_or(Manner::Status(200));
                tokio::spawn(answer(stream, manner, Arc::clone(&kept)));
            }
        });
        Self { url, asked, manners, task }
    }

    /// Answers the next request so.
    pub(super) fn next(&self, manner: Manner) {
        self.manners.lock().push_back(manner);
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }

    /// Waits until so many requests have come.
    pub(super) async fn after(&self, count: usize) -> Vec<Asked> {
        for _ in 0..400 {
            if self.asked().len() >= count {
                return self.asked();
            }
            sleep(Duration::from_millis(25)).await;
        }
        panic!("{count} requests were expected: {:?}", self.asked());
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, manner: Manner, kept: Arc<Mutex<Vec<Asked>>>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    let (head, body) = loop {
        let Ok(length) = stream.read(&mut buffer).await else { return };
        if length == 0 {
            return;
        }
        bytes.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let wanted = header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if body.len() >= wanted {
            break (head.to_owned(), body.to_owned());
        }
    };
    let line = head.lines().next().unwrap_or_default().to_owned();
    let authorization = header(&head, "authorization").unwrap_or_default();
    // Vonage lets in who proves to be the application.
    let manner = match manner {
        Manner::Status(200..=299) if line.starts_with("PUT /v1/calls/") => {
            Manner::Status(if super::application::admits(&authorization).is_ok() { 204 } else { 401 })
        }
        manner => manner,
    };
    kept.lock().push(Asked { line, authorization, body });
    match manner {
        Manner::Status(status) => {
            let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Manner::Cut => {}
        Manner::Silent => sleep(Duration::from_secs(60)).await,
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
