//! The engine: one queue that is fair between tenants, and threads that judge what waits together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use candle_core::Device;
use parking_lot::{Condvar, Mutex};

use super::features::SAMPLES;
use super::{NAME, Settings, Shape, SmartTurn, metrics as measured};
use crate::audio::{TELEPHONE_HZ, resample};
use crate::batching::FairQueue;
use crate::engine::{JudgeRequest, Judged, PauseJudge};
use crate::speech_to_text::front_end::MODEL_HZ;
use crate::{Error, clock};

/// Samples of the telephone that the model can hear at once.
const HEARD: usize = SAMPLES * TELEPHONE_HZ as usize / MODEL_HZ as usize;

/// Judges on threads of its own. Dropping it stops them; what waits is then dropped unanswered.
pub struct Judge {
    shared: Arc<Shared>,
}

type Judging = Box<dyn Fn(&[&[i16]]) -> Result<Vec<f32>, String> + Send + Sync>;

struct Shared {
    settings: Settings,
    started: Instant,
    model: Judging,
    state: Mutex<State>,
    work: Condvar,
}

struct State {
    queue: FairQueue<Pause>,
    closed: bool,
}

struct Pause {
    samples: Vec<i16>,
    judged: Judged,
}

impl Judge {
    /// Reads the published weights, tries them on silence and starts the threads.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the weights are not here, [`Error::Failed`] where they are not what they should
    /// be or the machine gives no thread.
    pub fn start(file: &Path, settings: Settings) -> Result<Self, Error> {
        if !file.is_file() {
            return Err(Error::Unavailable {
                engine: NAME,
                why: format!("no weights are at {}", file.display()),
                mend: "run `strowger weights pull smart-turn-v3`".into(),
            });
        }
        let failed = |why: String| Error::Failed { engine: NAME, why };
        let model = SmartTurn::read(file, &Shape::default(), &Device::Cpu)
            .map_err(|error| failed(error.to_string()))?;
        let judge = move |turns: &[&[i16]]| model.probabilities(turns).map_err(|error| error.to_string());
        judge(&[&[]]).map_err(failed)?;
        Self::with(settings, Box::new(judge))
    }

    fn with(settings: Settings, model: Judging) -> Result<Self, Error> {
        let state = State { queue: FairQueue::new(settings.quantum), closed: false };
        let threads = settings.threads.max(1);
        let shared =
            Shared { settings, started: clock::now(), model, state: Mutex::new(state), work: Condvar::new() };
        let judge = Self { shared: Arc::new(shared) };
        for _ in 0..threads {
            let shared = Arc::clone(&judge.shared);
            std::thread::Builder::new()
                .name("judge-pauses".into())
                .spawn(move || work(&shared))
                .map_err(|error| Error::Failed { engine: NAME, why: format!("no thread: {error}") })?;
        }
        Ok(judge)
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_all();
    }
}

impl PauseJudge for Judge {
    fn name(&self) -> &'static str {
        NAME
    }

    fn judge(&self, request: JudgeRequest, judged: Judged) -> Result<(), Error> {
        let JudgeRequest { samples, tenant, within } = request;
        let deadline = clock::now().saturating_duration_since(self.shared.started) + within;
        let mut state = self.shared.state.lock();
        let limit = self.shared.settings.waiting_max;
        if state.queue.len() >= limit {
            return Err(Error::Full { engine: NAME, limit });
        }
        state.queue.push(tenant, 1, deadline, 1, Pause { samples, judged });
        measured::set_waiting(state.queue.len());
        drop(state);
        self.shared.work.notify_one();
        Ok(())
    }
}

fn work(shared: &Shared) {
    while let Some((pauses, late)) = next(shared) {
        measured::count_late(late.len());
        for pause in late {
            tell(pause.judged, Err("its deadline passed before its turn".into()));
        }
        if pauses.is_empty() {
            continue;
        }
        let started = clock::now();
        let (turns, answers): (Vec<Vec<i16>>, Vec<Judged>) =
            pauses.into_iter().map(|pause| (wide(&pause.samples), pause.judged)).unzip();
        let turns: Vec<&[i16]> = turns.iter().map(Vec::as_slice).collect();
        let outcome = catch_unwind(AssertUnwindSafe(|| (shared.model)(&turns)))
            .unwrap_or_else(|_| Err("it panicked".into()));
        measured::record_pass(turns.len(), started.elapsed());
        if outcome.is_err() {
            crate::metrics::count_failure(NAME);
        }
        for (place, judged) in answers.into_iter().enumerate() {
            let answer = outcome.clone().and_then(|probabilities| {
                let probability = probabilities.get(place).copied().filter(|value| value.is_finite());
                probability.ok_or_else(|| "it gave no number".into())
            });
            tell(judged, answer);
        }
    }
}

/// Whoever listens may panic; the other pauses are still to be judged.
fn tell(judged: Judged, answer: Result<f32, String>) {
    let answer = answer.map_err(|why| Error::Failed { engine: NAME, why });
    drop(catch_unwind(AssertUnwindSafe(|| judged(answer))));
}

