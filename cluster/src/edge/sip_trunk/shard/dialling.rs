//! Calls that we make.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actors::call::leg::{Events, Leg};
use tokio::sync::oneshot;

use super::super::leg::TrunkLeg;
use super::super::{Error, metrics};
use super::invites::new_call_id;
use super::state::{Call, Shard, Sink};
use crate::sip::dialog::{Calling, Dialog};
use crate::sip::location::Target;
use crate::sip::proof::Prover;

/// A call to make.
pub(in super::super) struct Dial {
    pub(in super::super) call_id: String,
    pub(in super::super) route: Route,
    /// Our address of record: a URI, or the user part of one.
    pub(in super::super) from: String,
    pub(in super::super) events: Events,
    pub(in super::super) reply: oneshot::Sender<Result<Arc<dyn Leg>, Error>>,
}

/// Whom a call is for, and how it gets there.
pub(in super::super) struct Route {
    /// The URI that is called.
    pub(in super::super) target: String,
    /// The servers to try, in order.
    pub(in super::super) servers: VecDeque<Target>,
    /// The proxies that it goes by.
    pub(in super::super) proxies: Vec<String>,
    /// Who we are to those who ask.
    pub(in super::super) prover: Option<Prover>,
    /// The named trunk that it goes by.
    pub(in super::super) trunk: Option<usize>,
}

impl Shard {
    pub(super) fn dial(&mut self, dial: Dial) {
        let Dial { call_id, route, from, events, reply } = dial;
        // Who asked may have gone meanwhile; then the leg is dropped and the call is hung up.
        let _ = reply.send(self.try_dial(&call_id, route, &from, events));
    }

    fn try_dial(
        &mut self,
        call_id: &str,
        route: Route,
        from: &str,
        events: Events,
    ) -> Result<Arc<dyn Leg>, Error> {
        let Route { target, mut servers, proxies, prover, trunk } = route;
        if self.calls.len() >= self.share(self.shared.settings.dialogs_max) {
            return Err(Error::Full);
        }
        let unknown = || Error::Target { why: "its host is not known".to_owned() };
        let flow = self.flow_of(&servers.pop_front().ok_or_else(unknown)?);
        let trunk = trunk.or_else(|| self.shared.guard.trunk_at(flow.address.ip()));
        let key = self.new_key();
        let id = new_call_id();
        let (session, local) = self.open_media(key, id, flow)?;
        let negotiation = self.negotiation(key, local, flow.transport, trunk);
        let from =
            if from.contains(':') { from.to_owned() } else { format!("sip:{from}@{}", self.host_for(flow)) };
        let own = self.own(key, flow);
        let offers = self.offers(trunk);
        let calling =
            Calling { call_id, target: &target, from: &from, routes: proxies, replaces: None, offers };
        let dialog = Dialog::outgoing(own, negotiation, self.now(), calling)
            .map_err(|why| Error::Target { why: why.to_string() })?;
        let alive = Arc::new(AtomicBool::new(true));
        let leg = TrunkLeg::new(key, self.me.clone(), Arc::clone(&alive));
        let call = Call {
            id,
            dialog,
            session: Some(session),
            sink: Sink::Open(events),
            flow,
            prover,
            elsewhere: servers,
            origin: None,
            trunk,
            moved: None,
            successor: None,
            predecessor: None,
            orphaned: None,
            alive,
            offering: false,
            answered: true,
            established: false,
            handshake: None,
            keyed: false,
            waits_for_keys: false,
            cause: None,
            ending: None,
            concluded: false,
            scheduled: None,
        };
        self.calls.insert(key, call);
        metrics::called(offers);
        self.run_effects(key);
        Ok(Arc::new(leg))
    }
}
