//! So many connections and no more.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::transport::server::Connected;

/// The pause after accepting has failed, as where there are no more file descriptors.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// A connection with its place among them.
pub(super) struct Admitted {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

/// Accepts connections for ever; one too many is closed at once.
pub(super) fn incoming(listener: TcpListener, most: usize) -> impl Stream<Item = io::Result<Admitted>> {
    let places = Arc::new(Semaphore::new(most));
    unfold((listener, places), |(listener, places)| async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        tracing::warn!("a connection to the engines was closed: there are as many as may be");
                        continue;
                    };
                    // A delay of 40 ms per message is all that failing here costs.
                    let _ = stream.set_nodelay(true);
                    return Some((Ok(Admitted { stream, _place: place }), (listener, places)));
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection to the engines failed");
                    tokio::time::sleep(ERROR_PAUSE).await;
                }
            }
        }
    })
}

impl Connected for Admitted {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Admitted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Admitted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
