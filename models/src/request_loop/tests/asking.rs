//! The loop with real threads.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use crate::Error;
use crate::batching::{RequestSettings, Tenant};
use crate::request_loop::{Asker, Pass, RequestLoop, Workers};

const PATIENCE: Duration = Duration::from_secs(20);

const fn asker(tenant: u64) -> Asker {
    Asker { tenant: Tenant(tenant), within: PATIENCE, cost: 1 }
}

/// Nothing here hangs.
fn workers(passes: Vec<Pass<u64, u64>>) -> Workers<u64, u64> {
    let anew = Box::new(|| Err(Error::Failed { engine: "test", why: "made once".into() }));
    Workers { passes, anew, keep: None }
}

/// A loop whose passes wait at a gate and say what they are for; an answer is ten times its work.
fn gated(settings: RequestSettings) -> (RequestLoop<u64, u64>, SyncSender<()>, Receiver<Vec<u64>>) {
    let (open, gate) = sync_channel::<()>(100);
    let (began, begun) = sync_channel(100);
    let pass: Pass<u64, u64> = Box::new(move |works| {
        let works: Vec<u64> = works.iter().map(|work| **work).collect();
        began.send(works.clone()).expect("the test looks");
        gate.recv_timeout(PATIENCE).expect("the test opens");
        works.iter().map(|work| Ok(work * 10)).collect()
    });
    (RequestLoop::start("test", settings, workers(vec![pass])).expect("starts"), open, begun)
}

type Told = (u64, Result<u64, Error>);

fn ask(
    requests: &RequestLoop<u64, u64>,
    asker: Asker,
    work: u64,
    to: &SyncSender<Told>,
) -> Result<(), Error> {
    let to = to.clone();
    requests.ask(asker, vec![(work, Box::new(move |told| drop(to.send((work, told)))))]).map(drop)
}

#[test]
fn a_flood_makes_room_for_another_and_is_told() {
    let settings = RequestSettings { unanswered_max: 4, ..RequestSettings::default() };
    let (requests, open, begun) = gated(settings);
    let (to, told) = sync_channel(100);
    ask(&requests, asker(1), 1, &to).expect("room");
    assert_eq!(begun.recv_timeout(PATIENCE), Ok(vec![1]));
    for work in [2, 3, 4] {
        ask(&requests, asker(1), work, &to).expect("room");
    }
    let full = Error::Full { engine: "test", limit: 4 };
    assert_eq!(ask(&requests, asker(1), 5, &to), Err(full.clone()));
    ask(&requests, asker(2), 6, &to).expect("the other makes room");
    assert_eq!(told.recv_timeout(PATIENCE), Ok((4, Err(full))));
    for (work, next) in [(1, vec![2]), (2, vec![6]), (6, vec![3])] {
        open.send(()).expect("opens");
        assert_eq!(told.recv_timeout(PATIENCE), Ok((work, Ok(work * 10))));
        assert_eq!(begun.recv_timeout(PATIENCE), Ok(next));
    }
    open.send(()).expect("opens");
    assert_eq!(told.recv_timeout(PATIENCE), Ok((3, Ok(30))));
    assert_eq!(requests.unanswered(), 0);
}

#[test]
fn what_is_taken_back_is_not_worked_out() {
    let (requests, open, begun) = gated(RequestSettings::default());
    let (to, told) = sync_channel(100);
    ask(&requests, asker(1), 1, &to).expect("room");
    assert_eq!(begun.recv_timeout(PATIENCE), Ok(vec![1]));
    let gone = requests.ask(asker(1), vec![(2, Box::new(|_| panic!("it was cancelled")))]).expect("room");
    ask(&requests, asker(1), 3, &to).expect("room");
    requests.canceller().cancel(gone[0]);
    assert_eq!(requests.unanswered(), 2);
    for work in [1, 3] {
        open.send(()).expect("opens");
        assert_eq!(told.recv_timeout(PATIENCE), Ok((work, Ok(work * 10))));
    }
    assert_eq!(begun.try_iter().collect::<Vec<_>>(), [vec![3]]);
    let late = requests.canceller();
    drop(requests);
    late.cancel(gone[0]);
}

/// Many threads ask two loops' threads at once, for much of the same, and take some of it back.
#[test]
fn nobody_s_answer_reaches_another() {
    let pass = || -> Pass<u64, u64> {
        Box::new(|works| {
            assert!(!works.iter().any(|work| **work == 13), "a panic");
            works.iter().map(|work| Ok(**work * 10)).collect()
        })
    };
    let settings = RequestSettings { unanswered_max: 10_000, batch_max: 3, ..RequestSettings::default() };
    let requests =
        Arc::new(RequestLoop::start("test", settings, workers(vec![pass(), pass()])).expect("starts"));
    let (askers, per_asker) = (4_u64, 400_u64);
    let together = Arc::new(Barrier::new(askers as usize));
    std::thread::scope(|scope| {
        for tenant in 0..askers {
            let (requests, together) = (Arc::clone(&requests), Arc::clone(&together));
            scope.spawn(move || {
                let (to, told) = sync_channel(per_asker as usize);
                together.wait();
                for number in 0..per_asker {
                    let work = number * (tenant + 3) % 40;
                    let mine = to.clone();
                    let told = Box::new(move |told| drop(mine.send((number, told))));
                    let asks = requests.ask(asker(tenant), vec![(work, told)]).expect("room");
                    if number % 7 == 0 {
                        requests.canceller().cancel(asks[0]);
                    }
                }
                drop(to);
                let mut seen = std::collections::BTreeSet::new();
                while let Ok((number, told)) = told.recv_timeout(PATIENCE) {
                    assert!(seen.insert(number), "told twice");
                    let work = number * (tenant + 3) % 40;
                    // A pass with the unlucky one fails as a whole, and nobody else does.
                    assert!(
                        told.as_ref().is_ok_and(|told| *told == work * 10) || told.is_err(),
                        "{work}: {told:?}"
                    );
                }
                let kept = (0..per_asker).filter(|number| number % 7 != 0);
                assert!(kept.into_iter().all(|number| seen.contains(&number)), "somebody was never told");
            });
        }
    });
    assert_eq!(requests.unanswered(), 0);
}
