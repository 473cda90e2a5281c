//! The best engines that this machine can run, and why these.

use std::sync::Arc;

use super::{
    Embeddings, EmbeddingsChoice, PauseJudge, PauseJudgeChoice, Settings, SpeechToText, SpeechToTextChoice,
    TextToSpeech, TextToSpeechChoice,
};
use crate::scripted::{Control, Recogniser, Voice};
use crate::{Error, offline};

/// What a node hears and speaks with. Cheap to clone.
#[derive(Clone, Default)]
pub struct Engines {
    /// Who hears, where somebody does.
    pub speech_to_text: Option<Arc<dyn SpeechToText>>,
    /// Who speaks, where somebody does.
    pub text_to_speech: Option<Arc<dyn TextToSpeech>>,
}

/// What an engine does for the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// Speech to text.
    Hearing,
    /// Text to speech.
    Speaking,
    /// Embeddings.
    Comparing,
    /// The end of a turn.
    Pausing,
}

/// One choice, as the node prints it at its start: `speech to text: pocketsphinx (…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What for.
    pub sense: Sense,
    /// Who; none where nobody was found or wanted.
    pub engine: Option<&'static str>,
    /// Why, and where nobody was found, what to install.
    pub why: String,
}

impl std::fmt::Display for Choice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sense = match self.sense {
            Sense::Hearing => "speech to text",
            Sense::Speaking => "text to speech",
            Sense::Comparing => "embeddings",
            Sense::Pausing => "end of turn",
        };
        write!(formatter, "{sense}: {} ({})", self.engine.unwrap_or("none"), self.why)
    }
}

const ASKED: &str = "as the settings say";
const ELSEWHERE: &str = "as the settings say: other nodes'";
const FAKE: &str = "as the settings say: tones for tests, no speech";

/// Opens the engines that `settings` name, or the best that are here.
///
/// # Errors
/// An engine that the settings name and that can't run; the error says what to install. With `auto` an absent
/// engine is no error: the next best is taken, and where none is left the choice says what to install.
pub fn choose(settings: &Settings) -> Result<(Engines, Vec<Choice>), Error> {
    let control = Control::default();
    let (speech_to_text, hearing) = hearing(settings, &control)?;
    let (text_to_speech, speaking) = speaking(settings, control)?;
    Ok((Engines { speech_to_text, text_to_speech }, vec![hearing, speaking]))
}

/// Opens the embeddings that `settings` name, or those whose weights are here.
///
/// # Errors
/// Weights that the settings name and that are not here or not what they should be. With `auto` weights that are
/// not here are no error; those that are broken are.
pub fn choose_embeddings(settings: &Settings) -> Result<(Option<Arc<dyn Embeddings>>, Choice), Error> {
    let (engine, why) = match settings.embeddings {
        EmbeddingsChoice::Off => (None, ASKED.into()),
        EmbeddingsChoice::Remote => (None, ELSEWHERE.into()),
        EmbeddingsChoice::Minilm => (Some(minilm(settings)?), ASKED.into()),
        EmbeddingsChoice::Auto => match minilm(settings) {
            Ok(engine) => (Some(engine), "its weights are here".into()),
            Err(absent @ Error::Unavailable { .. }) => (None, absent.to_string()),
            Err(broken) => return Err(broken),
        },
    };
    let name = engine.as_ref().map(|engine| engine.name());
    Ok((engine, Choice { sense: Sense::Comparing, engine: name, why }))
}

#[cfg(feature = "candle")]
fn minilm(settings: &Settings) -> Result<Arc<dyn Embeddings>, Error> {
    let folder = settings.weights.folder.join("all-minilm-l6-v2");
    Ok(Arc::new(crate::embeddings::Embedder::start(&folder, settings.embedding.clone())?))
}

#[cfg(not(feature = "candle"))]
fn minilm(_: &Settings) -> Result<Arc<dyn Embeddings>, Error> {
    Err(Error::Unavailable {
        engine: crate::embeddings::NAME,
        why: "this program was built without Candle".into(),
        mend: "build it with the feature `candle`".into(),
    })
}

