//! Places that are kept on other nodes for calls that are not answered yet.

use std::sync::Arc;

use super::fixture::{Caller, Node, Wire, remote, runtime, wait_for};
use crate::Error;
use crate::batching::Tenant;
use crate::engine::place::reserved;
use crate::engine::{Place, SpeechToText};
use crate::remote::ServerSettings;
use crate::scripted::{self, Control, Recogniser};

/// An ear with so many places.
fn ear(sessions: usize) -> scripted::Settings {
    scripted::Settings { sessions, ..scripted::Settings::default() }
}

fn kept(engine: &dyn SpeechToText, call: u64) -> Result<Place, Error> {
    reserved(engine, Tenant(call))
}

#[test]
fn peer_places_are_kept_by_the_engines_of_all_nodes_and_no_further_call_gets_one() {
    let runtime = runtime();
    let nodes = [1, 2].map(|places| Node::of(&runtime, ServerSettings::default(), ear(places)));
    let remote = remote(&runtime, nodes.iter().map(Node::url).collect());
    let engine = remote.speech_to_text(None).expect("starts");
    let mut places: Vec<Place> = (0..3).map(|call| kept(engine.as_ref(), call).expect("a place")).collect();
    assert_eq!(kept(engine.as_ref(), 3).err(), Some(Error::Full { engine: "remote", limit: 2 }));
    assert_eq!(nodes.each_ref().map(|node| node.server.open().0), [1, 2], "held before anybody is heard");
    let mut callers: Vec<Caller> =
        places.iter().map(|place| Caller::at(engine.as_ref(), place).expect("heard")).collect();
    for (at, caller) in callers.iter_mut().enumerate() {
        caller.says(&format!("caller number {at}"));
        assert_eq!(caller.finishes().expect("words"), format!("caller number {at}"));
    }
    assert!(kept(engine.as_ref(), 3).is_err(), "they speak where their places were");
    drop((callers.pop(), places.pop()));
    wait_for("the place to be free", || nodes.iter().map(|node| node.server.open().0).sum::<u32>() == 2);
    // The node that was full is known to have room when it was looked at again, or asked.
    wait_for("a place", || kept(engine.as_ref(), 3).is_ok());
}

#[test]
fn peer_a_call_that_is_never_answered_gives_its_place_back() {
    let runtime = runtime();
    let node = Node::of(&runtime, ServerSettings { kept_ms: 200, ..ServerSettings::default() }, ear(1));
    let remote = remote(&runtime, vec![node.url()]);
    let engine = remote.speech_to_text(None).expect("starts");
    let place = kept(engine.as_ref(), 0).expect("a place");
    drop(place);
    wait_for("the place of a caller who hung up", || node.server.open().0 == 0);
    let place = kept(engine.as_ref(), 0).expect("a place");
    wait_for("the place of one that rings for ever", || node.server.open().0 == 0);
    let mut caller = Caller::at(engine.as_ref(), &place).expect("is carried on");
    caller.says("hello after all");
    assert_eq!(caller.finishes().expect("words"), "hello after all");
}

#[test]
fn peer_a_kept_place_on_a_node_that_dies_is_no_loss_while_there_is_another() {
    let runtime = runtime();
    let nodes = [1, 1].map(|places| Node::of(&runtime, ServerSettings::default(), ear(places)));
    let wires = [0, 1].map(|at: usize| Wire::to(&runtime, nodes[at].server.address()));
    let remote = remote(&runtime, wires.iter().map(Wire::url).collect());
    let engine = remote.speech_to_text(None).expect("starts");
    let place = kept(engine.as_ref(), 0).expect("a place");
    let holder = usize::from(nodes[0].server.open().0 == 0);
    wires[holder].cut();
    let mut caller = Caller::at(engine.as_ref(), &place).expect("heard");
    caller.says("still here");
    assert_eq!(caller.finishes().expect("words"), "still here");
}

#[test]
fn peer_nodes_that_do_not_work_are_no_reason_to_refuse_and_full_ones_are_unless_this_node_hears() {
    let runtime = runtime();
    let node = Node::of(&runtime, ServerSettings::default(), ear(1));
    let wire = Wire::to(&runtime, node.server.address());
    let remote = remote(&runtime, vec![wire.url()]);
    let engine = remote.speech_to_text(None).expect("starts");
    let own = Recogniser::start(ear(1), Control::default()).expect("starts");
    let backed = remote.speech_to_text(Some(Arc::new(own))).expect("starts");
    let there = kept(engine.as_ref(), 0).expect("a place");
    assert_eq!(kept(engine.as_ref(), 1).err(), Some(Error::Full { engine: "remote", limit: 1 }));
    let here = kept(backed.as_ref(), 1).expect("a place here");
    assert!(matches!(kept(backed.as_ref(), 2).err(), Some(Error::Full { engine: "scripted", .. })));
    let mut caller = Caller::at(backed.as_ref(), &here).expect("heard");
    caller.says("good morning");
    assert_eq!(caller.finishes().expect("words"), "good morning");
    drop(there);
    wire.cut();
    wait_for("the node to be given up", || {
        kept(engine.as_ref(), 3).is_ok_and(|place| Caller::at(engine.as_ref(), &place).is_err())
    });
}
