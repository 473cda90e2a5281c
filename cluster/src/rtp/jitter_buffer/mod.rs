//! From packets in any order to 20 ms frames in order.
//!
//! Samples lie on a timeline by their RTP timestamp, so packets of any length, reordered, repeated or with
//! gaps need no care of their own; what is missing when it is needed is made up ([`super::concealment`]).
//! The delay follows the network: a packet that comes too late makes it longer at once, three seconds in
//! which all came early make it shorter, 10 ms at a time and in quiet places first. That also takes up the
//! difference between the far side's clock and ours.

mod buffer;
mod slack;
mod timeline;

#[cfg(test)]
mod tests;

pub use buffer::{Frame, JitterBuffer, Placed, Settings};
