//! A telephone: plays what it is given in real (paused) time and tells what a leg tells.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event, Events, Gone, Leg, Reach};
use actors::types::{CallQuality, EndReason};
use models::audio::{AudioSender, Speech};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

/// One end of a call, held by the test; the other end is the [`Leg`] that the call holds.
#[derive(Clone)]
pub(super) struct Phone {
    inner: Arc<Inner>,
}

struct Inner {
    events: OnceLock<Events>,
    line: Mutex<Line>,
    changed: tokio::sync::Notify,
    rings: bool,
    /// How many people its own network calls at once.
    reaches: Option<usize>,
}

#[derive(Default)]
struct Line {
    commands: Vec<&'static str>,
    playing: VecDeque<(UtteranceId, u32, Duration)>,
    current: Option<(UtteranceId, u32, Instant, Duration)>,
    heard: Vec<UtteranceId>,
    audio: Option<AudioSender>,
    over: bool,
    /// Whom its own network was told to call last.
    reach: Option<Reach>,
    /// Hangs up without a word on this command.
    deaf_to_hang_up: bool,
}

impl Phone {
    pub(super) fn new() -> Self {
        Self::that(true, None)
    }

    /// One whose own network calls people, so many at once.
    pub(super) fn by_network(most: usize) -> Self {
        Self::that(false, Some(most))
    }

    /// One that can be left ringing, or must be answered at once.
    pub(super) fn that(rings: bool, reaches: Option<usize>) -> Self {
        let (events, line, changed) = (OnceLock::new(), Mutex::default(), tokio::sync::Notify::new());
        let inner = Inner { events, line, changed, rings, reaches };
        let phone = Self { inner: Arc::new(inner) };
        let player = Arc::downgrade(&phone.inner);
        tokio::spawn(async move {
            loop {
                let Some(inner) = player.upgrade() else { return };
                if inner.line.lock().over {
                    return;
                }
                let until = inner.line.lock().current.map(|(_, _, began, length)| began + length);
                let changed = inner.changed.notified();
                match until {
                    Some(until) => tokio::select! {
                        () = sleep_until(until) => inner.played(),
                        () = changed => {}
                    },
                    None => {
                        // The test may be over: look in now and then.
                        let _ = tokio::time::timeout(Duration::from_secs(1), changed).await;
                    }
                }
            }
        });
        phone
    }

    pub(super) fn leg(&self) -> Arc<dyn Leg> {
        Arc::clone(&self.inner) as Arc<dyn Leg>
    }

    pub(super) fn connect(&self, events: Events) {
        assert!(self.inner.events.set(events).is_ok(), "connected once");
        if self.inner.line.lock().commands.contains(&"answer") {
            self.tell(Event::Established);
        }
    }

    pub(super) fn tell(&self, event: Event) {
        self.inner.tell(event);
    }

    /// The caller hangs up, or the line dies.
    pub(super) fn hang_up(&self, reason: EndReason) {
        self.inner.end(reason);
    }

    /// Speaks for a second, as far as the leg tells.
    pub(super) async fn speak(&self) {
        self.tell(Event::SpeechStarted);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.tell(Event::SpeechStopped);
    }

    /// A mailbox's beep, and the silence after it.
    pub(super) fn beep(&self) {
        let wave = |at: u32| (8_000.0 * (std::f32::consts::TAU * 1_000.0 * at as f32 / 8_000.0).sin()) as i16;
        let theirs = (0..3_200).map(wave).chain(std::iter::repeat_n(0, 1_600));
        let both: Vec<i16> = theirs.flat_map(|sample| [sample, 0]).collect();
        let line = &mut *self.inner.line.lock();
        line.audio.as_mut().expect("somebody listens").write(&both);
    }

    /// Never reports its end.
    pub(super) fn go_deaf(&self) {
        self.inner.line.lock().deaf_to_hang_up = true;
    }

    pub(super) fn commands(&self) -> Vec<&'static str> {
        self.inner.line.lock().commands.clone()
    }

    pub(super) fn count(&self, command: &str) -> usize {
        self.commands().iter().filter(|told| **told == command).count()
    }

    pub(super) fn heard(&self) -> Vec<u64> {
        self.inner.line.lock().heard.iter().map(|utterance| utterance.0).collect()
    }

    /// Whom its own network was told to call last.
    pub(super) fn reach(&self) -> Option<Reach> {
        self.inner.line.lock().reach.clone()
    }

    pub(super) fn is_over(&self) -> bool {
        self.inner.line.lock().over
    }

    /// Nobody but the test holds the line.
    pub(super) fn is_let_go(&self) -> bool {
        Arc::strong_count(&self.inner) == 1
    }
}

