//! A caller is handed over to a person, by the wire, with a whole node between their two telephones: each way in which
//! that ends, after none of which the caller is alone.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use cluster::operator::Presence;

use super::end::End;
use super::wire::is;
use crate::command_line::{DEMO, strowger};
use crate::node_life::{Process, calls, start_with, wait_for};

/// Whoever calls from here goes straight to the manager.
const CALLER: &str = "+447700900001";

/// A node whose business is open at any time, with its manager at this telephone.
struct Node {
    data: tempfile::TempDir,
    sip: SocketAddr,
    _process: Process,
}

fn node(manager: SocketAddr, environment: &[(&str, &str)]) -> Node {
    let usual = [
        ("STROWGER_CALLS_CONVERSATION_SPOKEN_HAND_OVER", "true"),
        ("STROWGER_CALLS_CALL_HAND_OVER_RING_MS", "1500"),
        ("STROWGER_CALLS_CALL_HAND_OVER_TELLING_MS_MAX", "1500"),
    ];
    let data = tempfile::tempdir().unwrap();
    let process = start_with(data.path(), &[&usual, environment].concat());
    let demo = std::fs::read_to_string(DEMO).unwrap();
    let (head, rest) = demo.split_once("[hours]").unwrap();
    let (_, rest) = rest.split_once("[[staff]]").unwrap();
    let file = data.path().join("always_open.toml");
    let open = format!("{head}[hours]\nevery_day = \"0:00-24:00\"\n\n[[staff]]{rest}")
        .replace("number = \"2001\"\n[department.hours]\nweekdays = \"10:00-16:00\"\n", "number = \"2001\"\n")
        .replace("number = \"2001\"", &format!("uri = \"sip:manager@{manager}\""));
    assert!(open.contains("sip:manager@") && !open.contains("10:00-16:00"), "{open}");
    std::fs::write(&file, open).unwrap();
    apart(|| strowger(data.path(), &["tenant", "import", &file.to_string_lossy()])).unwrap();
    let sip = Presence::find(data.path()).unwrap().sip;
    Node { data, sip, _process: process }
}

/// A caller whose call is up.
async fn caller(node: &Node, name: &str) -> End {
    let mut caller = End::of("127.0.0.1", node.sip, name).await;
    caller.from = CALLER.to_owned();
    let answer = caller.invite("").await;
    assert!(is(&answer, 200), "{answer}");
    caller
}

/// Hears the receptionist out: what is cut off is not written down.
const A_SENTENCE: Duration = Duration::from_secs(5);

/// What is written down of the call that ended last.
fn written(data: &Path) -> String {
    apart(|| {
        wait_for("the record", || calls(data).first().is_some_and(|call| !call["outcome"].is_null()));
        let id = calls(data)[0]["id"].as_str().unwrap().to_owned();
        strowger(data, &["calls", "show", &id]).unwrap()
    })
}

/// Does something that has a runtime of its own.
fn apart<T: Send>(what: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(what).join().unwrap())
}

