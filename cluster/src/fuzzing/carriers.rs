//! Carriers' websockets and webhooks.

use crate::edge::carriers::provider::Provider;
use crate::edge::carriers::provider::audio::Coding;
use crate::edge::carriers::provider::framing::{Encoding, Heard, Message};
use crate::edge::carriers::provider::proof::{Secrets, Signed};
use crate::edge::carriers::provider::webhook::{Answer, Dial, Target};

pub(super) fn twilio(bytes: &[u8]) {
    stream(Provider::Twilio, bytes);
}

pub(super) fn telnyx(bytes: &[u8]) {
    stream(Provider::Telnyx, bytes);
}

pub(super) fn plivo(bytes: &[u8]) {
    stream(Provider::Plivo, bytes);
}

pub(super) fn vonage(bytes: &[u8]) {
    stream(Provider::Vonage, bytes);
}

/// A stream: one message a line, each as text and as bytes.
fn stream(provider: Provider, bytes: &[u8]) {
    let mut name = String::new();
    let mut coding = Coding::new(Encoding::MuLaw);
    for line in bytes.split(|byte| *byte == b'\n') {
        let text = std::str::from_utf8(line).ok().map(|text| provider.text(text));
        for heard in text.into_iter().chain([provider.binary(line)]).flatten() {
            match heard {
                Heard::Started(started) => {
                    coding = Coding::new(started.encoding);
                    assert!(coding.is_some(), "a stream was begun that can't be heard");
                    name = started.stream;
                }
                Heard::Audio { payload, .. } => {
                    let samples = coding.as_mut().map_or(0, |coding| coding.decode(&payload).len());
                    assert!(samples <= payload.len(), "{samples} samples of {} bytes", payload.len());
                }
                Heard::Digit(key) => assert!(key.is_ascii(), "{key:?} is no key"),
                Heard::Reached(_) | Heard::Stopped | Heard::Nothing => {}
            }
        }
    }
    // What we say to a stream of any name is JSON that can be read.
    let said = [
        provider.audio(&name, Encoding::MuLaw, &[0xff; 160]),
        provider.mark(&name, u64::MAX),
        provider.clear(&name),
    ];
    for message in said {
        if let Message::Text(text) = message {
            let read = serde_json::from_str::<serde_json::Value>(&text);
            assert!(read.is_ok_and(|value| value.is_object()), "{text}");
        }
    }
}

/// A question: the carrier's number, the query, a new line, the body.
pub(super) fn webhook(bytes: &[u8]) {
    let Some((provider, rest)) = chosen(bytes) else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (query, body) = rest.split_at(end);
    let query = String::from_utf8_lossy(query).into_owned();
    let Ok(asked) = provider.asked(body.get(1..).unwrap_or_default(), &query) else { return };
    assert!(!asked.call.is_empty() && asked.call.len() <= 256, "a call without a usable name");
    // What the network says of a call can't break out of our answer.
    let whom = [(0, Target::Number(&asked.called)), (1, Target::Sip(&asked.called))];
    let people = Dial {
        whom: &whom,
        then: &asked.call,
        ask: Some(&asked.call),
        announcement: Some(&asked.called),
        from: &asked.called,
        ring_s: 20,
        unanswered: true,
    };
    let answers = [
        Answer::Connect { stream: &asked.called, rate_hz: 8_000, status: &asked.call },
        Answer::Dial(&people),
        Answer::Ask { words: &asked.called, pressed: &asked.call, wait_s: 10 },
    ];
    for answer in answers {
        let written = provider.answer(&answer);
        if provider == Provider::Vonage {
            assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok(), "{written}");
        } else {
            let elements = written.matches('<').count();
            assert!(elements <= 11 && elements == written.matches('>').count(), "{written}");
        }
    }
    let account = crate::edge::carriers::provider::rest::Account { url: "https://h", name: "a", secret: "s" };
    let ask = provider.hang_up(&account, &asked.call);
    assert!(ask.url.is_ascii() && !ask.url.contains(' '), "{}", ask.url);
}

/// A proof: the carrier's number, its headers a line each, the body after an empty line. Nobody here has signed.
pub(super) fn proof(bytes: &[u8]) {
    let Some((provider, rest)) = chosen(bytes) else { return };
    let text = String::from_utf8_lossy(rest).into_owned();
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.split_once(':').filter(|(known, _)| *known == name))
            .map(|(_, v)| v.trim())
    };
    let secrets = Secrets {
        shared: "a secret that no fuzzer finds",
        public_key: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        application: "an application",
    };
    let request = Signed {
        method: "POST",
        url: "https://h.example/carriers/answer?a=1",
        query: "a=1",
        body: body.as_bytes(),
        header: &header,
        now_s: 1_000,
    };
    assert!(provider.prove(&secrets, &request).is_err(), "{} believes anybody", provider.name());
}

fn chosen(bytes: &[u8]) -> Option<(Provider, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((*Provider::ALL.get(usize::from(*first) % Provider::ALL.len())?, rest))
}
