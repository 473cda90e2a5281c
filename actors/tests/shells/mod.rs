//! The actor shells, on paused time: a fake telephone and fake senses around real supervision.

mod admission;
mod arriving;
mod calling_back;
mod calls;
mod chaos;
mod conversing;
mod engines;
mod failures;
mod hand_over;
mod journal;
mod parrot;
mod phone;
mod store;
mod world;
