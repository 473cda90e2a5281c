//! Carriers' websockets: carriers of our own making against the edge and against real nodes.

mod carrier;
mod desk;
mod hostile;
mod http;
mod node;
mod player;
mod streams;
mod transfers;
