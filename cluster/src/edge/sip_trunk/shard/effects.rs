//! What a dialog wants done.

use std::net::SocketAddr;

use actors::call::leg::Event as LegEvent;

use super::super::addresses::{in_uri, is_private};
use super::super::metrics;
use super::super::transports::Flow;
use super::state::{Due, Owner, Shard};
use crate::edge::media::{
    Codec, Connectivity, Control as MediaControl, Credentials, Direction, Handshake, Hash, Protected, Stream,
};
use crate::rtp::protection::{Key, Suite};
use crate::sip::destination::{self, Transport};
use crate::sip::dialog::{Effect, Ending, Event, Input};
use crate::sip::sdp;
use crate::sip::wire::{Header, HeaderName, Message, Method, Request, text};

impl Shard {
    /// Tells a call's dialog something and carries out what it wants.
    pub(super) fn tell_dialog(&mut self, key: u64, input: Input) {
        let now = self.now();
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.dialog.handle(now, input);
        self.run_effects(key);
        self.forget_if_over(key);
    }

    pub(super) fn run_effects(&mut self, key: u64) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let effects = call.dialog.drain();
        let now = self.now();
        for effect in effects {
            self.run_effect(key, effect);
        }
        if let Some(call) = self.calls.get_mut(&key)
            && let Some(at) = call.dialog.deadline()
            && call.scheduled.is_none_or(|scheduled| at < scheduled)
        {
            call.scheduled = Some(at);
            self.wheel.set(now, at, Due::Dialog(key));
        }
    }

    fn run_effect(&mut self, key: u64, effect: Effect) {
        match effect {
            Effect::Respond { transaction, response } => self.answer(transaction, response),
            Effect::Retransmit { transaction, response } => {
                let is_final = response.status.is_final();
                metrics::retransmitted(if is_final { "success" } else { "provisional" });
                self.answer(transaction, response);
            }
            Effect::Send { id, mut request, next_hop } => match self.flow_for(key, &request, &next_hop) {
                Some(flow) => {
                    self.fit_via(&mut request, flow);
                    self.prove(key, &mut request);
                    self.ask(Owner::Call(key), id, request, flow);
                }
                None => self.tell_dialog(key, Input::Unanswered { id }),
            },
            Effect::Acknowledge { mut request, next_hop } => {
                if let Some(flow) = self.flow_to(key, &next_hop) {
                    self.fit_via(&mut request, flow);
                    self.transmit(flow, Message::Request(request).to_bytes());
                }
            }
            Effect::Tell(event) => self.on_event(key, event),
            Effect::Unusable { why } => {
                let call_id = self.calls.get(&key).map(|call| call.id);
                metrics::unusable(why);
                tracing::warn!(?call_id, %why, "a call is ended, for what its answer describes can't be used");
            }
            Effect::Ignored { why } => {
                metrics::ignored();
                tracing::debug!(why, "a sip dialog passed something over");
            }
        }
    }

    /// The way of a request. Until somebody has answered, an INVITE and its CANCEL go to the server that was looked up
    /// for them (RFC 3263 section 4); from then on the dialog says where.
    fn flow_for(&self, key: u64, request: &Request, next_hop: &str) -> Option<Flow> {
        let call = self.calls.get(&key)?;
        let begins = matches!(request.method, Method::Invite | Method::Cancel);
        if !begins || call.dialog.remote_tag().is_some() {
            return self.flow_to(key, next_hop);
        }
        let flow = call.flow;
        Some(match flow.transport {
            Transport::Udp => flow,
            _ => Flow { connection: self.connected(&flow), ..flow },
        })
    }

    /// The way to a next hop. A call that came by a connection stays on it. A host name is taken for the
    /// peer we know: nothing is looked up in the middle of a call.
    fn flow_to(&self, key: u64, next_hop: &str) -> Option<Flow> {
        let call = self.calls.get(&key)?;
        let known = call.flow;
        let hop = destination::uri(next_hop).and_then(|uri| destination::hop(&uri));
        if known.transport.is_reliable() {
            let address =
                hop.and_then(|hop| Some(SocketAddr::new(hop.address?, hop.port))).unwrap_or(known.address);
            let flow = Flow { address, ..known };
            return Some(Flow { connection: self.connected(&flow), ..flow });
        }
        let hop = hop?;
        let peer = known.address;
        let address = match hop.address {
            // What only its own network can reach, said by a peer from elsewhere: it is behind NAT.
            Some(address) if is_private(address) && !is_private(peer.ip()) => peer,
            Some(address) => SocketAddr::new(address, hop.port),
            None => peer,
        };
        let flow = Flow { address, transport: hop.transport, connection: None };
        Some(match hop.transport {
            Transport::Udp => flow,
            _ => Flow { connection: self.connected(&flow), ..flow },
        })
    }

    /// Makes the topmost Via say the transport that is really used.
    fn fit_via(&self, request: &mut Request, flow: Flow) {
        let Some(via) = text(&request.headers, &HeaderName::Via) else { return };
        if via.starts_with(&format!("SIP/2.0/{} ", flow.transport.in_via())) {
            return;
        }
        let parameters = via.split_once(';').map(|(_, parameters)| parameters).unwrap_or_default();
        let value = format!("SIP/2.0/{} {};{parameters}", flow.transport.in_via(), self.host_for(flow));
        if let Ok(header) = Header::build(HeaderName::Via, value) {
            request.headers.remove_first(&HeaderName::Via);
            request.headers.push_front(header);
        }
    }

    fn on_event(&mut self, key: u64, event: Event) {
        match event {
            Event::Ringing => {
                self.report_to_predecessor(key, 180);
                self.deliver(key, LegEvent::Ringing);
            }
            Event::Agreed(agreed) => self.described(key, &agreed),
            Event::Established => self.on_established(key),
            Event::Held(held) => self.deliver(key, LegEvent::Held(held)),
            Event::Digit(digit) => self.deliver(key, LegEvent::Digit(digit)),
            Event::TransferProgress(status) => self.deliver(key, LegEvent::TransferProgress(status)),
            Event::Referred(referred) => self.on_referred(key, referred),
            Event::Ended(ending) => {
                if self.lives_on(key, ending) {
                    return;
                }
                let ours = self.calls.get(&key).is_some_and(|call| call.origin.is_none());
                if let Ending::Refused(status) = ending
                    && ours
                {
                    self.deliver(key, LegEvent::Refused(status));
                }
                self.close(key, ending);
            }
        }
    }

    /// A call is up. One that we make is so for whoever has us call once both can be heard: nobody is put together with a
    /// line that nothing can be said on.
    pub(super) fn on_established(&mut self, key: u64) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if let Some(predecessor) = call.predecessor {
            return self.succeed(predecessor, key);
        }
        if call.handshake.is_some() && !call.keyed && !call.established && call.origin.is_none() {
            call.waits_for_keys = true;
            return;
        }
        // A call that has taken another's place is up already, as far as anybody here knows.
        if !std::mem::replace(&mut call.established, true) {
            if let Some(uri) = call.dialog.reachable_by().filter(|_| call.origin.is_none()) {
                self.deliver(key, LegEvent::ReachableBy(uri));
            }
            self.deliver(key, LegEvent::Established);
        }
    }

    /// What audio is has been agreed on. Where it needs no handshake any more, nobody waits for one; keys that were agreed
    /// on with another of the phones that our INVITE rings at are none.
    pub(super) fn described(&mut self, key: u64, agreed: &sdp::Agreed) {
        self.configure(key, agreed);
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.handshake != agreed.handshake {
            call.handshake.clone_from(&agreed.handshake);
            call.keyed = false;
        }
        if call.handshake.is_none() && std::mem::take(&mut call.waits_for_keys) {
            self.on_established(key);
        }
    }

    /// Tells a call's audio what was agreed on.
    fn configure(&self, key: u64, agreed: &sdp::Agreed) {
        if let Some(session) = self.calls.get(&key).and_then(|call| call.session.as_ref()) {
            // A session that is gone says so by its own last event.
            let _ = session.control(MediaControl::Configure(stream(agreed)));
        }
    }

    /// The URI of a transfer's target. A number is one of the far side's own network, unless the settings
    /// name another.
    pub(super) fn transfer_target(
        &self,
        key: u64,
        destination: &actors::types::Destination,
    ) -> Option<String> {
        use actors::types::Destination;
        let number = match destination {
            Destination::Uri(uri) => return Some(uri.clone()),
            Destination::Number(number) => number.as_str(),
        };
        if let Some(host) = &self.shared.settings.transfer_host {
            return Some(format!("sip:{number}@{host}"));
        }
        let call = self.calls.get(&key)?;
        let host = destination::uri(call.dialog.target()).and_then(|uri| destination::hop(&uri));
        Some(match host {
            Some(hop) => {
                let host = hop.address.map_or(hop.host, in_uri);
                // Its port for TLS is of no use to anything else.
                let secure = if hop.transport == Transport::Tls { Transport::Tls.in_uri() } else { "" };
                format!("sip:{number}@{host}:{}{secure}", hop.port)
            }
            None => format!("sip:{number}@{}", in_uri(call.flow.address.ip())),
        })
    }
}

