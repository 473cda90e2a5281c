use super::super::destination::Transport;
use super::super::dialog::RequestId;
use super::super::location::Target;
use super::super::proof::{Account, Unprovable};
use super::super::wire::{Message, Response, parse_own};
use super::*;

struct Rig {
    registration: Registration,
    now: Moment,
    seen: Vec<Effect>,
}

fn place(last: u8) -> Place {
    Place {
        target: Target {
            address: format!("192.0.2.{last}:5060").parse().unwrap(),
            transport: Transport::Udp,
            name: "example.org".to_owned(),
        },
        via: "SIP/2.0/UDP 198.51.100.7:5060".to_owned(),
        contact: "198.51.100.7:5060".to_owned(),
    }
}

impl Rig {
    fn new(seed: u64) -> Self {
        let settings = Settings {
            registrar: "sip:example.org".to_owned(),
            identity: "sip:alice@example.org".to_owned(),
            contact_user: "alice".to_owned(),
            expires_s: 600,
            timing: Timing::default(),
        };
        let account = Account { user: "alice".into(), password: "secret".into(), realm: None };
        let own = Own { call_id: "c".into(), tag: "t".into(), seed };
        let registration = Registration::new(settings, account, own);
        let mut rig = Self { registration, now: 1_000, seen: Vec::new() };
        rig.input(Input::Begin);
        assert!(matches!(rig.seen.as_slice(), [Effect::Locate]));
        rig
    }

    fn input(&mut self, input: Input) {
        self.registration.handle(self.now, input);
        self.seen = self.registration.drain().into();
    }

    fn located(&mut self, servers: &[u8]) {
        self.input(Input::Located(servers.iter().map(|last| place(*last)).collect()));
    }

    /// The REGISTER that was just sent: its number, its text, the last part of the server's address.
    fn sent(&self) -> (RequestId, String, u8) {
        let sent = self.seen.iter().find_map(|effect| match effect {
            Effect::Send { id, request, target } => {
                let mut bytes = Vec::new();
                request.write_to(&mut bytes);
                let last = match target.address.ip() {
                    std::net::IpAddr::V4(address) => address.octets()[3],
                    std::net::IpAddr::V6(_) => 0,
                };
                Some((*id, String::from_utf8(bytes).unwrap(), last))
            }
            _ => None,
        });
        sent.unwrap_or_else(|| panic!("nothing was sent: {:?}", self.seen))
    }

    fn answer(&mut self, status: u16, headers: &str) {
        let (id, ..) = self.sent();
        self.input(Input::Response { id, response: response(status, headers) });
    }

    fn told(&self) -> Vec<Event> {
        let told = |effect: &Effect| match effect {
            Effect::Tell(event) => Some(event.clone()),
            _ => None,
        };
        self.seen.iter().filter_map(told).collect()
    }