impl Inner {
    fn tell(&self, event: Event) {
        if let Some(events) = self.events.get() {
            events(event);
        }
    }

    fn start_next(&self) {
        let started = {
            let line = &mut *self.line.lock();
            if line.current.is_none() {
                line.current =
                    line.playing.pop_front().map(|(id, words, length)| (id, words, Instant::now(), length));
                line.current.map(|(utterance, ..)| utterance)
            } else {
                None
            }
        };
        if let Some(utterance) = started {
            self.tell(Event::PlaybackStarted { utterance });
        }
        self.changed.notify_one();
    }

    fn played(&self) {
        let ended = {
            let line = &mut *self.line.lock();
            let ended = line.current.take_if(|(_, _, began, length)| *began + *length <= Instant::now());
            line.heard.extend(ended.map(|(utterance, ..)| utterance));
            ended
        };
        if let Some((utterance, words, ..)) = ended {
            let last_word = words.checked_sub(1);
            self.tell(Event::PlaybackEnded { utterance, complete: true, last_word });
        }
        self.start_next();
    }

    fn end(&self, reason: EndReason) {
        let was_over = std::mem::replace(&mut self.line.lock().over, true);
        if !was_over {
            let quality = CallQuality { packets_received: 50, mos: Some(4.3), ..CallQuality::default() };
            self.tell(Event::Quality(quality));
            self.tell(Event::Ended(reason));
            self.changed.notify_one();
        }
    }

    fn stop(&self) {
        let (current, waiting) = {
            let line = &mut *self.line.lock();
            (line.current.take(), std::mem::take(&mut line.playing))
        };
        if let Some((utterance, words, began, length)) = current {
            let share = began.elapsed().as_secs_f64() / length.as_secs_f64().max(0.001);
            let last_word = Some((f64::from(words) * share) as u32);
            self.tell(Event::PlaybackEnded { utterance, complete: false, last_word });
        }
        for (utterance, ..) in waiting {
            self.tell(Event::PlaybackEnded { utterance, complete: false, last_word: None });
        }
    }
}

impl Leg for Inner {
    fn rings(&self) -> bool {
        self.rings
    }

    fn reaches(&self) -> Option<usize> {
        self.reaches
    }

    fn command(&self, command: Command) -> Result<(), Gone> {
        if self.line.lock().over {
            return Err(Gone);
        }
        let name = match &command {
            Command::Progress => "progress",
            Command::Reach(_) => "reach",
            Command::Answer => "answer",
            Command::Refuse(_) => "refuse",
            Command::Listen(_) => "listen",
            Command::Record(_) => "record",
            Command::Play { .. } => "play",
            Command::StopPlaying => "stop",
            Command::Transfer(_) => "transfer",
            Command::Bridge { .. } => "bridge",
            Command::Part => "part",
            Command::Wait(Some(_)) => "wait",
            Command::Wait(None) => "wait no more",
            Command::HangUp => "hang_up",
        };
        self.line.lock().commands.push(name);
        match command {
            Command::Answer => self.tell(Event::Established),
            Command::Reach(reach) => self.line.lock().reach = Some(reach),
            Command::Listen(audio) | Command::Record(audio) => self.line.lock().audio = Some(audio),
            Command::Play { utterance, speech } => {
                let (words, length) = length_of(speech);
                self.line.lock().playing.push_back((utterance, words, length));
                self.start_next();
            }
            Command::StopPlaying => self.stop(),
            Command::HangUp if !self.line.lock().deaf_to_hang_up => self.end(EndReason::Completed),
            _ => {}
        }
        Ok(())
    }
}

fn length_of(mut speech: Speech) -> (u32, Duration) {
    let (mut buffer, mut samples, mut words) = ([0; 160], 0_u64, 0);
    loop {
        let read = speech.read(&mut buffer);
        samples += read.samples as u64;
        words = read.word.map_or(words, |word| word + 1);
        if read.ended || read.samples == 0 {
            return (words, Duration::from_millis(samples * 1_000 / u64::from(speech.rate_hz())));
        }
    }
}
