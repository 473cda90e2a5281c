use super::*;
use crate::sip::destination::uri;

fn wanted(text: &str) -> Wanted {
    Wanted::of(&uri(text).unwrap()).unwrap()
}

fn everywhere(_: Transport, _: Option<IpAddr>) -> bool {
    true
}

fn server(priority: u16, weight: u16, port: u16, target: &str) -> Server {
    Server { priority, weight, port, target: target.to_owned() }
}

fn naptr(order: u16, preference: u16, service: &str, replacement: &str) -> Naptr {
    let (flags, service) = ("s".to_owned(), service.to_owned());
    Naptr { order, preference, flags, service, replacement: replacement.to_owned() }
}

/// A domain with records of every kind.
fn domain() -> Known {
    let addresses = |all: &[&str]| Answer::Addresses(all.iter().map(|one| one.parse().unwrap()).collect());
    Known::from([
        (
            Question::Naptr("example.org".into()),
            Answer::Naptr(vec![
                naptr(20, 1, "SIP+D2U", "_sip._udp.example.org"),
                naptr(10, 9, "SIP+D2T", "_sip._tcp.example.org"),
                naptr(10, 1, "SIPS+D2T", "_sips._tcp.example.org"),
                naptr(1, 1, "E2U+sip", "elsewhere.example.org"),
            ]),
        ),
        (
            Question::Servers("_sip._udp.example.org".into()),
            Answer::Servers(vec![server(2, 0, 5070, "b.example.org"), server(1, 0, 5060, "a.example.org")]),
        ),
        (
            Question::Servers("_sip._tcp.example.org".into()),
            Answer::Servers(vec![server(1, 0, 5060, "a.example.org")]),
        ),
        (
            Question::Servers("_sips._tcp.example.org".into()),
            Answer::Servers(vec![server(1, 0, 5061, "a.example.org")]),
        ),
        (Question::Addresses("a.example.org".into()), addresses(&["192.0.2.1", "2001:db8::1"])),
        (Question::Addresses("b.example.org".into()), addresses(&["192.0.2.2"])),
    ])
}

fn found(text: &str, known: &Known, reaches: &dyn Fn(Transport, Option<IpAddr>) -> bool) -> Vec<String> {
    match locate(&wanted(text), known, reaches, 1) {
        Step::Found(targets) => targets
            .iter()
            .map(|target| format!("{} {} {}", target.transport.in_via(), target.address, target.name))
            .collect(),
        Step::Ask(questions) => panic!("asks {questions:?}"),
    }
}

fn asked(text: &str, known: &Known) -> Vec<Question> {
    match locate(&wanted(text), known, &everywhere, 1) {
        Step::Ask(questions) => questions,
        Step::Found(targets) => panic!("found {targets:?}"),
    }
}

#[test]
fn the_domains_own_order_is_kept() {
    assert_eq!(
        found("sip:example.org", &domain(), &everywhere),
        [
            "TLS 192.0.2.1:5061 example.org",
            "TLS [2001:db8::1]:5061 example.org",
            "TCP 192.0.2.1:5060 example.org",
            "TCP [2001:db8::1]:5060 example.org",
            "UDP 192.0.2.1:5060 example.org",
            "UDP [2001:db8::1]:5060 example.org",
            "UDP 192.0.2.2:5070 example.org",
        ]
    );
    let by_datagrams = |transport, address: Option<IpAddr>| {
        transport == Transport::Udp && address.is_none_or(|address| address.is_ipv4())
    };
    assert_eq!(
        found("sip:example.org", &domain(), &by_datagrams),
        ["UDP 192.0.2.1:5060 example.org", "UDP 192.0.2.2:5070 example.org"]
    );
    assert_eq!(found("sips:example.org", &domain(), &everywhere).len(), 2, "nothing but TLS");
}

