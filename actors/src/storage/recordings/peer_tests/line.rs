//! The line to a server, and its faults.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};

pub(super) const PASS: u8 = 0;
pub(super) const CUT: u8 = 1;
pub(super) const SLOW: u8 = 2;
pub(super) const FULL: u8 = 3;
pub(super) const BUSY: u8 = 4;

/// What a server without room answers (RFC 4918 section 11.5), and one that has too much to do, as S3 says it.
pub(super) const NO_ROOM: &str =
    "HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
pub(super) const SLOW_DOWN: &str = "HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 36\r\n\
    Connection: close\r\n\r\n<Error><Code>SlowDown</Code></Error>";

/// What stands between: passes everything, cuts every connection after some bytes, takes its time, or takes nothing
/// new.
pub(super) struct Line {
    pub(super) address: SocketAddr,
    mode: Arc<AtomicU8>,
}

impl Line {
    pub(super) async fn to(server: SocketAddr) -> Self {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mode = Arc::new(AtomicU8::new(PASS));
        let set = Arc::clone(&mode);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let set = Arc::clone(&set);
                tokio::spawn(async move {
                    let Ok(far) = tokio::net::TcpStream::connect(server).await else { return };
                    let (mut near_in, mut near_out) = near.into_split();
                    let (mut far_in, mut far_out) = far.into_split();
                    let sending = async {
                        let mut bytes = vec![0; 4_096];
                        while let Ok(count @ 1..) = near_in.read(&mut bytes).await {
                            match set.load(Ordering::SeqCst) {
                                mode @ (FULL | BUSY) if bytes.starts_with(b"PUT ") => {
                                    // It is heard out, or its sender would miss the answer.
                                    let rest = near_in.read(&mut bytes);
                                    let mut rest = timeout(Duration::from_millis(50), rest).await;
                                    while matches!(rest, Ok(Ok(1..))) {
                                        let more = near_in.read(&mut bytes);
                                        rest = timeout(Duration::from_millis(50), more).await;
                                    }
                                    return Some(if mode == FULL { NO_ROOM } else { SLOW_DOWN });
                                }
                                CUT => return None,
                                SLOW => sleep(Duration::from_millis(40)).await,
                                _ => {}
                            }
                            if far_out.write_all(&bytes[..count]).await.is_err() {
                                return None;
                            }
                        }
                        None
                    };
                    let refused = tokio::select! {
                        refused = sending => refused,
                        _ = tokio::io::copy(&mut far_in, &mut near_out) => None,
                    };
                    if let Some(answer) = refused {
                        let _ = near_out.write_all(answer.as_bytes()).await;
                    }
                });
            }
        });
        Self { address, mode }
    }

    pub(super) fn set(&self, mode: u8) {
        self.mode.store(mode, Ordering::SeqCst);
    }
}
