//! A journal changes nothing about a store that works.

use std::sync::Arc;

use super::*;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::storage::Memory;
use crate::storage::conformance::{Store, conformance};

fn store() -> (Store, ()) {
    let log = Box::new(Volatile::default());
    let memory = Arc::new(Memory::new());
    let journalled = Journalled::in_log(memory, log, Settings::default(), Clock::system(), Chance::system());
    (Arc::new(journalled), ())
}

conformance!(store());
