//! The suite, against one server of Valkey.

use super::{Make, Server, connected, settings};
use crate::storage::coordination::conformance;
use crate::storage::coordination::conformance::Shared;

async fn alone() -> (Shared, Server) {
    let server = Server::start_as(Make::Valkey, &[]);
    (connected(&settings(&server.url())).await, server)
}

conformance!(alone().await);
