//! Who is called and who calls, by the headers of an INVITE.

use sipx_sip::headers::{Address, From, To};
use sipx_sip::{PAssertedIdentityList, Scheme};

use super::wire::{HeaderName, Request, Uri};

/// The part of a URI that is dialled: the user of a `sip:`, the number of a `tel:`, parameters left out.
#[must_use]
pub fn dialled(uri: &Uri) -> Option<String> {
    let raw = match uri.scheme() {
        Scheme::Tel => uri.tel_parts()?.subscriber().to_vec(),
        _ => uri.decoded_user()?,
    };
    let text = String::from_utf8_lossy(&raw).into_owned();
    let number = text.split(';').next().unwrap_or_default().to_owned();
    (!number.is_empty()).then_some(number)
}

/// What was dialled: the request URI's, or the To header's where that has no user.
#[must_use]
pub fn called(invite: &Request) -> Option<String> {
    dialled(&invite.uri).or_else(|| dialled(&invite.headers.typed::<To>()?.ok()?.uri))
}

/// Every number that an INVITE says was dialled: a token about it may name either.
#[must_use]
pub fn all_called(invite: &Request) -> Vec<String> {
    let to = || dialled(&invite.headers.typed::<To>()?.ok()?.uri);
    dialled(&invite.uri).into_iter().chain(to()).collect()
}

/// What was dialled, where the request URI is an address of ours that says nothing about it: what the network says
/// (P-Called-Party-ID, RFC 7315), else the To header.
#[must_use]
pub fn called_behind(invite: &Request) -> Option<String> {
    let called = HeaderName::parse(&bytes::Bytes::from_static(b"P-Called-Party-ID"));
    let network = || {
        let address = Address::parse(&invite.headers.value(&called)?, "P-Called-Party-ID").ok()?;
        dialled(&address.uri)
    };
    network().or_else(|| dialled(&invite.headers.typed::<To>()?.ok()?.uri))
}

/// Who calls: the asserted identity (RFC 3325) where the sender is trusted to assert one, else From.
/// `None` where the network withholds it.
#[must_use]
pub fn caller(invite: &Request, trust_asserted: bool) -> Option<String> {
    let asserted = || {
        let list = PAssertedIdentityList::from_headers(&invite.headers).ok()??;
        list.values().iter().find_map(|identity| dialled(&identity.address().uri))
    };
    let from = || dialled(&invite.headers.typed::<From>()?.ok()?.uri);
    trust_asserted
        .then(asserted)
        .flatten()
        .or_else(from)
        .filter(|user| !user.eq_ignore_ascii_case("anonymous"))
}
