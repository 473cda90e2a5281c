//! A small HTTP server on loopback that gives files, and misbehaves as told.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

/// What the next answer to a path is, instead of the file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mishap {
    /// After so many bytes of the body the connection ends.
    CutAfter(usize),
    /// After so many bytes nothing more comes.
    StallAfter(usize),
    /// This status and no file.
    Status(u16),
    /// The range is ignored: the whole file, with 200.
    Whole,
}

#[derive(Default)]
struct Files {
    bodies: HashMap<String, Vec<u8>>,
    mishaps: HashMap<String, VecDeque<Mishap>>,
    /// Path, and the first byte asked for.
    asked: Vec<(String, usize)>,
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    files: Arc<Mutex<Files>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (files, stopped) = (Arc::new(Mutex::new(Files::default())), Arc::new(AtomicBool::new(false)));
        let (served, stop) = (Arc::clone(&files), Arc::clone(&stopped));
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let served = Arc::clone(&served);
                // Each on its own, so that one that stalls keeps nobody.
                std::thread::spawn(move || connection.map(|connection| answer(connection, &served)));
            }
        });
        Self { address, files, stopped, thread: Some(thread) }
    }

    pub(super) fn put(&self, path: &str, body: Vec<u8>) {
        self.files.lock().bodies.insert(path.into(), body);
    }

    pub(super) fn misbehave(&self, path: &str, mishaps: &[Mishap]) {
        self.files.lock().mishaps.insert(path.into(), mishaps.iter().copied().collect());
    }

    /// The first bytes that were asked of a path, in order.
    pub(super) fn asked(&self, path: &str) -> Vec<usize> {
        self.files.lock().asked.iter().filter(|(asked, _)| asked == path).map(|(_, start)| *start).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn answer(mut connection: TcpStream, files: &Mutex<Files>) {
    let Ok(reading) = connection.try_clone() else { return };
    let mut lines = BufReader::new(reading).lines().map_while(Result::ok);
    let Some(path) = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)) else { return };
    let mut start = 0;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().expect("an open range");
        }
    }
    let (body, mishap) = {
        let mut files = files.lock();
        files.asked.push((path.clone(), start));
        let mishap = files.mishaps.get_mut(&path).and_then(VecDeque::pop_front);
        (files.bodies.get(&path).cloned(), mishap)
    };
    let status = match (&body, mishap) {
        (_, Some(Mishap::Status(status))) => status,
        (None, _) => 404,
        (Some(body), _) if start > body.len() => 416,
        (Some(_), Some(Mishap::Whole)) => 200,
        (Some(_), _) if start > 0 => 206,
        (Some(_), _) => 200,
    };
    let body = body.filter(|_| status < 300).unwrap_or_default();
    let from = if status == 206 { start } else { 0 };
    let mut head =
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len() - from);
    if status == 206 {
        head += &format!("content-range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
    }
    let rest = &body[from..];
    let sent = match mishap {
        Some(Mishap::CutAfter(bytes) | Mishap::StallAfter(bytes)) => &rest[..bytes.min(rest.len())],
        _ => rest,
    };
    drop(connection.write_all((head + "\r\n").as_bytes()).and_then(|()| connection.write_all(sent)));
    if matches!(mishap, Some(Mishap::StallAfter(_))) {
        std::thread::sleep(Duration::from_secs(2));
    }
}
