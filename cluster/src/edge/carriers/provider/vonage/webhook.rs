//! NCCO (developer.vonage.com, "NCCO reference").

use serde::Deserialize;
use serde_json::json;

use super::super::form::Form;
use super::super::webhook::{Answer, Asked, News, Target, Unusable, caller, dialled, is_over, name};

#[derive(Deserialize, Default)]
struct Event {
    uuid: Option<String>,
    to: Option<String>,
    from: Option<String>,
    status: Option<String>,
}

/// Reads a webhook: JSON by POST, a query by GET.
///
/// # Errors
/// [`Unusable`].
pub fn asked(body: &[u8], query: &str) -> Result<Asked, Unusable> {
    let event = if body.is_empty() {
        let form = Form::read(query.as_bytes());
        let field = |name: &str| form.field(name).map(ToOwned::to_owned);
        Event { uuid: field("uuid"), to: field("to"), from: field("from"), status: field("status") }
    } else {
        serde_json::from_slice(body).map_err(|_| Unusable("JSON that can be read"))?
    };
    let status = event.status.as_deref().unwrap_or_default();
    let news = match dialled(status) {
        // Who hears of it knows whose end it is: the transferred call's or the call's own.
        Some(fate) if !is_over(status) => News::Dialled(fate),
        Some(_) => News::Over,
        None => News::Live,
    };
    Ok(Asked {
        call: name(event.uuid.as_deref()).ok_or(Unusable("uuid"))?,
        called: event.to.unwrap_or_default(),
        caller: caller(event.from.as_deref()),
        news,
    })
}

/// What became of a call that was dialled.
#[must_use]
pub fn fate(body: &[u8]) -> Option<u16> {
    let event: Event = serde_json::from_slice(body).ok()?;
    dialled(event.status.as_deref()?)
}

/// Writes an answer.
#[must_use]
pub fn answer(answer: &Answer<'_>) -> String {
    match answer {
        Answer::Connect { stream, rate_hz, status } => {
            let endpoint = json!({
                "type": "websocket",
                "uri": stream,
                "content-type": format!("audio/l16;rate={rate_hz}"),
                "headers": {},
            });
            json!([{ "action": "connect", "eventUrl": [status], "endpoint": [endpoint] }]).to_string()
        }
        Answer::Dial { target, then, ring_s } => {
            let endpoint = match target {
                // Numbers are E.164 without the plus here.
                Target::Number(number) => {
                    json!({ "type": "phone", "number": number.trim_start_matches('+') })
                }
                Target::Sip(uri) => json!({ "type": "sip", "uri": uri }),
            };
            json!([{
                "action": "connect",
                "timeout": ring_s,
                "eventType": "synchronous",
                "eventUrl": [then],
                "endpoint": [endpoint],
            }])
            .to_string()
        }
        // There is no word for busy: a call that nothing is done with ends.
        Answer::Busy | Answer::Reject | Answer::HangUp => "[]".to_owned(),
    }
}
