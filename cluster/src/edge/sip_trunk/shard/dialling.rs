//! Calls that we make.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actors::call::leg::{Events, Leg};
use tokio::sync::oneshot;

use super::super::Error;
use super::super::leg::TrunkLeg;
use super::super::transports::Flow;
use super::invites::new_call_id;
use super::state::{Call, Shard, Sink};
use crate::sip::dialog::Dialog;

/// A call to make.
pub(in super::super) struct Dial {
    pub(in super::super) call_id: String,
    pub(in super::super) target: String,
    /// Our address of record: a URI, or the user part of one.
    pub(in super::super) from: String,
    pub(in super::super) flow: Flow,
    pub(in super::super) events: Events,
    pub(in super::super) reply: oneshot::Sender<Result<Arc<dyn Leg>, Error>>,
}

impl Shard {
    pub(super) fn dial(&mut self, dial: Dial) {
        let Dial { call_id, target, from, flow, events, reply } = dial;
        // Who asked may have gone meanwhile; then the leg is dropped and the call is hung up.
        let _ = reply.send(self.try_dial(&call_id, &target, &from, flow, events));
    }

    fn try_dial(
        &mut self,
        call_id: &str,
        target: &str,
        from: &str,
        flow: Flow,
        events: Events,
    ) -> Result<Arc<dyn Leg>, Error> {
        if self.calls.len() >= self.share(self.shared.settings.dialogs_max) {
            return Err(Error::Full);
        }
        let key = self.new_key();
        let id = new_call_id();
        let (session, local) = self.open_media(key, id, flow)?;
        let negotiation = self.negotiation(key, local);
        let from = if from.starts_with("sip:") || from.starts_with("tel:") {
            from.to_owned()
        } else {
            format!("sip:{from}@{}", self.host_for(flow))
        };
        let own = self.own(key, flow);
        let dialog = Dialog::outgoing(own, negotiation, self.now(), call_id, target, &from)
            .map_err(|why| Error::Target { why: why.to_string() })?;
        let alive = Arc::new(AtomicBool::new(true));
        let leg = TrunkLeg::new(key, self.me.clone(), Arc::clone(&alive));
        let call = Call {
            id,
            dialog,
            session: Some(session),
            sink: Sink::Open(events),
            flow,
            origin: None,
            alive,
            offering: false,
            answered: true,
            cause: None,
            ending: None,
            concluded: false,
            scheduled: None,
        };
        self.calls.insert(key, call);
        self.run_effects(key);
        Ok(Arc::new(leg))
    }
}
