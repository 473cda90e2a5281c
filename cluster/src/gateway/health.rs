//! `/healthz` and `/readyz`.

use async_trait::async_trait;
use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Parts;

/// Whether a node takes calls, and what its operator should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct State {
    /// It takes calls.
    pub ready: bool,
    /// Why it does not; empty where it does.
    pub reasons: Vec<String>,
    /// What is wrong though it takes calls, such as a store that does not answer.
    pub warnings: Vec<String>,
    /// Calls under way.
    pub calls: usize,
}

/// Knows whether a node takes calls.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// The state now. Bounded in time by its implementation.
    async fn state(&self) -> State;
}

/// The process answers: that is all. A supervisor that restarted a node for a store's trouble would only lose
/// its calls.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

pub(super) async fn ready(Shared(parts): Shared<Parts>) -> (StatusCode, Json<State>) {
    let state = parts.readiness.state().await;
    (if state.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(state))
}
