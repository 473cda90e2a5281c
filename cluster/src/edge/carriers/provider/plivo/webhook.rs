//! Plivo XML (plivo.com/docs, "XML").

use actors::types::Attestation;

use super::super::form::Form;
use super::super::webhook::{
    Answer, Asked, Dial, News, Target, Unusable, caller, dialled, is_over, name, vouched,
};
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
        None if form.field("DialAction") == Some("connected") => News::Joined,
        None if form.field("DialAction") == Some("hangup") => News::Live,
        None if answered => News::PickedUp,
        None if over => News::Over,
        None => News::Live,
    };
    Ok(Asked {
        call: name(form.field("CallUUID")).ok_or(Unusable("CallUUID"))?,
        called: form.field("To").unwrap_or_default().to_owned(),
        caller: caller(form.field("From")),
        news,
        gone: over,
        attestation: attested(&form),
        keys: None,
        whom: form.field("DialBLegTo").map(ToOwned::to_owned),
    })
}

/// What Plivo has found of the caller's number (plivo.com/docs, "Call request parameters").
fn attested(form: &Form) -> Attestation {
    match form.field("STIRVerification") {
        Some("Verified") => vouched(form.field("STIRAttestation"), true),
        Some("Not Verified") => vouched(Some(""), false),
        _ => Attestation::Absent,
    }
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
        Answer::Dial(people) => dial(people),
        // The key is part of dialling here, and nothing has to be asked for it.
        Answer::Ask { words, .. } => format!("<Speak>{}</Speak>", escaped(words)),
        Answer::Busy => "<Hangup reason=\"busy\"/>".to_owned(),
        Answer::Reject => "<Hangup reason=\"rejected\"/>".to_owned(),
        Answer::Take => String::new(),
        Answer::HangUp | Answer::Leave => "<Hangup/>".to_owned(),
    })
}

fn dial(people: &Dial<'_>) -> String {
    let numbers: String = people
        .whom
        .iter()
        .filter_map(|(_, target)| match target {
            Target::Number(number) => Some(format!("<Number>{}</Number>", escaped(number))),
            Target::Sip(_) => None,
        })
        .collect();
    let said = people.announcement.map(|text| format!("<Speak>{}</Speak>", escaped(text)));
    let ask = people.ask.map(|ask| format!(" confirmSound=\"{}/0\" confirmKey=\"1\"", escaped(ask)));
    format!(
        "{}<Dial action=\"{then}\" method=\"POST\" callbackUrl=\"{then}\" callbackMethod=\"POST\" \
         timeout=\"{}\"{}>{numbers}</Dial>",
        said.unwrap_or_default(),
        people.ring_s,
        ask.unwrap_or_default(),
        then = escaped(people.then)
    )
}

#[cfg(test)]
mod tests {
    use actors::types::Distrust;

    use super::*;

    #[test]
    fn what_is_told_of_a_call_and_of_those_who_were_dialled() {
        let asked = |more: &str| asked(format!("CallUUID=c-1&From=1&To=2{more}").as_bytes(), "").ok();
        let news = |more: &str| asked(more).map(|asked| asked.news);
        assert_eq!(news("&DialAction=answer&DialBLegTo=447"), Some(News::PickedUp));
        assert_eq!(news("&DialAction=connected&DialBLegTo=447"), Some(News::Joined));
        assert_eq!(news("&DialAction=hangup&DialBLegStatus=hangup"), Some(News::Live));
        assert_eq!(news("&DialStatus=busy"), Some(News::Dialled(486)));
        assert_eq!(news("&Event=Hangup"), Some(News::Over));
        let attested = |more: &str| asked(more).map(|asked| asked.attestation);
        assert_eq!(attested("&STIRVerification=Verified&STIRAttestation=B"), Some(Attestation::Partial));
        let failed = Some(Attestation::Failed(Distrust::Unexplained));
        assert_eq!(attested("&STIRVerification=Not+Verified&STIRAttestation=A"), failed);
        assert_eq!(attested("&STIRVerification=Not+Applicable"), Some(Attestation::Absent));
    }
}
