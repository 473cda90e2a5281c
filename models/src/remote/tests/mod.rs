//! Engines through a network of one machine: real sockets, scripted engines.

mod fixture;
mod hearing;
mod speaking;
mod strangers;
