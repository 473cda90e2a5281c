//! A pass over requests hangs, of several tenants: each is told, nothing new is taken, and the model is made anew on
//! another thread, which says the same. What the one that hung still says is nobody's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use models::Error;
use models::batching::{RequestSettings, Tenant, WatchdogSettings};
use models::request_loop::{Asker, Pass, RequestLoop, Workers};
use models::speech_to_text::FastConformer;
use models::step_loop::{Model, Precision, Processor, Row};

use crate::faults::{PATIENCE, STREAMS, sound};
use crate::report::Report;
use crate::tiny::model;

const NAME: &str = "engine room";
/// Seen to stand still soon; a model that is made anew is tried, so that its first pass is not the slowest.
const WATCHDOG: WatchdogSettings = WatchdogSettings {
    stall_ms: 1_000,
    give_up_ms: 2_000,
    build_ms: 60_000,
    rebuild_ms: 1,
    rebuild_ms_max: 1,
    given_up_max: 2,
};

#[derive(Default)]
struct Told {
    stands_still: AtomicBool,
    made: AtomicUsize,
}

type Words = Vec<u32>;
type Answers = Receiver<(usize, Result<Words, Error>)>;

fn failed(why: impl std::fmt::Display) -> Error {
    Error::Failed { engine: NAME, why: why.to_string() }
}

/// All words of one caller, heard at once.
fn hear(model: &mut FastConformer, caller: usize) -> Result<Words, Error> {
    model.reset(0);
    let mut words = Vec::new();
    for chunk in sound(caller) {
        let decoded = model.step(vec![Row { slot: 0, input: chunk }]).map_err(failed)?;
        words.extend(decoded.iter().flat_map(|decoded| decoded.tokens.iter().map(|token| token.number)));
    }
    Ok(words)
}

fn pass(processor: Processor, told: &Arc<Told>) -> Result<Pass<usize, Words>, Error> {
    let device = processor.open().map_err(failed)?;
    let mut model = model(&device, Precision::F32, 2);
    hear(&mut model, 0)?;
    told.made.fetch_add(1, Ordering::SeqCst);
    let told = Arc::clone(told);
    Ok(Box::new(move |callers| {
        while told.stands_still.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        callers.iter().map(|caller| hear(&mut model, **caller)).collect()
    }))
}

/// Every caller asks, each a tenant; how many were taken in.
fn ask(requests: &RequestLoop<usize, Words>) -> (usize, Answers) {
    let (to, answers) = sync_channel(STREAMS);
    let is_taken = |caller: &usize| {
        let (caller, to) = (*caller, to.clone());
        let asker = Asker { tenant: Tenant(caller as u64), within: PATIENCE, cost: 1 };
        requests.ask(asker, vec![(caller, Box::new(move |told| drop(to.send((caller, told)))))]).is_ok()
    };
    ((0..STREAMS).filter(is_taken).count(), answers)
}

fn heard(requests: &RequestLoop<usize, Words>) -> Vec<Option<Words>> {
    let (asked, answers) = ask(requests);
    let mut heard = vec![None; STREAMS];
    for _ in 0..asked {
        let (caller, words) = answers.recv_timeout(PATIENCE).expect("an answer");
        heard[caller] = words.ok();
    }
    heard
}

pub(crate) fn check(processor: Processor, report: &mut Report) {
    let told = Arc::new(Told::default());
    let again = Arc::clone(&told);
    let workers = Workers {
        passes: vec![pass(processor, &told).expect("a model")],
        anew: Box::new(move || pass(processor, &again)),
        keep: None,
    };
    let settings = RequestSettings { watchdog: WATCHDOG, ..RequestSettings::default() };
    let requests = RequestLoop::start(NAME, settings, workers).expect("threads");
    let expected = heard(&requests);
    told.stands_still.store(true, Ordering::SeqCst);
    let started = Instant::now();
    let (asked, answers) = ask(&requests);
    while requests.is_ready() && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    let refused = ask(&requests).0 == 0;
    let failures = (0..asked).filter(|_| answers.recv_timeout(PATIENCE).is_ok_and(|(_, told)| told.is_err()));
    let failures = failures.count();
    let after = started.elapsed();
    // It goes on when its place is another's already.
    let is_back = requests.wait_until_ready(PATIENCE);
    let left_alone = requests.hanging();
    told.stands_still.store(false, Ordering::SeqCst);
    let same = is_back && heard(&requests) == expected;
    while requests.hanging() > 0 && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (late, made) = (answers.try_iter().count(), told.made.load(Ordering::SeqCst));
    let holds = expected.iter().all(Option::is_some)
        && (asked, failures, left_alone, late, made) == (STREAMS, STREAMS, 1, 0, 2)
        && refused
        && same
        && requests.hanging() == 0;
    report.check(
        "fault: a pass over requests hangs",
        holds,
        format!(
            "{failures} of {asked} told after {} ms, the next refused: {refused}; made anew, the same words: {same}; {late} told late",
            after.as_millis()
        ),
    );
}
