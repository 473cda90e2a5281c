//! Utterances said elsewhere, whoever dies; and nothing of them twice.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{Node, PATIENCE, Wire, plays, remote, runtime, speaks};
use crate::audio::TELEPHONE_HZ;
use crate::engine::{SpeakRequest, TextToSpeech};
use crate::remote::ServerSettings;
use crate::scripted::{Control, Fault, Voice, tone_code};
use crate::{SpeakingSettings, clock};

const TEXT: &str = "We are open from nine to five on every day of the week but Sunday and Monday.";

/// Places that a node has taken for utterances.
fn speaking_at(node: &Node) -> u32 {
    node.server.open().1
}

fn truth() -> (Vec<i16>, Vec<u32>) {
    let voice = Voice::start(SpeakingSettings::default(), Control::default()).expect("starts");
    plays(speaks(&voice, TEXT).expect("speaks"), |_| {})
}

#[test]
fn peer_an_utterance_sounds_elsewhere_as_here() {
    let runtime = runtime();
    let node = Node::start(&runtime, ServerSettings::default());
    let remote = remote(&runtime, vec![node.url()]);
    let engine = remote.text_to_speech(None);
    let played = plays(speaks(engine.as_ref(), TEXT).expect("speaks"), |_| {});
    assert_eq!(played, truth());
    assert_eq!(node.control.spoken(), [TEXT]);
    let empty = plays(speaks(engine.as_ref(), "").expect("speaks"), |_| {});
    assert_eq!(empty.1, Vec::<u32>::new());
}

#[test]
fn peer_an_utterance_goes_on_at_the_very_sample_when_its_node_is_cut_off() {
    let runtime = runtime();
    let nodes = [(); 2].map(|()| Node::start(&runtime, ServerSettings::default()));
    let wires = [0, 1].map(|at: usize| Wire::to(&runtime, nodes[at].server.address()));
    let (samples, words) = truth();
    for round in 0..6 {
        let remote = remote(&runtime, wires.iter().map(Wire::url).collect());
        let engine = remote.text_to_speech(None);
        let speech = speaks(engine.as_ref(), TEXT).expect("speaks");
        let mut is_cut = false;
        let played = plays(speech, |so_far| {
            if !is_cut && so_far > 3_000 + 1_777 * round {
                is_cut = true;
                // Whichever says it; the other has nothing to lose.
                let says = usize::from(speaking_at(&nodes[0]) == 0);
                wires[says].snap();
            }
        });
        assert_eq!(played.1, words, "round {round}");
        assert!(played.0 == samples, "round {round}: {} samples of {}", played.0.len(), samples.len());
    }
}

#[test]
fn peer_this_node_s_own_voice_says_the_rest() {
    let runtime = runtime();
    let node = Node::start(&runtime, ServerSettings::default());
    let wire = Wire::to(&runtime, node.server.address());
    let remote = remote(&runtime, vec![wire.url()]);
    let own: Arc<dyn TextToSpeech> =
        Arc::new(Voice::start(SpeakingSettings::default(), Control::default()).expect("starts"));
    let engine = remote.text_to_speech(Some(own));
    let speech = speaks(engine.as_ref(), TEXT).expect("speaks");
    let mut is_cut = false;
    let played = plays(speech, |so_far| {
        if !is_cut && so_far > 8_000 {
            is_cut = true;
            wire.cut();
        }
    });
    assert!(played == truth());
    // The next is said here at once, as there is nobody else.
    let again = speaks(engine.as_ref(), TEXT).expect("speaks");
    assert!(plays(again, |_| {}) == truth());
}

#[test]
fn peer_whoever_hangs_up_stops_the_voice_at_its_node() {
    let runtime = runtime();
    let node = Node::start(&runtime, ServerSettings::default());
    let remote = remote(&runtime, vec![node.url()]);
    let engine = remote.text_to_speech(None);
    let long = "and so on ".repeat(100);
    let speech = speaks(engine.as_ref(), &long).expect("speaks");
    // It is not said to its end before somebody listens: the player's lead and the windows are all that is fetched.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(speaking_at(&node), 1, "it waits for its listener");
    drop(speech);
    let until = clock::now() + PATIENCE;
    while speaking_at(&node) > 0 {
        assert!(clock::now() < until, "the node still speaks to nobody");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Before its first sample the holder's end cancels it.
    node.control.inject(Fault::HangSpeech);
    let request = SpeakRequest { text: "never".into(), ..SpeakRequest::default() };
    let speaking = engine.speak(request, Box::new(|_| panic!("it was cancelled"))).expect("starts");
    while speaking_at(&node) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(speaking);
    while speaking_at(&node) > 0 {
        assert!(clock::now() < until, "the node still speaks to nobody");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn peer_a_voice_that_fails_or_hangs_is_another_node_s_to_say() {
    let runtime = runtime();
    let nodes = [(); 2].map(|()| Node::start(&runtime, ServerSettings::default()));
    let remote = remote(&runtime, nodes.iter().map(Node::url).collect());
    let engine = remote.text_to_speech(None);
    for fault in [Fault::FailSpeech, Fault::SpeakFull, Fault::HangSpeech] {
        nodes[0].control.inject(fault);
        for word in ["one", "two", "three", "four"] {
            let said = format!("{word} {fault:?}");
            let played = plays(speaks(engine.as_ref(), &said).expect("speaks"), |_| {});
            assert_eq!(played.0, tone_code::encode(&said, TELEPHONE_HZ).0);
        }
        nodes[0].control.clear();
    }
}
