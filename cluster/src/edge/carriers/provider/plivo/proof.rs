//! `X-Plivo-Signature-V3`: HMAC-SHA256 over the URL, the form's sorted pairs and a nonce, by the account's auth token
//! (plivo.com/docs, "Validate requests").

use std::collections::BTreeMap;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

use super::super::form::Form;
use super::super::proof::{Secrets, Signed, Unproven, is_one_of};

/// Whether the request is Plivo's. Several signatures may be there, one for each of the account's tokens.
///
/// # Errors
/// [`Unproven`].
pub fn prove(secrets: &Secrets<'_>, request: &Signed<'_>) -> Result<(), Unproven> {
    if secrets.shared.is_empty() {
        return Err(Unproven::Unconfigured);
    }
    let signatures = (request.header)("x-plivo-signature-v3").ok_or(Unproven::Unsigned)?;
    let nonce = (request.header)("x-plivo-signature-v3-nonce").ok_or(Unproven::Unsigned)?;
    let body = if request.method == "GET" { &[][..] } else { request.body };
    let expected = signed(secrets.shared, request.url, body, nonce);
    if is_one_of(signatures, &expected) { Ok(()) } else { Err(Unproven::Wrong) }
}

/// The signature of a request.
#[must_use]
pub fn signed(token: &str, url: &str, body: &[u8], nonce: &str) -> Vec<u8> {
    let (bare, query) = url.split_once('?').unwrap_or((url, ""));
    let query: Vec<String> = sorted(query.as_bytes())
        .into_iter()
        .flat_map(|(name, values)| values.into_iter().map(move |value| format!("{name}={value}")))
        .collect();
    let fields: String = sorted(body)
        .into_iter()
        .flat_map(|(name, values)| values.into_iter().map(move |value| format!("{name}{value}")))
        .collect();
    let mut text = bare.to_owned();
    if !query.is_empty() || !fields.is_empty() {
        text.push('?');
        text.push_str(&query.join("&"));
    }
    if !query.is_empty() && !fields.is_empty() {
        text.push('.');
    }
    text.push_str(&fields);
    text.push('.');
    text.push_str(nonce);
    sign(&Key::new(HMAC_SHA256, token.as_bytes()), text.as_bytes()).as_ref().to_vec()
}

/// A form by its names, each name's values in order.
fn sorted(form: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut sorted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in Form::read(form).0 {
        sorted.entry(name).or_default().push(value);
    }
    sorted.values_mut().for_each(|values| values.sort());
    sorted
}

#[cfg(test)]
mod tests {
    use super::super::super::framing::encoded;
    use super::*;

    #[test]
    fn one_of_the_signatures_has_to_fit() {
        let url = "https://h.example/carriers/plivo/answer?b=2&a=1";
        let body = b"To=44&CallUUID=c-1&From=1";
        let text = "https://h.example/carriers/plivo/answer?a=1&b=2.CallUUIDc-1From1To44.12345";
        let by_hand = sign(&Key::new(HMAC_SHA256, b"secret"), text.as_bytes());
        assert_eq!(signed("secret", url, body, "12345"), by_hand.as_ref());
        let signatures: &'static str = format!("AAAA,{}", encoded(by_hand.as_ref())).leak();
        let verdict = |body: &[u8], nonce: Option<&'static str>| {
            let header = move |name: &str| match name {
                "x-plivo-signature-v3" => Some(signatures),
                "x-plivo-signature-v3-nonce" => nonce,
                _ => None,
            };
            let secrets = Secrets { shared: "secret", ..Secrets::default() };
            prove(&secrets, &Signed { method: "POST", url, query: "", body, header: &header, now_s: 0 })
        };
        assert_eq!(verdict(body, Some("12345")), Ok(()));
        assert_eq!(verdict(body, Some("12346")), Err(Unproven::Wrong));
        assert_eq!(verdict(b"To=45", Some("12345")), Err(Unproven::Wrong));
        assert_eq!(verdict(body, None), Err(Unproven::Unsigned));
        let bare = sign(&Key::new(HMAC_SHA256, b"secret"), b"https://h.example/x?To44.1");
        assert_eq!(signed("secret", "https://h.example/x", b"To=44", "1"), bare.as_ref());
    }
}
