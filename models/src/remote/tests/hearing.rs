//! Callers heard elsewhere, whoever dies.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{Caller, Node, Wire, remote, runtime};
use crate::Error;
use crate::engine::Expectation;
use crate::remote::{ServerSettings, Settings};
use crate::scripted::{self, Control, Fault, Recogniser};

#[test]
fn peer_a_caller_is_heard_elsewhere_as_here() {
    let runtime = runtime();
    let node = Node::start(&runtime, ServerSettings::default());
    let remote = remote(&runtime, vec![node.url()]);
    let engine = remote.speech_to_text(None).expect("starts");
    let mut caller = Caller::on(engine.as_ref()).expect("a session");
    caller.listening.expect(Expectation::Digits);
    caller.says("i would like a haircut");
    caller.is_heard(5);
    assert_eq!(caller.finishes().expect("words"), "i would like a haircut");
    assert_eq!(caller.finishes().expect("nothing was said"), "");
    caller.says("tomorrow");
    assert_eq!(caller.finishes().expect("words"), "tomorrow");
    assert!(node.control.expectations().contains(&Expectation::Digits));
    drop(caller);
}

#[test]
fn peer_a_caller_whose_node_is_cut_off_is_heard_by_the_other_once() {
    let runtime = runtime();
    let nodes = [(); 2].map(|()| Node::start(&runtime, ServerSettings::default()));
    let wires = [0, 1].map(|at: usize| Wire::to(&runtime, nodes[at].server.address()));
    let remote = remote(&runtime, wires.iter().map(Wire::url).collect());
    let engine = remote.speech_to_text(None).expect("starts");
    for round in 0..4 {
        // Both were cut off: until one has answered a look nobody is taken.
        let mut caller = Caller::soon_on(engine.as_ref());
        caller.says("my number is");
        caller.is_heard(3);
        // One of them hears the caller; both lose their connections, one after the other.
        wires[round % 2].snap();
        caller.says("five five five");
        wires[(round + 1) % 2].snap();
        caller.says("one two");
        assert_eq!(caller.finishes().expect("words"), "my number is five five five one two");
    }
}

#[test]
fn peer_a_turn_that_was_asked_for_is_asked_again_elsewhere() {
    let runtime = runtime();
    let nodes = [(); 2].map(|()| Node::start(&runtime, ServerSettings::default()));
    for fault in [Fault::FailTurn(0), Fault::HangTurn(0), Fault::FailInSpeech] {
        // Whichever hears the caller suffers it.
        let remote = remote(&runtime, nodes.iter().map(Node::url).collect());
        let engine = remote.speech_to_text(None).expect("starts");
        nodes[0].control.inject(fault);
        let mut callers: Vec<Caller> =
            (0..4).map(|_| Caller::on(engine.as_ref()).expect("a session")).collect();
        for (at, caller) in callers.iter_mut().enumerate() {
            caller.says(&format!("caller number {at}"));
        }
        for (at, caller) in callers.iter_mut().enumerate() {
            assert_eq!(caller.finishes().expect("words"), format!("caller number {at}"), "{fault:?}");
        }
        nodes[0].control.clear();
    }
}

#[test]
fn peer_a_full_node_sends_callers_to_the_next_and_the_last_refusal_is_typed() {
    let runtime = runtime();
    let small = ServerSettings { hearing_max: 2, ..ServerSettings::default() };
    let nodes = [Node::start(&runtime, small.clone()), Node::start(&runtime, small)];
    let remote = remote(&runtime, nodes.iter().map(Node::url).collect());
    let engine = remote.speech_to_text(None).expect("starts");
    let mut callers: Vec<Caller> = (0..4).map(|_| Caller::on(engine.as_ref()).expect("a session")).collect();
    for caller in &mut callers {
        caller.says("hello");
        assert_eq!(caller.finishes().expect("words"), "hello");
    }
    let mut fifth = Caller::on(engine.as_ref()).expect("a session, until nobody takes it");
    assert_eq!(fifth.finishes(), Err(Error::Full { engine: "remote", limit: 2 }));
    // With an engine of its own the node takes the caller itself.
    let own = Recogniser::start(scripted::Settings::default(), Control::default()).expect("starts");
    let engine = remote.speech_to_text(Some(Arc::new(own))).expect("starts");
    let mut sixth = Caller::on(engine.as_ref()).expect("a session");
    sixth.says("good morning");
    assert_eq!(sixth.finishes().expect("words"), "good morning");
}

