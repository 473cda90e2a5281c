//! A node, tested whole: the wire, the command line, real processes.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests say what they expect")]

mod carriers;
#[path = "../../actors/tests/cassandra/mod.rs"]
mod cassandra;
mod command_line;
mod config_reference;
mod fuzz_seeds;
mod meaning;
mod no_personal_data;
mod node_calls;
mod node_life;
#[path = "../../actors/src/storage/redis/tests/proxy.rs"]
mod redis_proxy;
#[path = "../../actors/src/storage/redis/tests/server.rs"]
#[allow(dead_code, reason = "the driver's own tests use the rest of it")]
mod redis_server;
mod sip;
mod store_files;
#[path = "../../actors/tests/telephone/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the business's own tests use the rest of it")]
mod telephone;
mod whole_call;
mod whole_calls;
