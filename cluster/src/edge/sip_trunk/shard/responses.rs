//! Responses from the network.

use super::super::metrics;
use super::state::Shard;
use crate::sip::dialog::Input;
use crate::sip::wire::{self, Method, Response};

impl Shard {
    pub(super) fn on_response(&mut self, response: &Response) {
        if self.answered(response) {
            return;
        }
        // A 200 to an INVITE whose transaction is over: its sender has not seen our ACK.
        let success =
            response.status.is_success() && wire::sequence_method(&response.headers) == Some(Method::Invite);
        let call = wire::from_tag(&response.headers)
            .filter(|_| success)
            .and_then(|tag| u64::from_str_radix(&tag, 16).ok())
            .and_then(|key| Some((key, self.calls.get(&key)?.dialog.invite_request()?)));
        match call {
            Some((key, id)) => self.tell_dialog(key, Input::Response { id, response: response.clone() }),
            None => metrics::dropped("stray_response"),
        }
    }
}
