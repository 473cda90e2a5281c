//! Plivo XML (plivo.com/docs, "XML").

use super::super::form::Form;
use super::super::webhook::{Answer, Asked, News, Target, Unusable, caller, dialled, is_over, name};
use super::super::xml::{escaped, response};

/// Reads a webhook.
///
/// # Errors
/// [`Unusable`].
pub fn asked(body: &[u8], query: &str) -> Result<Asked, Unusable> {
    let form = Form::of(body, query);
    let over = form.field("Event") == Some("Hangup") || form.field("CallStatus").is_some_and(is_over);
    let answered =
        form.field("DialAction") == Some("answer") || form.field("DialBLegStatus") == Some("answer");
    let news = match form.field("DialStatus").and_then(dialled) {
        Some(status) => News::Dialled(status),
        None if answered => News::Dialled(200),
        None if over => News::Over,
        None => News::Live,
    };
    Ok(Asked {
        call: name(form.field("CallUUID")).ok_or(Unusable("CallUUID"))?,
        called: form.field("To").unwrap_or_default().to_owned(),
        caller: caller(form.field("From")),
        news,
    })
}

/// Writes an answer.
#[must_use]
pub fn answer(answer: &Answer<'_>) -> String {
    response(&match answer {
        Answer::Connect { stream, status, .. } => format!(
            "<Stream bidirectional=\"true\" keepCallAlive=\"true\" contentType=\"audio/x-mulaw;rate=8000\" \
             statusCallbackUrl=\"{}\" statusCallbackMethod=\"POST\">{}</Stream>",
            escaped(status),
            escaped(stream)
        ),
        Answer::Dial { target: Target::Number(number), then, ring_s } => format!(
            "<Dial action=\"{then}\" method=\"POST\" callbackUrl=\"{then}\" callbackMethod=\"POST\" \
             timeout=\"{ring_s}\"><Number>{}</Number></Dial>",
            escaped(number),
            then = escaped(then)
        ),
        Answer::Busy => "<Hangup reason=\"busy\"/>".to_owned(),
        Answer::Reject => "<Hangup reason=\"rejected\"/>".to_owned(),
        Answer::HangUp | Answer::Dial { .. } => "<Hangup/>".to_owned(),
    })
}
