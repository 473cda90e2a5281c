//! Engines through a network of one machine: real sockets, scripted engines.

mod comparing;
mod fixture;
mod hearing;
mod speaking;
mod strangers;
