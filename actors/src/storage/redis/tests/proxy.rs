//! A bad line to a server: cut again and again, or slow.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Hands bytes on between whoever connects and a server.
pub(crate) struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    connections: Mutex<Vec<TcpStream>>,
    delay_ms: AtomicU64,
    cuts: AtomicU64,
    over: AtomicBool,
}

impl Proxy {
    pub(crate) fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let line = Arc::new(Line::default());
        let shared = Arc::clone(&line);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.over.load(Ordering::Acquire) {
                    return;
                }
                // Where the server is away the client is hung up on.
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                shared.carry(&client, &server);
            }
        });
        Self { address, line }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Holds everything back for so long.
    pub(crate) fn delay_ms(&self, delay_ms: u64) {
        self.line.delay_ms.store(delay_ms, Ordering::Release);
    }

    /// Cuts all connections every so often until [`Cutting`] is dropped.
    pub(crate) fn cut_every(&self, pause: Duration) -> Cutting {
        let (line, on) = (Arc::clone(&self.line), Arc::new(AtomicBool::new(true)));
        let going = Arc::clone(&on);
        std::thread::spawn(move || {
            while going.load(Ordering::Acquire) {
                std::thread::sleep(pause);
                line.cut();
            }
        });
        Cutting(on)
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.line.cuts.load(Ordering::Acquire)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.over.store(true, Ordering::Release);
        self.line.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// A line that is being cut.
pub(crate) struct Cutting(Arc<AtomicBool>);

impl Drop for Cutting {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Line {
    fn carry(self: &Arc<Self>, client: &TcpStream, server: &TcpStream) {
        let copy = |stream: &TcpStream| stream.try_clone().expect("a second handle");
        self.connections.lock().push(copy(client));
        for (from, to) in [(copy(client), copy(server)), (copy(server), copy(client))] {
            let line = Arc::clone(self);
            std::thread::spawn(move || line.pass_on(from, to));
        }
    }

    fn pass_on(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; 65_536];
        while let Ok(length) = from.read(&mut buffer) {
            std::thread::sleep(Duration::from_millis(self.delay_ms.load(Ordering::Acquire)));
            if length == 0 || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        // Either side may be gone already.
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    fn cut(&self) {
        for connection in self.connections.lock().drain(..) {
            if connection.shutdown(Shutdown::Both).is_ok() {
                self.cuts.fetch_add(1, Ordering::AcqRel);
            }
        }
    }
}
