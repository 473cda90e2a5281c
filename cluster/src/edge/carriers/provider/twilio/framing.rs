//! Media Streams: JSON by text, audio as base64 of µ-law at 8 kHz
//! (twilio.com/docs/voice/media-streams/websocket-messages).

use serde::Deserialize;
use serde_json::json;

use super::super::framing::{Encoding, Heard, Message, Started, Unreadable, encoded, key, reached, voice};

#[derive(Deserialize)]
struct Event<'a> {
    event: &'a str,
    #[serde(default, rename = "streamSid")]
    stream: Option<String>,
    start: Option<Start>,
    media: Option<Media>,
    dtmf: Option<Dtmf>,
    mark: Option<Mark>,
}

#[derive(Deserialize)]
struct Start {
    #[serde(rename = "callSid")]
    call: Option<String>,
    #[serde(rename = "streamSid")]
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

#[derive(Deserialize)]
struct Mark {
    name: String,
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
        "mark" => Ok(reached(&event.mark.ok_or(Unreadable::Form)?.name)),
        "stop" => Ok(Heard::Stopped),
        _ => Ok(Heard::Nothing),
    }
}

/// Audio to play.
#[must_use]
pub fn audio(stream: &str, payload: &[u8]) -> Message {
    text(&json!({ "event": "media", "streamSid": stream, "media": { "payload": encoded(payload) } }))
}

/// Comes back when what is before it was played, or was cleared.
#[must_use]
pub fn mark(stream: &str, mark: u64) -> Message {
    text(&json!({ "event": "mark", "streamSid": stream, "mark": { "name": mark.to_string() } }))
}

/// Forgets what was not played.
#[must_use]
pub fn clear(stream: &str) -> Message {
    text(&json!({ "event": "clear", "streamSid": stream }))
}

fn text(value: &serde_json::Value) -> Message {
    Message::Text(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_from_its_start_to_its_stop() {
        let start = r#"{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{}},"streamSid":"MZ1"}"#;
        let started = Started { call: Some("CA1".into()), stream: "MZ1".into(), encoding: Encoding::MuLaw };
        let said = [
            (r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#, Heard::Nothing),
            (start, Heard::Started(started)),
            (
                r#"{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1","timestamp":"5","payload":"//8="},"streamSid":"MZ1"}"#,
                Heard::Audio { place: None, payload: vec![0xff, 0xff] },
            ),
            (r#"{"event":"media","media":{"track":"outbound","payload":"//8="}}"#, Heard::Nothing),
            (
                r#"{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}"#,
                Heard::Digit('1'),
            ),
            (
                r#"{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"7"}}"#,
                Heard::Reached(7),
            ),
            (r#"{"event":"mark","mark":{"name":"somebody's"}}"#, Heard::Nothing),
            (
                r#"{"event":"stop","sequenceNumber":"5","streamSid":"MZ1","stop":{"accountSid":"AC1","callSid":"CA1"}}"#,
                Heard::Stopped,
            ),
        ];
        for (message, heard) in said {
            assert_eq!(read(message), Ok(heard), "{message}");
        }
        for (message, why) in [
            ("", Unreadable::Form),
            ("[]", Unreadable::Form),
            (r#"{"event":"start"}"#, Unreadable::Form),
            (r#"{"event":"media","media":{"payload":"!"}}"#, Unreadable::Base64),
            (
                r#"{"event":"start","start":{"streamSid":"M","mediaFormat":{"encoding":"audio/opus"}}}"#,
                Unreadable::Encoding,
            ),
        ] {
            assert_eq!(read(message), Err(why), "{message}");
        }
    }

    #[test]
    fn what_is_said_is_of_the_documented_form() {
        let said = |message| match message {
            Message::Text(text) => serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            Message::Binary(_) => panic!("text"),
        };
        assert_eq!(
            said(audio("MZ1", &[0xff])),
            json!({"event":"media","streamSid":"MZ1","media":{"payload":"/w=="}})
        );
        assert_eq!(said(mark("MZ1", 3)), json!({"event":"mark","streamSid":"MZ1","mark":{"name":"3"}}));
        assert_eq!(said(clear("MZ1")), json!({"event":"clear","streamSid":"MZ1"}));
    }
}
