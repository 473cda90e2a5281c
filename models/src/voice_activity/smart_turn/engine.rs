//! The engine: pauses as requests of a loop, judged together as they wait together.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;

use super::features::SAMPLES;
use super::{NAME, Settings, Shape, SmartTurn};
use crate::Error;
use crate::audio::{TELEPHONE_HZ, resample};
use crate::batching::RequestSettings;
use crate::engine::{JudgeRequest, Judged, PauseJudge};
use crate::request_loop::{Asker, Pass, RequestLoop, Workers};
use crate::speech_to_text::front_end::MODEL_HZ;

/// Samples of the telephone that the model can hear at once.
const HEARD: usize = SAMPLES * TELEPHONE_HZ as usize / MODEL_HZ as usize;

/// Judges on threads of its own. Dropping it stops them; what waits is then dropped unanswered.
pub struct Judge {
    pauses: RequestLoop<Vec<i16>, f32>,
}

type Judging = dyn Fn(&[&[i16]]) -> Result<Vec<f32>, String> + Send + Sync;

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
        let model = read(file)?;
        let file = file.to_owned();
        Self::with(&settings, model, move || read(&file))
    }

    fn with(
        settings: &Settings,
        model: Arc<Judging>,
        anew: impl Fn() -> Result<Arc<Judging>, Error> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let bounds = RequestSettings {
            unanswered_max: settings.waiting_max,
            batch_max: settings.batch_max,
            quantum: settings.quantum,
            watchdog: settings.watchdog,
            ..RequestSettings::default()
        };
        let workers = Workers {
            passes: (0..settings.threads.max(1)).map(|_| pass(Arc::clone(&model))).collect(),
            anew: Box::new(move || anew().map(pass)),
            keep: None,
        };
        Ok(Self { pauses: RequestLoop::start(NAME, bounds, workers)? })
    }
}

/// The published weights, tried on silence.
fn read(file: &Path) -> Result<Arc<Judging>, Error> {
    let failed = |why: String| Error::Failed { engine: NAME, why };
    let model =
        SmartTurn::read(file, &Shape::default(), &Device::Cpu).map_err(|error| failed(error.to_string()))?;
    let judge = move |turns: &[&[i16]]| model.probabilities(turns).map_err(|error| error.to_string());
    judge(&[&[]]).map_err(failed)?;
    Ok(Arc::new(judge))
}

fn pass(model: Arc<Judging>) -> Pass<Vec<i16>, f32> {
    Box::new(move |pauses| judged(&*model, pauses))
}

impl PauseJudge for Judge {
    fn name(&self) -> &'static str {
        NAME
    }

    fn trouble(&self) -> Option<String> {
        self.pauses.trouble()
    }

    fn judge(&self, request: JudgeRequest, judged: Judged) -> Result<(), Error> {
        let JudgeRequest { mut samples, tenant, within } = request;
        samples.drain(..samples.len().saturating_sub(HEARD));
        self.pauses.ask(Asker { tenant, within, cost: 1 }, vec![(samples, judged)]).map(drop)
    }
}

fn judged(model: &Judging, pauses: &[Arc<Vec<i16>>]) -> Vec<Result<f32, Error>> {
    let failed = |why: String| Error::Failed { engine: NAME, why };
    let wide: Vec<Vec<i16>> = pauses.iter().map(|pause| resample(pause, TELEPHONE_HZ, MODEL_HZ)).collect();
    let turns: Vec<&[i16]> = wide.iter().map(Vec::as_slice).collect();
    match model(&turns) {
        Ok(probabilities) => probabilities
            .into_iter()
            .map(|value| if value.is_finite() { Ok(value) } else { Err(failed("it gave no number".into())) })
            .collect(),
        Err(why) => vec![Err(failed(why)); pauses.len()],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Duration;

    use parking_lot::Mutex;

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
        let gone = || Err(Error::Failed { engine: NAME, why: "there is one gate".into() });
        (Judge::with(&settings, Arc::new(model), gone).expect("starts"), open, begun)
    }

    #[test]
    fn what_waits_is_judged_together_and_what_is_late_or_too_much_is_told() {
        let (judge, open, begun) = gated(Settings { waiting_max: 4, batch_max: 2, ..Settings::default() });
        let (to, answers) = sync_channel(100);
        ask(&judge, &to, 1, 10_000).expect("room");
        assert_eq!(begun.recv().expect("begins"), 1);
        ask(&judge, &to, 2, 0).expect("room");
        ask(&judge, &to, 3, 10_000).expect("room");
        ask(&judge, &to, 4, 10_000).expect("room");
        assert_eq!(ask(&judge, &to, 5, 10_000), Err(Error::Full { engine: NAME, limit: 4 }));
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
