//! The harness, tested on itself.
