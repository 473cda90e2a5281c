//! ◇ What carriers send and want to be sent, as values. No socket, no clock, no task.
//!
//! A folder for each: `framing` is its websocket, `webhook` its questions and our answers, `rest` what we ask of it.

pub mod audio;
pub mod dispatch;
pub mod form;
pub mod framing;
pub mod plivo;
pub mod proof;
pub mod rest;
pub mod telnyx;
pub mod twilio;
pub mod vonage;
pub mod webhook;
pub mod xml;

pub use dispatch::Provider;
