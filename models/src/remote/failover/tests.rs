//! Random nodes that die, and random callers: what is told is what was said, once.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::engine::{Heard, RecogniserEvent, Word};

/// Samples of one word; each sample of it is the word's number.
const WORD: usize = 100;

/// An engine that hears a word where its last sample is there. The last word it is not sure of.
#[derive(Default)]
struct Ear {
    turn: u64,
    heard: Vec<i16>,
    says: VecDeque<Said>,
}

impl Ear {
    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Audio(samples) => {
                let before = self.words().len();
                self.heard.extend(samples);
                let words = self.words();
                if words.len() > before {
                    let heard = Heard { stable_words: words.len() - 1, words };
                    self.says.push_back(Said::Partial { turn: self.turn, heard });
                }
            }
            Piece::Finish(turn) => {
                assert_eq!(turn, self.turn, "a node's turns are counted from 0");
                let words = self.words();
                let heard = Heard { stable_words: words.len(), words };
                self.says.push_back(Said::Final { turn, heard });
                self.turn += 1;
                self.heard.clear();
            }
            Piece::Mark(_) | Piece::Expect(_) => {}
        }
    }

    /// A word is told from the samples, wherever in it the hearing begins: most of it must be there.
    fn words(&self) -> Vec<Word> {
        let mut words = Vec::new();
        let mut rest = self.heard.as_slice();
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|sample| *sample == first).count();
            if count > WORD / 2 {
                words.push(Word { text: first.to_string(), confidence: 1.0, times_ms: None });
            }
            rest = &rest[count..];
        }
        words
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// The caller says so many samples more.
    Speak(usize),
    Finish,
    /// So many pieces go to the node, and it says so many things.
    Serve {
        pieces: usize,
        says: usize,
    },
    NodeDies,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (20_usize..400).prop_map(Step::Speak),
        1 => Just(Step::Finish),
        6 => (0_usize..6, 0_usize..4).prop_map(|(pieces, says)| Step::Serve { pieces, says }),
        1 => Just(Step::NodeDies),
    ];
    proptest::collection::vec(step, 1..120)
}

/// The caller, the listener and the node of the moment.
struct Call {
    replay: Replay,
    ear: Ear,
    spoken: usize,
    /// The samples of each turn.
    turns: Vec<Vec<i16>>,
    finals: Vec<Vec<String>>,
    told: Vec<Word>,
    stable: usize,
}

impl Call {
    fn new(held_max: usize) -> Self {
        Self {
            replay: Replay::new(held_max),
            ear: Ear::default(),
            spoken: 0,
            turns: vec![Vec::new()],
            finals: Vec::new(),
            told: Vec::new(),
            stable: 0,
        }
    }

    fn speak(&mut self, count: usize) {
        let samples: Vec<i16> = (self.spoken..self.spoken + count).map(|at| (at / WORD) as i16).collect();
        self.spoken += count;
        self.turns.last_mut().expect("a turn").extend(&samples);
        self.replay.hear(&samples);
    }

    fn finish(&mut self) {
        // Turns begin with words of their own.
        self.spoken = self.spoken.next_multiple_of(WORD);
        let number = self.turns.len() as u64 - 1 + 40;
        self.replay.finish(number);
        self.turns.push(Vec::new());
    }

    fn serve(&mut self, pieces: usize, says: usize) {
        for _ in 0..pieces {
            let Some(piece) = self.replay.next(77) else { break };
            self.ear.take(piece);
        }
        for _ in 0..says {
            let Some(said) = self.ear.says.pop_front() else { break };
            if let Some(event) = self.replay.on(said) {
                self.hears(event);
            }
        }
    }

    fn hears(&mut self, event: RecogniserEvent) {
        match event {
            RecogniserEvent::Partial { heard, .. } => {
                let kept = self.told.get(..self.stable).expect("was told");
                assert_eq!(heard.words.get(..self.stable), Some(kept), "what is stable stays");
                assert!(heard.stable_words >= self.stable && heard.stable_words <= heard.words.len());
                (self.told, self.stable) = (heard.words, heard.stable_words);
            }
            RecogniserEvent::Final { turn, heard } => {
                assert_eq!(turn, self.finals.len() as u64 + 40, "every turn once and in order");
                assert_eq!(heard.words.get(..self.stable), self.told.get(..self.stable));
                self.finals.push(heard.words.into_iter().map(|word| word.text).collect());
                (self.told, self.stable) = (Vec::new(), 0);
            }
            RecogniserEvent::EndOfTurn { .. } | RecogniserEvent::Failed(_) => unreachable!(),
        }
    }

    fn dies(&mut self) {
        self.ear = Ear::default();
        self.replay.rewind();
    }

    /// The turns' words, as they would be heard by a node that lives.
    fn truth(&self) -> Vec<Vec<String>> {
        let words = |samples: &Vec<i16>| {
            let ear = Ear { heard: samples.clone(), ..Ear::default() };
            ear.words().into_iter().map(|word| word.text).collect()
        };
        self.turns.iter().map(words).collect()
    }

