//! `/operator`: the command line's door to a running node.
//!
//! Open only to this machine's own addresses, and only to who can read the node's token file.

use std::net::SocketAddr;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Parts;
use crate::operator::{Answer, Request};

/// Who answers operators.
#[async_trait]
pub trait Counter: Send + Sync {
    /// Does what is asked.
    async fn serve(&self, request: Request) -> Answer;
}

pub(super) async fn answer(
    State(parts): State<Parts>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    request: Result<Json<Request>, JsonRejection>,
) -> Response {
    if !peer.ip().to_canonical().is_loopback() {
        // As if it did not exist: nobody outside needs to know that it does.
        return StatusCode::NOT_FOUND.into_response();
    }
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if !shown.is_some_and(|shown| parts.token.is(shown)) {
        return (StatusCode::UNAUTHORIZED, "show the token of the node's operator.token file\n")
            .into_response();
    }
    match request {
        Ok(Json(request)) => Json(parts.counter.serve(request).await).into_response(),
        Err(rejection) => rejection.into_response(),
    }
}
