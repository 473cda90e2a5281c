//! The end of a turn: has the sound of a pause judged, and measures how turns end.

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, histogram};
use models::audio::{AudioSender, Recent, TELEPHONE_HZ};
use models::engine::JudgeRequest;

use crate::call::conversation::{EndSign, Input};
use crate::call::shell::Shell;
use crate::call::understanding::tenant;
use crate::metrics::{END_OF_TURN_SECONDS, PAUSES_UNJUDGED, TURNS_CUT_OFF};

/// As much of a turn as a judge can use, in milliseconds.
const LOOK_BACK_MS: u32 = 8_000;

/// What of the caller's audio is at hand to be judged.
#[derive(Debug, Default)]
pub(in crate::call) struct Pauses {
    recent: Option<Arc<Recent>>,
    /// Where the audio of the latest pause ends.
    paused_at: u64,
}

impl Shell {
    /// Keeps the end of what a recogniser's session is given, where somebody judges pauses.
    pub(in crate::call) fn keep_recent(&mut self, audio: &mut AudioSender) {
        if self.services.pause_judge.is_some() {
            let samples_max = (LOOK_BACK_MS * TELEPHONE_HZ / 1_000) as usize;
            let recent = Arc::new(Recent::new(samples_max));
            audio.keep_in(Arc::clone(&recent));
            self.pauses = Pauses { recent: Some(recent), paused_at: 0 };
        }
    }

    /// Asks the judge about a pause. Without one, or where it is full, the other signs decide.
    pub(in crate::call) fn judge_pause(&mut self, pause: u64) {
        let (Some(judge), Some(recent)) = (&self.services.pause_judge, &self.pauses.recent) else { return };
        let (samples, end) = recent.look();
        self.pauses.paused_at = end;
        let request = JudgeRequest {
            samples,
            tenant: tenant(&self.case.business),
            within: Duration::from_millis(self.services.settings.hearing.judge_ms),
        };
        let inlet = self.inlet.clone();
        let judged = move |answer: Result<f32, models::Error>| match answer {
            Ok(finished) => inlet.pause_judged(pause, finished),
            Err(_) => counter!(PAUSES_UNJUDGED, "why" => "failed").increment(1),
        };
        if judge.judge(request, Box::new(judged)).is_err() {
            counter!(PAUSES_UNJUDGED, "why" => "full").increment(1);
        }
    }

    pub(in crate::call) fn pause_judged(&mut self, pause: u64, finished: f32) {
        self.push(Input::PauseJudged { pause, finished });
    }

    /// A turn was decided to be over: what belongs to it is no part of the next.
    pub(in crate::call) fn turn_ended(&mut self, sign: EndSign, silent_ms: u64) {
        if let Some(recent) = &self.pauses.recent {
            recent.forget_before(self.pauses.paused_at);
        }
        let since_voice_ms = silent_ms + u64::from(self.services.voice_lag_ms);
        histogram!(END_OF_TURN_SECONDS, "sign" => name(sign)).record(since_voice_ms as f64 / 1_000.0);
    }
}

/// A turn was decided to be over and the caller went on.
pub(super) fn count_cut_off(sign: EndSign) {
    counter!(TURNS_CUT_OFF, "sign" => name(sign)).increment(1);
}

const fn name(sign: EndSign) -> &'static str {
    match sign {
        EndSign::Silence => "silence",
        EndSign::Words => "words",
        EndSign::Sound => "sound",
        EndSign::Recogniser => "recogniser",
        EndSign::Limit => "limit",
    }
}
