//! A share of the calls: their transactions, dialogs and timers, on one task.

mod calls;
mod commands;
mod dialling;
mod effects;
mod inbox;
mod invites;
mod media;
mod negotiating;
mod proving;
mod referring;
mod registering;
mod requests;
mod responses;
mod run;
mod state;
mod taking_over;
mod transactions;

pub(super) use dialling::{Dial, Route};
pub(super) use inbox::{Control, Inbound, Inbox, Inboxes};
pub(super) use registering::Register;
pub(super) use state::{Shard, Shared};
pub(super) use taking_over::Taking;
