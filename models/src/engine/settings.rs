//! Which engines a node runs, and their bounds.

use serde::{Deserialize, Serialize};

use crate::SpeakingSettings;

/// Who hears. `auto` never picks the fake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpeechToTextChoice {
    /// The best that is on this machine, none if there is none.
    #[default]
    Auto,
    /// Candle, with weights that are on this machine.
    Fastconformer,
    /// The system's pocketsphinx.
    Pocketsphinx,
    /// Those of the nodes in `inference.nodes`, and nobody in their stead.
    Remote,
    /// Tones instead of speech, for tests and load tests.
    Scripted,
    /// Nobody: callers are heard by their keys only.
    Off,
}

/// Who speaks. `auto` never picks the fake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextToSpeechChoice {
    /// The best that is on this machine, none if there is none.
    #[default]
    Auto,
    /// The system's flite.
    Flite,
    /// The system's eSpeak NG.
    EspeakNg,
    /// Those of the nodes in `inference.nodes`, and nobody in their stead.
    Remote,
    /// Tones instead of speech, for tests and load tests.
    Scripted,
    /// Nobody: callers hear recordings only.
    Off,
}

/// Who compares texts by their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingsChoice {
    /// all-MiniLM-L6-v2 where its weights are on this machine, else nobody.
    #[default]
    Auto,
    /// all-MiniLM-L6-v2.
    Minilm,
    /// Those of the nodes in `inference.nodes`, and nobody in their stead.
    Remote,
    /// Nobody: texts are compared by their words.
    Off,
}

/// Who judges by the sound whether a caller who paused has finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PauseJudgeChoice {
    /// smart-turn v3 where its weights are on this machine, else nobody.
    #[default]
    Auto,
    /// smart-turn v3.
    SmartTurn,
    /// Other nodes', as `inference.nodes` names them.
    Remote,
    /// Nobody: silence, words and the recogniser decide.
    Off,
}

/// The engines of one node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Who hears.
    pub speech_to_text: SpeechToTextChoice,
    /// Who speaks.
    pub text_to_speech: TextToSpeechChoice,
    /// Who compares texts by their meaning.
    pub embeddings: EmbeddingsChoice,
    /// Who judges pauses.
    pub pause_judge: PauseJudgeChoice,
    /// Model weights on this machine.
    pub weights: crate::weights::Settings,
    /// The bounds of embeddings.
    pub embedding: crate::embeddings::Settings,
    /// The bounds of smart-turn.
    pub smart_turn: crate::voice_activity::smart_turn::Settings,
    /// The bounds of the voice.
    pub speaking: SpeakingSettings,
    /// The bounds of the FastConformer, and where its weights are.
    pub fastconformer: crate::speech_to_text::Settings,
    /// The bounds of pocketsphinx.
    pub pocketsphinx: crate::offline::PocketSphinxSettings,
    /// The bounds of the fake speech to text.
    pub scripted: crate::scripted::Settings,
}
