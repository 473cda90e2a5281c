//! What no test from outside can do: break the tree itself.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::time::sleep;

use super::{Parts, Supervision};
use crate::call::brain::{Brain, Context, Question, Thought};
use crate::call::conversation::{Effect, Input};
use crate::call::leg::{Command, Gone, Incoming, Leg};
use crate::call::{Dialogue, Mind, Minds};
use crate::storage::{Memory, Storage};
use crate::tenant::import;
use crate::types::{Attestation, CallId, CallTime, EndReason, PhoneNumber};

/// Rings for ever.
struct Mute;

impl Dialogue for Mute {
    fn handle(&mut self, _now: CallTime, _input: Input) {}

    fn poll_effect(&mut self) -> Option<Effect> {
        None
    }

    fn next_deadline(&self) -> Option<CallTime> {
        None
    }

    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }

    fn phase(&self) -> &'static str {
        "mute"
    }
}

struct Empty;

impl Mind for Empty {
    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }

    fn fork(&self) -> Box<dyn Mind> {
        Box::new(Self)
    }
}

impl Brain for Empty {
    fn think(&mut self, _context: &Context<'_>, _question: Question) -> Vec<Thought> {
        Vec::new()
    }

    fn summary(&self, _context: &Context<'_>) -> String {
        String::new()
    }
}

#[derive(Default)]
struct Line {
    told: Mutex<Vec<String>>,
}

impl Leg for Line {
    fn command(&self, command: Command) -> Result<(), Gone> {
        self.told.lock().push(format!("{command:?}"));
        Ok(())
    }
}

async fn offer(supervision: &Supervision, id: u128) -> Arc<Line> {
    let line = Arc::new(Line::default());
    let incoming = Incoming {
        call: CallId::new(uuid::Uuid::from_u128(id)),
        called: PhoneNumber::parse("+442079460001").expect("a number"),
        caller: None,
        attestation: Attestation::Absent,
        at: Timestamp::UNIX_EPOCH,
    };
    supervision.reception().offer(incoming, Arc::clone(&line) as Arc<dyn Leg>).await.expect("taken");
    line
}

async fn started() -> (Arc<Memory>, Supervision) {
    let text = include_str!("../../tests/businesses/barbers.toml");
    let mut business = import::read(text, &import::Settings::default()).expect("a business");
    business.numbers = vec![PhoneNumber::parse("+442079460001").expect("a number")];
    let memory = Arc::new(Memory::new());
    memory.put_business(&business, None).await.expect("kept");
    let minds = Minds { dialogue: Arc::new(|_| Box::new(Mute)), mind: Arc::new(|_| Box::new(Empty)) };
    let parts = Parts::new(Arc::clone(&memory) as Arc<dyn Storage>, minds);
    (memory, Supervision::start(parts).await.expect("started"))
}

#[tokio::test(start_paused = true)]
async fn when_the_calls_supervisor_dies_its_calls_end_and_new_ones_are_taken() {
    let (memory, supervision) = started().await;
    let line = offer(&supervision, 1).await;
    supervision.branches().calls().expect("a branch").kill();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(line.told.lock().as_slice(), ["HangUp"]);
    let record = memory.call(CallId::new(uuid::Uuid::from_u128(1))).await.expect("read").expect("written");
    assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::Crashed));
    assert_eq!(supervision.tenants()[0].calls, 0);
    offer(&supervision, 2).await;
    assert_eq!(supervision.counts().calls, 1);
    assert_eq!(supervision.stop(Duration::from_secs(1)).await.calls, 0);
}

#[tokio::test(start_paused = true)]
async fn when_the_tenants_supervisor_dies_their_calls_are_still_counted() {
    let (_memory, supervision) = started().await;
    offer(&supervision, 1).await;
    let status = supervision.tenants();
    supervision.branches().tenants().expect("a branch").kill();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(supervision.counts().tenants, 1);
    offer(&supervision, 2).await;
    assert_eq!(supervision.tenants()[0].calls, status[0].calls + supervision.counts().calls as u32 - 1);
    assert_eq!(supervision.stop(Duration::from_secs(1)).await.calls, 0);
}
