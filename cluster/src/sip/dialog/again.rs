//! A request that is sent once more: with an answer to its challenge (RFC 3261 section 22), or to another server
//! (RFC 3263 section 4.3).

use super::super::wire::{Header, HeaderName, Method, Request};
use super::state::Phase;
use super::writing::bytes_of;
use super::{Dialog, Effect, Own, RequestId};

impl Dialog {
    /// Whether this request of ours is still wanted, so that it may be sent once more.
    #[must_use]
    pub fn wants(&self, id: RequestId) -> bool {
        match &self.outgoing {
            Some(outgoing) if outgoing.id == id => self.phase == Phase::Calling && !outgoing.cancel,
            _ => {
                self.bye == Some(id)
                    || self.transfer.as_ref().is_some_and(|transfer| transfer.id == id)
                    || self.refresh.as_ref().is_some_and(|refresh| refresh.id == id && !refresh.answered)
            }
        }
    }

    /// Sends it with the next sequence number and a branch of its own. `own` is our side as another server sees it.
    pub(super) fn again(
        &mut self,
        id: RequestId,
        mut request: Request,
        proofs: Vec<(HeaderName, String)>,
        own: Option<Own>,
    ) {
        let way = self.way().filter(|_| self.wants(id));
        let Some((_, _, next_hop)) = way else { return self.ignore("again: the request is not wanted") };
        if let Some(own) = own {
            replace(&mut request, HeaderName::Contact, own.contact.clone());
            self.own = Own { tag: std::mem::take(&mut self.own.tag), ..own };
        }
        self.sequence += 1;
        self.next_request += 1;
        let new = RequestId(self.next_request);
        let branch = format!("z9hG4bK{}{}", self.own.tag, self.next_request);
        replace(&mut request, HeaderName::Via, format!("{};branch={branch};rport", self.own.via));
        let method: Method = request.method.clone();
        replace(&mut request, HeaderName::CSeq, format!("{} {method}", self.sequence));
        with_proofs(&mut request, proofs);
        if let Some(outgoing) = self.outgoing.as_mut().filter(|outgoing| outgoing.id == id) {
            outgoing.id = new;
            outgoing.request = bytes_of(&request);
            outgoing.provisional = false;
            outgoing.next_hop.clone_from(&next_hop);
            self.early.exchanges.clear();
        } else if self.bye == Some(id) {
            self.bye = Some(new);
        } else if let Some(transfer) = self.transfer.as_mut().filter(|transfer| transfer.id == id) {
            transfer.id = new;
        } else if let Some(refresh) = self.refresh.as_mut().filter(|refresh| refresh.id == id) {
            refresh.id = new;
        }
        self.effects.0.push_back(Effect::Send { id: new, request, next_hop });
    }
}

/// Puts these proofs in the place of all others.
pub(super) fn with_proofs(request: &mut Request, proofs: Vec<(HeaderName, String)>) {
    if proofs.is_empty() {
        return;
    }
    request.headers.remove_all(&HeaderName::Authorization);
    request.headers.remove_all(&HeaderName::ProxyAuthorization);
    for (name, value) in proofs {
        if let Ok(header) = Header::build(name, value) {
            request.headers.push_front(header);
        }
    }
    // The Via stands first: what is on the way reads no further.
    if let Some(via) = request.headers.remove_first(&HeaderName::Via) {
        request.headers.push_front(via);
    }
}

fn replace(request: &mut Request, name: HeaderName, value: String) {
    let Ok(header) = Header::build(name.clone(), value) else { return };
    let at = request.headers.iter().position(|header| *header.name() == name);
    if request.headers.remove_first(&name).is_some() {
        request.headers.insert(at.unwrap_or(0), header);
    } else {
        request.headers.push(header);
    }
}
