//! The suite, against one server.

use super::{Server, connected, settings};
use crate::storage::coordination::conformance;
use crate::storage::coordination::conformance::Shared;

async fn alone() -> (Shared, Server) {
    let server = Server::start(&[]);
    (connected(&settings(&server.url())).await, server)
}

conformance!(alone().await);
