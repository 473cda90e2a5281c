//! Our registrations at providers: what they want is carried out here.

use std::time::Duration;

use bytes::Bytes;

use super::super::account::Account;
use super::super::registrations::State;
use super::super::transports::Flow;
use super::super::{Error, metrics};
use super::Control;
use super::state::{Due, Owner, Shard};
use crate::sip::destination::Transport;
use crate::sip::location::{Target, Wanted};
use crate::sip::registration::{Effect, Event, Input, Moment, Own, Place, Registration, Settings};

/// What asks a peer whether the way to it is open, and keeps it open through NAT (RFC 5626 section 4.4.1).
const KEEP_ALIVE: Bytes = Bytes::from_static(b"\r\n\r\n");

/// A registration to keep.
pub(in super::super) struct Register {
    /// The trunk's number.
    pub(in super::super) trunk: usize,
    pub(in super::super) account: Account,
    /// Chooses the shard, so it is made before.
    pub(in super::super) call_id: String,
}

/// One that is kept.
pub(super) struct Registering {
    registration: Registration,
    wanted: Wanted,
    /// The way that the last REGISTER went.
    flow: Option<Flow>,
    scheduled: Option<Moment>,
    /// The keep-alive timer runs.
    keeps_alive: bool,
}

impl Shard {
    /// Registers, where that is not so already.
    pub(super) fn register(&mut self, register: Register) {
        if self.registering.get(&register.trunk).is_some_and(|kept| !kept.registration.is_over()) {
            return;
        }
        let trunk = register.trunk;
        match self.begin_registering(&register) {
            Ok(registering) => {
                self.registering.insert(trunk, registering);
                self.tell_registration(trunk, Input::Begin);
            }
            Err(error) => {
                tracing::error!(error = %error, "a trunk can't register");
                self.shared.registrations.set(trunk, State::Failed { why: error.to_string() });
            }
        }
    }

    fn begin_registering(&self, register: &Register) -> Result<Registering, Error> {
        let name = self.shared.guard.name(register.trunk).to_owned();
        let unusable =
            || Error::Trunk { name: name.clone(), mend: "write account.server as sip:carrier.example" };
        let account = &register.account;
        let settings = Settings {
            registrar: account.registrar().ok_or_else(unusable)?,
            identity: account.identity().ok_or_else(unusable)?,
            contact_user: account.user.clone(),
            expires_s: account.expires_s,
            timing: self.shared.settings.registering,
        };
        let wanted = account.wanted().ok_or_else(unusable)?;
        let proof = account.proof().map_err(|why| Error::Password { name: name.clone(), why })?;
        let tag = format!("{:016x}", crate::chance::number());
        let own = Own { call_id: register.call_id.clone(), tag, seed: crate::chance::number() };
        Ok(Registering {
            registration: Registration::new(settings, proof, own),
            wanted,
            flow: None,
            scheduled: None,
            keeps_alive: false,
        })
    }

    /// Tells a registration something and carries out what it wants.
    pub(super) fn tell_registration(&mut self, trunk: usize, input: Input) {
        let now = self.now();
        let Some(kept) = self.registering.get_mut(&trunk) else { return };
        kept.registration.handle(now, input);
        for effect in kept.registration.drain() {
            self.run_registration(trunk, effect);
        }
        let Some(kept) = self.registering.get_mut(&trunk) else { return };
        if kept.registration.is_over() {
            self.registering.remove(&trunk);
            return;
        }
        if let Some(at) = kept.registration.deadline()
            && kept.scheduled.is_none_or(|scheduled| at < scheduled)
        {
            kept.scheduled = Some(at);
            self.wheel.set(now, at, Due::Registration(trunk));
        }
    }

    fn run_registration(&mut self, trunk: usize, effect: Effect) {
        match effect {
            Effect::Locate => self.locate_registrar(trunk),
            Effect::Send { id, request, target } => {
                let flow = self.flow_of(&target);
                if let Some(kept) = self.registering.get_mut(&trunk) {
                    kept.flow = Some(flow);
                }
                self.ask(Owner::Registration(trunk), id, *request, flow);
            }
            Effect::Avoid { target, for_ms } => self.shared.names.avoid(&target, for_ms),
            Effect::Tell(event) => self.on_registration(trunk, event),
        }
    }

    /// Looks the provider up, on a task of its own.
    fn locate_registrar(&self, trunk: usize) {
        let Some(kept) = self.registering.get(&trunk) else { return };
        let (wanted, seed) = (kept.wanted.clone(), kept.registration.seed());
        let shared = std::sync::Arc::clone(&self.shared);
        let me = self.me.clone();
        tokio::spawn(async move {
            let reaches = |transport, address| shared.transports.reaches(transport, address);
            let targets = shared.names.find(&wanted, &reaches, seed).await.unwrap_or_default();
            // A shard that is gone registers nothing.
            let _ = me.send(Control::Located { trunk, targets }).await;
        });
    }

