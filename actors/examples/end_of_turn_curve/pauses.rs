//! What a call knows at each pause of a turn: found, understood and judged as in a call.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use actors::call::brain::playbook::phrases;
use actors::call::conversation::ExpectationKind;
use actors::tenant::import;
use models::audio::{AudioReceiver, AudioSender, MarkKind, Recent, TELEPHONE_HZ, audio_ring};
use models::batching::Tenant;
use models::engine::{
    Expectation, JudgeRequest, ListenRequest, PauseJudge, RecogniserEvent, Settings as Engines, SpeechToText,
    choose,
};
use models::voice_activity::{Activity, PreRoll, Settings, VoiceActivity};

use crate::turns::Turn;

/// A silence that voice activity found.
#[derive(Debug)]
pub(crate) struct Pause {
    /// From the last sound until voice activity said so.
    pub(crate) lag_ms: u64,
    /// From then until voice activity said that the caller goes on; none at the end of the turn.
    pub(crate) goes_on_ms: Option<u64>,
    /// What the recogniser understood until then.
    pub(crate) words: String,
    pub(crate) sound: Option<f32>,
    pub(crate) expect: ExpectationKind,
}

/// The engines.
pub(crate) struct Listener {
    activity: Settings,
    judge: Option<Box<dyn PauseJudge>>,
    recogniser: Arc<dyn SpeechToText>,
    phrases: Arc<[String]>,
    /// What was understood of audio that was heard before: the same words for every length of a pause.
    understood: HashMap<(usize, Vec<i16>), String>,
    judged: HashMap<Vec<i16>, Option<f32>>,
}

impl Listener {
    pub(crate) fn new(weights: Option<&Path>, hangover_ms: u32) -> Self {
        let (engines, _) = choose(&Engines::default()).expect("engines");
        let demo = include_str!("../../../ops/config/demo.toml");
        let business = import::read(demo, &import::Settings::default()).expect("the demo business");
        Self {
            activity: Settings { hangover_ms, ..Settings::default() },
            judge: weights.map(judge),
            recogniser: engines.speech_to_text.expect("pocketsphinx"),
            phrases: phrases(&business).into(),
            understood: HashMap::new(),
            judged: HashMap::new(),
        }
    }

    pub(crate) fn pauses(&mut self, turn: &Turn) -> Vec<Pause> {
        let mut activity = VoiceActivity::new(&self.activity);
        let mut pre_roll = PreRoll::new(self.activity.pre_roll_ms);
        let recent = Arc::new(Recent::new(8 * TELEPHONE_HZ as usize));
        let (mut sender, mut receiver) = audio_ring(TELEPHONE_HZ, 60 * TELEPHONE_HZ as usize);
        sender.keep_in(Arc::clone(&recent));
        let mut heard = Vec::new();
        let mut pauses: Vec<(u64, Pause)> = Vec::new();
        for (piece, frame) in turn.samples.chunks_exact(160).enumerate() {
            let now_ms = (piece as u64 + 1) * 20;
            // As the media thread does.
            match activity.process(frame) {
                Some(Activity::SpeechStarted) => {
                    if let Some((since, pause)) = pauses.last_mut() {
                        pause.goes_on_ms = Some(now_ms - *since);
                    }
                    pre_roll.give(&mut sender);
                    sender.write(frame);
                }
                Some(Activity::SpeechStopped) => {
                    sender.write(frame);
                    drain(&mut receiver, &mut heard);
                    let pause = Pause {
                        lag_ms: now_ms.saturating_sub(turn.last_sound_ms(now_ms)),
                        goes_on_ms: None,
                        words: self.understand(turn.expect, &heard),
                        sound: self.judge(recent.look().0),
                        expect: turn.expect,
                    };
                    pauses.push((now_ms, pause));
                }
                None if activity.is_speaking() => drop(sender.write(frame)),
                None => pre_roll.keep(frame),
            }
        }
        pauses.into_iter().map(|(_, pause)| pause).collect()
    }

    fn judge(&mut self, samples: Vec<i16>) -> Option<f32> {
        let judge = self.judge.as_deref()?;
        *self.judged.entry(samples).or_insert_with_key(|samples| judged(judge, samples.clone()))
    }

    fn understand(&mut self, expect: ExpectationKind, audio: &[i16]) -> String {
        let key = (expect as usize, audio.to_vec());
        if let Some(words) = self.understood.get(&key) {
            return words.clone();
        }
        let (to, events) = sync_channel(1_000);
        let request = ListenRequest { rate_hz: TELEPHONE_HZ, phrases: Arc::clone(&self.phrases) };
        let (mut ring, session) =
            self.recogniser.listen(request, Box::new(move |event| drop(to.send(event)))).expect("a session");
        if expect == ExpectationKind::Digits {
            session.expect(Expectation::Digits);
        }
        ring.mark(MarkKind::SpeechStarted);
        say(&mut ring, audio);
        session.finish_turn(0);
        let words = last_words(&events);
        self.understood.insert(key, words.clone());
        words
    }
}

fn drain(from: &mut AudioReceiver, to: &mut Vec<i16>) {
    let mut piece = [0; 1_600];
    loop {
        let count = from.read(&mut piece);
        while from.next_mark().is_some() {}
        if count == 0 {
            return;
        }
        to.extend_from_slice(&piece[..count]);
    }
}

fn say(ring: &mut AudioSender, mut samples: &[i16]) {
    while !samples.is_empty() {
        let (head, rest) = samples.split_at(ring.room().min(samples.len()));
        ring.write(head);
        samples = rest;
        if !samples.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn last_words(events: &Receiver<RecogniserEvent>) -> String {
    loop {
        match events.recv_timeout(Duration::from_secs(60)).expect("an event") {
            RecogniserEvent::Final { heard, .. } => return heard.text(),
            RecogniserEvent::Failed(_) => return String::new(),
            _ => {}
        }
    }
}

fn judge(weights: &Path) -> Box<dyn PauseJudge> {
    use models::voice_activity::smart_turn::{Judge, Settings};
    Box::new(Judge::start(weights, Settings::default()).expect("smart-turn's weights"))
}

fn judged(judge: &dyn PauseJudge, samples: Vec<i16>) -> Option<f32> {
    let (to, answer) = sync_channel(1);
    let request = JudgeRequest { samples, tenant: Tenant(0), within: Duration::from_secs(60) };
    judge.judge(request, Box::new(move |probability| drop(to.send(probability)))).expect("room");
    answer.recv_timeout(Duration::from_secs(60)).ok()?.ok()
}
