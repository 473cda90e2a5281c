//! What the verbs that erase have in common: they ask for a clear yes, go on until all is gone, and say what went.

use actors::storage::{Cursor, Erased, Erasure};
use clap::Args;
use serde::Serialize;

use super::access::Access;
use super::{Error, Output};
use crate::operator::{Answer, Request};

/// The yes.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Confirmation {
    /// Really erase: it can't be undone
    #[arg(long)]
    yes: bool,
}

/// What went.
#[derive(Debug, Serialize)]
struct Gone {
    erased: Erased,
    /// Calls that went on.
    live: u64,
    /// Recordings whose objects are still there, and can't be opened.
    objects_left: u64,
}

impl Confirmation {
    /// # Errors
    /// [`Error::Unconfirmed`] where it was not given.
    pub(super) fn check(self, what: &str) -> Result<(), Error> {
        if self.yes { Ok(()) } else { Err(Error::Unconfirmed { what: what.to_owned() }) }
    }
}

/// Asks until nothing is left to do, and shows what that came to.
pub(super) async fn erase(
    access: &Access,
    output: &mut Output<'_>,
    request: impl Fn(Option<Cursor>) -> Request,
) -> Result<(), Error> {
    let (mut all, mut objects_left) = (Erasure::default(), 0);
    loop {
        let Answer::Erased(done) = access.ask(request(all.next.clone())).await? else {
            return Err(Error::OtherAnswer);
        };
        objects_left = done.objects_left.max(if done.erasure.next.is_none() { 0 } else { objects_left });
        all.add(done.erasure);
        if all.next.is_none() {
            break;
        }
    }
    output.show(&Gone { erased: all.erased, live: all.live, objects_left }, text)
}

fn text(gone: &Gone) -> String {
    let Erased { calls, recordings, bookings, messages, businesses, .. } = gone.erased;
    let mut text = if gone.erased.is_nothing() {
        "there was nothing to erase\n".to_owned()
    } else {
        let business = if businesses > 0 { "the business, " } else { "" };
        format!(
            "erased {business}{calls} call(s), {recordings} recording(s), {bookings} appointment(s), {messages} \
             message(s) and all that belongs to them\n"
        )
    };
    if gone.live > 0 {
        text += &format!("{} call(s) go on and were left: erase again when they are over\n", gone.live);
    }
    if gone.objects_left > 0 {
        text += &format!(
            "{} recording(s) could not be removed from where they lie yet; they can't be opened any more, and a \
             running node removes them\n",
            gone.objects_left
        );
    }
    text
}
