//! TeXML: TwiML with attributes of its own (developers.telnyx.com, "TeXML verbs").

use super::super::twilio::webhook as twiml;
use super::super::webhook::{Answer, Asked, Unusable};
use super::super::xml::{escaped, response};

/// Reads a webhook.
///
/// # Errors
/// [`Unusable`].
pub fn asked(body: &[u8], query: &str) -> Result<Asked, Unusable> {
    twiml::asked(body, query)
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
