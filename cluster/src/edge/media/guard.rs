//! What stands between a session and its sockets: SRTP where it was agreed on, else nothing.

use std::borrow::Cow;

use super::{Protected, metrics};
use crate::rtp::protection::{Opening, Refused, Sealing};

#[derive(Debug, Default)]
pub(super) struct Guard {
    sealing: Sealing,
    opening: Option<Opening>,
    /// Keys are being agreed on: until they are, nothing is opened and nothing sealed.
    waits: bool,
}

impl Guard {
    /// Keys are to be agreed on, or agreed on anew.
    pub(super) fn wait_for_keys(&mut self) {
        self.waits = true;
        self.opening = None;
    }

    /// Whether something can be said.
    pub(super) const fn is_ready(&self) -> bool {
        !self.waits
    }

    /// Uses these keys from now on, or none. A stream whose keys are the same goes on where it was.
    pub(super) fn configure(&mut self, protected: Option<&Protected>) -> Result<(), Refused> {
        let Some(Protected { ours, theirs }) = protected else {
            self.waits = false;
            self.opening = None;
            return Ok(());
        };
        self.sealing.use_key(ours)?;
        if self.opening.as_ref().is_none_or(|opening| opening.key() != theirs) {
            self.opening = Some(Opening::new(theirs)?);
        }
        self.waits = false;
        Ok(())
    }

    /// An RTP packet that came, in clear; none where it does not prove itself.
    pub(super) fn open<'a>(&mut self, packet: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match &mut self.opening {
            None if self.waits => None,
            None => Some(Cow::Borrowed(packet)),
            Some(opening) => proven(opening.open(packet)),
        }
    }

    /// The same for RTCP.
    pub(super) fn open_report<'a>(&mut self, packet: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match &mut self.opening {
            None if self.waits => None,
            None => Some(Cow::Borrowed(packet)),
            Some(opening) => proven(opening.open_report(packet)),
        }
    }

    /// An RTP packet as it is sent; none where the key may seal no more.
    pub(super) fn seal<'a>(&mut self, packet: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match &self.opening {
            None if self.waits => None,
            None => Some(Cow::Borrowed(packet)),
            Some(_) => self.sealing.seal(packet).ok().map(|sealed| Cow::Owned(sealed.into())),
        }
    }

    /// The same for RTCP.
    pub(super) fn seal_report<'a>(&mut self, packet: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match &self.opening {
            None if self.waits => None,
            None => Some(Cow::Borrowed(packet)),
            Some(_) => self.sealing.seal_report(packet).ok().map(|sealed| Cow::Owned(sealed.into())),
        }
    }
}

fn proven(opened: Result<bytes::BytesMut, Refused>) -> Option<Cow<'static, [u8]>> {
    match opened {
        Ok(clear) => Some(Cow::Owned(clear.into())),
        Err(_) => {
            ::metrics::counter!(metrics::UNPROVEN).increment(1);
            None
        }
    }
}