    fn failed(&self) -> (Failure, u64, bool) {
        match self.told().as_slice() {
            [Event::Failed { why, retry_ms, still_registered }] => {
                (why.clone(), *retry_ms, *still_registered)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Goes to the next timer.
    fn tick(&mut self) {
        self.now = self.registration.deadline().unwrap();
        self.input(Input::Tick);
    }

    fn register(&mut self) {
        self.located(&[1, 2]);
        self.answer(200, OURS);
        assert!(matches!(self.told().as_slice(), [Event::Registered(_)]), "{:?}", self.seen);
    }
}

const OURS: &str =
    "Contact: <sip:bob@203.0.113.1>;expires=30\r\nContact: <sip:alice@198.51.100.7:5060>;expires=300\r\n";
const ASKS: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";

fn response(status: u16, headers: &str) -> Response {
    let text = format!("SIP/2.0 {status} Because\r\n{headers}\r\n");
    match parse_own(text.as_bytes()) {
        Some(Message::Response(response)) => response,
        _ => panic!("not a response: {text}"),
    }
}

#[test]
fn a_challenge_is_answered_and_the_granted_time_counts() {
    let mut rig = Rig::new(1);
    rig.located(&[1]);
    let (_, first, _) = rig.sent();
    assert!(first.starts_with("REGISTER sip:example.org SIP/2.0\r\n"), "{first}");
    assert!(first.contains("Contact: <sip:alice@198.51.100.7:5060>;expires=600\r\n"), "{first}");
    assert!(first.contains("CSeq: 1 REGISTER") && !first.contains("Authorization"), "{first}");
    rig.answer(401, ASKS);
    let (_, second, _) = rig.sent();
    assert!(second.contains("CSeq: 2 REGISTER") && second.contains("uri=\"sip:example.org\""), "{second}");
    rig.answer(200, &format!("{OURS}Service-Route: <sip:a;lr>, <sip:b;lr>\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;received=203.0.113.9;rport=4000\r\n"));
    let [Event::Registered(binding)] = &rig.told()[..] else { panic!("{:?}", rig.seen) };
    assert_eq!((binding.expires_s, binding.target.clone()), (300, place(1).target));
    assert_eq!(binding.service_route, ["sip:a;lr", "sip:b;lr"]);
    assert_eq!(binding.seen_as.as_deref(), Some("203.0.113.9:4000"));
    let refresh_ms = rig.registration.deadline().unwrap() - rig.now;
    assert!((240_000..=270_000).contains(&refresh_ms), "{refresh_ms}");
    // The refresh proves itself at once, with the next count.
    rig.tick();
    rig.located(&[1]);
    assert!(rig.sent().1.contains("nc=00000002"), "{}", rig.sent().1);
}

#[test]
fn refreshes_are_spread_and_a_seed_decides_again() {
    let at = |seed| {
        let mut rig = Rig::new(seed);
        rig.register();
        rig.registration.deadline().unwrap() - rig.now
    };
    let all: std::collections::BTreeSet<u64> = (0..200).map(at).collect();
    assert!(all.len() > 150, "{}", all.len());
    assert!(all.iter().all(|at| (240_000..=270_000).contains(at)));
    assert_eq!(at(9), at(9));
}

#[test]
fn an_interval_that_is_too_brief_is_lengthened_a_few_times() {
    let mut rig = Rig::new(1);
    rig.located(&[1]);
    rig.answer(423, "Min-Expires: 1800\r\n");
    assert!(rig.sent().1.contains("Expires: 1800\r\n"), "{}", rig.sent().1);
    rig.answer(423, "Min-Expires: 900\r\n");
    assert!(matches!(rig.failed().0, Failure::Refused { status: 423, .. }), "shorter than what was asked");
    let mut rig = Rig::new(1);
    rig.located(&[1]);
    for least in [1_000, 2_000, 3_000] {
        rig.answer(423, &format!("Min-Expires: {least}\r\n"));
    }
    rig.answer(423, "Min-Expires: 4000\r\n");
    assert!(matches!(rig.failed().0, Failure::Refused { status: 423, .. }));
}

#[test]
fn a_server_that_fails_or_is_silent_is_left_for_the_next_and_avoided() {
    let mut rig = Rig::new(1);
    rig.located(&[1, 2, 3]);
    assert_eq!(rig.sent().2, 1);
    rig.answer(503, "Retry-After: 30 (later)\r\n");
    assert_eq!(rig.sent().2, 2);
    let avoided = |rig: &Rig| match &rig.seen[0] {
        Effect::Avoid { target, for_ms } => (target.address.to_string(), *for_ms),
        other => panic!("{other:?}"),
    };
    assert_eq!(avoided(&rig), ("192.0.2.1:5060".to_owned(), 30_000));
    // Silence: the next one is tried long before the transaction ends.
    rig.tick();
    assert_eq!((rig.now, rig.sent().2), (6_000, 3));
    assert_eq!(avoided(&rig), ("192.0.2.2:5060".to_owned(), 60_000));
    // The last has all the time that a transaction has.
    assert_eq!(rig.registration.deadline(), None);
    rig.answer(200, OURS);
    assert_eq!(avoided(&rig), ("192.0.2.3:5060".to_owned(), 0));
    // The refresh asks where to go anew, so that the first server is come back to.
    rig.tick();
    assert!(matches!(rig.seen.as_slice(), [Effect::Locate]));
}

#[test]
fn when_nobody_answers_the_waits_grow_to_their_bound() {
    let mut rig = Rig::new(3);
    let mut waits = Vec::new();
    for _ in 0..9 {
        rig.located(&[]);
        let (why, retry_ms, still) = rig.failed();
        assert_eq!((why, still), (Failure::NotFound, false));
        waits.push(retry_ms);
        rig.tick();
    }
    for (wait, most) in waits.iter().zip([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
        assert!((most / 2..=most).contains(wait), "{waits:?}");
    }
    rig.located(&[1]);
    let (id, ..) = rig.sent();
    rig.input(Input::Unanswered { id });
    assert_eq!(rig.failed().0, Failure::NoAnswer);
    rig.tick();
    rig.register();
    rig.tick();
    rig.located(&[]);
    let (_, retry_ms, still) = rig.failed();
    assert!(retry_ms <= 5_000 && still, "success begins the count again");
}

#[test]
fn what_no_server_can_mend_is_told_and_tried_seldom() {
    for (status, headers, says) in [
        (403, "", "403 Because: the account may not register"),
        (404, "", "does not know the account"),
        (405, "", "register = false"),
        (401, "", "no Digest challenge"),
        (302, "", "elsewhere"),
        (606, "", "606 Because"),
    ] {
        let mut rig = Rig::new(1);
        rig.located(&[1, 2]);
        rig.answer(status, headers);
        let (why, retry_ms, _) = rig.failed();
        assert!(why.to_string().contains(says), "{why}");
        assert!((450_000..=900_000).contains(&retry_ms), "{retry_ms}");
    }
    let mut rig = Rig::new(1);
    rig.located(&[1]);
    rig.answer(401, ASKS);
    rig.answer(401, &ASKS.replace("\"n\"", "\"m\""));
    let wrong = Failure::Unprovable(Unprovable::Wrong { realm: "r".into() });
    assert_eq!(rig.failed().0, wrong);
    // It may be mended meanwhile: the next attempt begins without what was refused.
    rig.tick();
    rig.located(&[1]);
    assert!(!rig.sent().1.contains("Authorization"));
    rig.answer(200, "Contact: <sip:alice@198.51.100.8:5060>;expires=60\r\n");
    assert_eq!(rig.failed().0, Failure::NotKept);
}

#[test]
fn what_was_granted_runs_out_when_it_is_not_renewed() {
    let mut rig = Rig::new(1);
    rig.register();
    rig.tick();
    rig.located(&[1]);
    rig.answer(500, "");
    assert!(rig.failed().2);
    while rig.registration.is_registered() {
        if matches!(rig.seen.last(), Some(Effect::Locate)) {
            rig.located(&[]);
        } else {
            rig.tick();
        }
    }
    assert_eq!(rig.now, 301_000);
    assert!(rig.told().contains(&Event::Expired), "{:?}", rig.seen);
}

#[test]
fn a_lost_connection_is_registered_again_soon() {
    let mut rig = Rig::new(1);
    rig.register();
    rig.input(Input::Disconnected);
    rig.tick();
    assert!(rig.now <= 2_000 && matches!(rig.seen.as_slice(), [Effect::Locate]));
}

#[test]
fn leaving_takes_the_binding_back_once() {
    let mut rig = Rig::new(1);
    rig.register();
    rig.input(Input::Leave);
    let (_, text, last) = rig.sent();
    assert!(text.contains(">;expires=0\r\n") && text.contains("Expires: 0\r\n"), "{text}");
    assert_eq!(last, 1);
    rig.answer(401, ASKS);
    assert!(rig.sent().1.contains("Authorization: "));
    rig.answer(200, "");
    assert_eq!(rig.told(), [Event::Left]);
    assert!(rig.registration.is_over() && rig.registration.deadline().is_none());

    // Nothing to take back; nobody who answers; a registration that may yet be granted.
    let mut rig = Rig::new(1);
    rig.input(Input::Leave);
    assert_eq!(rig.told(), [Event::Left]);
    let mut rig = Rig::new(1);
    rig.register();
    rig.input(Input::Leave);
    rig.tick();
    assert_eq!((rig.told(), rig.now), (vec![Event::Left], 3_000));
    let mut rig = Rig::new(1);
    rig.located(&[5]);
    rig.input(Input::Leave);
    assert_eq!(rig.sent().2, 5);
}
