//! Calls that we make: whom they are for, and by which servers they get there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actors::call::leg::{Events, Leg};
use tokio::sync::oneshot;

use super::shard::{Control, Dial, Route};
use super::{Error, Trunk};
use crate::sip::destination;
use crate::sip::location::Wanted;
use crate::sip::proof::Prover;

impl Trunk {
    /// Makes a call to a SIP URI, `sip:1000@192.0.2.1:5060;transport=tcp`, as `from`: a SIP URI, or a number
    /// or name that our own address is added to. Where the URI's host has several servers they are tried in order.
    /// The call rings, is answered or fails by its events; the leg can be commanded at once. Whoever drops the leg
    /// hangs up.
    ///
    /// # Errors
    /// [`Error::Target`], [`Error::Media`], [`Error::Full`] or [`Error::Stopped`].
    pub async fn call(&self, target: &str, from: &str, events: Events) -> Result<Arc<dyn Leg>, Error> {
        let route = self.route(target).await?;
        self.dial(route, from, events).await
    }

    /// Calls a number by the trunk with this name, which has an account: as that account, by its provider's
    /// servers, with its password where somebody asks for one.
    ///
    /// # Errors
    /// As [`Trunk::call`], and [`Error::Trunk`] where there is no such trunk or it has no account.
    pub async fn call_by(
        &self,
        trunk: &str,
        number: &str,
        from: Option<&str>,
        events: Events,
    ) -> Result<Arc<dyn Leg>, Error> {
        let shared = self.shared();
        let unknown = |mend| Error::Trunk { name: trunk.to_owned(), mend };
        let index = shared.guard.named(trunk).ok_or_else(|| unknown("there is no trunk with this name"))?;
        let account = shared.guard.account(index).ok_or_else(|| unknown("give it an account to call by"))?;
        let wrong = || unknown("write account.server as sip:carrier.example");
        let wanted = account.wanted().ok_or_else(wrong)?;
        let registrar = account.registrar().ok_or_else(wrong)?;
        let identity = account.identity().ok_or_else(wrong)?;
        let (scheme, host) = registrar.split_once(':').ok_or_else(wrong)?;
        if number.is_empty()
            || !number.chars().all(|one| one.is_ascii_alphanumeric() || "+*#.-_".contains(one))
        {
            return Err(Error::Target { why: "it is no number".to_owned() });
        }
        let binding = shared.registrations.binding(index);
        let mut servers = self.servers(&wanted).await?;
        if let Some(binding) = &binding
            && let Some(at) = servers.iter().position(|server| *server == binding.target)
            && let Some(bound) = servers.remove(at)
        {
            // Where it knows us it takes our calls first.
            servers.push_front(bound);
        }
        let route = Route {
            target: format!("{scheme}:{}@{host}", number.replace('#', "%23")),
            servers,
            proxies: binding.map(|binding| binding.service_route).unwrap_or_default(),
            prover: shared.guard.prover(index),
            trunk: Some(index),
        };
        let from = match from {
            Some(from) if from.contains(':') => from.to_owned(),
            Some(from) => format!("{scheme}:{from}@{host}"),
            None => identity,
        };
        self.dial(route, &from, events).await
    }

    async fn dial(&self, route: Route, from: &str, events: Events) -> Result<Arc<dyn Leg>, Error> {
        if self.shared().refusing.load(Ordering::Acquire) {
            return Err(Error::Full);
        }
        let call_id = new_call_id();
        let inbox = self.inboxes().of(call_id.as_bytes()).ok_or(Error::Stopped)?;
        let (reply, answer) = oneshot::channel();
        let dial = Dial { route, from: from.to_owned(), call_id: call_id.clone(), events, reply };
        inbox.control.send(Control::Dial(Box::new(dial))).await.map_err(|_| Error::Stopped)?;
        answer.await.map_err(|_| Error::Stopped)?
    }

    async fn route(&self, target: &str) -> Result<Route, Error> {
        let wrong = |why: &str| Error::Target { why: why.to_owned() };
        let wanted = destination::uri(target)
            .and_then(|uri| Wanted::of(&uri))
            .ok_or_else(|| wrong("it is no sip: or sips: URI by UDP, TCP or TLS"))?;
        let servers = self.servers(&wanted).await?;
        let prover = None::<Prover>;
        Ok(Route { target: target.to_owned(), servers, proxies: Vec::new(), prover, trunk: None })
    }

    async fn servers(
        &self,
        wanted: &Wanted,
    ) -> Result<std::collections::VecDeque<crate::sip::location::Target>, Error> {
        let wrong = |why: &str| Error::Target { why: why.to_owned() };
        let shared = self.shared();
        let transports = &shared.transports;
        if wanted.transport == Some(destination::Transport::Udp) && transports.udp.is_none() {
            return Err(wrong("this trunk has no UDP socket; add ;transport=tcp or set sip.udp"));
        }
        let reaches = |transport, address| transports.reaches(transport, address);
        let found = shared.names.find(wanted, &reaches, crate::chance::number()).await;
        found.map(Into::into).map_err(|lost| {
            wrong(if lost.unanswered { "no name server answers" } else { "its host is not known" })
        })
    }
}

/// A Call-ID that nobody can guess (RFC 3261 section 8.1.1.4).
pub(super) fn new_call_id() -> String {
    uuid::Builder::from_random_bytes(crate::chance::bytes::<16>()).into_uuid().simple().to_string()
}
