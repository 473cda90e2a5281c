//! Carriers' websockets: carriers of our own making against the edge and against real nodes.

mod application;
mod carrier;
mod desk;
mod hostile;
mod http;
mod node;
mod office;
mod people;
mod player;
mod streams;
mod transfers;
mod vonage;
