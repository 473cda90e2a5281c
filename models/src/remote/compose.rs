//! Which of a node's senses are its own and which another node's.
//!
//! | the setting | with nodes named |
//! |---|---|
//! | `auto`, and weights are here | this node's own model |
//! | `auto`, and no weights are here | other nodes', and where none takes it this node's engine without weights |
//! | `remote` | other nodes' alone |
//! | anything else | as the setting says |

use std::sync::Arc;

use super::{NAME, Remote};
use crate::Error;
use crate::engine::{
    Choice, Embeddings, EmbeddingsChoice, Engines, PauseJudge, PauseJudgeChoice, Sense, Settings,
    SpeechToTextChoice, TextToSpeechChoice,
};

/// Engines that work from weights: those of this node are nearer than any other node's.
const WEIGHTED: [&str; 3] = ["fastconformer", crate::embeddings::NAME, "smart-turn-v3"];

/// What a node's calls hear, speak and compare with, and why.
#[derive(Clone, Default)]
pub struct Senses {
    /// Hearing and speaking.
    pub engines: Engines,
    /// Comparing.
    pub embeddings: Option<Arc<dyn Embeddings>>,
    /// Judging pauses.
    pub pause_judge: Option<Arc<dyn PauseJudge>>,
    /// A choice per sense.
    pub choices: Vec<Choice>,
}

impl Senses {
    /// What keeps engines from taking anything new, besides being full.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let Self { engines, embeddings, pause_judge, .. } = self;
        let troubles = [
            engines.speech_to_text.as_ref().and_then(|engine| engine.trouble()),
            engines.text_to_speech.as_ref().and_then(|engine| engine.trouble()),
            embeddings.as_ref().and_then(|engine| engine.trouble()),
            pause_judge.as_ref().and_then(|engine| engine.trouble()),
        ];
        troubles.into_iter().flatten().collect()
    }
}

/// What becomes of one sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Others { or_own: bool },
}

fn whose(is_auto: bool, is_remote: bool, own: Option<&'static str>) -> Whose {
    let is_weighted = own.is_some_and(|own| WEIGHTED.contains(&own));
    match (is_remote, is_auto && !is_weighted) {
        (true, _) => Whose::Others { or_own: false },
        (false, true) => Whose::Others { or_own: true },
        (false, false) => Whose::Own,
    }
}

/// The senses of a node whose `own` engines are these.
///
/// # Errors
/// [`Error::Unavailable`] where a setting says `remote` and no node is named, [`Error::Failed`] where the machine
/// gives no thread.
pub fn compose(settings: &Settings, own: Senses, remote: Option<&Remote>) -> Result<Senses, Error> {
    let hearing = settings.speech_to_text;
    let speaking = settings.text_to_speech;
    let comparing = settings.embeddings;
    let pausing = settings.pause_judge;
    let named = [
        hearing == SpeechToTextChoice::Remote,
        speaking == TextToSpeechChoice::Remote,
        comparing == EmbeddingsChoice::Remote,
        pausing == PauseJudgeChoice::Remote,
    ];
    let Some(remote) = remote.filter(|remote| remote.nodes() > 0) else {
        if named.contains(&true) {
            return Err(Error::Unavailable {
                engine: NAME,
                why: "no node is named whose engines could be used".into(),
                mend: "set inference.nodes".into(),
            });
        }
        return Ok(own);
    };
    let mut senses = own;
    let name = senses.engines.speech_to_text.as_ref().map(|engine| engine.name());
    if let Whose::Others { or_own } = whose(hearing == SpeechToTextChoice::Auto, named[0], name) {
        let instead = senses.engines.speech_to_text.take().filter(|_| or_own);
        note(&mut senses.choices, Sense::Hearing, remote.nodes(), or_own.then_some(name).flatten());
        senses.engines.speech_to_text = Some(remote.speech_to_text(instead)?);
    }
    let name = senses.engines.text_to_speech.as_ref().map(|engine| engine.name());
    if let Whose::Others { or_own } = whose(speaking == TextToSpeechChoice::Auto, named[1], name) {
        let instead = senses.engines.text_to_speech.take().filter(|_| or_own);
        note(&mut senses.choices, Sense::Speaking, remote.nodes(), or_own.then_some(name).flatten());
        senses.engines.text_to_speech = Some(remote.text_to_speech(instead));
    }
    let name = senses.embeddings.as_ref().map(|engine| engine.name());
    if let Whose::Others { or_own } = whose(comparing == EmbeddingsChoice::Auto, named[2], name) {
        let instead = senses.embeddings.take().filter(|_| or_own);
        note(&mut senses.choices, Sense::Comparing, remote.nodes(), or_own.then_some(name).flatten());
        senses.embeddings = Some(remote.embeddings(instead));
    }
    let name = senses.pause_judge.as_ref().map(|engine| engine.name());
    if let Whose::Others { .. } = whose(pausing == PauseJudgeChoice::Auto, named[3], name) {
        note(&mut senses.choices, Sense::Pausing, remote.nodes(), None);
        senses.pause_judge = Some(remote.pause_judge());
    }
    Ok(senses)
}

fn note(choices: &mut Vec<Choice>, sense: Sense, nodes: usize, instead: Option<&'static str>) {
    let of = if nodes == 1 { "1 node's".to_owned() } else { format!("{nodes} nodes'") };
    let why = match instead {
        Some(own) => format!("{of}; where none takes it, {own} here"),
        None => format!("{of}; nobody here in their stead"),
    };
    choices.retain(|choice| choice.sense != sense);
    choices.push(Choice { sense, engine: Some(NAME), why });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_here_come_before_other_nodes_and_these_before_engines_without() {
        assert_eq!(whose(true, false, Some("fastconformer")), Whose::Own);
        assert_eq!(whose(true, false, Some("pocketsphinx")), Whose::Others { or_own: true });
        assert_eq!(whose(true, false, None), Whose::Others { or_own: true });
        assert_eq!(whose(false, false, Some("scripted")), Whose::Own);
        assert_eq!(whose(false, true, None), Whose::Others { or_own: false });
    }

    #[test]
    fn other_nodes_engines_without_other_nodes_are_a_mistake() {
        let settings = Settings { speech_to_text: SpeechToTextChoice::Remote, ..Settings::default() };
        let told = compose(&settings, Senses::default(), None).err().map(|error| error.to_string());
        assert!(told.is_some_and(|told| told.contains("set inference.nodes")));
        assert!(compose(&Settings::default(), Senses::default(), None).is_ok());
    }
}
