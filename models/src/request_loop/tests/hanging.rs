//! Passes that hang: for ever, for a while, again and again; and engines that can't be made anew.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::fake::{Answered, Desk, PATIENCE, hangs, settings};
use crate::Error;
use crate::batching::{RequestSettings, Tenant, WatchdogSettings};
use crate::request_loop::Asker;

#[test]
fn everybody_is_told_of_a_pass_that_hangs_for_ever_and_the_engine_is_made_anew() {
    let desk = Desk::new(settings(), 1);
    desk.control.hang.lock().insert(1);
    for (number, tenant) in (1..=4).enumerate() {
        desk.ask(tenant, number, tenant).expect("room");
    }
    let mut told: Vec<_> = (0..4).map(|_| desk.next()).collect();
    assert!(told.iter().all(hangs), "{told:?}");
    told.sort_by_key(|told| told.tenant);
    assert_eq!(told.iter().map(|told| told.tenant).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(desk.works(2), 1, "by the second engine");
    assert_eq!((desk.requests.hanging(), desk.requests.unanswered()), (1, 0));
    desk.control.release();
    desk.until("the thread that hung comes back", |desk| desk.requests.hanging() == 0);
    assert!(desk.told.recv_timeout(Duration::from_millis(50)).is_err(), "and tells nobody");
    assert_eq!(desk.works(3), 1, "nor is it asked again");
}

#[test]
fn nothing_new_is_taken_while_it_stalls_and_one_that_was_only_slow_answers() {
    let watchdog = WatchdogSettings { give_up_ms: 60_000, ..settings().watchdog };
    let desk = Desk::new(RequestSettings { watchdog, ..settings() }, 1);
    desk.control.hang.lock().insert(1);
    desk.ask(1, 0, 1).expect("room");
    desk.ask_within(2, 1, 2, Duration::from_millis(600)).expect("room");
    desk.until("it stalls", |desk| !desk.requests.is_ready());
    let refused = desk.ask(3, 2, 3).expect_err("it stalls");
    assert_eq!(refused.to_string(), "test failed: it hangs, or is being made anew");
    assert!(desk.requests.trouble().is_some_and(|trouble| trouble.starts_with("test hangs")));
    let late = desk.next();
    assert!(
        late.number == 1
            && matches!(&late.answer, Err(Error::Late { why, .. }) if why.contains("took too long")),
        "{late:?}"
    );
    desk.control.release();
    let slow = desk.next();
    assert_eq!((slow.number, slow.answer.map(|answered| answered.engine)), (0, Ok(0)));
    assert_eq!(desk.works(4), 0, "the same engine");
    assert_eq!(desk.requests.trouble(), None);
    assert_eq!((desk.requests.hanging(), desk.control.made.load(Ordering::SeqCst)), (0, 1));
}

/// Whoever was told asks again at once, on the thread that tells.
#[test]
fn one_that_was_slow_takes_the_next_before_anybody_is_told() {
    // Long enough for a busy machine to come from the one to the other.
    let watchdog = WatchdogSettings { stall_ms: 1_000, give_up_ms: 60_000, ..settings().watchdog };
    let desk = Desk::new(RequestSettings { watchdog, ..settings() }, 1);
    desk.control.hang.lock().insert(1);
    let asker = Asker { tenant: Tenant(1), within: PATIENCE, cost: 1 };
    let (again, (to, told)) = (Arc::downgrade(&desk.requests), sync_channel(2));
    let then = move |_| {
        let last = to.clone();
        let second =
            move |answer: Result<Answered, Error>| last.send(answer.is_ok()).expect("the test waits");
        let taken = again.upgrade().map(|requests| requests.ask(asker, vec![(2, Box::new(second))]));
        to.send(taken.is_some_and(|taken| taken.is_ok())).expect("the test waits");
    };
    desk.requests.ask(asker, vec![(1, Box::new(then))]).expect("room");
    desk.until("it stalls", |desk| !desk.requests.is_ready());
    desk.control.release();
    assert_eq!(told.recv_timeout(PATIENCE), Ok(true), "it is taken in");
    assert_eq!(told.recv_timeout(PATIENCE), Ok(true), "and answered");
}

/// The same work is asked for again: the second engine's answer comes, and only that is kept.
#[test]
fn what_comes_late_reaches_nobody_who_asks_for_the_same() {
    let desk = Desk::new(settings(), 1);
    desk.control.hang.lock().insert(7);
    desk.ask(1, 0, 7).expect("room");
    assert!(hangs(&desk.next()));
    assert!(desk.requests.wait_until_ready(PATIENCE));
    // The second engine is busy with another's when the first comes back.
    desk.control.slow.lock().insert(5);
    desk.control.slow_ms.store(50, Ordering::SeqCst);
    desk.ask(2, 1, 5).expect("room");
    desk.ask(1, 2, 7).expect("room");
    desk.control.release();
    let (first, second) = (desk.next(), desk.next());
    assert_eq!((first.number, second.number), (1, 2));
    assert!(
        [first, second].iter().all(|told| told.answer.as_ref().is_ok_and(|answered| answered.engine == 1))
    );
    desk.until("the first comes back", |desk| desk.requests.hanging() == 0);
    let kept: Vec<_> = desk.control.kept.lock().iter().map(|(work, kept)| (*work, kept.engine)).collect();
    assert_eq!(kept, [(5, 1), (7, 1)]);
}

#[test]
fn an_engine_that_hangs_again_and_again_is_left_alone_until_a_thread_comes_back() {
    let desk = Desk::new(settings(), 1);
    desk.control.hang_all.store(true, Ordering::SeqCst);
    for number in 0..3 {
        assert!(desk.requests.wait_until_ready(PATIENCE), "the {number}th is made");
        desk.ask(1, number, 1).expect("room");
        assert!(hangs(&desk.next()));
    }
    assert_eq!(desk.requests.hanging(), 3);
    assert!(!desk.requests.wait_until_ready(Duration::from_millis(400)), "no fourth is made");
    assert!(matches!(desk.ask(2, 9, 2), Err(Error::Failed { .. })));
    assert_eq!(desk.control.made.load(Ordering::SeqCst), 3);
    desk.control.hang_all.store(false, Ordering::SeqCst);
    desk.control.release();
    assert_eq!(desk.works(2), 3, "the fourth");
    desk.until("all come back", |desk| desk.requests.hanging() == 0);
}

#[test]
fn making_it_anew_may_fail_and_hang_as_well() {
    let desk = Desk::new(settings(), 1);
    desk.control.hang.lock().insert(1);
    desk.control.failing.store(2, Ordering::SeqCst);
    desk.control.making_hangs.store(true, Ordering::SeqCst);
    desk.ask(1, 0, 1).expect("room");
    assert!(hangs(&desk.next()));
    assert_eq!(desk.works(2), 1, "made after one that hung and two that failed");
    assert_eq!(desk.requests.hanging(), 2, "the pass, and the making");
    desk.control.release();
    desk.until("both come back", |desk| desk.requests.hanging() == 0);
    assert_eq!((desk.works(3), desk.control.failing.load(Ordering::SeqCst)), (1, 0));
}

#[test]
fn of_two_threads_one_that_hangs_keeps_nobody_from_the_other() {
    let desk = Desk::new(settings(), 2);
    desk.control.hang.lock().insert(1);
    desk.ask(1, 0, 1).expect("room");
    let mut well = 0;
    loop {
        desk.ask(2, 1, 2).expect("the other takes it");
        let told = desk.next();
        if told.number == 0 {
            assert!(hangs(&told), "{told:?}");
            break;
        }
        assert!(told.answer.is_ok(), "{told:?}");
        well += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(well > 10, "{well}");
    assert!(desk.next().answer.is_ok(), "who waited beside it");
    desk.until("both threads are there", |desk| desk.control.made.load(Ordering::SeqCst) == 3);
    desk.control.release();
}

#[test]
fn a_pass_that_panics_fails_alone_and_costs_no_thread() {
    let desk = Desk::new(RequestSettings { batch_max: 2, gather_ms: 20, ..settings() }, 1);
    desk.control.panic.lock().insert(13);
    for (number, work) in [13, 2].into_iter().enumerate() {
        desk.ask(number as u64, number, work).expect("room");
    }
    for _ in 0..2 {
        let told = desk.next();
        let panicked = matches!(&told.answer, Err(Error::Failed { why, .. }) if why == "it panicked");
        // The other fails with it where they were brought together.
        assert!(panicked || told.work == 2 && told.answer.is_ok(), "{told:?}");
    }
    assert_eq!(desk.works(3), 0);
    assert_eq!((desk.requests.hanging(), desk.control.made.load(Ordering::SeqCst)), (0, 1));
}

#[test]
fn who_waits_behind_a_hang_learns_that_the_engine_is_gone() {
    let Desk { requests, control, told, .. } = {
        let desk = Desk::new(settings(), 1);
        desk.control.hang.lock().insert(1);
        desk.ask(1, 0, 1).expect("room");
        desk.until("it is in hand", |desk| desk.requests.waiting() == 0);
        desk.ask(2, 1, 2).expect("room");
        desk
    };
    drop(requests);
    // The first is in hand: only its own end, or its thread's, lets go of it.
    assert_eq!(told.recv_timeout(Duration::from_millis(50)), Err(RecvTimeoutError::Timeout));
    control.release();
    let first = told.recv_timeout(PATIENCE).expect("it comes to its end");
    assert_eq!((first.number, first.answer.map(|answered| answered.work)), (0, Ok(10)));
    assert_eq!(told.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected), "the second was dropped");
}
