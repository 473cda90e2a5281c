//! TwiML (twilio.com/docs/voice/twiml).

use actors::types::Attestation;

use super::super::form::Form;
use super::super::webhook::{
    Answer, Asked, Dial, News, Target, Unusable, caller, dialled, is_over, name, vouched,
};
use super::super::xml::{escaped, response};

/// Reads a webhook: the call that rings, the fate of one that was dialled, the end of one.
///
/// # Errors
/// [`Unusable`].
pub fn asked(body: &[u8], query: &str) -> Result<Asked, Unusable> {
    let form = Form::of(body, query);
    // Of the call that was dialled, which is a child of ours.
    let of_child = form.field("ParentCallSid").is_some();
    let answered = of_child && matches!(form.field("CallStatus"), Some("in-progress" | "answered"));
    // Who picked up and was not connected had the call for nobody.
    // The caller gave up before anybody had the call.
    let gone = !of_child && form.field("CallStatus").is_some_and(is_over);
    let apart = form.field("DialBridged") == Some("false");
    let news = match form.field("DialCallStatus").and_then(dialled) {
        Some(status) if gone && (status >= 300 || apart) => News::Over,
        Some(status) if status < 300 && apart => News::DialOver,
        Some(status) => News::Dialled(status),
        None if answered => News::PickedUp,
        None if of_child => News::Live,
        None if gone => News::Over,
        None => News::Live,
    };
    Ok(Asked {
        call: name(form.field("CallSid")).ok_or(Unusable("CallSid"))?,
        called: form.field("To").unwrap_or_default().to_owned(),
        caller: caller(form.field("From")),
        news,
        gone,
        attestation: form.field("StirVerstat").map(verified).unwrap_or_default(),
        keys: form.field("Digits").map(ToOwned::to_owned),
        whom: None,
    })
}

/// What Twilio has found of the caller's number (twilio.com/docs/voice/trusted-calling-with-shakenstir).
fn verified(text: &str) -> Attestation {
    match text.strip_prefix("TN-Validation-Failed") {
        Some(_) => vouched(Some(""), false),
        // Without a letter it is the best of them.
        None if text == "TN-Validation-Passed" => vouched(Some("A"), true),
        None => vouched(text.strip_prefix("TN-Validation-Passed-"), true),
    }
}

/// Writes an answer.
#[must_use]
pub fn answer(answer: &Answer<'_>) -> String {
    response(&match answer {
        Answer::Connect { stream, .. } => {
            format!("<Connect><Stream url=\"{}\"/></Connect>", escaped(stream))
        }
        // The caller's call stays unanswered until somebody has picked up.
        Answer::Dial(people) if people.unanswered => dial(people, " answerOnBridge=\"true\""),
        other => verbs(other),
    })
}

/// What TwiML and TeXML have in common.
#[must_use]
pub fn verbs(answer: &Answer<'_>) -> String {
    match answer {
        Answer::Dial(people) => dial(people, ""),
        Answer::Ask { words, pressed, wait_s } => format!(
            "<Gather numDigits=\"1\" timeout=\"{wait_s}\" action=\"{}\" method=\"POST\"><Say>{}</Say></Gather><Hangup/>",
            escaped(pressed),
            escaped(words)
        ),
        // With nothing more to do for whoever was asked, they are connected.
        Answer::Take => String::new(),
        Answer::Busy => "<Reject reason=\"busy\"/>".to_owned(),
        Answer::Reject => "<Reject reason=\"rejected\"/>".to_owned(),
        Answer::HangUp | Answer::Leave | Answer::Connect { .. } => "<Hangup/>".to_owned(),
    }
}

fn dial(people: &Dial<'_>, more: &str) -> String {
    let then = escaped(people.then);
    let noun = |(number, target): &(usize, Target<'_>)| {
        // That they answered is told at once; the action's URL is asked when they have hung up again.
        let told = format!(
            " statusCallback=\"{then}/{number}\" statusCallbackEvent=\"answered\" statusCallbackMethod=\"POST\""
        );
        let ask = people.ask.map(|ask| format!(" url=\"{}/{number}\" method=\"POST\"", escaped(ask)));
        let ask = ask.unwrap_or_default();
        match target {
            Target::Number(number) => format!("<Number{told}{ask}>{}</Number>", escaped(number)),
            Target::Sip(uri) => format!("<Sip{told}{ask}>{}</Sip>", escaped(uri)),
        }
    };
    let nouns: String = people.whom.iter().map(noun).collect();
    let said = people.announcement.map(|text| format!("<Say>{}</Say>", escaped(text))).unwrap_or_default();
    let ring_s = people.ring_s;
    format!("{said}<Dial action=\"{then}\" method=\"POST\" timeout=\"{ring_s}\"{more}>{nouns}</Dial>")
}

