//! A model that keeps a sum per slot, and breaks when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::batching::{AdmissionSettings, Tenant};
use crate::step_loop::{
    Device, Event, Failure, Health, Listener, Model, Preparation, Row, Settings, StepLoop, Stream,
};

/// Breaks every step that it is in.
pub(super) const PANIC: u64 = 1 << 60;
/// Makes its slot's output no number.
pub(super) const NOT_A_NUMBER: u64 = 1 << 61;
/// How long a test waits for what must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
pub(super) struct Control {
    pub(super) builds: AtomicUsize,
    /// Builds that fail from now on.
    pub(super) failing_builds: AtomicUsize,
    /// The next step panics.
    pub(super) panic_once: AtomicBool,
    /// Steps of more rows run out of memory; 0 for none.
    pub(super) memory_rows: AtomicUsize,
    /// Microseconds of a step, and of each row of it.
    pub(super) step_us: AtomicU64,
    pub(super) row_us: AtomicU64,
    /// The next step hangs while this is set.
    pub(super) hang: AtomicBool,
    pub(super) widest: AtomicUsize,
    /// What each step adds to its sums without being asked.
    pub(super) off_by: AtomicU64,
}

pub(super) struct Sums {
    control: Arc<Control>,
    sums: Vec<Option<u64>>,
}

impl Model for Sums {
    type Input = u64;
    type Output = u64;

    fn slots(&self) -> usize {
        self.sums.len()
    }

    fn reset(&mut self, slot: usize) {
        self.sums[slot] = Some(0);
    }

    fn step(&mut self, rows: Vec<Row<u64>>) -> Result<Vec<u64>, Failure> {
        let control = &self.control;
        while control.hang.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let row_us = control.row_us.load(Ordering::SeqCst) * rows.len() as u64;
        std::thread::sleep(Duration::from_micros(control.step_us.load(Ordering::SeqCst) + row_us));
        control.widest.fetch_max(rows.len(), Ordering::SeqCst);
        assert!(!control.panic_once.swap(false, Ordering::SeqCst), "told to panic");
        assert!(rows.iter().all(|row| row.input != PANIC), "a poisoned row");
        let memory = control.memory_rows.load(Ordering::SeqCst);
        if memory > 0 && rows.len() > memory {
            return Err(Failure::OutOfMemory { why: format!("{} rows", rows.len()) });
        }
        let slots: Vec<usize> =
            rows.iter().filter(|row| row.input == NOT_A_NUMBER).map(|row| row.slot).collect();
        if !slots.is_empty() {
            self.sums.fill(None);
            return Err(Failure::NotFinite { slots });
        }
        let add = |row: Row<u64>| {
            let sum = self.sums[row.slot].as_mut().expect("a slot is reset before it is used");
            *sum += row.input + control.off_by.load(Ordering::SeqCst);
            *sum
        };
        Ok(rows.into_iter().map(add).collect())
    }
}

pub(super) fn settings(slots: usize) -> Settings {
    Settings { slots, period_ms: 200, rebuild_ms: 1, ..Settings::default() }
}

pub(super) fn start(settings: Settings) -> (StepLoop<u64, u64>, Arc<Control>) {
    let control = Arc::new(Control::default());
    start_with(settings, &control)
}

pub(super) fn start_with(settings: Settings, control: &Arc<Control>) -> (StepLoop<u64, u64>, Arc<Control>) {
    let (slots, paces, made) = (settings.slots, settings.slower_ms.len() + 1, Arc::clone(control));
    let factory = move || {
        made.builds.fetch_add(1, Ordering::SeqCst);
        let failing = made.failing_builds.load(Ordering::SeqCst);
        if failing > 0 {
            made.failing_builds.store(failing - 1, Ordering::SeqCst);
            return Err(Failure::Failed { why: "no weights".into() });
        }
        Ok(Sums { control: Arc::clone(&made), sums: vec![None; slots + 1] })
    };
    let judge = |sums: &[u64]| match sums {
        [2, 5] => Ok(()),
        other => Err(format!("{other:?} is not 2, 5")),
    };
    let preparation = Preparation { warm_up: vec![1; paces], canary: vec![2, 3], judge: Box::new(judge) };
    let device = Device::new(AdmissionSettings::default());
    let step_loop = StepLoop::start("fake", settings, &device, factory, preparation).expect("starts");
    (step_loop, Arc::clone(control))
}

pub(super) fn ready(step_loop: &StepLoop<u64, u64>) {
    assert_eq!(step_loop.wait_until_ready(PATIENCE), Health::Ready);
}

pub(super) struct Caller {
    pub(super) stream: Stream<u64, u64>,
    pub(super) events: Receiver<Event<u64>>,
}

impl Caller {
    pub(super) fn open(step_loop: &StepLoop<u64, u64>, tenant: u64) -> Self {
        let (listener, events) = listener();
        let stream = step_loop.open(Tenant(tenant), 1, listener).expect("room");
        Self { stream, events }
    }

    pub(super) fn push(&self, input: u64) {
        self.stream.push(input, Duration::from_millis(200)).expect("room");
    }

    pub(super) fn next(&self) -> Event<u64> {
        self.events.recv_timeout(PATIENCE).expect("an event")
    }

    pub(super) fn next_output(&self) -> u64 {
        loop {
            match self.next() {
                Event::Output { output, .. } => return output,
                Event::Reprimed { forgotten } => assert_eq!(forgotten, 0),
                Event::Ended(failure) => panic!("ended: {failure}"),
            }
        }
    }

    pub(super) fn hears_nothing(&self) {
        assert_eq!(self.events.recv_timeout(Duration::from_millis(50)), Err(RecvTimeoutError::Timeout));
    }
}

pub(super) fn listener() -> (Listener<u64>, Receiver<Event<u64>>) {
    let (sender, receiver) = sync_channel(10_000);
    (Box::new(move |event| drop(sender.send(event))), receiver)
}