    pub(super) fn on_located(&mut self, trunk: usize, targets: Vec<Target>) {
        if !targets.is_empty() {
            // Calls of the provider come from where it takes our registration.
            self.shared.guard.learn(trunk, targets.iter().map(|target| target.address.ip()));
        }
        let places = targets.into_iter().map(|target| self.place(target)).collect();
        self.tell_registration(trunk, Input::Located(places));
    }

    /// Our side as this server sees it.
    fn place(&self, target: Target) -> Place {
        let flow = Flow { address: target.address, transport: target.transport, connection: None };
        let host = self.host_for(flow);
        Place {
            via: format!("SIP/2.0/{} {host}", target.transport.in_via()),
            contact: format!("{host}{}", target.transport.in_uri()),
            target,
        }
    }

    /// The way to a server, with the name that its certificate has to be for.
    pub(super) fn flow_of(&self, target: &Target) -> Flow {
        if target.transport == Transport::Tls {
            self.shared.transports.name(target.address, &target.name);
        }
        let flow = Flow { address: target.address, transport: target.transport, connection: None };
        match target.transport {
            Transport::Udp => flow,
            Transport::Tcp | Transport::Tls => Flow { connection: self.connected(&flow), ..flow },
        }
    }

    fn on_registration(&mut self, trunk: usize, event: Event) {
        let name = self.shared.guard.name(trunk).to_owned();
        match event {
            Event::Registered(binding) => {
                metrics::registered(&name, "granted", true);
                if let Some(seen) = &binding.seen_as {
                    tracing::debug!(
                        trunk = name,
                        seen,
                        "the provider sees us at another address: there is NAT"
                    );
                }
                let was = self.shared.registrations.is_registered(trunk);
                self.shared.registrations.set(trunk, State::Registered(binding));
                if !was {
                    tracing::info!(trunk = name, "a trunk is registered");
                }
                self.keep_alive(trunk);
            }
            Event::Failed { why, retry_ms, still_registered } => {
                metrics::registered(&name, "failed", still_registered);
                let retry_s = retry_ms.div_ceil(1_000);
                tracing::warn!(trunk = name, why = %why, retry_s, still_registered, "a trunk did not register");
                if !still_registered {
                    self.shared.registrations.set(trunk, State::Failed { why: why.to_string() });
                }
            }
            Event::Expired => {
                metrics::registered(&name, "expired", false);
                tracing::error!(trunk = name, "a trunk's registration has run out: nobody can call by it");
                let why = "the registration has run out and was not renewed".to_owned();
                self.shared.registrations.set(trunk, State::Failed { why });
            }
            Event::Left => {
                metrics::registered(&name, "left", false);
                self.shared.registrations.set(trunk, State::Left);
            }
        }
    }

    /// Keeps the way from the provider to us open.
    pub(super) fn keep_alive(&mut self, trunk: usize) {
        let every = Duration::from_millis(self.shared.settings.keep_alive_ms);
        let Some(kept) = self.registering.get_mut(&trunk) else { return };
        if every.is_zero() || kept.keeps_alive {
            return;
        }
        kept.keeps_alive = true;
        self.set(every, Due::KeepAlive(trunk));
    }

    pub(super) fn on_keep_alive(&mut self, trunk: usize) {
        let Some(kept) = self.registering.get_mut(&trunk) else { return };
        kept.keeps_alive = false;
        let Some(flow) = kept.flow.filter(|_| kept.registration.is_registered()) else { return };
        let open = flow.transport == Transport::Udp || self.shared.transports.connection(&flow).is_some();
        if open {
            self.transmit(flow, KEEP_ALIVE);
        }
        self.keep_alive(trunk);
    }

    pub(super) fn on_registration_due(&mut self, trunk: usize) {
        if let Some(kept) = self.registering.get_mut(&trunk) {
            kept.scheduled = None;
        }
        self.tell_registration(trunk, Input::Tick);
    }

    /// Takes all bindings back.
    pub(super) fn unregister(&mut self) {
        let trunks: Vec<usize> = self.registering.keys().copied().collect();
        for trunk in trunks {
            self.tell_registration(trunk, Input::Leave);
        }
    }

    /// A connection is gone: those who registered by it can't be called by it any more.
    pub(super) fn disconnected(&mut self, connection: super::super::transports::ConnectionId) {
        let trunks: Vec<usize> = self
            .registering
            .iter()
            .filter(|(_, kept)| kept.flow.is_some_and(|flow| flow.connection == Some(connection)))
            .map(|(trunk, _)| *trunk)
            .collect();
        for trunk in trunks {
            self.tell_registration(trunk, Input::Disconnected);
        }
    }
}
