//! `X-Twilio-Signature`: HMAC-SHA1 over the URL and the form's sorted pairs, by the account's auth token
//! (twilio.com/docs/usage/security).

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};

use super::super::form::Form;
use super::super::proof::{Secrets, Signed, Unproven, is_one_of};

/// Whether the request is Twilio's.
///
/// # Errors
/// [`Unproven`].
pub fn prove(secrets: &Secrets<'_>, request: &Signed<'_>) -> Result<(), Unproven> {
    if secrets.shared.is_empty() {
        return Err(Unproven::Unconfigured);
    }
    let signature = (request.header)("x-twilio-signature").ok_or(Unproven::Unsigned)?;
    let expected = signed(secrets.shared, request.url, request.body);
    if is_one_of(signature, &expected) { Ok(()) } else { Err(Unproven::Wrong) }
}

/// The signature of a request.
#[must_use]
pub fn signed(token: &str, url: &str, body: &[u8]) -> Vec<u8> {
    let mut pairs = Form::read(body).0;
    pairs.sort();
    let mut text = url.to_owned();
    for (name, value) in pairs {
        text.push_str(&name);
        text.push_str(&value);
    }
    sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes()), text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::super::framing::encoded;
    use super::*;

    /// The worked example of the documentation.
    const URL: &str = "https://example.com/myapp.php?foo=1&bar=2";
    const BODY: &[u8] =
        b"CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212";

    fn verdict(token: &str, url: &str, signature: Option<&'static str>) -> Result<(), Unproven> {
        let header = move |name: &str| signature.filter(|_| name == "x-twilio-signature");
        let secrets = Secrets { shared: token, ..Secrets::default() };
        prove(&secrets, &Signed { method: "POST", url, query: "", body: BODY, header: &header, now_s: 0 })
    }

    #[test]
    fn the_documented_example_is_believed_and_nothing_else() {
        let right = "L/OH5YylLD5NRKLltdqwSvS0BnU=";
        assert_eq!(encoded(&signed("12345", URL, BODY)), right);
        assert_eq!(verdict("12345", URL, Some(right)), Ok(()));
        assert_eq!(verdict("12346", URL, Some(right)), Err(Unproven::Wrong));
        assert_eq!(verdict("12345", "https://example.com/other", Some(right)), Err(Unproven::Wrong));
        assert_eq!(verdict("12345", URL, Some("")), Err(Unproven::Wrong));
        assert_eq!(verdict("12345", URL, None), Err(Unproven::Unsigned));
        assert_eq!(verdict("", URL, Some(right)), Err(Unproven::Unconfigured));
    }
}
