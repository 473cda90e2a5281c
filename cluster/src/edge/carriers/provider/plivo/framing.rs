//! Audio streaming: JSON by text, audio as base64 (plivo.com/docs, "Audio streaming").

use serde::Deserialize;
use serde_json::json;

use super::super::framing::{Encoding, Heard, Message, Started, Unreadable, encoded, key, reached, voice};

#[derive(Deserialize)]
struct Event<'a> {
    event: &'a str,
    #[serde(default, rename = "streamId")]
    stream: Option<String>,
    start: Option<Start>,
    media: Option<Media>,
    dtmf: Option<Dtmf>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Start {
    #[serde(rename = "callId")]
    call: Option<String>,
    #[serde(rename = "streamId")]
    stream: Option<String>,
    #[serde(rename = "mediaFormat")]
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    encoding: String,
}

#[derive(Deserialize)]
struct Media {
    track: Option<String>,
    payload: String,
}

#[derive(Deserialize)]
struct Dtmf {
    digit: String,
}

/// Reads a message.
///
/// # Errors
/// [`Unreadable`].
pub fn read(text: &str) -> Result<Heard, Unreadable> {
    let event: Event<'_> = serde_json::from_str(text).map_err(|_| Unreadable::Form)?;
    match event.event {
        "start" => {
            let start = event.start.ok_or(Unreadable::Form)?;
            if start.format.is_some_and(|format| format.encoding != "audio/x-mulaw") {
                return Err(Unreadable::Encoding);
            }
            let stream = start.stream.or(event.stream).ok_or(Unreadable::Form)?;
            Ok(Heard::Started(Started { call: start.call, stream, encoding: Encoding::MuLaw }))
        }
        "media" => {
            let media = event.media.ok_or(Unreadable::Form)?;
            voice(media.track.as_deref(), None, &media.payload)
        }
        "dtmf" => Ok(key(&event.dtmf.ok_or(Unreadable::Form)?.digit)),
        "playedStream" => Ok(reached(&event.name.ok_or(Unreadable::Form)?)),
        "stop" => Ok(Heard::Stopped),
        _ => Ok(Heard::Nothing),
    }
}

/// Audio to play.
#[must_use]
pub fn audio(stream: &str, encoding: Encoding, payload: &[u8]) -> Message {
    let (content_type, rate_hz) = match encoding {
        Encoding::MuLaw => ("audio/x-mulaw", 8_000),
        Encoding::Linear { rate_hz } => ("audio/x-l16", rate_hz),
    };
    let media = json!({ "contentType": content_type, "sampleRate": rate_hz, "payload": encoded(payload) });
    text(&json!({ "event": "playAudio", "streamId": stream, "media": media }))
}

/// Comes back when what is before it was played.
#[must_use]
pub fn mark(stream: &str, mark: u64) -> Message {
    text(&json!({ "event": "checkpoint", "streamId": stream, "name": mark.to_string() }))
}

/// Forgets what was not played.
#[must_use]
pub fn clear(stream: &str) -> Message {
    text(&json!({ "event": "clearAudio", "streamId": stream }))
}

fn text(value: &serde_json::Value) -> Message {
    Message::Text(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read() {
        let start = r#"{"sequenceNumber":0,"event":"start","start":{"callId":"c-1","streamId":"s-1","accountId":"MA","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}},"extra_headers":"{}"}"#;
        let started = Started { call: Some("c-1".into()), stream: "s-1".into(), encoding: Encoding::MuLaw };
        let said = [
            (start, Heard::Started(started)),
            (
                r#"{"sequenceNumber":1,"streamId":"s-1","event":"media","media":{"track":"inbound","timestamp":"1692873450784","chunk":1,"payload":"fn4="},"extra_headers":"{}"}"#,
                Heard::Audio { place: None, payload: vec![0x7e, 0x7e] },
            ),
            (
                r#"{"event":"dtmf","streamId":"s-1","dtmf":{"track":"inbound","digit":"3","timestamp":"1"}}"#,
                Heard::Digit('3'),
            ),
            (r#"{"event":"playedStream","streamId":"s-1","name":"9"}"#, Heard::Reached(9)),
            (r#"{"event":"clearedAudio","streamId":"s-1"}"#, Heard::Nothing),
        ];
        for (message, heard) in said {
            assert_eq!(read(message), Ok(heard), "{message}");
        }
        assert_eq!(
            read(r#"{"event":"start","start":{"streamId":"s","mediaFormat":{"encoding":"audio/x-l16"}}}"#),
            Err(Unreadable::Encoding)
        );
    }
}