fn stream(agreed: &sdp::Agreed) -> Stream {
    Stream {
        remote: agreed.remote,
        codec: match agreed.codec {
            sdp::Codec::Pcmu => Codec::Pcmu,
            sdp::Codec::Pcma => Codec::Pcma,
            sdp::Codec::G722 => Codec::G722,
            sdp::Codec::Opus => Codec::Opus,
        },
        payload_type: agreed.payload_type,
        telephone_event: agreed.telephone_event,
        comfort_noise: agreed.comfort_noise,
        direction: match agreed.direction {
            sdp::Direction::SendReceive => Direction::SendReceive,
            sdp::Direction::SendOnly => Direction::SendOnly,
            sdp::Direction::ReceiveOnly => Direction::ReceiveOnly,
            sdp::Direction::Inactive => Direction::Inactive,
        },
        packet_ms: agreed.packet_ms,
        protected: agreed
            .protected
            .as_ref()
            .map(|protected| Protected { ours: key(&protected.ours), theirs: key(&protected.theirs) }),
        handshake: agreed.handshake.as_ref().map(|agreed| Handshake {
            begins: agreed.begins,
            hash: match agreed.theirs.hash {
                sdp::Hash::Sha256 => Hash::Sha256,
                sdp::Hash::Sha384 => Hash::Sha384,
                sdp::Hash::Sha512 => Hash::Sha512,
            },
            fingerprint: agreed.theirs.bytes.clone(),
        }),
        connectivity: agreed.connectivity.as_ref().map(|agreed| Connectivity {
            ours: Credentials {
                fragment: agreed.ours.fragment.clone(),
                password: agreed.ours.password.clone(),
            },
            theirs: agreed.theirs.clone(),
        }),
        multiplexed: agreed.multiplexed,
    }
}

fn key(keying: &sdp::Keying) -> Key {
    let suite = match keying.suite {
        sdp::Suite::AesCm128Sha1With80 => Suite::AesCm128Sha1With80,
        sdp::Suite::AesCm128Sha1With32 => Suite::AesCm128Sha1With32,
        sdp::Suite::AesGcm128 => Suite::AesGcm128,
        sdp::Suite::AesGcm256 => Suite::AesGcm256,
    };
    Key { suite, master: keying.master.reveal().to_vec() }
}
