//! A telephone without a bell: one outgoing call by SIP and RTP, with a synthetic voice.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event, Events, Incoming, Leg, Reception, Refusal};
use actors::types::PhoneNumber;
use async_trait::async_trait;
use models::engine::{SpeakRequest, Speaking, SpeechToTextChoice, TextToSpeech, choose};
use tokio::sync::{mpsc, oneshot};

use crate::command::Error;
use crate::config::NodeConfig;
use crate::edge::media::{self, Media};
use crate::edge::sip_trunk::{self, Trunk};

/// Events that may wait to be read; a call has a few per second.
const EVENTS_MAX: usize = 256;

/// The ports of this call's audio; away from a node's on the same machine.
const PORTS: (u16, u16) = (20_000, 20_199);

/// The caller's voice where flite speaks: of its voices the one that speech recognisers understand best.
const FLITE_VOICE: &str = "rms";

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(3);

pub(super) struct Phone {
    trunk: Trunk,
    media: Media,
    leg: Arc<dyn Leg>,
    events: mpsc::Receiver<Event>,
    engine: Arc<dyn TextToSpeech>,
    voice: String,
    utterances: u64,
    /// What is on the line or waits for it. Kept until it was said; dropping it would cut it off.
    speaking: VecDeque<(UtteranceId, Box<dyn Speaking>)>,
}

impl Phone {
    /// Calls `to` as `from`.
    pub(super) async fn dial(
        config: &NodeConfig,
        to: &str,
        from: &PhoneNumber,
        voice: Option<String>,
    ) -> Result<Self, Error> {
        let engine = voice_engine(config)?;
        let voice = voice.unwrap_or_else(|| usual_voice(engine.name()).to_owned());
        let media = Media::start(media::Settings {
            address: own_address(to),
            first_port: PORTS.0,
            last_port: PORTS.1,
            threads: 1,
            ..config.media.clone()
        })?;
        let any_port = SocketAddr::new(own_address(to), 0);
        let settings =
            sip_trunk::Settings { udp: Some(any_port), tcp: Some(any_port), shards: 1, ..config.sip.clone() };
        let trunk = Trunk::start(settings, Arc::new(Nobody), media.clone()).await?;
        let (told, events) = mpsc::channel(EVENTS_MAX);
        // A reader that is that far behind has hung, and the call with it.
        let tell: Events = Arc::new(move |event| drop(told.try_send(event)));
        let leg = trunk.call(to, from.as_str(), tell).await?;
        Ok(Self { trunk, media, leg, events, engine, voice, utterances: 0, speaking: VecDeque::new() })
    }

    /// What happens next on the line; `None` when the call is over and everything was told.
    pub(super) async fn next(&mut self) -> Option<Event> {
        let event = self.events.recv().await;
        if let Some(Event::PlaybackEnded { utterance, .. }) = &event {
            self.speaking.retain(|(speaking, _)| speaking != utterance);
        }
        event
    }

    /// Says this after what is being said. Told by [`Event::PlaybackEnded`] when it was said.
    pub(super) async fn say(&mut self, text: &str) -> Result<(), Error> {
        let request =
            SpeakRequest { text: text.to_owned(), voice: self.voice.clone(), ..SpeakRequest::default() };
        let (ready, spoken) = oneshot::channel();
        // Whoever waits for it may have gone with the call.
        let speaking = self.engine.speak(request, Box::new(move |speech| drop(ready.send(speech))))?;
        let gone = || Error::Call { why: "the caller's voice gave no answer".to_owned() };
        let speech = spoken.await.map_err(|_| gone())??;
        let utterance = UtteranceId(self.utterances);
        self.utterances += 1;
        self.speaking.push_back((utterance, speaking));
        // A leg that is gone has told so, or will.
        let _ = self.leg.command(Command::Play { utterance, speech });
        Ok(())
    }

    /// Ends the call; its end is told by [`Event::Ended`].
    pub(super) fn hang_up(&self) {
        let _ = self.leg.command(Command::HangUp);
    }

    /// Closes everything.
    pub(super) async fn put_away(self) {
        self.hang_up();
        self.trunk.stop(GOODBYE).await;
        let media = self.media;
        // Threads that do not end are left to the process's own end, which is near.
        let _ = tokio::task::spawn_blocking(move || media.stop()).await;
    }
}

/// The voice of whoever calls; the caller needs no ears, as the node's own record says what was said.
fn voice_engine(config: &NodeConfig) -> Result<Arc<dyn TextToSpeech>, Error> {
    let settings =
        models::engine::Settings { speech_to_text: SpeechToTextChoice::Off, ..config.engines_here() };
    let (engines, choices) = choose(&settings)?;
    engines.text_to_speech.ok_or_else(|| {
        let whys: Vec<String> = choices.iter().map(ToString::to_string).collect();
        Error::Call { why: format!("there is no voice for the caller: {}", whys.join("; ")) }
    })
}

/// The voice of a caller whom nobody gave one; empty for the engine's own.
fn usual_voice(engine: &str) -> &'static str {
    if engine == "flite" { FLITE_VOICE } else { "" }
}

/// Where to take the call's audio: nowhere but on this machine, where the call stays on it.
fn own_address(to: &str) -> IpAddr {
    let host = to.rsplit('@').next().unwrap_or_default();
    let local =
        ["127.", "localhost", "sip:127.", "sip:localhost"].iter().any(|start| host.starts_with(start));
    if local { Ipv4Addr::LOCALHOST.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

/// Nobody is at home on this telephone.
struct Nobody;

#[async_trait]
impl Reception for Nobody {
    async fn offer(&self, _: Incoming, _: Arc<dyn Leg>) -> Result<Events, Refusal> {
        Err(Refusal::UnknownNumber)
    }
}