/// Says what the record must: how the hand-over ended, and that the caller was spoken to afterwards.
fn assert_spoken_to_after(shown: &str, outcome: &str) {
    let news = format!("hand-over to the manager: {outcome}");
    let (_, after) = shown.split_once(&news).unwrap_or_else(|| panic!("not {outcome}: {shown}"));
    assert!(after.contains("receptionist"), "{outcome}: the caller is alone: {shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_however_a_hand_over_fails_the_caller_is_spoken_to_and_the_record_says_why() {
    let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let person = End::of("127.0.0.1", nobody, "person").await;
    let node = node(person.own, &[]);
    let person = End { trunk: node.sip, ..person };
    for (name, outcome) in [
        ("busy", "busy"),
        ("declined-by-phone", "declined"),
        ("declined-by-key", "declined"),
        ("hangs-up-on-us", "declined"),
        ("no-such", "unreachable"),
        ("no-answer", "no answer"),
        ("mailbox", "voicemail"),
    ] {
        let mut caller = caller(&node, name).await;
        let invite = person.next("INVITE ").await;
        match name {
            "busy" => person.answer(&invite, 486, "", "").await,
            "declined-by-phone" => person.answer(&invite, 603, "", "").await,
            "no-such" => person.answer(&invite, 404, "", "").await,
            "no-answer" => {
                person.answer(&invite, 180, "", "").await;
                let cancel = person.next("CANCEL ").await;
                person.answer(&cancel, 200, "", "").await;
                person.answer(&invite, 487, "", "").await;
            }
            _ => {
                person.answer(&invite, 200, "", &person.sdp()).await;
                person.next("ACK ").await;
                assert!(person.hears_a_voice().await, "{name}: the person is told who is there");
                if name == "hangs-up-on-us" {
                    assert!(is(&person.ask_back(&invite, "BYE", 1, "").await, 200));
                } else {
                    if name == "declined-by-key" {
                        assert!(is(&person.press(&invite, 1, '2').await, 200));
                    }
                    let bye = person.next("BYE ").await;
                    person.answer(&bye, 200, "", "").await;
                }
            }
        }
        assert!(caller.hears_a_voice().await, "{name}: the caller is spoken to");
        tokio::time::sleep(A_SENTENCE).await;
        assert!(is(&caller.ask("BYE", "").await, 200), "{name}: the call was still up");
        assert_spoken_to_after(&written(node.data.path()), outcome);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_the_two_hear_each_other_and_the_caller_comes_back_when_the_person_leaves() {
    let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
    for offers in ["early", "delayed"] {
        let person = End::of("127.0.0.1", nobody, "person").await;
        let node = node(person.own, &[("STROWGER_SIP_OFFERS", offers)]);
        let person = End { trunk: node.sip, ..person };
        let mut caller = caller(&node, &format!("answered-{offers}")).await;
        let invite = person.next("INVITE ").await;
        person.answer(&invite, 200, "", &person.sdp()).await;
        let ack = person.next("ACK ").await;
        // Where we have offered nothing, our ACK says where we are.
        let ours = End::audio_in(if offers == "delayed" { &ack } else { &invite });
        assert!(person.hears_a_voice().await);
        assert!(is(&person.press(&invite, 1, '1').await, 200));
        tokio::time::sleep(Duration::from_millis(500)).await;
        // Nobody of ours speaks any more: what each hears is the other.
        let theirs = caller.heard_at.unwrap();
        for (speaker, there, listener) in [(&caller, theirs, &person), (&person, ours, &caller)] {
            let (heard, ()) = tokio::join!(listener.hears_a_voice(), speaker.speak(there));
            assert!(heard, "{} hears nothing", listener.call_id);
        }
        assert!(is(&person.ask_back(&invite, "BYE", 2, "").await, 200));
        assert!(caller.hears_a_voice().await, "the receptionist is back");
        tokio::time::sleep(A_SENTENCE).await;
        assert!(is(&caller.ask("BYE", "").await, 200));
        assert_spoken_to_after(&written(node.data.path()), "answered");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_the_two_go_on_without_us_where_both_can_and_by_way_of_us_where_not() {
    let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let person = End::of("127.0.0.1", nobody, "person").await;
    let node = node(person.own, &[("STROWGER_CALLS_CALL_HAND_OVER_LEAVE_PATH", "true")]);
    let person = End { trunk: node.sip, ..person };
    for (name, supported, status) in [
        ("both-can", "Supported: replaces\r\n", 202),
        ("caller-can-not", "Supported: replaces\r\n", 405),
        ("person-can-not", "", 0),
    ] {
        let mut caller = caller(&node, name).await;
        let invite = person.next("INVITE ").await;
        person.answer(&invite, 200, supported, &person.sdp()).await;
        person.next("ACK ").await;
        assert!(is(&person.press(&invite, 1, '1').await, 200));
        if status > 0 {
            let refer = caller.next("REFER ").await;
            assert!(refer.contains(&format!("Refer-To: <sip:2000@{}?Replaces=", person.own)), "{refer}");
            caller.answer(&refer, status, "", "").await;
        }
        if status == 202 {
            // The person's telephone lets the line with us go, then the caller's side says that it is done.
            assert!(is(&person.ask_back(&invite, "BYE", 2, "").await, 200));
            let event = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n";
            caller.sequence += 1;
            let notify = caller.request("NOTIFY", caller.sequence, event, "SIP/2.0 200 OK\r\n");
            caller.send(notify.replace("application/sdp", "message/sipfrag")).await;
            caller.next("SIP/2.0 200").await;
            let bye = caller.next("BYE ").await;
            caller.answer(&bye, 200, "", "").await;
            let shown = written(node.data.path());
            assert!(shown.contains("hand-over to the manager: answered"), "{shown}");
            let (_, after) = shown.split_once("hand-over to the manager: answered").unwrap();
            assert!(!after.contains("receptionist"), "nobody came back: {shown}");
            continue;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let theirs = caller.heard_at.unwrap();
        let (heard, ()) = tokio::join!(person.hears_a_voice(), caller.speak(theirs));
        assert!(heard, "{name}: they speak by way of us");
        assert!(is(&person.ask_back(&invite, "BYE", 2, "").await, 200));
        assert!(caller.hears_a_voice().await, "{name}: the receptionist is back");
        tokio::time::sleep(A_SENTENCE).await;
        assert!(is(&caller.ask("BYE", "").await, 200));
        assert_spoken_to_after(&written(node.data.path()), "answered");
    }
}
