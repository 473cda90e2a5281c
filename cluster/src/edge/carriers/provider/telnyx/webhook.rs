//! TeXML: TwiML with attributes of its own (developers.telnyx.com, "TeXML verbs").

use actors::types::Attestation;

use super::super::form::Form;
use super::super::twilio::webhook as twiml;
use super::super::webhook::{Answer, Asked, Unusable, vouched};
use super::super::xml::{escaped, response};

/// Reads a webhook.
///
/// # Errors
/// [`Unusable`].
pub fn asked(body: &[u8], query: &str) -> Result<Asked, Unusable> {
    let asked = twiml::asked(body, query)?;
    let form = Form::of(body, query);
    let holds = form.field("ShakenStirValidated").is_some_and(|holds| holds.eq_ignore_ascii_case("true"));
    let attestation = match vouched(form.field("ShakenStirAttestation"), holds) {
        Attestation::Absent => asked.attestation,
        attestation => attestation,
    };
    Ok(Asked { attestation, ..asked })
}

/// Writes an answer.
#[must_use]
pub fn answer(answer: &Answer<'_>) -> String {
    response(&match answer {
        // Without the mode, only files of MP3 could be played; without the track, we would hear ourselves.
        Answer::Connect { stream, .. } => format!(
            "<Connect><Stream url=\"{}\" track=\"inbound_track\" codec=\"PCMU\" bidirectionalMode=\"rtp\" \
             bidirectionalCodec=\"PCMU\"/></Connect>",
            escaped(stream)
        ),
        other => twiml::verbs(other),
    })
}

#[cfg(test)]
mod tests {
    use actors::types::Distrust;

    use super::*;

    #[test]
    fn what_telnyx_found_of_the_callers_number() {
        let attested = |more: &str| {
            asked(format!("CallSid=v3:1&From=%2B1&To=%2B2{more}").as_bytes(), "")
                .ok()
                .map(|asked| asked.attestation)
        };
        assert_eq!(attested(""), Some(Attestation::Absent));
        assert_eq!(attested("&ShakenStirAttestation=A&ShakenStirValidated=true"), Some(Attestation::Full));
        assert_eq!(attested("&ShakenStirAttestation=C&ShakenStirValidated=True"), Some(Attestation::Gateway));
        let failed = Some(Attestation::Failed(Distrust::Unexplained));
        assert_eq!(attested("&ShakenStirAttestation=A&ShakenStirValidated=false"), failed);
    }
}
