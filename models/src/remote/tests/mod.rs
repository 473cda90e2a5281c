//! Engines through a network of one machine: real sockets, scripted engines.

#[cfg(feature = "candle")]
mod candle;
mod comparing;
mod fixture;
mod hearing;
mod judging;
mod places;
mod speaking;
mod strangers;
