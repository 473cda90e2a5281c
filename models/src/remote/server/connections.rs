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
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tonic::transport::server::Connected;

use super::handshakes::Handshakes;

/// The pause after accepting has failed, as where there are no more file descriptors.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// Bytes in and out, protected or not.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection with its place among them.
pub(super) struct Admitted {
    stream: Box<dyn Wire>,
    _place: OwnedSemaphorePermit,
}

/// Accepts connections while they are taken; one too many is closed at once. Each has its place from before its
/// handshake, so that those who connect and say nothing are bounded, too.
pub(super) fn incoming(
    listener: TcpListener,
    most: usize,
    handshakes: Option<Arc<Handshakes>>,
) -> impl Stream<Item = io::Result<Admitted>> {
    let (admit, admitted) = mpsc::channel(most.max(1));
    tokio::spawn(accept(listener, Arc::new(Semaphore::new(most)), handshakes, admit));
    unfold(admitted, |mut admitted| async move { Some((Ok(admitted.recv().await?), admitted)) })
}

async fn accept(
    listener: TcpListener,
    places: Arc<Semaphore>,
    handshakes: Option<Arc<Handshakes>>,
    admit: mpsc::Sender<Admitted>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = admit.closed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    tracing::warn!("a connection to the engines was closed: there are as many as may be");
                    continue;
                };
                // A delay of 40 ms per message is all that failing here costs.
                let _ = stream.set_nodelay(true);
                tokio::spawn(welcome(stream, place, handshakes.clone(), admit.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection to the engines failed");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
}

/// Admits a connection once it is known whose it is.
async fn welcome(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    handshakes: Option<Arc<Handshakes>>,
    admit: mpsc::Sender<Admitted>,
) {
    let stream: Box<dyn Wire> = match &handshakes {
        None => Box::new(stream),
        Some(handshakes) => match handshakes.shake(stream).await {
            Ok(stream) => Box::new(stream),
            Err(error) => {
                tracing::debug!(%error, "a TLS handshake for the engines failed");
                return;
            }
        },
    };
    // Nobody takes it where the server is gone.
    let _ = admit.send(Admitted { stream, _place: place }).await;
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
