//! The HTTP address of a node: `/metrics`, `/healthz`, `/readyz`, and `/operator` for the command line.
//!
//! Not the businesses' API and not their pages. It knows nothing of calls: what it shows is asked of the
//! [`Parts`] that the node hands it.

mod health;
pub mod metrics;
mod operator;
mod server;
mod settings;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

pub use health::{Readiness, State};
pub use operator::Counter;
pub use server::{Error, Gateway};
pub use settings::Settings;

use crate::operator::Token;

/// What the gateway shows and whom it asks.
#[derive(Clone)]
pub struct Parts {
    /// Renders all metrics in the Prometheus text format.
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Whether this node takes calls.
    pub readiness: Arc<dyn Readiness>,
    /// Who answers operators.
    pub counter: Arc<dyn Counter>,
    /// What operators prove themselves with.
    pub token: Token,
}

/// The routes, without limits of their own beyond the body's size; [`Gateway`] adds the others.
fn routes(parts: Parts, settings: &Settings) -> Router {
    Router::new()
        .route("/metrics", get(metrics::show))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/operator", post(operator::answer))
        .layer(DefaultBodyLimit::max(settings.body_bytes_max))
        .layer(axum::middleware::from_fn_with_state(settings.clone(), server::bound_and_count))
        .with_state(parts)
}

#[cfg(test)]
mod tests;
