//! From a request to a websocket (RFC 6455 section 4.2).

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CONNECTION, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::Upgraded;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::told::Told;

/// A websocket.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A stream that a carrier has connected, and its place among the connections.
pub(super) struct Connected {
    pub(super) socket: Socket,
    pub(super) place: OwnedSemaphorePermit,
}

/// Whether a request asks for a websocket; its key.
pub(super) fn key_of(headers: &HeaderMap) -> Option<&[u8]> {
    let says = |name, word: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    let asks = says(UPGRADE, "websocket") && says(CONNECTION, "upgrade") && says(SEC_WEBSOCKET_VERSION, "13");
    headers.get(SEC_WEBSOCKET_KEY).filter(|_| asks).map(hyper::header::HeaderValue::as_bytes)
}

/// Takes the request, and hands the websocket to its call once it is up.
pub(super) fn take(
    request: Request<Incoming>,
    key: &[u8],
    way: mpsc::Sender<Told>,
    message_bytes_max: usize,
    place: OwnedSemaphorePermit,
) -> Response<Full<Bytes>> {
    let accept = derive_accept_key(key);
    let upgrading = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrading.await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(message_bytes_max))
            .max_frame_size(Some(message_bytes_max));
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        // Where the call has ended meanwhile, the socket closes here.
        let _ = way.send(Told::Stream(Box::new(Connected { socket, place }))).await;
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, hyper::header::HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, hyper::header::HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = accept.parse() {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}