    fn run(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Speak(count) => self.speak(*count),
                Step::Finish => self.finish(),
                Step::Serve { pieces, says } => self.serve(*pieces, *says),
                Step::NodeDies => self.dies(),
            }
        }
        self.finish();
        while self.replay.has_unsent() || !self.ear.says.is_empty() {
            self.serve(1_000, 1_000);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_turn_s_words_are_final_once_whoever_dies(steps in steps()) {
        let mut call = Call::new(usize::MAX);
        call.run(&steps);
        let mut truth = call.truth();
        prop_assert_eq!(truth.pop(), Some(Vec::new()), "the turn after the last");
        prop_assert_eq!(&call.finals, &truth);
        prop_assert_eq!(call.replay.held, 0);
        prop_assert_eq!(call.replay.take_lost(), 0);
    }

    /// Of three nodes that die in a turn whose beginning is no longer held, the fourth may tell a word again: it begins
    /// in the middle of one that the others told later, and nothing of what it hears first was told.
    #[test]
    fn what_is_held_is_bounded_and_no_word_comes_twice_where_two_nodes_die(steps in steps()) {
        let mut deaths = 0;
        let few = |step: &Step| {
            deaths += u32::from(matches!(step, Step::NodeDies));
            !matches!(step, Step::NodeDies) || deaths <= 2
        };
        let steps: Vec<Step> = steps.into_iter().filter(few).collect();
        let mut call = Call::new(8 * WORD);
        call.run(&steps);
        prop_assert!(call.replay.held <= 8 * WORD);
        for (said, truth) in call.finals.iter().zip(call.truth()) {
            let mut truth = truth.iter();
            for word in said {
                prop_assert!(truth.any(|other| other == word), "{:?} in order, each once", said);
            }
        }
    }

    #[test]
    fn a_bound_beyond_what_a_node_lags_loses_nothing(
        cuts in proptest::collection::vec((1_usize..12, any::<bool>()), 1..6)
    ) {
        let mut call = Call::new(8 * WORD);
        for (words, dies) in cuts {
            for _ in 0..words {
                call.speak(WORD);
                call.serve(10, 10);
            }
            if dies {
                call.dies();
                call.serve(100, 100);
            }
        }
        call.run(&[]);
        prop_assert_eq!(&call.finals[0], &call.truth()[0]);
    }

    #[test]
    fn nodes_that_are_out_are_left_alone_until_they_answer(
        events in proptest::collection::vec((0_usize..4, 0_u8..6, any::<u64>()), 1..200)
    ) {
        let backoff = Backoff {
            first: Duration::from_millis(200),
            most: Duration::from_secs(5),
            every: Duration::from_secs(1),
        };
        let mut nodes = Nodes::new(4, backoff);
        let mut out = [false; 4];
        let mut now = Duration::ZERO;
        for (place, what, dice) in events {
            now += Duration::from_millis(dice % 700);
            match what {
                0 => {
                    nodes.failed(place, now, dice);
                    out[place] = true;
                }
                1 => {
                    nodes.looked(place, now, true, Load { open: (dice % 5) as usize, most: 5 });
                    out[place] = false;
                }
                2 => nodes.opened(place),
                3 => nodes.closed(place),
                4 => {
                    let due = nodes.due(now, Duration::from_secs(1));
                    let again = nodes.due(now, Duration::from_secs(1));
                    prop_assert!(again.is_empty(), "{:?} after {:?}", again, due);
                }
                _ => {
                    let mut tried = Vec::new();
                    while let Some(next) = nodes.pick(dice, &tried) {
                        prop_assert!(!out[next] && !tried.contains(&next));
                        tried.push(next);
                    }
                    prop_assert_eq!(tried.len(), out.iter().filter(|out| !**out).count());
                }
            }
        }
        // Whoever is out is looked at in the end.
        let due = nodes.due(now + Duration::from_secs(60), Duration::from_secs(1));
        prop_assert_eq!(due, vec![0, 1, 2, 3]);
    }
}

#[test]
fn the_less_loaded_of_two_takes_the_stream() {
    let backoff = Backoff { first: Duration::ZERO, most: Duration::ZERO, every: Duration::from_secs(1) };
    let mut nodes = Nodes::new(3, backoff);
    let mut streams = [0_usize; 3];
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..300 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = nodes.pick(dice >> 16, &[]).expect("all are well");
        nodes.opened(place);
        streams[place] += 1;
    }
    assert!(streams.iter().all(|count| (85..=115).contains(count)), "{streams:?}");
    let full = Load { open: 10, most: 10 };
    nodes.looked(0, Duration::ZERO, true, full);
    nodes.looked(1, Duration::ZERO, true, Load { open: 9, most: 10 });
    nodes.looked(2, Duration::ZERO, false, Load { open: 0, most: 10 });
    assert_eq!(nodes.pick(7, &[]), Some(1), "one is full and one rests");
    assert_eq!(nodes.pick(7, &[1]), Some(0), "the full one last");
    assert_eq!(nodes.pick(7, &[0, 1]), None);
}

#[test]
fn a_node_that_answers_looks_and_fails_at_its_work_is_asked_less_and_less() {
    let every = Duration::from_secs(1);
    let backoff = Backoff { first: Duration::from_millis(200), most: Duration::from_secs(5), every };
    let mut nodes = Nodes::new(1, backoff);
    let (mut now, mut waits) = (Duration::ZERO, Vec::new());
    for _ in 0..8 {
        assert!(nodes.failed(0, now, 0), "it was asked");
        let failed_at = now;
        while nodes.due(now, every).is_empty() {
            now += Duration::from_millis(10);
        }
        waits.push((now - failed_at).as_millis());
        nodes.looked(0, now, true, Load { open: 0, most: 1 });
        assert_eq!(nodes.pick(0, &[]), Some(0), "it is back");
    }
    assert_eq!(waits, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    // Once it is well from one look to the next all is forgiven.
    nodes.looked(0, now, true, Load { open: 0, most: 1 });
    nodes.failed(0, now, 0);
    assert!(!nodes.due(now + Duration::from_millis(200), every).is_empty());
}
