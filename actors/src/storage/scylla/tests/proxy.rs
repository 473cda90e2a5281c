//! A connection that is slow, or cut again and again.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;

/// Passes on what comes, each piece some time later.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    delay_ms: Arc<AtomicU64>,
    cut: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn to(server: String) -> Self {
        // The driver asks a node where it is and trusts its address, with the port that it came in by.
        let host = server.split(':').next().expect("a host").to_owned();
        let listener = TcpListener::bind((host, 0)).await.expect("bound");
        let address = listener.local_addr().expect("bound");
        let delay_ms = Arc::new(AtomicU64::new(0));
        let (cut, cuts) = watch::channel(0);
        let delay = Arc::clone(&delay_ms);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                let ((from, to), (back_from, back_to)) = (client.into_split(), server.into_split());
                tokio::spawn(pass(from, back_to, Arc::clone(&delay), cuts.clone()));
                tokio::spawn(pass(back_from, to, Arc::clone(&delay), cuts.clone()));
            }
        });
        Self { address, delay_ms, cut, task }
    }

    /// Cuts all connections.
    pub(super) fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Each piece is passed on so much later.
    pub(super) fn delay(&self, delay_ms: u64) {
        self.delay_ms.store(delay_ms, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay_ms: Arc<AtomicU64>,
    mut cuts: watch::Receiver<u64>,
) {
    cuts.mark_unchanged();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = cuts.changed() => return,
        };
        let Ok(length @ 1..) = read else { return };
        tokio::time::sleep(Duration::from_millis(delay_ms.load(Ordering::Relaxed))).await;
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
