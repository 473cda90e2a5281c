//! Transactions: what the layer puts out is carried out here.

use bytes::Bytes;

use super::super::guard::ANSWER_TIMES_MAX;
use super::super::transports::{ConnectionId, Flow};
use super::super::{connections, metrics};
use super::state::{Asking, Due, Owner, Serving, Shard};
use crate::sip::destination::{self, Transport};
use crate::sip::dialog::{Input, RequestId, TransactionId};
use crate::sip::registration::Input as RegistrationInput;
use crate::sip::wire::{
    Dispatch, Message, Output, Reliability, Request, Response, Timer, TransactionKey, TuEvent,
};

pub(super) const fn reliability(flow: &Flow) -> Reliability {
    if flow.transport.is_reliable() { Reliability::Reliable } else { Reliability::Unreliable }
}

impl Shard {
    /// Begins to serve a request. `None` where it can't have a transaction.
    pub(super) fn begin(
        &mut self,
        request: Request,
        flow: Flow,
        call: Option<u64>,
    ) -> Option<(TransactionId, Request)> {
        let Dispatch::Created { key, outputs } =
            self.servers.receive(Message::Request(request), reliability(&flow))
        else {
            return None;
        };
        let id = TransactionId(self.next_transaction);
        self.next_transaction += 1;
        self.served.insert(key.clone(), id);
        self.serving.insert(id, Serving { key, flow, call });
        let mut begun = None;
        for event in self.drive_server(id, outputs) {
            if let TuEvent::Request(request) = event {
                begun = Some((id, *request));
            }
        }
        begun
    }

    /// Carries out a server transaction's outputs; what is for us is returned.
    pub(super) fn drive_server(&mut self, id: TransactionId, outputs: Vec<Output>) -> Vec<TuEvent> {
        let mut events = Vec::new();
        for output in outputs {
            match output {
                Output::Send(message) => {
                    if let Some(flow) = self.serving.get(&id).map(|serving| serving.flow) {
                        self.transmit(flow, message.to_bytes());
                    }
                }
                Output::SetTimer { timer, after } => self.set(after, Due::Server(id, timer)),
                Output::ToTu(event) => events.push(*event),
                Output::Terminated(_) => {
                    if let Some(serving) = self.serving.remove(&id) {
                        self.served.remove(&serving.key);
                    }
                }
                _ => {}
            }
        }
        events
    }

