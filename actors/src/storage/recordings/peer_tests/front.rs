//! What stands before a server of S3 so that it answers as Google's XML API does: a token is asked for, every object
//! has a generation, what is not there can't be deleted. And its faults.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::line::{BUSY, CUT, FULL, NO_ROOM, PASS, SLOW, SLOW_DOWN};
use super::server::{SIGNED, TOKEN};

const UNAUTHENTICATED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/xml\r\nContent-Length: 50\r\n\
    Connection: close\r\n\r\n<Error><Code>AuthenticationRequired</Code></Error>";
const NOT_THERE: &str = "HTTP/1.1 404 Not Found\r\nContent-Type: application/xml\r\nContent-Length: 37\r\n\
    Connection: close\r\n\r\n<Error><Code>NoSuchKey</Code></Error>";

/// One request per connection.
pub(super) struct Front {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    server: SocketAddr,
    mode: AtomicU8,
    token: Mutex<String>,
}

struct Request {
    method: String,
    target: String,
    head: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&String| line.split(':').next().is_some_and(|own| own.eq_ignore_ascii_case(name));
        self.head.iter().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    async fn read(from: &mut TcpStream) -> Option<Self> {
        let (mut bytes, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            let count = from.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
            bytes.extend(&chunk[..count]);
        };
        let text = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let mut lines = text.split("\r\n").map(str::to_owned);
        let first = lines.next()?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, target) = (words.next()?, words.next()?);
        let mut request = Self { method, target, head: lines.collect(), body: bytes[end + 4..].to_vec() };
        let length: usize = request.header("content-length").map_or(Some(0), |text| text.parse().ok())?;
        while request.body.len() < length {
            let count = from.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
            request.body.extend(&chunk[..count]);
        }
        Some(request)
    }

    /// What the server answers, to its end.
    async fn forward(&self, server: SocketAddr) -> Option<Vec<u8>> {
        let mut line = TcpStream::connect(server).await.ok()?;
        let (method, target) = (&self.method, &self.target);
        let mut head =
            format!("{method} {target} HTTP/1.1\r\nConnection: close\r\nAuthorization: {SIGNED}\r\n");
        for own in &self.head {
            let name = own.split(':').next().unwrap_or_default().to_ascii_lowercase();
            if !["connection", "authorization"].contains(&name.as_str()) {
                head += &format!("{own}\r\n");
            }
        }
        line.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
        line.write_all(&self.body).await.ok()?;
        let mut answer = Vec::new();
        line.read_to_end(&mut answer).await.ok()?;
        Some(answer).filter(|answer| !answer.is_empty())
    }
}

impl State {
    /// None: the line is cut.
    async fn answer(&self, request: &Request) -> Option<Vec<u8>> {
        match self.mode.load(Ordering::SeqCst) {
            CUT => return None,
            SLOW => sleep(Duration::from_millis(40)).await,
            FULL if request.method == "PUT" => return Some(NO_ROOM.into()),
            BUSY if request.method == "PUT" => return Some(SLOW_DOWN.into()),
            _ => {}
        }
        let token = format!("Bearer {}", self.token.lock());
        if request.header("authorization") != Some(token.as_str()) {
            return Some(UNAUTHENTICATED.into());
        }
        if request.method == "DELETE" && !request.target.contains('?') {
            let (method, target) = ("HEAD".to_owned(), request.target.clone());
            let bare = Request { method, target, head: vec!["Host: front".to_owned()], body: Vec::new() };
            if bare.forward(self.server).await?.starts_with(b"HTTP/1.1 404") {
                return Some(NOT_THERE.into());
            }
        }
        let answer = request.forward(self.server).await?;
        let end = answer.windows(2).position(|window| window == b"\r\n")?;
        Some([&answer[..end], b"\r\nx-goog-generation: 1764154800000000", &answer[end..]].concat())
    }
}

impl Front {
    pub(super) async fn of(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (mode, token) = (AtomicU8::new(PASS), Mutex::new(TOKEN.to_owned()));
        let state = Arc::new(State { server, mode, token });
        let own = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let state = Arc::clone(&own);
                tokio::spawn(async move {
                    let Some(request) = Request::read(&mut near).await else { return };
                    if let Some(answer) = state.answer(&request).await {
                        let _ = near.write_all(&answer).await;
                    }
                });
            }
        });
        Self { address, state }
    }

    pub(super) fn set(&self, mode: u8) {
        self.state.mode.store(mode, Ordering::SeqCst);
    }

    /// The token that is taken from now on.
    pub(super) fn asks_for(&self, token: &str) {
        token.clone_into(&mut self.state.token.lock());
    }
}