/// Opens the judge of pauses that `settings` name, or the one whose weights are here.
///
/// # Errors
/// As [`choose_embeddings`].
pub fn choose_pause_judge(settings: &Settings) -> Result<(Option<Arc<dyn PauseJudge>>, Choice), Error> {
    let (engine, why) = match settings.pause_judge {
        PauseJudgeChoice::Off => (None, ASKED.into()),
        PauseJudgeChoice::Remote => (None, ELSEWHERE.into()),
        PauseJudgeChoice::SmartTurn => (Some(smart_turn(settings)?), ASKED.into()),
        PauseJudgeChoice::Auto => match smart_turn(settings) {
            Ok(engine) => (Some(engine), "its weights are here".into()),
            Err(absent @ Error::Unavailable { .. }) => (None, format!("silence and words decide; {absent}")),
            Err(broken) => return Err(broken),
        },
    };
    let name = engine.as_ref().map(|engine| engine.name());
    Ok((engine, Choice { sense: Sense::Pausing, engine: name, why }))
}

#[cfg(feature = "candle")]
fn smart_turn(settings: &Settings) -> Result<Arc<dyn PauseJudge>, Error> {
    use crate::voice_activity::smart_turn::{Judge, NAME, WEIGHTS};
    let file = settings.weights.folder.join(NAME).join(WEIGHTS);
    Ok(Arc::new(Judge::start(&file, settings.smart_turn.clone())?))
}

#[cfg(not(feature = "candle"))]
fn smart_turn(_: &Settings) -> Result<Arc<dyn PauseJudge>, Error> {
    Err(Error::Unavailable {
        engine: crate::voice_activity::smart_turn::NAME,
        why: "this program was built without Candle".into(),
        mend: "build it with the feature `candle`".into(),
    })
}

type Hears = Option<Arc<dyn SpeechToText>>;
type Speaks = Option<Arc<dyn TextToSpeech>>;

fn hearing(settings: &Settings, control: &Control) -> Result<(Hears, Choice), Error> {
    let pocketsphinx = || {
        offline::PocketSphinx::start(settings.pocketsphinx.clone())
            .map(|engine| Arc::new(engine) as Arc<dyn SpeechToText>)
    };
    let (engine, why): (Hears, String) = match settings.speech_to_text {
        SpeechToTextChoice::Off => (None, ASKED.into()),
        SpeechToTextChoice::Remote => (None, ELSEWHERE.into()),
        SpeechToTextChoice::Scripted => {
            (Some(Arc::new(Recogniser::start(settings.scripted.clone(), control.clone())?)), FAKE.into())
        }
        SpeechToTextChoice::Fastconformer => (Some(fastconformer(settings)?), ASKED.into()),
        SpeechToTextChoice::Pocketsphinx => (Some(pocketsphinx()?), ASKED.into()),
        SpeechToTextChoice::Auto => match (weighted(settings), pocketsphinx) {
            (Some(Ok(engine)), _) => {
                (Some(engine), "the best ear here; its weights are on this machine".into())
            }
            (None, pocketsphinx) => match pocketsphinx() {
                Ok(engine) => (Some(engine), "the best ear here; needs no model weights".into()),
                Err(absent) => (None, absent.to_string()),
            },
            (Some(Err(absent)), pocketsphinx) => match pocketsphinx() {
                Ok(engine) => (Some(engine), format!("the best ear here; {absent}")),
                Err(also_absent) => (None, format!("{absent}; {also_absent}")),
            },
        },
    };
    let name = engine.as_ref().map(|engine| engine.name());
    Ok((engine, Choice { sense: Sense::Hearing, engine: name, why }))
}

/// The FastConformer, where the settings say that it has weights.
fn weighted(settings: &Settings) -> Option<Result<Arc<dyn SpeechToText>, Error>> {
    (!settings.fastconformer.model.is_empty()).then(|| fastconformer(settings))
}