    pub(super) fn drive_client(&mut self, id: u64, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(message) => {
                    if let Some(flow) = self.asking.get(&id).map(|asking| asking.flow) {
                        self.transmit(flow, message.to_bytes());
                    }
                }
                Output::SetTimer { timer, after } => self.set(after, Due::Client(id, timer)),
                Output::ToTu(event) => self.on_client_event(id, *event),
                Output::Terminated(_) => {
                    if let Some(asking) = self.asking.remove(&id) {
                        self.asked.remove(&asking.key);
                    }
                }
                _ => {}
            }
        }
    }

    fn on_client_event(&mut self, id: u64, event: TuEvent) {
        let Some(asking) = self.asking.get_mut(&id) else { return };
        let (owner, request) = (asking.owner, asking.request);
        let response = match event {
            TuEvent::Response(response) => {
                asking.heard = true;
                asking.answered |= response.status.code() >= 200;
                Some(*response)
            }
            TuEvent::Timeout | TuEvent::TransportError => None,
            _ => return,
        };
        match (owner, response) {
            (Owner::Call(call), response) => {
                if self.ask_again(call, id, response.as_ref()) {
                    return;
                }
                self.tell_dialog(
                    call,
                    match response {
                        Some(response) => Input::Response { id: request, response },
                        None => Input::Unanswered { id: request },
                    },
                );
            }
            (Owner::Registration(trunk), Some(response)) => {
                self.tell_registration(trunk, RegistrationInput::Response { id: request, response });
            }
            (Owner::Registration(trunk), None) => {
                self.tell_registration(trunk, RegistrationInput::Unanswered { id: request });
            }
        }
    }

    /// Asks the far side. The owner hears of it when even that fails.
    pub(super) fn ask(&mut self, owner: Owner, request: RequestId, message: Request, flow: Flow) {
        let kept = self.may_ask_again(owner).then(|| Box::new(message.clone()));
        let Some((key, outputs)) = self.clients.send_request(message, reliability(&flow)) else {
            return match owner {
                Owner::Call(call) => self.tell_dialog(call, Input::Unanswered { id: request }),
                Owner::Registration(trunk) => {
                    self.tell_registration(trunk, RegistrationInput::Unanswered { id: request });
                }
            };
        };
        let id = self.next_transaction;
        self.next_transaction += 1;
        self.asked.insert(key.clone(), id);
        self.asking.insert(id, Asking { key, flow, owner, request, kept, heard: false, answered: false });
        self.wait_for_server(owner, id);
        self.drive_client(id, outputs);
    }

    /// Answers a transaction, or, where it is gone, the address in the response's own Via.
    pub(super) fn answer(&mut self, id: TransactionId, response: Response) {
        let status = response.status.code();
        if status >= 400 {
            metrics::refused(status);
        }
        if let Some(key) = self.serving.get(&id).map(|serving| serving.key.clone()) {
            let outputs = self.servers.send_response(&key, response);
            self.drive_server(id, outputs);
        } else if let Some(address) = destination::of_response(&response) {
            let flow = Flow { address, transport: Transport::Udp, connection: None };
            self.transmit(flow, Message::Response(response).to_bytes());
        }
    }

    /// Answers without a transaction: a repeated request is answered again, the same way. Whoever is no trunk's
    /// gets no answer, and no datagram one that is much longer than itself.
    pub(super) fn answer_stateless(&mut self, response: Response, flow: Flow) {
        if !self.shared.guard.answers(flow.address.ip()) {
            return metrics::dropped("unknown_source");
        }
        let status = response.status.code();
        if status >= 400 {
            metrics::refused(status);
        }
        let bytes = Message::Response(response).to_bytes();
        if flow.transport == Transport::Udp
            && self.datagram_bytes.is_some_and(|asked| bytes.len() > asked * ANSWER_TIMES_MAX)
        {
            return metrics::dropped("amplification");
        }
        self.transmit(flow, bytes);
    }

    /// A repeated request or an ACK of a known transaction.
    pub(super) fn repeat(&mut self, key: &TransactionKey, request: Request, flow: Flow) -> Vec<TuEvent> {
        let Some(id) = self.served.get(key).copied() else { return Vec::new() };
        match self.servers.receive(Message::Request(request), reliability(&flow)) {
            Dispatch::Matched { outputs, .. } => self.drive_server(id, outputs),
            _ => Vec::new(),
        }
    }

    /// A response to a known request of ours; false where there is none.
    pub(super) fn answered(&mut self, response: &Response) -> bool {
        let key = TransactionKey::from_response(response);
        let Some(id) = key.and_then(|key| self.asked.get(&key).copied()) else { return false };
        let dispatch = self.clients.receive(Message::Response(response.clone()), Reliability::Unreliable);
        if let Dispatch::Matched { outputs, .. } = dispatch {
            self.drive_client(id, outputs);
        }
        true
    }

    pub(super) fn on_server_timer(&mut self, id: TransactionId, timer: Timer) {
        let Some(key) = self.serving.get(&id).map(|serving| serving.key.clone()) else { return };
        let outputs = self.servers.on_timer(&key, timer);
        if timer == Timer::G && outputs.iter().any(|output| matches!(output, Output::Send(_))) {
            metrics::retransmitted("response");
        }
        self.drive_server(id, outputs);
    }

    pub(super) fn on_client_timer(&mut self, id: u64, timer: Timer) {
        let Some(key) = self.asking.get(&id).map(|asking| asking.key.clone()) else { return };
        let outputs = self.clients.on_timer(&key, timer);
        if outputs.iter().any(|output| matches!(output, Output::Send(_))) {
            metrics::retransmitted("request");
        }
        self.drive_client(id, outputs);
    }

    /// Gives up what was never finally answered, of a call that is forgotten: an INVITE to which anything came
    /// back would wait for ever (RFC 3261 section 9.1).
    pub(super) fn abandon(&mut self, call: u64) {
        let waiting: Vec<(u64, TransactionKey)> = self
            .asking
            .iter()
            .filter(|(_, asking)| asking.owner == Owner::Call(call) && !asking.answered)
            .map(|(id, asking)| (*id, asking.key.clone()))
            .collect();
        for (id, key) in waiting {
            let outputs = self.clients.on_transport_error(&key);
            self.drive_client(id, outputs);
        }
    }

    /// A connection is gone: what was asked on it gets no answer. What was served may be asked again.
    pub(super) fn on_closed(&mut self, connection: ConnectionId) {
        let lost: Vec<(u64, TransactionKey)> = self
            .asking
            .iter()
            .filter(|(_, asking)| asking.flow.connection == Some(connection))
            .map(|(id, asking)| (*id, asking.key.clone()))
            .collect();
        for (id, key) in lost {
            let outputs = self.clients.on_transport_error(&key);
            self.drive_client(id, outputs);
        }
        self.disconnected(connection);
    }

    /// Sends bytes on their way.
    pub(super) fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        match flow.transport {
            Transport::Udp => self.outbox.push((bytes, flow.address)),
            _ => match self.connected(&flow) {
                Some(id) => self.shared.transports.write(id, bytes),
                None => metrics::dropped("connection_limit"),
            },
        }
    }

    /// The open connection of a flow, made where there is none.
    pub(super) fn connected(&self, flow: &Flow) -> Option<ConnectionId> {
        self.shared
            .transports
            .connection(flow)
            .or_else(|| connections::connect(flow, &self.shared.connecting))
    }

    pub(super) fn set(&mut self, after: std::time::Duration, what: Due) {
        let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        let now = self.now();
        self.wheel.set(now, now.saturating_add(after), what);
    }
}