#[test]
fn peer_when_the_last_node_is_lost_in_mid_turn_this_node_goes_on() {
    let runtime = runtime();
    let node = Node::start(&runtime, ServerSettings::default());
    let wire = Wire::to(&runtime, node.server.address());
    let remote = remote(&runtime, vec![wire.url()]);
    let own = Recogniser::start(scripted::Settings::default(), Control::default()).expect("starts");
    let engine = remote.speech_to_text(Some(Arc::new(own))).expect("starts");
    let mut caller = Caller::on(engine.as_ref()).expect("a session");
    caller.says("the first turn");
    assert_eq!(caller.finishes().expect("words"), "the first turn");
    caller.says("my name is");
    caller.is_heard(3);
    wire.cut();
    caller.says("ada");
    assert_eq!(caller.finishes().expect("words"), "my name is ada");
    caller.says("and the next");
    assert_eq!(caller.finishes().expect("words"), "and the next");
    // Whoever calls after that is heard here at once.
    let mut next = Caller::on(engine.as_ref()).expect("a session");
    next.says("hello");
    assert_eq!(next.finishes().expect("words"), "hello");
}

#[test]
fn peer_without_anybody_else_a_lost_node_is_waited_for_and_then_told() {
    let runtime = runtime();
    let node = Node::start(&runtime, ServerSettings::default());
    let wire = Wire::to(&runtime, node.server.address());
    let remote = remote(&runtime, vec![wire.url()]);
    let engine = remote.speech_to_text(None).expect("starts");
    let mut caller = Caller::on(engine.as_ref()).expect("a session");
    caller.says("one");
    caller.is_heard(1);
    // The connection breaks, and can be made again.
    wire.snap();
    caller.says("two");
    assert_eq!(caller.finishes().expect("words"), "one two");
    wire.cut();
    caller.says("three");
    assert!(matches!(caller.finishes(), Err(Error::Failed { engine: "remote", .. })));
    let refused = Caller::on(engine.as_ref()).err();
    assert!(matches!(refused, Some(Error::Unavailable { engine: "remote", .. })), "{refused:?}");
}

#[test]
fn peer_a_node_that_stops_hands_its_callers_over() {
    let runtime = runtime();
    let mut nodes: Vec<Node> = (0..2).map(|_| Node::start(&runtime, ServerSettings::default())).collect();
    let remote = remote(&runtime, nodes.iter().map(Node::url).collect());
    let engine = remote.speech_to_text(None).expect("starts");
    let mut callers: Vec<Caller> = (0..6).map(|_| Caller::on(engine.as_ref()).expect("a session")).collect();
    for caller in &mut callers {
        caller.says("before and");
        caller.is_heard(2);
    }
    let gone = nodes.remove(0);
    gone.server.rest();
    runtime.block_on(gone.server.stop(Duration::from_secs(5)));
    for caller in &mut callers {
        caller.says("after");
        assert_eq!(caller.finishes().expect("words"), "before and after");
    }
}

#[test]
fn addresses_that_cannot_be_used_are_told_at_the_start() {
    let runtime = runtime();
    let settings = Settings { nodes: vec!["http://192.0.2.1:5070".into()], ..Settings::default() };
    let told = super::super::Remote::start(&settings, runtime.handle()).err().map(|error| error.to_string());
    assert!(told.is_some_and(|told| told.contains("plain text")));
}
