//! Requests to carriers, as values.

/// Who asks.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// Where the carrier's REST is, without a slash at its end.
    pub url: &'a str,
    /// The account's name.
    pub name: &'a str,
    /// Its password, key or token.
    pub secret: &'a str,
}

/// How a request proves itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// A name and a password.
    Basic(String, String),
    /// A token.
    Bearer(String),
}

/// A request to make.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Where.
    pub url: String,
    /// The body's media type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// Who asks.
    pub authorization: Authorization,
}

/// A form's media type.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// JSON's.
pub const JSON: &str = "application/json";

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// There is no such call any more.
    Gone,
    /// Asking again may help.
    Later,
    /// It won't be done.
    Refused(u16),
}

/// The meaning of a status.
#[must_use]
pub const fn outcome(status: u16) -> Outcome {
    match status {
        200..=299 => Outcome::Done,
        404 | 409 | 410 | 422 => Outcome::Gone,
        408 | 425 | 429 | 500..=599 => Outcome::Later,
        other => Outcome::Refused(other),
    }
}

/// A name within a path.
#[must_use]
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
