//! TwiML (twilio.com/docs/voice/twiml).

use super::super::form::Form;
use super::super::webhook::{Answer, Asked, News, Target, Unusable, caller, dialled, is_over, name};
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
    let news = match form.field("DialCallStatus").and_then(dialled) {
        Some(status) => News::Dialled(status),
        None if answered => News::Dialled(200),
        None if of_child => News::Live,
        None if form.field("CallStatus").is_some_and(is_over) => News::Over,
        None => News::Live,
    };
    Ok(Asked {
        call: name(form.field("CallSid")).ok_or(Unusable("CallSid"))?,
        called: form.field("To").unwrap_or_default().to_owned(),
        caller: caller(form.field("From")),
        news,
    })
}

/// Writes an answer.
#[must_use]
pub fn answer(answer: &Answer<'_>) -> String {
    response(&match answer {
        Answer::Connect { stream, .. } => {
            format!("<Connect><Stream url=\"{}\"/></Connect>", escaped(stream))
        }
        other => verbs(other),
    })
}

/// What TwiML and TeXML have in common.
#[must_use]
pub fn verbs(answer: &Answer<'_>) -> String {
    match answer {
        Answer::Dial { target, then, ring_s } => {
            let then = escaped(then);
            // That they answered is told at once; the action's URL is asked when they have hung up again.
            let told = format!(
                " statusCallback=\"{then}\" statusCallbackEvent=\"answered\" statusCallbackMethod=\"POST\""
            );
            let whom = match target {
                Target::Number(number) => format!("<Number{told}>{}</Number>", escaped(number)),
                Target::Sip(uri) => format!("<Sip{told}>{}</Sip>", escaped(uri)),
            };
            format!("<Dial action=\"{then}\" method=\"POST\" timeout=\"{ring_s}\">{whom}</Dial>")
        }
        Answer::Busy => "<Reject reason=\"busy\"/>".to_owned(),
        Answer::Reject => "<Reject reason=\"rejected\"/>".to_owned(),
        Answer::HangUp | Answer::Connect { .. } => "<Hangup/>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_asked_about_told_of_and_answered() {
        let asked = |body: &str| asked(body.as_bytes(), "");
        let call =
            asked("CallSid=CA1&To=%2B442079460000&From=%2B441632960111&CallStatus=ringing").ok().unwrap();
        assert_eq!(
            (call.call.as_str(), call.called.as_str(), call.news),
            ("CA1", "+442079460000", News::Live)
        );
        assert_eq!(call.caller.as_deref(), Some("+441632960111"));
        assert!(asked("CallSid=CA1&From=%2B266696687").ok().unwrap().caller.is_none(), "anonymous");
        assert!(asked("To=1").is_err() && asked("CallSid=a%20b").is_err());
        let news = |body: &str| asked(body).ok().map(|asked| asked.news);
        assert_eq!(news("CallSid=CA1&CallStatus=completed"), Some(News::Over));
        assert_eq!(news("CallSid=CA1&CallStatus=in-progress&DialCallStatus=busy"), Some(News::Dialled(486)));
        let connect = Answer::Connect { stream: "wss://h/s?a=1&b=2", rate_hz: 8_000, status: "" };
        assert_eq!(
            answer(&connect),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Connect><Stream url=\"wss://h/s?a=1&amp;b=2\"/></Connect></Response>"
        );
        let dial = Answer::Dial { target: Target::Number("+44<1"), then: "https://h/d", ring_s: 20 };
        let dial = answer(&dial);
        assert!(
            dial.contains("<Dial action=\"https://h/d\" method=\"POST\" timeout=\"20\"><Number "),
            "{dial}"
        );
        assert!(
            dial.contains(" statusCallback=\"https://h/d\"") && dial.contains(">+44&lt;1</Number></Dial>"),
            "{dial}"
        );
        let child = "CallSid=CA2&ParentCallSid=CA1&CallStatus=";
        assert_eq!(news(&format!("{child}in-progress")), Some(News::Dialled(200)));
        assert_eq!(
            news(&format!("{child}completed")),
            Some(News::Live),
            "the end of the other's call is not ours"
        );
    }
}
