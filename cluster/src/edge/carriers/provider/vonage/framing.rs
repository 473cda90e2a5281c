//! Voice websockets: audio as bytes, all else as JSON (developer.vonage.com, "WebSockets").

use serde::Deserialize;
use serde_json::json;

use super::super::framing::{Encoding, Heard, Message, Number, Started, Unreadable, key};

#[derive(Deserialize)]
struct Event<'a> {
    event: &'a str,
    #[serde(rename = "content-type")]
    content_type: Option<String>,
    digit: Option<String>,
    payload: Option<Payload>,
}

#[derive(Deserialize)]
struct Payload {
    mark: Option<Number>,
}

/// Reads a text message.
///
/// # Errors
/// [`Unreadable`].
pub fn read(text: &str) -> Result<Heard, Unreadable> {
    let event: Event<'_> = serde_json::from_str(text).map_err(|_| Unreadable::Form)?;
    match event.event {
        "websocket:connected" => {
            let content_type = event.content_type.ok_or(Unreadable::Form)?;
            let rate_hz = rate(&content_type).ok_or(Unreadable::Encoding)?;
            let encoding = Encoding::Linear { rate_hz };
            Ok(Heard::Started(Started { call: None, stream: String::new(), encoding }))
        }
        "websocket:dtmf" => Ok(key(&event.digit.ok_or(Unreadable::Form)?)),
        "websocket:notify" => {
            let mark = event.payload.and_then(|payload| payload.mark);
            Ok(mark.map_or(Heard::Nothing, |mark| Heard::Reached(mark.0)))
        }
        _ => Ok(Heard::Nothing),
    }
}

/// The rate of `audio/l16;rate=8000`, where it is one that we take.
fn rate(content_type: &str) -> Option<u32> {
    let rest = content_type.strip_prefix("audio/l16")?;
    let rate = rest.split(';').filter_map(|part| part.trim().strip_prefix("rate=")).next()?;
    rate.parse().ok().filter(|rate| matches!(rate, 8_000 | 16_000))
}

/// Comes back when what is before it was played.
#[must_use]
pub fn mark(mark: u64) -> Message {
    text(&json!({ "action": "notify", "payload": { "mark": mark } }))
}

/// Forgets what was not played.
#[must_use]
pub fn clear() -> Message {
    text(&json!({ "action": "clear" }))
}

fn text(value: &serde_json::Value) -> Message {
    Message::Text(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read() {
        let started = |rate_hz| {
            let encoding = Encoding::Linear { rate_hz };
            Heard::Started(Started { call: None, stream: String::new(), encoding })
        };
        let said = [
            (
                r#"{"event":"websocket:connected","content-type":"audio/l16;rate=16000","caller-id":"1"}"#,
                started(16_000),
            ),
            (r#"{"event":"websocket:connected","content-type":"audio/l16;rate=8000"}"#, started(8_000)),
            (r#"{"event":"websocket:dtmf","digit":"5","duration":260}"#, Heard::Digit('5')),
            (r#"{"event":"websocket:notify","payload":{"mark":4}}"#, Heard::Reached(4)),
            (r#"{"event":"websocket:notify","payload":{"other":4}}"#, Heard::Nothing),
            (r#"{"event":"websocket:cleared"}"#, Heard::Nothing),
        ];
        for (message, heard) in said {
            assert_eq!(read(message), Ok(heard), "{message}");
        }
        for wrong in ["audio/l16;rate=24000", "audio/l16", "audio/mp3"] {
            let message = format!(r#"{{"event":"websocket:connected","content-type":"{wrong}"}}"#);
            assert_eq!(read(&message), Err(Unreadable::Encoding), "{wrong}");
        }
    }
}
