//! Requests of a call that are sent once more: with a proof of who we are, or to another server.

use std::time::Duration;

use super::super::transports::Flow;
use super::state::{Due, Owner, Shard};
use crate::sip::dialog::Input;
use crate::sip::wire::{Header, Method, Request, Response};

impl Shard {
    /// Adds what proves who we are, where somebody has asked this call before. ACK and CANCEL can't be asked.
    pub(super) fn prove(&mut self, key: u64, request: &mut Request) {
        let Some(prover) = self.calls.get_mut(&key).and_then(|call| call.prover.as_mut()) else { return };
        let has = request.headers.iter().any(|header| {
            use crate::sip::wire::HeaderName::{Authorization, ProxyAuthorization};
            matches!(header.name(), Authorization | ProxyAuthorization)
        });
        if has || !prover.was_asked() || matches!(request.method, Method::Ack | Method::Cancel) {
            return;
        }
        let uri = request.uri.to_string();
        for (name, value) in prover.headers(&request.method, &uri, crate::chance::number()) {
            if let Ok(header) = Header::build(name, value) {
                request.headers.push(header);
            }
        }
    }

    /// Whether a request of this owner has to be kept until it is answered.
    pub(super) fn may_ask_again(&self, owner: Owner) -> bool {
        let Owner::Call(key) = owner else { return false };
        self.calls.get(&key).is_some_and(|call| call.prover.is_some() || !call.elsewhere.is_empty())
    }

    /// Gives the next server its turn where this one says nothing at all for long.
    pub(super) fn wait_for_server(&mut self, owner: Owner, id: u64) {
        let Owner::Call(key) = owner else { return };
        let waits = self.calls.get(&key).is_some_and(|call| !call.elsewhere.is_empty());
        if waits {
            let after = Duration::from_millis(self.shared.settings.registering.next_server_ms);
            self.set(after, Due::NextServer(id));
        }
    }

    pub(super) fn on_next_server(&mut self, id: u64) {
        let Some(asking) = self.asking.get(&id).filter(|asking| !asking.heard) else { return };
        let Owner::Call(call) = asking.owner else { return };
        // Only a first INVITE goes elsewhere; its transaction ends as if the network had failed.
        if self.calls.get(&call).is_some_and(|call| !call.elsewhere.is_empty()) {
            let outputs = self.clients.on_transport_error(&asking.key.clone());
            self.drive_client(id, outputs);
        }
    }

    /// Sends a request once more where its answer, or that there is none, says that this helps. False where the
    /// dialog is to be told.
    pub(super) fn ask_again(&mut self, key: u64, id: u64, response: Option<&Response>) -> bool {
        let Some(asking) = self.asking.get(&id) else { return false };
        let (request, heard, flow) = (asking.request, asking.heard, asking.flow);
        let Some(call) = self.calls.get_mut(&key) else { return false };
        if !call.dialog.wants(request) {
            return false;
        }
        let kept = |shard: &mut Self| shard.asking.get_mut(&id).and_then(|asking| asking.kept.take());
        match response.map(|response| response.status.code()) {
            Some(401 | 407) => {
                let Some(prover) = call.prover.as_mut() else { return false };
                let response = response.map(|response| prover.challenged(response));
                if let Some(Err(why)) = response {
                    tracing::warn!(call_id = %call.id, why = %why, "a call's password was not taken");
                    return false;
                }
                let Some(message) = kept(self) else { return false };
                let Some(prover) = self.calls.get_mut(&key).and_then(|call| call.prover.as_mut()) else {
                    return false;
                };
                let uri = message.uri.to_string();
                let proofs = prover.headers(&message.method, &uri, crate::chance::number());
                self.tell_dialog(key, Input::Again { id: request, request: message, proofs, own: None });
                true
            }
            Some(503) => self.go_elsewhere(key, id, flow, request),
            None if !heard => self.go_elsewhere(key, id, flow, request),
            _ => false,
        }
    }

    /// Takes the next server of a call that is not answered.
    fn go_elsewhere(
        &mut self,
        key: u64,
        id: u64,
        failed: Flow,
        request: crate::sip::dialog::RequestId,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&key) else { return false };
        if call.dialog.invite_request() != Some(request) {
            return false;
        }
        let Some(target) = call.elsewhere.pop_front() else { return false };
        let name = target.name.clone();
        let ill = crate::sip::location::Target { address: failed.address, transport: failed.transport, name };
        self.shared.names.avoid(&ill, self.shared.settings.registering.avoid_ms);
        let flow = self.flow_of(&target);
        if let Some(call) = self.calls.get_mut(&key) {
            call.flow = flow;
        }
        let own = Some(Box::new(self.own(key, flow)));
        let Some(message) = self.asking.get_mut(&id).and_then(|asking| asking.kept.take()) else {
            return false;
        };
        self.tell_dialog(key, Input::Again { id: request, request: message, proofs: Vec::new(), own });
        true
    }
}
