//! How long a pause takes to be judged, where the weights are on the machine.

use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use models::audio::TELEPHONE_HZ;
use models::batching::Tenant;
use models::engine::{JudgeRequest, PauseJudge};
use models::voice_activity::smart_turn::{Judge, NAME, Settings, WEIGHTS};

use crate::Wanted;
use crate::machine::processor_ms;
use crate::report::{Pauses, Report};

/// As much of a turn as the model looks at.
const SECONDS: usize = 8;
const TIMES: u32 = 20;

pub(crate) fn measure(wanted: &Wanted, report: &mut Report) {
    let judge = match Judge::start(&wanted.weights.join(NAME).join(WEIGHTS), Settings::default()) {
        Ok(judge) => judge,
        Err(why) => {
            println!("pauses are not measured: {why}");
            return;
        }
    };
    let value = |at: usize| (4_000.0 * (at as f32 * 0.21).sin() * (at as f32 * 0.000_9).sin()) as i16;
    let samples: Vec<i16> = (0..SECONDS * TELEPHONE_HZ as usize).map(value).collect();
    let ask = || {
        let (sender, answer) = sync_channel(1);
        let within = Duration::from_mins(1);
        let request = JudgeRequest { samples: samples.clone(), tenant: Tenant(0), within };
        judge.judge(request, Box::new(move |judged| drop(sender.send(judged)))).expect("room");
        answer.recv().expect("an answer").expect("a probability")
    };
    ask();
    let used = processor_ms();
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let started = Instant::now();
            ask();
            started.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    let processor_ms = (processor_ms() - used) / f64::from(TIMES);
    times.sort_by(f64::total_cmp);
    report.pauses = Some(Pauses { p50_ms: times[times.len() / 2], processor_ms });
}