#[cfg(feature = "candle")]
fn fastconformer(settings: &Settings) -> Result<Arc<dyn SpeechToText>, Error> {
    let engine = crate::speech_to_text::Recogniser::start(settings.fastconformer.clone())?;
    Ok(Arc::new(engine))
}

#[cfg(not(feature = "candle"))]
fn fastconformer(_: &Settings) -> Result<Arc<dyn SpeechToText>, Error> {
    Err(Error::Unavailable {
        engine: "fastconformer",
        why: "this program was built without Candle".into(),
        mend: "build it with the feature candle".into(),
    })
}

fn speaking(settings: &Settings, control: Control) -> Result<(Speaks, Choice), Error> {
    let flite =
        || offline::flite(settings.speaking.clone()).map(|engine| Arc::new(engine) as Arc<dyn TextToSpeech>);
    let espeak = || {
        offline::espeak_ng(settings.speaking.clone()).map(|engine| Arc::new(engine) as Arc<dyn TextToSpeech>)
    };
    let (engine, why): (Speaks, String) = match settings.text_to_speech {
        TextToSpeechChoice::Off => (None, ASKED.into()),
        TextToSpeechChoice::Remote => (None, ELSEWHERE.into()),
        TextToSpeechChoice::Scripted => {
            (Some(Arc::new(Voice::start(settings.speaking.clone(), control)?)), FAKE.into())
        }
        TextToSpeechChoice::Flite => (Some(flite()?), ASKED.into()),
        TextToSpeechChoice::EspeakNg => (Some(espeak()?), ASKED.into()),
        TextToSpeechChoice::Auto => match (flite(), espeak) {
            (Ok(engine), _) => (Some(engine), "the best voice here; needs no model weights".into()),
            (Err(absent), espeak) => match espeak() {
                Ok(engine) => (Some(engine), format!("the best voice here; {absent}")),
                Err(also_absent) => (None, format!("{absent}; {also_absent}")),
            },
        },
    };
    let name = engine.as_ref().map(|engine| engine.name());
    Ok((engine, Choice { sense: Sense::Speaking, engine: name, why }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SpeakingSettings;

    fn settings(text_to_speech: TextToSpeechChoice) -> Settings {
        Settings { speech_to_text: SpeechToTextChoice::Off, text_to_speech, ..Settings::default() }
    }

    #[test]
    fn the_best_engines_are_chosen_and_said() {
        let (engines, choices) = choose(&Settings::default()).expect("chooses");
        assert_eq!(engines.text_to_speech.map(|engine| engine.name()), Some("flite"));
        assert_eq!(engines.speech_to_text.map(|engine| engine.name()), Some("pocketsphinx"));
        let lines: Vec<String> = choices.iter().map(Choice::to_string).collect();
        assert_eq!(
            lines,
            [
                "speech to text: pocketsphinx (the best ear here; needs no model weights)",
                "text to speech: flite (the best voice here; needs no model weights)",
            ]
        );
    }

    #[test]
    fn what_is_named_is_opened_or_it_is_an_error() {
        for (choice, name) in [
            (TextToSpeechChoice::Flite, Some("flite")),
            (TextToSpeechChoice::EspeakNg, Some("espeak-ng")),
            (TextToSpeechChoice::Scripted, Some("scripted")),
            (TextToSpeechChoice::Off, None),
        ] {
            let (engines, _) = choose(&settings(choice)).expect("installed");
            assert_eq!(engines.text_to_speech.map(|engine| engine.name()), name);
        }
        let speaking = SpeakingSettings { voice: "de".into(), ..SpeakingSettings::default() };
        let wrong = Settings { speaking, ..settings(TextToSpeechChoice::Flite) };
        let error = choose(&wrong).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("flite is not available") && error.contains("slt, rms, awb, kal"), "{error}");
        let auto = Settings { text_to_speech: TextToSpeechChoice::Auto, ..wrong };
        let (engines, _) = choose(&auto).expect("another engine has that voice");
        assert_eq!(engines.text_to_speech.map(|engine| engine.name()), Some("espeak-ng"));
    }

    #[test]
    fn an_absent_ear_is_an_error_where_it_is_named_and_a_hint_where_it_is_not() {
        let mut settings = settings(TextToSpeechChoice::Off);
        settings.pocketsphinx.model_folder = "/nowhere".into();
        settings.speech_to_text = SpeechToTextChoice::Pocketsphinx;
        let error = choose(&settings).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            error.contains("install the Debian packages libpocketsphinx3 and pocketsphinx-en-us"),
            "{error}"
        );
        settings.speech_to_text = SpeechToTextChoice::Auto;
        let (engines, choices) = choose(&settings).expect("goes on without");
        assert!(engines.speech_to_text.is_none());
        assert!(
            choices.first().is_some_and(|choice| choice.to_string().starts_with("speech to text: none ("))
        );
    }

    #[cfg(feature = "candle")]
    #[test]
    fn weights_on_the_machine_are_preferred_and_a_wrong_path_is_said() {
        let mut settings = settings(TextToSpeechChoice::Off);
        settings.speech_to_text = SpeechToTextChoice::Auto;
        settings.fastconformer.sessions = 2;
        settings.fastconformer.busy_percent = 1_000_000;
        settings.fastconformer.model =
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/fastconformer/tiny.nemo").into();
        let (engines, choices) = choose(&settings).expect("chooses");
        assert_eq!(engines.speech_to_text.map(|engine| engine.name()), Some("fastconformer"));
        assert!(choices.first().is_some_and(|choice| choice.why.contains("its weights are on this machine")));
        settings.fastconformer.model = "/nowhere.nemo".into();
        let (engines, choices) = choose(&settings).expect("goes on with the next best");
        assert_eq!(engines.speech_to_text.map(|engine| engine.name()), Some("pocketsphinx"));
        assert!(
            choices.first().is_some_and(|choice| choice.why.contains("no weights are at \"/nowhere.nemo\""))
        );
        settings.speech_to_text = SpeechToTextChoice::Fastconformer;
        assert!(matches!(choose(&settings), Err(Error::Unavailable { engine: "fastconformer", .. })));
    }

    #[test]
    fn embeddings_without_weights_are_an_error_only_where_they_are_named() {
        let mut settings = settings(TextToSpeechChoice::Off);
        settings.weights.folder = "/nowhere".into();
        let (engine, choice) = choose_embeddings(&settings).expect("goes on without");
        assert!(engine.is_none() && choice.to_string().starts_with("embeddings: none ("), "{choice}");
        settings.embeddings = EmbeddingsChoice::Minilm;
        assert!(matches!(choose_embeddings(&settings).err(), Some(Error::Unavailable { .. })));
    }

    #[test]
    fn a_judge_of_pauses_without_weights_is_an_error_only_where_it_is_named() {
        let mut settings = settings(TextToSpeechChoice::Off);
        settings.weights.folder = "/nowhere".into();
        let (engine, choice) = choose_pause_judge(&settings).expect("goes on without");
        let said = choice.to_string();
        assert!(
            engine.is_none() && said.starts_with("end of turn: none (silence and words decide;"),
            "{said}"
        );
        settings.pause_judge = PauseJudgeChoice::SmartTurn;
        assert!(matches!(choose_pause_judge(&settings).err(), Some(Error::Unavailable { .. })));
    }

    #[test]
    fn settings_are_written_in_the_engines_own_names() {
        let written = r#"{"speech_to_text":"scripted","text_to_speech":"espeak-ng"}"#;
        let read: Settings = serde_json::from_str(written).expect("reads");
        assert_eq!(read.text_to_speech, TextToSpeechChoice::EspeakNg);
        assert!(serde_json::from_str::<Settings>(r#"{"text_to_speech":"espeak"}"#).is_err());
    }
}
