//! One call in the place of another, by the wire: INVITE with Replaces, and REFER.

use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event};
use actors::types::{Destination, EndReason};
use cluster::edge::sip_trunk::{Carrier, Settings, Trunk};
use models::audio::{Clip, Speech};
use tokio::time::Instant;

use super::arriving::person;
use super::desk::{self, ANSWERS, RINGS};
use super::dialling::{ear, until};
use super::end::End;
use super::sipp::scenario;
use super::tones::tone;
use super::wire::{is, to_tag};
use super::{quiet, settings};

/// How long a refused INVITE of ours is remembered (RFC 3261 section 17.1.1.2, timer D), and a little more.
pub(super) const REFUSED: Duration = Duration::from_secs(40);

/// Waits until no call is left.
pub(super) async fn over(trunk: &Trunk) {
    let until = Instant::now() + Duration::from_secs(10);
    while trunk.counts().dialogs > 0 {
        assert!(Instant::now() < until, "left behind: {:?}", trunk.counts());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn speech(seconds: u32) -> Command {
    let clip = Clip::with_estimated_words(8_000, tone(8_000, 440.0, seconds).into(), "a tone");
    Command::Play { utterance: UtteranceId(1), speech: Speech::clip(clip) }
}

pub(super) fn named(name: &str, address: &str) -> Carrier {
    Carrier {
        name: name.to_owned(),
        addresses: vec![address.to_owned()],
        user: String::new(),
        password: actors::types::Private::new(String::new()),
        numbers: Vec::new(),
        account: None,
        srtp: None,
        srtp_keys: None,
        offers: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_with_whoever_takes_the_place_of_its_caller() {
    let (trunk, media, desk) = desk::open(Settings { shards: 4, ..settings() }).await;
    let mut before = End::at("127.0.0.1", &trunk, "first").await;
    assert!(is(&before.invite("").await, 200));
    super::rfc3665::up(&desk, 1).await;
    desk.command(ANSWERS, speech(60));
    assert!(before.hears().await);
    let held = before.request("INVITE", 2, "", &(before.sdp() + "a=sendonly\r\n"));
    before.send(held).await;
    assert!(before.next("SIP/2.0 200").await.contains("a=recvonly"));
    let ack = before.request("ACK", 2, "", "");
    before.send(ack).await;
    // With eight Call-IDs and four shards, some are of the same shard as the first and some are not.
    for turn in 0..8 {
        let mut next = End::at("127.0.0.1", &trunk, &format!("next{turn}")).await;
        let answer = next.invite(&before.replaces()).await;
        assert!(is(&answer, 200) && answer.contains("replaces"), "{turn}: {answer}");
        let bye = before.next("BYE ").await;
        before.answer(&bye, 200, "", "").await;
        assert!(next.hears().await, "{turn}: what was being said goes on");
        // Late, after its ACK: it is no new call and takes nothing.
        let invite = next.request("INVITE", 1, &before.replaces(), &next.sdp());
        let again = invite.replace(&format!(";tag={}\r\nCall-ID", next.theirs), "\r\nCall-ID");
        next.send(again).await;
        assert!(next.is_silent().await, "{turn}");
        assert!(is(&next.ask("OPTIONS", "").await, 200), "{turn}: the new dialog is reached");
        assert!(is(&before.ask("OPTIONS", "").await, 481), "{turn}: the old one is gone");
        before = next;
    }
    assert_eq!((trunk.counts().dialogs, media.counts().sessions, desk.legs()), (1, 1, 1));
    assert!(is(&before.ask("BYE", "").await, 200));
    quiet(&trunk, Duration::from_secs(20)).await;
    let told = &desk.calls(ANSWERS)[0];
    let count = |what: &dyn Fn(&Event) -> bool| told.iter().filter(|event| what(event)).count();
    assert_eq!(count(&|event| *event == Event::Established), 1, "{told:?}");
    let holds: Vec<&Event> = told.iter().filter(|event| matches!(event, Event::Held(_))).collect();
    assert_eq!(holds, [&Event::Held(true), &Event::Held(false)], "who takes it over does not hold it");
    assert_eq!(told.last(), Some(&Event::Ended(EndReason::CallerHungUp)));
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_replaced_is_refused_and_goes_on_as_it_was() {
    let (trunk, _media, desk) = desk::open(settings()).await;
    let mut call = End::at("127.0.0.1", &trunk, "victim").await;
    assert!(is(&call.invite("").await, 200));
    let mut ringing = End::at("127.0.0.1", &trunk, "ringing").await;
    ringing.sequence = 1;
    let invite = ringing
        .request("INVITE", 1, "", &ringing.sdp())
        .replace(&format!("INVITE sip:{ANSWERS}@"), &format!("INVITE sip:{RINGS}@"));
    ringing.send(invite).await;
    ringing.theirs = to_tag(&ringing.next("SIP/2.0 180").await).trim_start_matches(";tag=").trim().to_owned();
    let named = call.replaces();
    let wrong_tags = named.replace(&call.theirs, "0011223344556677");
    let swapped = format!("Replaces: victim;to-tag={};from-tag={}\r\n", call.tag, call.theirs);
    let early_only = named.replace("\r\n", ";early-only\r\n");
    for (number, (host, replaces, status)) in [
        ("127.0.0.1", "Replaces: nobody;to-tag=1;from-tag=2\r\n".to_owned(), 481),
        ("127.0.0.1", wrong_tags, 481),
        ("127.0.0.1", swapped, 481),
        ("127.0.0.1", early_only, 486),
        ("127.0.0.1", ringing.replaces(), 481),
        ("127.0.0.2", named.clone(), 403),
        ("127.0.0.1", format!("{named}{named}"), 400),
        ("127.0.0.1", format!("{named}Join: a;to-tag=1;from-tag=2\r\n"), 400),
    ]
    .into_iter()
    .enumerate()
    {
        let mut thief = End::at(host, &trunk, &format!("thief{number}")).await;
        let answer = thief.invite(&replaces).await;
        assert!(is(&answer, status), "{replaces}: {answer}");
    }
    // What we can't speak takes nobody's place either.
    let mut thief = End::at("127.0.0.1", &trunk, "fax").await;
    thief.sequence = 1;
    let fax = thief.request("INVITE", 1, &named, &thief.sdp().replace("RTP/AVP 0", "RTP/AVP 3"));
    thief.send(fax).await;
    assert!(is(&thief.next("SIP/2.0 4").await, 488));
    // Nor does a stranger lead its messages astray by its Call-ID, whatever shard the nonsense is of.
    for number in 0..8 {
        let mut thief = End::at("127.0.0.1", &trunk, "victim").await;
        (thief.tag, thief.sequence) = (format!("thief{number}"), 10 + number);
        let answer = thief.invite(&format!("Replaces: none{number};to-tag=1;from-tag=2\r\n")).await;
        assert!(is(&answer, 481) || is(&answer, 482), "{answer}");
        assert!(is(&call.ask("OPTIONS", "").await, 200), "it is still there");
    }
    assert_eq!((trunk.counts().dialogs, desk.legs()), (2, 2));
    assert!(is(&call.ask("BYE", "").await, 200));
    let mut late = End::at("127.0.0.1", &trunk, "late").await;
    let answer = late.invite(&named).await;
    assert!(is(&answer, 603), "{answer}");
    let cancel = ringing.request("CANCEL", 1, "", "").replace("ringingCANCEL1", "ringingINVITE1");
    ringing.send(cancel.replace(&format!(";tag={}", ringing.theirs), "")).await;
    ringing.next("SIP/2.0 487").await;
    quiet(&trunk, Duration::from_secs(20)).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_trunk_that_a_call_is_by_may_replace_it() {
    let mut trunks =
        Settings { trunk: vec![named("one", "127.0.0.1"), named("two", "127.0.0.2")], ..settings() };
    let mut known = named("three", "127.0.0.3");
    (known.user, known.password) = ("three".to_owned(), actors::types::Private::new("secret".to_owned()));
    trunks.trunk.push(known);
    let (trunk, _media, desk) = desk::open(trunks).await;
    let mut call = End::at("127.0.0.1", &trunk, "victim").await;
    assert!(is(&call.invite("").await, 200));
    for (host, status) in [("127.0.0.2", Some(403)), ("127.0.0.3", Some(401)), ("127.0.0.9", None)] {
        let mut thief = End::at(host, &trunk, &format!("from{host}")).await;
        match status {
            Some(status) => assert!(is(&thief.invite(&call.replaces()).await, status), "{host}"),
            None => {
                thief.send(thief.request("INVITE", 1, &call.replaces(), &thief.sdp())).await;
                assert!(thief.is_silent().await, "a stranger gets no answer");
            }
        }
    }
    assert!(is(&call.ask("OPTIONS", "").await, 200));
    let mut colleague = End::at("127.0.0.1", &trunk, "colleague").await;
    assert!(is(&colleague.invite(&call.replaces()).await, 200));
    let bye = call.next("BYE ").await;
    call.answer(&bye, 200, "", "").await;
    assert!(is(&colleague.ask("BYE", "").await, 200));
    assert_eq!(desk.calls(ANSWERS).len(), 1);
    quiet(&trunk, Duration::from_secs(20)).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_rings_at_one_phone_is_answered_by_another() {
    let (trunk, media, _desk) = desk::open(settings()).await;
    let desk_phone = End::at("127.0.0.1", &trunk, "unused").await;
    let (told, events) = ear();
    let leg = trunk.call(&format!("sip:desk@{}", desk_phone.own), "1", events).await.unwrap();
    let invite = desk_phone.next("INVITE ").await;
    desk_phone.answer(&invite, 180, "", "").await;
    until(&told, |event| *event == Event::Ringing).await;
    let find = |name: &str| {
        let line = invite.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_once(": ").unwrap().1.to_owned()
    };
    let tag = find("From").split_once(";tag=").unwrap().1.to_owned();
    let replaces = format!("Replaces: {};from-tag=answering;to-tag={tag};early-only\r\n", find("Call-ID"));
    let mut other = End::at("127.0.0.1", &trunk, "pickup").await;
    assert!(is(&other.invite(&replaces).await, 200));
    let cancel = desk_phone.next("CANCEL ").await;
    desk_phone.answer(&cancel, 200, "", "").await;
    desk_phone.answer(&invite, 487, "", "").await;
    until(&told, |event| *event == Event::Established).await;
    leg.command(Command::HangUp).unwrap();
    let bye = other.next("BYE ").await;
    other.answer(&bye, 200, "", "").await;
    until(&told, |event| *event == Event::Ended(EndReason::Completed)).await;
    quiet(&trunk, REFUSED).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

/// A call whose far side has asked us to call somebody: its end, and the INVITE that came of it, by the far side.
async fn referred(trunk: &Trunk, call_id: &str, refer_to: &str) -> (End, String) {
    let mut call = End::at("127.0.0.1", trunk, call_id).await;
    assert!(is(&call.invite("").await, 200));
    let answer = call.ask("REFER", &format!("Refer-To: {refer_to}\r\n")).await;
    assert!(is(&answer, 202), "{answer}");
    let notify = call.next("NOTIFY ").await;
    assert!(notify.contains("SIP/2.0 100 Trying") && notify.contains("Event: refer;id=2"), "{notify}");
    call.answer(&notify, 200, "", "").await;
    let invite = call.next("INVITE ").await;
    (call, invite)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_puts_somebody_else_in_its_place_and_the_call_goes_on_with_them() {
    let (trunk, media, desk) = desk::open(settings()).await;
    // A host that is nowhere: it is asked for by way of the exchange, never looked up.
    let refer_to = "<sip:2001@sales.invalid?Replaces=other%40pbx%3Bto-tag%3Da%3Bfrom-tag%3Db>";
    let (call, invite) = referred(&trunk, "attended", refer_to).await;
    desk.command(ANSWERS, speech(60));
    assert!(invite.starts_with("INVITE sip:2001@sales.invalid SIP/2.0"), "{invite}");
    assert!(invite.contains("Replaces: other@pbx;to-tag=a;from-tag=b\r\n"), "{invite}");
    assert!(invite.contains("Require: replaces\r\n"), "{invite}");
    let other = End::at("127.0.0.1", &trunk, "other").await;
    call.answer(&invite, 180, "", "").await;
    let notify = call.next("NOTIFY ").await;
    assert!(notify.contains("SIP/2.0 180 Ringing"), "{notify}");
    call.answer(&notify, 200, "", "").await;
    call.answer(&invite, 200, "", &other.sdp()).await;
    call.next("ACK ").await;
    let notify = call.next("NOTIFY ").await;
    assert!(notify.contains("SIP/2.0 200 OK") && notify.contains("terminated"), "{notify}");
    call.answer(&notify, 200, "", "").await;
    let bye = call.next("BYE ").await;
    assert!(bye.contains("Call-ID: attended"), "the old dialog: {bye}");
    call.answer(&bye, 200, "", "").await;
    assert!(other.hears().await, "what was being said goes on with them");
    assert_eq!((trunk.counts().dialogs, desk.legs()), (1, 1));
    desk.command(ANSWERS, Command::HangUp);
    let bye = call.next("BYE ").await;
    assert!(!bye.contains("Call-ID: attended") && bye.contains(";tag=answering"), "{bye}");
    call.answer(&bye, 200, "", "").await;
    quiet(&trunk, Duration::from_secs(20)).await;
    let told = &desk.calls(ANSWERS)[0];
    assert_eq!(told.iter().filter(|event| **event == Event::Established).count(), 1, "{told:?}");
    assert_eq!(told.last(), Some(&Event::Ended(EndReason::Completed)));

    // Blind: it hangs up at once and the call goes on all the same.
    let (mut call, invite) = referred(&trunk, "blind", "<sip:2001@sales.invalid>").await;
    assert!(!invite.contains("Replaces:"), "{invite}");
    assert!(is(&call.ask("BYE", "").await, 200));
    assert_eq!(desk.legs(), 1, "the call waits for who is called");
    call.answer(&invite, 200, "", &other.sdp()).await;
    call.next("ACK ").await;
    desk.command(ANSWERS, speech(60));
    assert!(other.hears().await);
    desk.command(ANSWERS, Command::HangUp);
    let bye = call.next("BYE ").await;
    call.answer(&bye, 200, "", "").await;
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_come_leaves_the_call_as_it_was() {
    let (trunk, media, desk) = desk::open(settings()).await;
    let (mut call, invite) = referred(&trunk, "busy", "<sip:2001@sales.invalid>").await;
    call.answer(&invite, 486, "", "").await;
    let notify = call.next("NOTIFY ").await;
    assert!(notify.contains("SIP/2.0 486 Busy Here") && notify.contains("terminated"), "{notify}");
    call.answer(&notify, 200, "", "").await;
    assert!(is(&call.ask("OPTIONS", "").await, 200));
    assert!(is(&call.ask("BYE", "").await, 200));
    over(&trunk).await;

    // Its far side is gone already: then the call is over.
    let (mut call, invite) = referred(&trunk, "gone", "<sip:2001@sales.invalid>").await;
    assert!(is(&call.ask("BYE", "").await, 200));
    call.answer(&invite, 480, "", "").await;
    over(&trunk).await;
    assert_eq!(desk.calls(ANSWERS)[1].last(), Some(&Event::Ended(EndReason::CallerHungUp)));

    // We hang up first: nobody is called any more.
    for is_gone in [false, true] {
        let name = if is_gone { "first-gone" } else { "first" };
        let (mut call, invite) = referred(&trunk, name, "<sip:2001@sales.invalid>").await;
        call.answer(&invite, 180, "", "").await;
        if is_gone {
            assert!(is(&call.ask("BYE", "").await, 200));
        }
        desk.command(ANSWERS, Command::HangUp);
        let cancel = call.next("CANCEL ").await;
        call.answer(&cancel, 200, "", "").await;
        call.answer(&invite, 487, "", "").await;
        if !is_gone {
            assert!(is(&call.ask("BYE", "").await, 200));
        }
        over(&trunk).await;
    }
    quiet(&trunk, REFUSED).await;
    assert_eq!((desk.legs(), media.counts().sessions), (0, 0));
    trunk.stop(Duration::from_secs(1)).await;

    let (trunk, _media, _desk) = desk::open(Settings { take_transfers: false, ..settings() }).await;
    let mut call = End::at("127.0.0.1", &trunk, "never").await;
    assert!(is(&call.invite("").await, 200));
    assert!(is(&call.ask("REFER", "Refer-To: <sip:2001@sales.invalid>\r\n").await, 603));
    assert!(is(&call.ask("BYE", "").await, 200));
    quiet(&trunk, Duration::from_secs(20)).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_we_have_put_together_go_on_without_us() {
    let (trunk, media, desk) = desk::open(settings()).await;
    let mut caller = End::at("127.0.0.1", &trunk, "caller").await;
    assert!(is(&caller.invite("").await, 200));
    let person = End::at("127.0.0.1", &trunk, "person").await;
    let (told, events) = ear();
    let _leg = trunk.call(&format!("sip:2001@{}", person.own), "1", events).await.unwrap();
    let invite = person.next("INVITE ").await;
    person.answer(&invite, 200, "Supported: replaces\r\n", &person.sdp()).await;
    until(&told, |event| *event == Event::Established).await;
    let uri = told.lock().iter().find_map(|event| match event {
        Event::ReachableBy(uri) => Some(uri.clone()),
        _ => None,
    });
    desk.command(ANSWERS, Command::Transfer(Destination::Uri(uri.unwrap())));
    let refer = caller.next("REFER ").await;
    let refer_to = refer.lines().find(|line| line.starts_with("Refer-To: ")).unwrap();
    let call_id = invite.lines().find(|line| line.starts_with("Call-ID: ")).unwrap().replace("Call-ID: ", "");
    let begins =
        format!("Refer-To: <sip:2000@{}?Replaces={call_id}%3Bto-tag%3Danswering%3Bfrom-tag%3D", person.own);
    assert!(refer_to.starts_with(&begins), "{refer_to}");
    caller.answer(&refer, 202, "", "").await;
    // The person's phone takes the caller's new call and says goodbye to us; then the caller's side tells us so.
    let bye = person.request("BYE", 1, "", "");
    let of_invite = |name: &str| invite.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let swapped: String = bye
        .lines()
        .map(|line| match line.split_once(": ").map_or("", |(name, _)| name) {
            "From" => of_invite("To: ").replace("To: ", "From: ") + ";tag=answering",
            "To" => of_invite("From: ").replace("From: ", "To: "),
            "Call-ID" => of_invite("Call-ID: "),
            _ => line.to_owned(),
        } + "\r\n")
        .collect();
    person.send(swapped).await;
    person.next("SIP/2.0 200").await;
    until(&told, |event| matches!(event, Event::Ended(_))).await;
    caller.sequence += 1;
    let fragment = "SIP/2.0 200 OK\r\n";
    let extra = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n";
    let notify = caller.request("NOTIFY", caller.sequence, extra, fragment);
    caller.send(notify.replace("application/sdp", "message/sipfrag")).await;
    caller.next("SIP/2.0 200").await;
    assert!(is(&caller.ask("BYE", "").await, 200));
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(desk.calls(ANSWERS)[0].last(), Some(&Event::Ended(EndReason::Transferred)));
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_puts_another_in_its_place() {
    let (trunk, media, _desk) = desk::open(settings()).await;
    let (mut sipp, port, home) =
        person(&["-sf", &scenario("puts_another_in_its_place.xml"), "-m", "2"]).await;
    let (told, events) = ear();
    let leg = trunk.call(&format!("sip:person@127.0.0.1:{port}"), "1", events).await.unwrap();
    until(&told, |event| *event == Event::Established).await;
    // The first of its two calls is over by our BYE, once the second is up.
    let end = Instant::now() + Duration::from_secs(10);
    while trunk.counts().dialogs != 2 {
        assert!(Instant::now() < end, "{:?}", trunk.counts());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while trunk.counts().dialogs != 1 {
        assert!(Instant::now() < end, "{:?}", trunk.counts());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    leg.command(Command::HangUp).unwrap();
    until(&told, |event| *event == Event::Ended(EndReason::Completed)).await;
    let status = sipp.ended(Duration::from_secs(20)).await;
    assert_eq!(status, Some(0), "{}", std::fs::read_to_string(home.path().join("log")).unwrap_or_default());
    assert_eq!(told.lock().iter().filter(|event| **event == Event::Established).count(), 1);
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}
