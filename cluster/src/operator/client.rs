//! Asks a running node over its HTTP address.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Answer, Request, Token};

/// The longest that a node may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Why a running node could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not answer.
    #[error("the node at http://{address} does not answer: {why}")]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// Why.
        why: String,
    },
    /// It does not know the token.
    #[error(
        "the node at http://{address} refused this operator; use the data directory of that node (--data)"
    )]
    Unauthorised {
        /// Where.
        address: SocketAddr,
    },
    /// It answered what this version does not understand.
    #[error("the node at http://{address} answered {status}: {why}; use the same version as the node")]
    Strange {
        /// Where.
        address: SocketAddr,
        /// The HTTP status.
        status: StatusCode,
        /// What is strange.
        why: String,
    },
}

/// A running node, as an operator reaches it.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    token: Token,
}

impl Client {
    /// Reaches the node at `address` with its token.
    #[must_use]
    pub fn new(address: SocketAddr, token: Token) -> Self {
        Self { address, token }
    }

    /// Asks.
    ///
    /// # Errors
    /// See [`Error`]. What the node says of the request itself is an [`Answer::Failure`].
    pub async fn ask(&self, request: &Request) -> Result<Answer, Error> {
        let body = serde_json::to_vec(request).map_err(|error| self.unreachable(&error))?;
        match tokio::time::timeout(ANSWER_TIMEOUT, self.exchange(body)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.unreachable(&format!("no answer in {} s", ANSWER_TIMEOUT.as_secs()))),
        }
    }

    async fn exchange(&self, body: Vec<u8>) -> Result<Answer, Error> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.unreachable(&error))?;
        let connection = tokio::spawn(connection);
        let request = hyper::Request::builder()
            .method(Method::POST)
            .uri("/operator")
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, format!("Bearer {}", self.token.reveal()))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.unreachable(&error))?;
        let response = sender.send_request(request).await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| self.strange(status, &error))?
            .to_bytes();
        connection.abort();
        match status {
            StatusCode::OK => serde_json::from_slice(&body).map_err(|error| self.strange(status, &error)),
            StatusCode::UNAUTHORIZED => Err(Error::Unauthorised { address: self.address }),
            _ => Err(self.strange(status, &String::from_utf8_lossy(&body).trim())),
        }
    }

    fn unreachable(&self, why: &dyn std::fmt::Display) -> Error {
        Error::Unreachable { address: self.address, why: why.to_string() }
    }

    fn strange(&self, status: StatusCode, why: &dyn std::fmt::Display) -> Error {
        Error::Strange { address: self.address, status, why: why.to_string() }
    }
}
