//! A share of the calls: their transactions, dialogs and timers, on one task.

mod calls;
mod commands;
mod dialling;
mod effects;
mod inbox;
mod invites;
mod media;
mod proving;
mod registering;
mod requests;
mod responses;
mod run;
mod state;
mod transactions;

pub(super) use dialling::{Dial, Route};
pub(super) use inbox::{Control, Inbound, Inbox, Inboxes};
pub(super) use registering::Register;
pub(super) use state::{Shard, Shared};
