//! A dialog as bytes, so that another process can go on with it.

use serde::{Deserialize, Serialize};

use super::{Dialog, Error, Moment};

/// Raised whenever the meaning of the bytes changes.
const VERSION: u16 = 7;

#[derive(Serialize)]
struct Written<'a> {
    version: u16,
    at: Moment,
    dialog: &'a Dialog,
}

#[derive(Deserialize)]
struct Read {
    at: Moment,
    dialog: Dialog,
}

impl Dialog {
    /// The dialog as bytes. Drain it first: effects are not part of it.
    ///
    /// # Errors
    /// [`Error::Captured`] where it can't be written, which no dialog is known to be.
    pub fn capture(&self, now: Moment) -> Result<Vec<u8>, Error> {
        postcard::to_allocvec(&Written { version: VERSION, at: now, dialog: self })
            .map_err(|_| Error::Captured("they can't be written"))
    }

    /// The dialog of these bytes, its timers moved to this owner's clock.
    ///
    /// # Errors
    /// [`Error::Captured`] where the bytes are of another version or broken.
    pub fn restore(bytes: &[u8], now: Moment) -> Result<Self, Error> {
        let (version, rest) =
            postcard::take_from_bytes::<u16>(bytes).map_err(|_| Error::Captured("there is no version"))?;
        if version != VERSION {
            return Err(Error::Captured("another version wrote them"));
        }
        let read: Read = postcard::from_bytes(rest).map_err(|_| Error::Captured("they are broken"))?;
        let mut dialog = read.dialog;
        for at in dialog.timers.values_mut() {
            *at = now + at.saturating_sub(read.at);
        }
        dialog.move_provisional(read.at, now);
        Ok(dialog)
    }
}
