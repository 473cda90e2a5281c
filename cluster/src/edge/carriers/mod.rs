//! Calls by carriers' websockets: Twilio, Telnyx, Plivo, Vonage. Each call is a [`Leg`], as by SIP.
//!
//! ```text
//! answer webhook (signed) ─▶ Reception ─▶ the call answers ─▶ "connect the call to wss://…/stream/TOKEN"
//! websocket with that token ─▶ the call's task ◀─▶ a line of the media threads
//! people first: "dial …" in the place of that ─▶ …/dialled/TOKEN ─▶ they speak, or "connect …", or the next are dialled
//! transfer: REST "go to …/transfer/TOKEN" ─▶ "dial …" ─▶ …/dialled/TOKEN ─▶ gone, or back on a new stream
//! ```
//!
//! A carrier's webhook stands for an INVITE, our answer to it for the 200, the stream's start for the ACK. A
//! connection is read and written by the task of its call; audio goes by rings. What is decided about messages is
//! in [`provider`].
//!
//! [`Leg`]: actors::call::leg::Leg

mod call;
mod error;
mod leg;
pub mod metrics;
pub mod provider;
mod rate;
mod reach;
mod rest;
mod server;
mod settings;
mod stream;
mod table;
mod told;
mod transfer;
mod upgrade;
mod vonage_token;
mod webhooks;

pub use error::Error;
pub use server::Carriers;
pub use settings::Settings;
