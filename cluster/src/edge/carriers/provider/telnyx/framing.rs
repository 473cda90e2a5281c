//! Media streaming: JSON by text, audio as base64 of RTP payloads; messages may overtake one another
//! (developers.telnyx.com, "Media Streaming over WebSockets").

use serde::Deserialize;
use serde_json::json;

use super::super::framing::{
    Encoding, Heard, Message, Number, Started, Unreadable, encoded, key, reached, voice,
};

#[derive(Deserialize)]
struct Event<'a> {
    event: &'a str,
    #[serde(default)]
    stream_id: Option<String>,
    start: Option<Start>,
    media: Option<Media>,
    dtmf: Option<Dtmf>,
    mark: Option<Mark>,
}

#[derive(Deserialize)]
struct Start {
    call_control_id: Option<String>,
    media_format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    encoding: String,
}

#[derive(Deserialize)]
struct Media {
    track: Option<String>,
    chunk: Option<Number>,
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
            if start.media_format.is_some_and(|format| format.encoding != "PCMU") {
                return Err(Unreadable::Encoding);
            }
            let stream = event.stream_id.unwrap_or_default();
            Ok(Heard::Started(Started { call: start.call_control_id, stream, encoding: Encoding::MuLaw }))
        }
        "media" => {
            let media = event.media.ok_or(Unreadable::Form)?;
            let place = media.chunk.and_then(|chunk| u32::try_from(chunk.0).ok());
            voice(media.track.as_deref(), place, &media.payload)
        }
        "dtmf" => Ok(key(&event.dtmf.ok_or(Unreadable::Form)?.digit)),
        "mark" => Ok(reached(&event.mark.ok_or(Unreadable::Form)?.name)),
        "stop" => Ok(Heard::Stopped),
        _ => Ok(Heard::Nothing),
    }
}

/// Audio to play.
#[must_use]
pub fn audio(payload: &[u8]) -> Message {
    text(&json!({ "event": "media", "media": { "payload": encoded(payload) } }))
}

/// Comes back when what is before it was played.
#[must_use]
pub fn mark(mark: u64) -> Message {
    text(&json!({ "event": "mark", "mark": { "name": mark.to_string() } }))
}

/// Forgets what was not played.
#[must_use]
pub fn clear() -> Message {
    text(&json!({ "event": "clear" }))
}

fn text(value: &serde_json::Value) -> Message {
    Message::Text(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_from_its_start_to_its_stop() {
        let start = r#"{"event":"start","sequence_number":"1","start":{"user_id":"u","call_control_id":"v3:T02","client_state":"","media_format":{"encoding":"PCMU","sample_rate":8000,"channels":1}},"stream_id":"32DE0DEA"}"#;
        let started =
            Started { call: Some("v3:T02".into()), stream: "32DE0DEA".into(), encoding: Encoding::MuLaw };
        let said = [
            (r#"{"event":"connected","version":"1.0.0"}"#, Heard::Nothing),
            (start, Heard::Started(started)),
            (
                r#"{"event":"media","sequence_number":"4","media":{"track":"inbound","chunk":"2","timestamp":"5","payload":"/w=="},"stream_id":"32DE0DEA"}"#,
                Heard::Audio { place: Some(2), payload: vec![0xff] },
            ),
            (r#"{"event":"dtmf","stream_id":"3","dtmf":{"digit":"*"}}"#, Heard::Digit('*')),
            (r#"{"event":"mark","mark":{"name":"12"}}"#, Heard::Reached(12)),
            (r#"{"event":"error","payload":{"code":100002}}"#, Heard::Nothing),
            (r#"{"event":"stop","stop":{"call_control_id":"v3:T02"}}"#, Heard::Stopped),
        ];
        for (message, heard) in said {
            assert_eq!(read(message), Ok(heard), "{message}");
        }
        let wide = r#"{"event":"start","start":{"media_format":{"encoding":"L16"}}}"#;
        assert_eq!(read(wide), Err(Unreadable::Encoding));
        assert_eq!(read(r#"{"event":"dtmf"}"#), Err(Unreadable::Form));
    }
}
