use proptest::prelude::*;

use super::*;
use crate::types::{Callee, Destination};

fn at(ms: u64) -> CallTime {
    CallTime::from_ms(ms)
}

fn callee(name: &str) -> Callee {
    Callee { name: name.to_owned(), to: Destination::Uri(format!("sip:{name}@192.0.2.1")) }
}

fn round(names: &[&str], by_key: bool) -> Round {
    Round { people: names.iter().map(|name| callee(name)).collect(), ring_ms: 20_000, by_key }
}

fn reaching(rounds: Vec<Round>) -> (Reaching, Vec<Effect>) {
    reaching_with(Relayed::Forwarded, rounds)
}

fn reaching_with(relayed: Relayed, rounds: Vec<Round>) -> (Reaching, Vec<Effect>) {
    let plan = Plan { announcement: None, rounds };
    Reaching::new(hand_over::Settings::default(), relayed, plan, at(0), at(50_000))
}

fn called(effects: &[Effect]) -> Vec<(u64, String)> {
    let of = |effect: &Effect| match effect {
        Effect::Call(id, callee) => Some((id.0, callee.name.clone())),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn by_network(most: usize, rounds: Vec<Round>) -> (Reaching, Vec<Effect>) {
    let plan = Plan { announcement: None, rounds }.at_most(most);
    Reaching::by_network(hand_over::Settings::default(), plan, at(0), at(50_000))
}

fn called_at_once(effects: &[Effect]) -> Vec<(Vec<u64>, u64, bool)> {
    let of = |effect: &Effect| match effect {
        Effect::CallAll { people, ring_ms, by_key } => {
            Some((people.iter().map(|(id, _)| id.0).collect(), *ring_ms, *by_key))
        }
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

#[test]
fn a_network_calls_a_round_at_once_and_asks_by_itself() {
    let (mut reaching, effects) =
        by_network(10, vec![round(&["sam", "priya"], true), round(&["marco"], false)]);
    assert_eq!(called_at_once(&effects), [(vec![0, 1], 20_000, true)]);
    assert_eq!(called(&effects), [], "not by us");
    let effects = reaching.handle(at(21_000), Input::NobodyOf(HandOverOutcome::NoAnswer));
    assert_eq!(called_at_once(&effects), [(vec![2], 20_000, false)]);
    let tried = |name: &str| Effect::Tried(name.into(), Some(HandOverOutcome::NoAnswer));
    assert!(effects.contains(&tried("sam")) && effects.contains(&tried("priya")), "{effects:?}");
    let effects = reaching.handle(at(25_000), by(2, hand_over::Input::Answered));
    let expected =
        [Effect::Join(PersonId(2)), Effect::Tried("marco".into(), Some(HandOverOutcome::Answered))];
    assert_eq!(effects, expected);
    assert!(reaching.handle(at(26_000), Input::NobodyOf(HandOverOutcome::Busy)).is_empty(), "too late");
    assert_eq!(reaching.deadline(), None);
}

#[test]
fn a_network_that_calls_one_at_once_calls_one_after_the_other_and_no_longer_than_a_caller_waits() {
    let (mut reaching, effects) = by_network(1, vec![round(&["sam", "priya", "marco"], true)]);
    assert_eq!(called_at_once(&effects), [(vec![0], 20_000, true)]);
    let effects = reaching.handle(at(21_000), Input::NobodyOf(HandOverOutcome::Busy));
    assert_eq!(called_at_once(&effects), [(vec![1], 20_000, true)]);
    let effects = reaching.handle(at(42_000), Input::NobodyOf(HandOverOutcome::Busy));
    assert_eq!(called_at_once(&effects), [(vec![2], 8_000, true)]);
    assert_eq!(reaching.deadline(), Some(at(50_000)));
    let effects = reaching.handle(at(50_000), Input::Tick);
    assert_eq!(effects.last(), Some(&Effect::Nobody), "{effects:?}");
}

#[test]
fn of_people_whom_nobody_may_call_none_is_waited_for() {
    let (mut reaching, _) = by_network(10, vec![round(&["sam", "priya"], true)]);
    assert!(!reaching.handle(at(0), by(0, hand_over::Input::Unreachable)).contains(&Effect::Nobody));
    let effects = reaching.handle(at(0), by(1, hand_over::Input::Unreachable));
    assert_eq!(effects.last(), Some(&Effect::Nobody));
}

const fn by(person: u64, input: hand_over::Input) -> Input {
    Input::Person(PersonId(person), input)
}

#[test]
fn of_all_who_ring_at_once_the_first_to_press_the_key_has_the_call() {
    let (mut reaching, effects) = reaching(vec![round(&["sam", "priya", "marco"], true)]);
    assert_eq!(called(&effects).len(), 3, "all at once");
    assert_eq!(reaching.handle(at(1_000), by(0, hand_over::Input::Answered)), [Effect::Say(PersonId(0))]);
    assert_eq!(reaching.handle(at(2_000), by(1, hand_over::Input::Answered)), [Effect::Say(PersonId(1))]);
    let effects = reaching.handle(at(3_000), by(1, hand_over::Input::Digit('1')));
    let expected = [
        Effect::Release(PersonId(0)),
        Effect::Release(PersonId(2)),
        Effect::Join(PersonId(1)),
        Effect::Tried("priya".into(), Some(HandOverOutcome::Answered)),
    ];
    assert_eq!(effects, expected);
    assert!(reaching.is_together());
    assert!(reaching.handle(at(3_001), by(0, hand_over::Input::Digit('1'))).is_empty(), "too late");
    assert_eq!(reaching.deadline(), None, "they speak as long as they want");
    let effects = reaching.handle(at(90_000), by(1, hand_over::Input::Gone));
    assert_eq!(effects, [Effect::Release(PersonId(1)), Effect::Over]);
}

#[test]
fn one_after_the_other_until_nobody_is_left_and_a_mailbox_gets_no_call() {
    let (mut reaching, effects) = reaching(vec![round(&["sam"], true), round(&["priya"], true)]);
    assert_eq!(called(&effects), [(0, "sam".to_owned())]);
    assert_eq!(reaching.deadline(), Some(at(20_000)));
    let effects = reaching.handle(at(20_000), Input::Tick);
    assert!(effects.contains(&Effect::Tried("sam".into(), Some(HandOverOutcome::NoAnswer))));
    assert_eq!(called(&effects), [(1, "priya".to_owned())]);
    reaching.handle(at(22_000), by(1, hand_over::Input::Answered));
    let effects = reaching.handle(at(24_000), by(1, hand_over::Input::Mailbox));
    let expected = [
        Effect::Release(PersonId(1)),
        Effect::Tried("priya".into(), Some(HandOverOutcome::Voicemail)),
        Effect::Nobody,
    ];
    assert_eq!(effects, expected);
    assert!(reaching.handle(at(24_001), Input::Tick).is_empty());
}

#[test]
fn a_forwarded_call_is_whoever_s_answers_and_comes_back_where_they_are_busy() {
    let (mut reaching, _) = reaching(vec![round(&["elsewhere"], false)]);
    let effects = reaching.handle(at(4_000), by(0, hand_over::Input::Answered));
    assert!(effects.contains(&Effect::Join(PersonId(0))), "{effects:?}");
    let (mut reaching, _) = self::reaching(vec![round(&["elsewhere"], false)]);
    let effects = reaching.handle(at(4_000), by(0, hand_over::Input::Refused(486)));
    assert!(effects.contains(&Effect::Nobody), "{effects:?}");
}

#[test]
fn a_caller_who_gives_up_lets_everybody_go() {
    let (mut reaching, _) = reaching(vec![round(&["sam", "priya"], true), round(&["marco"], true)]);
    let effects = reaching.handle(at(500), Input::Stop);
    assert_eq!(effects, [Effect::Release(PersonId(0)), Effect::Release(PersonId(1))]);
    assert!(reaching.handle(at(600), by(0, hand_over::Input::Answered)).is_empty());
}

#[test]
fn nobody_hears_it_ring_for_longer_than_they_may() {
    let rounds = ["sam", "priya", "marco", "anna"].map(|name| round(&[name], true)).to_vec();
    let (mut reaching, _) = reaching(rounds);
    reaching.handle(at(20_000), Input::Tick);
    reaching.handle(at(40_000), Input::Tick);
    assert_eq!(reaching.deadline(), Some(at(50_000)));
    reaching.handle(at(45_000), by(2, hand_over::Input::Answered));
    let effects = reaching.handle(at(50_000), Input::Tick);
    let tried = Effect::Tried("marco".into(), Some(HandOverOutcome::NoAnswer));
    assert_eq!(effects, [Effect::Release(PersonId(2)), tried, Effect::Nobody]);
    assert_eq!(reaching.deadline(), None);
    // Who has taken the call keeps it.
    let (mut reaching, _) = self::reaching(vec![round(&["sam"], false)]);
    reaching.handle(at(5_000), by(0, hand_over::Input::Answered));
    assert_eq!((reaching.deadline(), reaching.handle(at(60_000), Input::Tick)), (None, Vec::new()));
}

#[test]
fn of_no_people_nobody_takes_the_call() {
    assert_eq!(reaching(Vec::new()).1, [Effect::Nobody]);
    assert_eq!(reaching(vec![round(&[], true)]).1, [Effect::Nobody]);
}

fn any_input() -> impl Strategy<Value = (u64, hand_over::Input)> {
    let input = prop_oneof![
        Just(hand_over::Input::Ringing),
        Just(hand_over::Input::Answered),
        Just(hand_over::Input::Refused(486)),
        Just(hand_over::Input::Unreachable),
        Just(hand_over::Input::Said),
        Just(hand_over::Input::Digit('1')),
        Just(hand_over::Input::Digit('2')),
        Just(hand_over::Input::Mailbox),
        Just(hand_over::Input::Gone),
    ];
    (0..6_u64, input)
}

proptest! {
    /// Whatever happens: nobody is left ringing, at most one is put together with the caller, and in the end the
    /// call is with a person or with the receptionist.
    #[test]
    fn the_caller_is_never_left_alone(
        rounds in proptest::collection::vec((0..3_usize, any::<bool>()), 0..4),
        inputs in proptest::collection::vec((any_input(), 0..9_000_u64), 0..40),
    ) {
        let names = ["a", "b", "c"];
        let rounds = rounds.into_iter().map(|(count, by_key)| round(&names[..count], by_key)).collect();
        let (mut reaching, mut effects) = reaching(rounds);
        let mut now = 0;
        for ((person, input), pause) in inputs {
            now += pause;
            effects.extend(reaching.handle(at(now), by(person, input)));
            effects.extend(reaching.handle(at(now), Input::Tick));
        }
        // Then time alone.
        for _ in 0..200 {
            if let Some(due) = reaching.deadline() {
                effects.extend(reaching.handle(due, Input::Tick));
            }
        }
        let count = |like: fn(&Effect) -> bool| effects.iter().filter(|effect| like(effect)).count();
        let joined = count(|effect| matches!(effect, Effect::Join(_)));
        let nobody = count(|effect| matches!(effect, Effect::Nobody));
        let over = count(|effect| matches!(effect, Effect::Over));
        prop_assert_eq!(joined + nobody, 1);
        prop_assert!(over <= joined);
        let called = count(|effect| matches!(effect, Effect::Call(..)));
        let released = count(|effect| matches!(effect, Effect::Release(_)));
        prop_assert_eq!(called, released + joined - over, "nobody is left ringing");
    }
}

const fn early(person: u64) -> Input {
    Input::EarlyMedia(PersonId(person))
}

#[test]
fn who_forwards_a_call_is_heard_before_the_answer_until_that_line_is_gone() {
    let rounds = || vec![round(&["elsewhere"], false), round(&["sam"], true)];
    let (mut reaching, _) = self::reaching(rounds());
    assert_eq!(reaching.handle(at(500), early(0)), [Effect::LetHear(PersonId(0))]);
    assert!(reaching.handle(at(600), early(0)).is_empty(), "once");
    let effects = reaching.handle(at(900), by(0, hand_over::Input::Refused(486)));
    assert_eq!(effects[..2], [Effect::LetHearNobody, Effect::Release(PersonId(0))]);
    assert_eq!(called(&effects), [(1, "sam".to_owned())]);
    assert!(reaching.handle(at(1_000), early(1)).is_empty(), "who is asked first is not heard first");
    // Who answers takes the place of what was heard.
    let (mut reaching, _) = self::reaching(rounds());
    reaching.handle(at(500), early(0));
    let effects = reaching.handle(at(900), by(0, hand_over::Input::Answered));
    assert!(effects.contains(&Effect::Join(PersonId(0))) && !effects.contains(&Effect::LetHearNobody));
    assert!(reaching.handle(at(950), early(0)).is_empty());
}

#[test]
fn a_line_that_can_not_be_heard_leaves_room_for_another() {
    let (mut reaching, _) = reaching_with(Relayed::Always, vec![round(&["sam", "priya"], true)]);
    assert_eq!(reaching.handle(at(500), early(1)), [Effect::LetHear(PersonId(1))]);
    assert!(reaching.handle(at(500), Input::NotHeard(PersonId(0))).is_empty(), "that is another");
    assert!(reaching.handle(at(550), early(0)).is_empty());
    assert!(reaching.handle(at(600), Input::NotHeard(PersonId(1))).is_empty());
    assert_eq!(reaching.handle(at(700), early(0)), [Effect::LetHear(PersonId(0))]);
    let effects = reaching.handle(at(900), by(1, hand_over::Input::Gone));
    assert!(!effects.contains(&Effect::LetHearNobody), "the other is heard on: {effects:?}");
}

#[test]
fn of_several_one_is_heard_and_not_what_we_tell_them() {
    let (mut reaching, _) = reaching_with(Relayed::Always, vec![round(&["sam", "priya"], true)]);
    assert_eq!(reaching.handle(at(500), early(1)), [Effect::LetHear(PersonId(1))]);
    assert!(reaching.handle(at(600), early(0)).is_empty());
    let effects = reaching.handle(at(900), by(1, hand_over::Input::Answered));
    assert_eq!(effects, [Effect::LetHearNobody, Effect::Say(PersonId(1))]);
    assert!(reaching.handle(at(950), early(1)).is_empty(), "it has answered");
    let (mut reaching, _) = reaching_with(Relayed::Never, vec![round(&["elsewhere"], false)]);
    assert!(reaching.handle(at(500), early(0)).is_empty());
    // At the end of the time all of it is over.
    let (mut reaching, _) =
        reaching_with(Relayed::Always, vec![Round { ring_ms: 90_000, ..round(&["sam"], true) }]);
    reaching.handle(at(500), early(0));
    let effects = reaching.handle(at(50_000), Input::Tick);
    assert_eq!((effects.first(), effects.last()), (Some(&Effect::LetHearNobody), Some(&Effect::Nobody)));
}
