//! Pauses that are judged elsewhere.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use parking_lot::Mutex;

use super::fixture::{PATIENCE, Wire, remote, runtime};
use crate::Error;
use crate::batching::Tenant;
use crate::engine::{JudgeRequest, Judged, PauseJudge};
use crate::remote::{Served, Server, ServerSettings, Settings};

/// Says that whoever was loud at the end has finished, or what it is told to.
#[derive(Default)]
struct Fake {
    asked: Mutex<Vec<(usize, Tenant)>>,
    says: Mutex<Option<Result<f32, Error>>>,
    hung: Mutex<Vec<Judged>>,
    hangs: bool,
}

impl PauseJudge for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn judge(&self, request: JudgeRequest, judged: Judged) -> Result<(), Error> {
        self.asked.lock().push((request.samples.len(), request.tenant));
        if self.hangs {
            self.hung.lock().push(judged);
            return Ok(());
        }
        let by_sound = || Ok(if request.samples.last().is_some_and(|last| *last > 100) { 0.9 } else { 0.2 });
        let said = self.says.lock().clone();
        judged(said.unwrap_or_else(by_sound));
        Ok(())
    }
}

fn serve(runtime: &tokio::runtime::Runtime, judge: &Arc<Fake>, server: ServerSettings) -> Server {
    let engines = Served { pause_judge: Some(judge.clone()), ..Served::default() };
    let listen = "127.0.0.1:0".parse().expect("an address");
    let settings = Settings { listen, server, ..Settings::default() };
    runtime.block_on(Server::start(&settings, engines)).expect("starts")
}

fn asks(judge: &dyn PauseJudge, samples: Vec<i16>, within: Duration) -> Result<f32, Error> {
    let (sender, answer) = sync_channel(1);
    let request = JudgeRequest { samples, tenant: Tenant(7), within };
    judge.judge(request, Box::new(move |judged| drop(sender.send(judged))))?;
    answer.recv_timeout(PATIENCE).expect("an answer")
}

#[test]
fn peer_pauses_are_judged_elsewhere_while_somebody_is_there() {
    let runtime = runtime();
    let fake = Arc::new(Fake::default());
    let server = serve(&runtime, &fake, ServerSettings::default());
    let wire = Wire::to(&runtime, server.address());
    let judge = remote(&runtime, vec![wire.url()]).pause_judge();
    // As much of a turn as a call keeps.
    let turn = |last| vec![last; 64_000];
    assert_eq!(asks(judge.as_ref(), turn(500), PATIENCE), Ok(0.9));
    assert_eq!(asks(judge.as_ref(), turn(-3), PATIENCE), Ok(0.2));
    assert_eq!(*fake.asked.lock(), [(64_000, Tenant(7)); 2]);
    *fake.says.lock() = Some(Ok(f32::NAN));
    assert!(matches!(asks(judge.as_ref(), turn(1), PATIENCE), Err(Error::Failed { .. })), "no probability");
    *fake.says.lock() = None;
    wire.cut();
    assert!(asks(judge.as_ref(), turn(1), PATIENCE).is_err(), "nobody is left");
}

#[test]
fn peer_a_judge_that_is_late_or_absent_leaves_time_for_another() {
    let runtime = runtime();
    let (hung, well) = (Arc::new(Fake { hangs: true, ..Fake::default() }), Arc::new(Fake::default()));
    let nodes = [
        serve(&runtime, &hung, ServerSettings::default()),
        serve(&runtime, &well, ServerSettings::default()),
    ];
    let judge = remote(&runtime, nodes.iter().map(|node| format!("http://{}", node.address())).collect());
    let judge = judge.pause_judge();
    for _ in 0..4 {
        assert_eq!(asks(judge.as_ref(), vec![500; 800], Duration::from_secs(2)), Ok(0.9));
    }
    let alone = remote(&runtime, vec![format!("http://{}", nodes[0].address())]).pause_judge();
    let late = asks(alone.as_ref(), vec![500; 800], Duration::from_millis(200));
    assert!(matches!(late, Err(Error::Failed { .. })), "{late:?}");
    let none = runtime.block_on(async {
        let listen = "127.0.0.1:0".parse().expect("an address");
        Server::start(&Settings { listen, ..Settings::default() }, Served::default()).await.expect("starts")
    });
    let none = remote(&runtime, vec![format!("http://{}", none.address())]).pause_judge();
    assert!(asks(none.as_ref(), vec![500; 800], PATIENCE).is_err(), "that node judges nothing");
}