#[test]
fn what_the_uri_says_is_not_asked() {
    let nothing = Known::new();
    assert_eq!(found("sip:192.0.2.9", &nothing, &everywhere), ["UDP 192.0.2.9:5060 192.0.2.9"]);
    assert_eq!(
        found("sips:[2001:db8::9]:5099", &nothing, &everywhere),
        ["TLS [2001:db8::9]:5099 2001:db8::9"]
    );
    assert_eq!(asked("sip:example.org", &nothing), [Question::Naptr("example.org".into())]);
    assert_eq!(
        asked("sip:example.org;transport=tcp", &nothing),
        [Question::Servers("_sip._tcp.example.org".into())]
    );
    assert_eq!(asked("sip:a.example.org:5080", &nothing), [Question::Addresses("a.example.org".into())]);
    assert_eq!(
        found("sip:b.example.org:5080;transport=tcp", &domain(), &everywhere),
        ["TCP 192.0.2.2:5080 b.example.org"]
    );
}

#[test]
fn a_domain_without_records_is_a_host() {
    let mut known = Known::from([(Question::Naptr("host".into()), Answer::Naptr(Vec::new()))]);
    let names = ["_sip._udp.host", "_sip._tcp.host", "_sips._tcp.host"];
    let servers: Vec<Question> = names.iter().map(|name| Question::Servers((*name).into())).collect();
    assert_eq!(asked("sip:host", &known), servers);
    known.extend(servers.into_iter().map(|question| (question, Answer::Servers(Vec::new()))));
    assert_eq!(asked("sip:host", &known), [Question::Addresses("host".into())]);
    let addresses = Answer::Addresses(vec!["192.0.2.5".parse().unwrap()]);
    known.insert(Question::Addresses("host".into()), addresses);
    assert_eq!(found("sip:host", &known, &everywhere), ["UDP 192.0.2.5:5060 host"]);
    known.insert(Question::Addresses("host".into()), Answer::Addresses(Vec::new()));
    assert!(found("sip:host", &known, &everywhere).is_empty());
}

#[test]
fn a_domain_that_says_there_is_no_such_service_is_believed() {
    let mut known = domain();
    let none = Answer::Servers(vec![server(0, 0, 0, "")]);
    known.insert(Question::Servers("_sip._udp.example.org".into()), none);
    assert!(found("sip:example.org;transport=udp", &known, &everywhere).is_empty());
}

#[test]
fn weights_share_the_load_and_a_seed_decides_again() {
    let known = Known::from([(
        Question::Servers("_sip._udp.example.org".into()),
        Answer::Servers(vec![
            server(1, 60, 1, "192.0.2.1"),
            server(1, 30, 2, "192.0.2.2"),
            server(1, 10, 3, "192.0.2.3"),
            server(1, 0, 4, "192.0.2.4"),
            server(2, 99, 5, "192.0.2.5"),
        ]),
    )]);
    let wanted = wanted("sip:example.org;transport=udp");
    let ports = |seed| match locate(&wanted, &known, &everywhere, seed) {
        Step::Found(targets) => targets.iter().map(|target| target.address.port()).collect::<Vec<_>>(),
        Step::Ask(_) => panic!("all is known"),
    };
    let mut first = [0_u32; 6];
    for seed in 0..10_000 {
        let order = ports(seed);
        assert_eq!((order.len(), order.last()), (5, Some(&5)), "priority 2 is last");
        first[usize::from(order[0])] += 1;
    }
    assert_eq!(ports(7), ports(7));
    assert!((5_600..6_400).contains(&first[1]), "{first:?}");
    assert!((2_700..3_300).contains(&first[2]), "{first:?}");
    assert!((800..1_200).contains(&first[3]), "{first:?}");
    assert!((1..300).contains(&first[4]), "a weight of 0 has a small chance: {first:?}");
}

#[test]
fn who_failed_is_tried_last_until_its_time_is_over() {
    let Step::Found(targets) = locate(&wanted("sip:example.org"), &domain(), &everywhere, 1) else {
        panic!("all is known");
    };
    let mut health = Health::new(2);
    health.failed(100, &targets[0], 200);
    let first = |health: &Health, now| health.ordered(now, targets.clone())[0].clone();
    assert_eq!((first(&health, 150), first(&health, 200)), (targets[1].clone(), targets[0].clone()));
    assert_eq!(health.ordered(150, targets.clone()).last(), Some(&targets[0]), "tried all the same");
    health.failed(100, &targets[1], 300);
    health.failed(100, &targets[2], 400);
    assert_eq!(first(&health, 150), targets[0], "there is room for two");
    health.works(&targets[1]);
    assert_eq!(health.ordered(150, targets.clone())[1], targets[1]);
}
