//! Plivo.

pub mod framing;
pub mod proof;
pub mod rest;
pub mod webhook;
