//! What is found, in which order, and never anybody else's.

use proptest::prelude::*;

use super::*;
use crate::storage::Cursor;
use crate::storage::search::{Error, Piece};

async fn two_businesses() -> World {
    let world = World::new(quick()).await;
    world.ends(&call("barbers", 1), &["I'd like a haircut on Monday.", "That is booked."]).await;
    world.ends(&call("barbers", 2), &["Do you take walk ins?", "We do, and on Mondays, too."]).await;
    world.ends(&call("barbers", 3), &["Un café s'il vous plaît", "in on walks"]).await;
    world.ends(&call("plumbers", 4), &["A secret haircut on Monday under the sink"]).await;
    world.settles().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn words_in_all_their_forms_phrases_choices_and_exclusions() {
    let world = two_businesses().await;
    for (words, expected) in [
        ("haircut", &[1][..]),
        ("MONDAY", &[1, 2]),
        ("booking", &[1]),
        ("cafe", &[3]),
        ("walk", &[2, 3]),
        ("\"walk ins\"", &[2]),
        ("walk-ins", &[2]),
        ("\"haircut booked\"", &[]),
        ("monday -haircut", &[2]),
        ("haircut OR café", &[1, 3]),
        ("monday haircut OR walk", &[1, 2]),
        ("-monday", &[3]),
        ("the haircut", &[1]),
        ("beard", &[]),
    ] {
        assert_eq!(world.found("barbers", words).await, expected.iter().copied().collect(), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_shows_the_line_with_the_words_marked() {
    let world = two_businesses().await;
    let found = world.ask("barbers", "mondays", Filters::default()).await.expect("an answer");
    let shown: Vec<String> = found
        .hits
        .iter()
        .filter_map(|hit| hit.line.as_ref())
        .map(|line| {
            let mark = |piece: &Piece| if piece.found { "*" } else { "" };
            line.pieces.iter().map(|piece| format!("{}{}", mark(piece), piece.text.reveal())).collect()
        })
        .collect();
    assert_eq!(shown, ["We do, and on *Mondays, too.", "I'd like a haircut on *Monday."]);
    assert!(found.complete && found.next.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_hold_together_and_without_words() {
    let world = World::new(quick()).await;
    let mut other = call("barbers", 2);
    other.caller = Some(number("+441632960999"));
    other.heading = Heading::Booked;
    other.outcome = Some(Outcome { result: CallResult::Client, reason: EndReason::CallerHungUpMidway });
    other.recording = Some(Default::default());
    world.ends(&call("barbers", 1), &["haircut"]).await;
    world.ends(&other, &["haircut"]).await;
    world.ends(&CallRecord { caller: None, ..call("barbers", 3) }, &[]).await;
    world.settles().await;
    let of = |filters| {
        let world = &world;
        async move { numbers(&world.ask("barbers", "", filters).await.expect("an answer")) }
    };
    let none = Filters::default;
    let caller = |text| Filters { caller: Some(number(text)), ..none() };
    assert_eq!(of(caller("+441632960999")).await, [2].into());
    assert_eq!(of(caller("+44163296012")).await, [].into());
    assert_eq!(of(Filters { outcome: "success".parse().ok(), ..none() }).await, [1, 3].into());
    assert_eq!(of(Filters { outcome: "caller_hung_up_midway".parse().ok(), ..none() }).await, [2].into());
    assert_eq!(of(Filters { tag: "booked".parse().ok(), ..none() }).await, [2].into());
    assert_eq!(of(Filters { tag: "recorded".parse().ok(), ..none() }).await, [2].into());
    assert_eq!(of(Filters { from: Some(at(2)), ..none() }).await, [2, 3].into());
    assert_eq!(of(Filters { from: Some(at(2)), until: Some(at(3)), ..none() }).await, [2].into());
    let both = Filters { tag: "booked".parse().ok(), ..caller("+441632960123") };
    assert_eq!(of(both).await, [].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_without_an_answer_say_why() {
    let world = two_businesses().await;
    for (words, told) in [
        ("", "no words"),
        ("the and of", "nearly every call"),
        ("\"haircut", "never closed"),
        ("haircut OR", "both sides"),
    ] {
        let error = world.ask("barbers", words, Filters::default()).await.expect_err("a mistake");
        assert!(
            matches!(error, Error::Question { .. }) && error.to_string().contains(told),
            "{words}: {error}"
        );
    }
    let question = Question {
        tenant: TenantId::new("barbers"),
        words: "monday".into(),
        filters: Filters::default(),
        order: Order::Newest,
        page: Page { after: Some(Cursor("b7".to_owned())), limit: 1 },
    };
    assert!(matches!(world.search.find(question).await, Err(Error::Question { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_give_each_call_once_while_others_come() {
    let world = World::new(quick()).await;
    // Several began in the same moment.
    for id in 0..25_u32 {
        let record = CallRecord { started_at: at(i64::from(id / 4)), ..call("barbers", u128::from(id)) };
        world.ends(&record, &["haircut", if id % 2 == 0 { "haircut" } else { "beard" }]).await;
    }
    world.settles().await;
    for order in [Order::Newest, Order::Best] {
        let (mut seen, mut page) = (Vec::new(), Page::first(4));
        loop {
            let question = Question {
                tenant: TenantId::new("barbers"),
                words: "haircut".into(),
                filters: Filters::default(),
                order,
                page: page.clone(),
            };
            let found = world.search.find(question).await.expect("an answer");
            seen.extend(found.hits.iter().map(|hit| (hit.record.started_at, hit.record.id)));
            let Some(next) = found.next else { break };
            page.after = Some(next);
            if order == Order::Newest {
                let newer = 1_000 + u128::try_from(seen.len()).expect("small");
                world.ends(&call("barbers", newer), &["haircut"]).await;
                world.settles().await;
            }
        }
        seen.retain(|(_, id)| id.as_uuid().as_u128() < 1_000);
        if order == Order::Newest {
            assert!(seen.is_sorted_by(|one, next| one > next), "newest first: {seen:?}");
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 25, "{order:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_words_reach_another_business() {
    let world = two_businesses().await;
    for words in [
        "secret",
        "tenant:plumbers",
        "tenant:plumbers OR secret",
        "-tenant:barbers",
        "secret OR -haircut",
        "+tenant:plumbers +words:secret",
        "*",
        "words:*",
        "/.*/",
        "[* TO *]",
        "haircut) OR (tenant:plumbers",
        "\"secret haircut\" OR \"under the sink\"",
        "haircut~2 OR sec*",
        "tenant: IN [plumbers]",
        "barbers\u{0}plumbers",
    ] {
        for tenant in ["barbers", "nobody", ""] {
            let found = world.ask(tenant, words, Filters::default()).await;
            let numbers = found.as_ref().map(numbers).unwrap_or_default();
            assert!(!numbers.contains(&4), "{words} of {tenant:?}");
            assert!(tenant == "barbers" || numbers.is_empty(), "{words} of {tenant:?}");
        }
    }
    assert_eq!(world.found("plumbers", "secret").await, [4].into());
    // A caller of both is told apart, too.
    let filters = Filters { caller: Some(number("+441632960123")), ..Filters::default() };
    assert_eq!(numbers(&world.ask("barbers", "", filters).await.expect("an answer")), [1, 2, 3].into());
}

#[test]
fn whatever_is_asked_is_asked_of_one_business() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(two_businesses());
    let words = proptest::collection::vec(
        prop_oneof![
            Just("secret".to_owned()),
            Just("OR".to_owned()),
            Just("tenant:plumbers".to_owned()),
            "[-\"()*:+ ~^a-z]{0,8}",
            "\\PC{0,6}",
        ],
        0..6,
    );
    proptest!(ProptestConfig::with_cases(200), |(words in words)| {
        if let Ok(found) = runtime.block_on(world.ask("barbers", &words.join(" "), Filters::default())) {
            prop_assert!(found.hits.iter().all(|hit| hit.record.tenant.as_str() == "barbers"));
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_another_business_s_by_now_is_not_shown() {
    let world = two_businesses().await;
    world.store.put_call(&call("plumbers", 1)).await.expect("writes");
    assert_eq!(world.found("barbers", "haircut").await, [].into());
}