/// What to judge next, and what is too late; none when the engine is gone.
fn next(shared: &Shared) -> Option<(Vec<Pause>, Vec<Pause>)> {
    let mut state = shared.state.lock();
    while !state.closed && state.queue.is_empty() {
        shared.work.wait(&mut state);
    }
    if state.closed {
        return None;
    }
    let late = state.queue.expire(clock::now().saturating_duration_since(shared.started));
    let taken = (0..shared.settings.batch_max.max(1)).map_while(|_| state.queue.take()).collect();
    measured::set_waiting(state.queue.len());
    Some((taken, late))
}

/// The end of a turn at the rate that the model hears.
fn wide(samples: &[i16]) -> Vec<i16> {
    let last = samples.get(samples.len().saturating_sub(HEARD)..).unwrap_or_default();
    resample(last, TELEPHONE_HZ, MODEL_HZ)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Duration;

    use super::*;
    use crate::batching::Tenant;

    type Answers = Receiver<(u16, Result<f32, Error>)>;

    fn ask(
        judge: &Judge,
        to: &SyncSender<(u16, Result<f32, Error>)>,
        number: u16,
        within_ms: u64,
    ) -> Result<(), Error> {
        let request = JudgeRequest {
            samples: vec![7; usize::from(number) * 100],
            tenant: Tenant(u64::from(number % 3)),
            within: Duration::from_millis(within_ms),
        };
        let to = to.clone();
        judge.judge(request, Box::new(move |answer| drop(to.send((number, answer)))))
    }

    fn next_of(answers: &Answers) -> (u16, Result<f32, Error>) {
        answers.recv_timeout(Duration::from_secs(20)).expect("an answer")
    }

    /// A model that waits at a gate and then says how long each turn was; it fails at the 13th and panics at the 14th.
    fn gated(settings: Settings) -> (Judge, SyncSender<()>, Receiver<usize>) {
        let (open, gate) = sync_channel::<()>(100);
        let (began, begun) = sync_channel(100);
        let gate = Mutex::new(gate);
        let model = move |turns: &[&[i16]]| {
            began.send(turns.len()).map_err(|error| error.to_string())?;
            gate.lock().recv().map_err(|error| error.to_string())?;
            if turns.iter().any(|turn| turn.len() == 2_600) {
                return Err("an unlucky turn".to_owned());
            }
            assert!(!turns.iter().any(|turn| turn.len() == 2_800), "a panic");
            Ok(turns.iter().map(|turn| turn.len() as f32 / 200.0).collect())
        };
        (Judge::with(settings, Box::new(model)).expect("starts"), open, begun)
    }

    #[test]
    fn what_waits_is_judged_together_and_what_is_late_or_too_much_is_told() {
        let (judge, open, begun) = gated(Settings { waiting_max: 3, batch_max: 2, ..Settings::default() });
        let (to, answers) = sync_channel(100);
        ask(&judge, &to, 1, 10_000).expect("room");
        assert_eq!(begun.recv().expect("begins"), 1);
        ask(&judge, &to, 2, 0).expect("room");
        ask(&judge, &to, 3, 10_000).expect("room");
        ask(&judge, &to, 4, 10_000).expect("room");
        assert_eq!(ask(&judge, &to, 5, 10_000), Err(Error::Full { engine: NAME, limit: 3 }));
        open.send(()).expect("opens");
        assert_eq!(next_of(&answers), (1, Ok(1.0)));
        let (number, late) = next_of(&answers);
        assert!(number == 2 && late.is_err_and(|error| error.to_string().contains("deadline passed")));
        assert_eq!(begun.recv().expect("begins"), 2, "both in one pass");
        open.send(()).expect("opens");
        let mut both = [next_of(&answers), next_of(&answers)];
        both.sort_by_key(|(number, _)| *number);
        assert_eq!(both, [(3, Ok(3.0)), (4, Ok(4.0))]);
    }

    #[test]
    fn a_failure_or_a_panic_is_told_and_the_next_pause_is_judged() {
        let (judge, open, _begun) = gated(Settings { batch_max: 1, ..Settings::default() });
        let (to, answers) = sync_channel(100);
        for number in [13, 14, 15] {
            ask(&judge, &to, number, 10_000).expect("room");
            open.send(()).expect("opens");
        }
        let told: Vec<String> = (0..2)
            .map(|_| next_of(&answers).1.err().map(|error| error.to_string()).unwrap_or_default())
            .collect();
        assert!(told[0].contains("an unlucky turn") && told[1].contains("it panicked"), "{told:?}");
        assert_eq!(next_of(&answers), (15, Ok(15.0)));
    }

    #[test]
    fn without_weights_it_says_what_to_do() {
        let error = Judge::start(Path::new("/nowhere.onnx"), Settings::default()).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            error.contains("/nowhere.onnx") && error.contains("strowger weights pull smart-turn-v3"),
            "{error}"
        );
    }
}