#[cfg(test)]
mod tests {
    use actors::types::Distrust;

    use super::*;

    fn of(body: &str) -> Result<Asked, Unusable> {
        asked(body.as_bytes(), "")
    }

    #[test]
    fn a_call_is_asked_about() {
        let call = of("CallSid=CA1&To=%2B442079460000&From=%2B441632960111&CallStatus=ringing").ok().unwrap();
        assert_eq!(
            (call.call.as_str(), call.called.as_str(), call.news),
            ("CA1", "+442079460000", News::Live)
        );
        assert_eq!(call.caller.as_deref(), Some("+441632960111"));
        assert!(of("CallSid=CA1&From=%2B266696687").ok().unwrap().caller.is_none(), "anonymous");
        assert!(of("To=1").is_err() && of("CallSid=a%20b").is_err());
        let attested =
            |word: &str| of(&format!("CallSid=CA1&StirVerstat={word}")).ok().map(|asked| asked.attestation);
        assert_eq!(attested("TN-Validation-Passed-A"), Some(Attestation::Full));
        assert_eq!(attested("TN-Validation-Passed-B"), Some(Attestation::Partial));
        assert_eq!(attested("TN-Validation-Passed-C"), Some(Attestation::Gateway));
        let failed = Some(Attestation::Failed(Distrust::Unexplained));
        assert_eq!(attested("TN-Validation-Failed-A"), failed);
        assert_eq!(attested("TN-Validation-Failed"), failed);
        assert_eq!(attested("No-TN-Validation"), Some(Attestation::Absent));
        assert_eq!(attested("TN-Validation-Passed-Q"), Some(Attestation::Absent));
    }

    #[test]
    fn it_is_told_of() {
        let news = |body: &str| of(body).ok().map(|asked| asked.news);
        assert_eq!(news("CallSid=CA1&CallStatus=completed"), Some(News::Over));
        assert_eq!(news("CallSid=CA1&CallStatus=in-progress&DialCallStatus=busy"), Some(News::Dialled(486)));
        let child = "CallSid=CA2&ParentCallSid=CA1&CallStatus=";
        assert_eq!(news(&format!("{child}in-progress")), Some(News::PickedUp));
        assert_eq!(
            news(&format!("{child}completed")),
            Some(News::Live),
            "the end of the other's call is not ours"
        );
        let apart = "CallSid=CA1&DialCallStatus=completed&DialBridged=";
        assert_eq!(news(&format!("{apart}false")), Some(News::DialOver), "who was asked has not taken it");
        assert_eq!(news(&format!("{apart}true")), Some(News::Dialled(200)));
        let given_up = "CallSid=CA1&CallStatus=completed&DialCallStatus=canceled";
        assert_eq!(news(given_up), Some(News::Over));
        let spoken = of("CallSid=CA1&CallStatus=completed&DialCallStatus=completed").ok().unwrap();
        assert!(spoken.news == News::Dialled(200) && spoken.gone, "the one who called has hung up, too");
    }

    #[test]
    fn it_is_answered() {
        let connect = Answer::Connect { stream: "wss://h/s?a=1&b=2", rate_hz: 8_000, status: "" };
        assert_eq!(
            answer(&connect),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Connect><Stream url=\"wss://h/s?a=1&amp;b=2\"/></Connect></Response>"
        );
        let whom = [(0, Target::Number("+44<1"))];
        let people = Dial {
            whom: &whom,
            then: "https://h/d",
            ask: None,
            announcement: None,
            from: "+442079460000",
            ring_s: 20,
            unanswered: false,
        };
        let dial = answer(&Answer::Dial(&people));
        assert!(
            dial.contains("<Dial action=\"https://h/d\" method=\"POST\" timeout=\"20\"><Number "),
            "{dial}"
        );
        assert!(
            dial.contains(" statusCallback=\"https://h/d/0\"") && dial.contains(">+44&lt;1</Number></Dial>"),
            "{dial}"
        );
        let whom = [(0, Target::Number("+441")), (2, Target::Sip("sip:a@b"))];
        let (ask, announcement) = (Some("https://h/a"), Some("R & D"));
        let asked = Dial { whom: &whom, ask, announcement, unanswered: true, ..people };
        let dial = answer(&Answer::Dial(&asked));
        assert!(
            dial.contains("<Say>R &amp; D</Say><Dial ") && dial.contains(" answerOnBridge=\"true\">"),
            "{dial}"
        );
        assert!(dial.contains(" url=\"https://h/a/2\" method=\"POST\">sip:a@b</Sip></Dial>"), "{dial}");
    }
}
