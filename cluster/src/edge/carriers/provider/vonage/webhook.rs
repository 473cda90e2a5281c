//! NCCO (developer.vonage.com, "NCCO reference").

use actors::types::Attestation;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::form::Form;
use super::super::webhook::{Answer, Asked, Dial, News, Target, Unusable, caller, dialled, is_over, name};

/// What a message carries that tells that dialling is over.
const OVER: &str = "dialling is over";
/// How long somebody who does not take a call waits until they are hung up on, in seconds.
const LEAVING_S: u32 = 60;

#[derive(Deserialize, Default)]
struct Event {
    uuid: Option<String>,
    conversation_uuid: Option<String>,
    to: Option<String>,
    from: Option<String>,
    status: Option<String>,
    payload: Option<Payload>,
    dtmf: Option<Keys>,
}

#[derive(Deserialize)]
struct Payload {
    told: Option<String>,
}

/// Keys, as they are told by `input`; older versions tell them bare.
#[derive(Deserialize)]
#[serde(untagged)]
enum Keys {
    Told { digits: Option<String> },
    Bare(String),
}

/// Reads a webhook: JSON by POST, a query by GET.
///
/// # Errors
/// [`Unusable`].
pub fn asked(body: &[u8], query: &str) -> Result<Asked, Unusable> {
    let event = if body.is_empty() {
        let form = Form::read(query.as_bytes());
        let field = |name: &str| form.field(name).map(ToOwned::to_owned);
        Event {
            uuid: field("uuid"),
            conversation_uuid: field("conversation_uuid"),
            to: field("to"),
            from: field("from"),
            status: field("status"),
            ..Event::default()
        }
    } else {
        serde_json::from_slice(body).map_err(|_| Unusable("JSON that can be read"))?
    };
    let status = event.status.as_deref().unwrap_or_default();
    let news = if is_over(status) { News::Over } else { News::Live };
    // What `notify` sends belongs to a conversation, and to no call.
    let call = name(event.uuid.as_deref()).or_else(|| name(event.conversation_uuid.as_deref()));
    Ok(Asked {
        call: call.ok_or(Unusable("uuid"))?,
        called: event.to.unwrap_or_default(),
        caller: caller(event.from.as_deref()),
        news,
        gone: news == News::Over,
        // It tells nothing of it.
        attestation: Attestation::Absent,
        keys: event.dtmf.and_then(|keys| match keys {
            Keys::Told { digits } => digits,
            Keys::Bare(digits) => Some(digits),
        }),
        whom: None,
    })
}

/// What is told of somebody who was dialled. Whoever hears of it knows that it is about them: the words are the same for
/// the call's own end.
#[must_use]
pub fn of_dialled(body: &[u8]) -> News {
    let Ok(event) = serde_json::from_slice::<Event>(body) else { return News::Live };
    if event.payload.is_some_and(|payload| payload.told.as_deref() == Some(OVER)) {
        return News::DialOver;
    }
    match event.status.as_deref() {
        Some("answered") => News::PickedUp,
        // That dialling is over follows.
        Some("completed") | None => News::Live,
        Some(status) => dialled(status).map_or(News::Live, News::Dialled),
    }
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
        Answer::Dial(people) => dial(people),
        Answer::Ask { words, pressed, wait_s } => json!([
            { "action": "talk", "text": words, "bargeIn": true },
            {
                "action": "input",
                "type": ["dtmf"],
                "dtmf": { "maxDigits": 1, "timeOut": wait_s },
                "eventUrl": [pressed],
            },
        ])
        .to_string(),
        // Whoever has nothing left to do would be connected.
        Answer::Leave => json!([{ "action": "wait", "timeout": LEAVING_S }]).to_string(),
        // There is no word for busy: a call that nothing is done with ends.
        Answer::Busy | Answer::Reject | Answer::HangUp | Answer::Take => "[]".to_owned(),
    }
}

/// One at a time: a carrier that takes no more rings the first.
fn dial(people: &Dial<'_>) -> String {
    let mut actions: Vec<Value> = Vec::new();
    actions.extend(people.announcement.map(|text| json!({ "action": "talk", "text": text })));
    if let Some((number, target)) = people.whom.first() {
        // Numbers are E.164 without the plus here, and one of ours is to be shown.
        let bare = |number: &str| number.trim_start_matches('+').to_owned();
        let mut endpoint = match target {
            Target::Number(number) => json!({ "type": "phone", "number": bare(number) }),
            Target::Sip(uri) => json!({ "type": "sip", "uri": uri }),
        };
        if let Some(ask) = people.ask {
            endpoint["onAnswer"] = json!({ "url": format!("{ask}/{number}") });
        }
        actions.push(json!({
            "action": "connect",
            "from": bare(people.from),
            "timeout": people.ring_s,
            "eventType": "synchronous",
            "eventUrl": [people.then],
            "endpoint": [endpoint],
        }));
    }
    // What is told by `connect` is not told in every case, and can't always be answered.
    actions.push(json!({ "action": "notify", "payload": { "told": OVER }, "eventUrl": [people.then] }));
    Value::Array(actions).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_somebody_who_was_dialled() {
        let told = |body: &str| of_dialled(body.as_bytes());
        assert_eq!(told(r#"{"uuid":"u","status":"ringing"}"#), News::Live);
        assert_eq!(told(r#"{"uuid":"u","status":"answered"}"#), News::PickedUp);
        assert_eq!(told(r#"{"uuid":"u","status":"completed"}"#), News::Live, "more follows");
        assert_eq!(told(r#"{"uuid":"u","status":"busy"}"#), News::Dialled(486));
        assert_eq!(told(r#"{"uuid":"u","status":"timeout"}"#), News::Dialled(408));
        let over = r#"{"conversation_uuid":"CON-1","payload":{"told":"dialling is over"}}"#;
        assert_eq!(told(over), News::DialOver);
        assert_eq!(asked(over.as_bytes(), "").map(|asked| asked.call), Ok("CON-1".to_owned()));
        for keys in [r#"{"digits":"1","timed_out":false}"#, r#""1""#] {
            let body = format!(r#"{{"uuid":"u","dtmf":{keys}}}"#);
            assert_eq!(asked(body.as_bytes(), "").ok().and_then(|asked| asked.keys).as_deref(), Some("1"));
        }
    }

    #[test]
    fn one_of_our_numbers_is_shown_and_what_comes_after_is_told() {
        let whom = [(3, Target::Number("+447700900001")), (4, Target::Number("+447700900002"))];
        let people = Dial {
            whom: &whom,
            then: "https://h/d",
            ask: Some("https://h/a"),
            announcement: None,
            from: "+442079460000",
            ring_s: 20,
            unanswered: true,
        };
        let actions: Value = serde_json::from_str(&answer(&Answer::Dial(&people))).unwrap();
        let expected = json!([
            {
                "action": "connect",
                "from": "442079460000",
                "timeout": 20,
                "eventType": "synchronous",
                "eventUrl": ["https://h/d"],
                "endpoint": [{
                    "type": "phone",
                    "number": "447700900001",
                    "onAnswer": { "url": "https://h/a/3" },
                }],
            },
            { "action": "notify", "payload": { "told": "dialling is over" }, "eventUrl": ["https://h/d"] },
        ]);
        assert_eq!(actions, expected);
    }
}
