//! Our registrations, and calls by the account that registers.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::{EndReason, Private};
use cluster::edge::sip_trunk::{Account, Carrier, Registration, Settings, Transport, Trunk};
use cluster::sip::digest::{Algorithm, Digest, Verdict, answer_in};
use cluster::sip::respond::respond;
use cluster::sip::wire::{HeaderName, Method, Request};
use tokio::time::{Instant, sleep};

use super::desk::{self, ANSWERS};
use super::dialling::{ear, until};
use super::name_server::{self, NameServer};
use super::scripted::{Script, Server, granted, header};
use super::sipp::{scenario, sipp};
use super::wire::{Phone, is, to_tag};
use super::{address, kamailio, quiet, settings};

/// Settings of a trunk with an account at this server.
pub(super) fn with_account(server: &str) -> Settings {
    let account = Account {
        server: server.to_owned(),
        user: "alice".to_owned(),
        login: String::new(),
        password: Private::new("secret".to_owned()),
        password_file: None,
        realm: String::new(),
        identity: String::new(),
        register: true,
        expires_s: 600,
        number: String::new(),
    };
    let carrier = Carrier {
        name: "provider".to_owned(),
        addresses: Vec::new(),
        user: String::new(),
        password: Private::default(),
        numbers: Vec::new(),
        account: Some(account),
        srtp: None,
        srtp_keys: None,
        offers: None,
    };
    let mut settings = Settings { trunk: vec![carrier], ..settings() };
    settings.registering.next_server_ms = 300;
    settings.registering.retry_least_ms = 200;
    settings.registering.leave_ms = 1_000;
    settings
}

pub(super) async fn registered(trunk: &Trunk) {
    let end = Instant::now() + Duration::from_secs(20);
    while !matches!(trunk.registration("provider"), Some(Registration::Registered(_))) {
        assert!(Instant::now() < end, "{:?}", trunk.registration("provider"));
        sleep(Duration::from_millis(10)).await;
    }
}

/// A registrar that asks for a password by these hashes, grants so many seconds, and asks those who call too.
fn registrar(algorithms: &[Algorithm], seconds: u32) -> Script {
    let mut digest = Digest::new("provider", algorithms, 60_000, 64, [1; 32]);
    let mut asked = 0;
    Box::new(move |request: &Request| {
        let proxy = request.method == Method::Invite;
        let mut seen = request.clone();
        if let Some(proof) = request.headers.get(&HeaderName::ProxyAuthorization) {
            let proof =
                cluster::sip::wire::Header::build(HeaderName::Authorization, proof.value().into_owned());
            seen.headers.push(proof.unwrap());
        }
        if !matches!(request.method, Method::Invite | Method::Register) {
            return None;
        }
        asked += 1;
        let verdict = answer_in(&seen).map(|answer| digest.judge(5, &seen, &answer, Some("secret")));
        Some(match (verdict, proxy) {
            (Some(Verdict::Known), true) => respond(request, 486, Some("far")),
            (Some(Verdict::Known), false) => granted(request, seconds),
            (Some(Verdict::Wrong), _) => respond(request, 403, Some("far")),
            (_, true) => digest
                .challenges(5, asked, false)
                .into_iter()
                .fold(respond(request, 407, Some("far")), |draft, challenge| {
                    draft.with(HeaderName::ProxyAuthenticate, challenge)
                }),
            (_, false) => digest
                .challenges(5, asked, false)
                .into_iter()
                .fold(respond(request, 401, Some("far")), |draft, challenge| {
                    draft.with(HeaderName::WwwAuthenticate, challenge)
                }),
        })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_registers_refreshes_calls_and_leaves() {
    for algorithms in [&[Algorithm::Md5][..], &[Algorithm::Md5, Algorithm::Sha256]] {
        let server = Server::start(registrar(algorithms, 2)).await;
        let (trunk, _media, _desk) = desk::open(with_account(&format!("sip:{}", server.address))).await;
        registered(&trunk).await;
        // 401, granted, refreshed twice with the same nonce.
        let asked = server.was_asked(&Method::Register, 4).await;
        assert!(header(&asked[1], &HeaderName::Authorization).contains("nc=00000001"));
        let third = header(&asked[3], &HeaderName::Authorization);
        assert!(third.contains("nc=00000003"), "{third}");
        assert_eq!(third.contains("SHA-256"), algorithms.len() > 1, "the strongest of them: {third}");
        assert_eq!(header(&asked[0], &HeaderName::CallId), header(&asked[3], &HeaderName::CallId));

        let (told, events) = ear();
        let _leg = trunk.call_by("provider", "+442079460001", None, events).await.unwrap();
        until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;
        let invites = server.asked(&Method::Invite);
        assert_eq!(invites.len(), 2, "asked for a password once");
        assert!(header(&invites[1], &HeaderName::ProxyAuthorization).contains("username=\"alice\""));
        assert!(header(&invites[1], &HeaderName::From).starts_with("<sip:alice@127.0.0.1>"));
        assert_eq!(invites[1].uri.to_string(), "sip:+442079460001@127.0.0.1");

        trunk.stop(Duration::from_secs(5)).await;
        assert_eq!(trunk.registration("provider"), Some(Registration::Left));
        let last = server.asked(&Method::Register).pop().unwrap();
        assert_eq!(header(&last, &HeaderName::Expires), "0");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_trunk_leaves_and_comes_back_when_it_takes_calls_again() {
    let server = Server::start(registrar(&[Algorithm::Md5], 600)).await;
    let (trunk, _media, desk) = desk::open(with_account(&format!("sip:{}", server.address))).await;
    registered(&trunk).await;
    // The provider's address is the trunk's now; others are nobody. A call for our registration is for whom To says.
    let own = address(&trunk, Transport::Udp);
    let stranger = Phone::at("127.0.0.9", own).await;
    stranger.send(stranger.request("INVITE", 1, "s", "", "")).await;
    assert_eq!(stranger.receive().await, None);
    let provider = Phone::new(own).await;
    let invite = provider.request("INVITE", 1, "p", "", "");
    let invite = invite.replace(&format!("INVITE sip:{ANSWERS}@"), "INVITE sip:alice@");
    let answer = provider.asks(&invite).await;
    assert!(is(&answer, 200), "{answer}");
    provider.send(provider.request("ACK", 1, "a", &to_tag(&answer), "")).await;
    assert!(is(&provider.asks(&provider.request("BYE", 2, "b", &to_tag(&answer), "")).await, 200));
    assert_eq!(desk.calls(ANSWERS).len(), 1);

    trunk.refuse_new(true);
    let left = server.was_asked(&Method::Register, 3).await;
    assert_eq!(header(&left[2], &HeaderName::Expires), "0");
    while trunk.registration("provider") != Some(Registration::Left) {
        sleep(Duration::from_millis(10)).await;
    }
    trunk.refuse_new(false);
    registered(&trunk).await;
    trunk.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_and_not_tried_again_and_again() {
    let server = Server::start(registrar(&[Algorithm::Md5], 600)).await;
    let mut wrong = with_account(&format!("sip:{}", server.address));
    wrong.trunk[0].account.as_mut().unwrap().password = Private::new("guess".to_owned());
    let (trunk, _media, _desk) = desk::open(wrong).await;
    let end = Instant::now() + Duration::from_secs(10);
    let why = loop {
        if let Some(Registration::Failed { why }) = trunk.registration("provider") {
            break why;
        }
        assert!(Instant::now() < end, "{:?}", trunk.registration("provider"));
        sleep(Duration::from_millis(10)).await;
    };
    assert!(why.contains("403 Forbidden"), "{why}");
    sleep(Duration::from_millis(600)).await;
    assert_eq!(server.asked(&Method::Register).len(), 2);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_server_is_taken_when_one_is_silent_or_full_and_the_first_is_come_back_to() {
    let full = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_full = std::sync::Arc::clone(&full);
    let first = Server::start(Box::new(move |request| {
        let full = is_full.load(std::sync::atomic::Ordering::SeqCst);
        let refused = || respond(request, 503, Some("full")).with(HeaderName::RetryAfter, "1");
        Some(if full { refused() } else { granted(request, 1) })
    }))
    .await;
    let silent = Server::start(Box::new(|_| None)).await;
    let third = Server::start(Box::new(|request| {
        Some(if request.method == Method::Register {
            granted(request, 2)
        } else {
            respond(request, 486, Some("far"))
        })
    }))
    .await;
    let service = "_sip._udp.provider.example";
    let names = NameServer::start(vec![
        name_server::transport("provider.example", 10, "SIP+D2U", service),
        name_server::server(service, 1, first.address.port(), "one.provider.example"),
        name_server::server(service, 2, silent.address.port(), "two.provider.example"),
        name_server::server(service, 3, third.address.port(), "three.provider.example"),
        name_server::host("one.provider.example", 60),
        name_server::host("two.provider.example", 60),
        name_server::host("three.provider.example", 60),
    ])
    .await;
    let mut settings = with_account("sip:provider.example");
    settings.names.servers = vec![names.address];
    settings.registering.avoid_ms = 30_000;
    let (trunk, _media, _desk) = desk::open(settings).await;
    registered(&trunk).await;
    let Some(Registration::Registered(binding)) = trunk.registration("provider") else {
        panic!("registered")
    };
    assert_eq!(binding.target.address, third.address);
    assert_eq!((first.asked(&Method::Register).len(), silent.asked(&Method::Register).len()), (1, 1));
    // A call goes where we are registered, first.
    let (told, events) = ear();
    let _leg = trunk.call_by("provider", "1000", None, events).await.unwrap();
    until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;
    assert_eq!(third.asked(&Method::Invite).len(), 1);
    let asked = names.asked();
    // Its Retry-After is over by the next refresh; what was looked up is still known.
    full.store(false, std::sync::atomic::Ordering::SeqCst);
    first.was_asked(&Method::Register, 2).await;
    assert_eq!((names.asked(), silent.asked(&Method::Register).len()), (asked, 1));
    trunk.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_to_the_next_server_and_what_is_known_of_names_runs_out() {
    let silent = Server::start(Box::new(|_| None)).await;
    let busy = Server::start(Box::new(|request| {
        (request.method == Method::Invite).then(|| respond(request, 503, Some("full")))
    }))
    .await;
    let answers = Server::start(Box::new(|request| {
        (request.method == Method::Invite).then(|| respond(request, 486, Some("far")))
    }))
    .await;
    let service = "_sip._udp.provider.example";
    let zone = |seconds| {
        vec![
            name_server::server(service, 1, silent.address.port(), "host.example"),
            name_server::server(service, 2, busy.address.port(), "host.example"),
            name_server::server(service, 3, answers.address.port(), "host.example"),
            name_server::host("host.example", seconds),
        ]
    };
    let names = NameServer::start(zone(1)).await;
    let mut settings = with_account("sip:unused.example");
    settings.trunk.clear();
    settings.names.servers = vec![names.address];
    let (trunk, _media, _desk) = desk::open(settings).await;
    let (told, events) = ear();
    let _leg = trunk.call("sip:1000@provider.example", "2000", events).await.unwrap();
    until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;
    assert_eq!([&silent, &busy, &answers].map(|server| server.asked(&Method::Invite).len()), [1, 1, 1]);
    // Those that failed are tried last now.
    let (told, events) = ear();
    let _leg = trunk.call("sip:1000@provider.example", "2000", events).await.unwrap();
    until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;
    assert_eq!([&silent, &busy, &answers].map(|server| server.asked(&Method::Invite).len()), [1, 1, 2]);
    let asked = names.asked();
    sleep(Duration::from_millis(1_200)).await;
    names.knows(zone(60));
    let (told, events) = ear();
    let _leg = trunk.call("sip:1000@provider.example", "2000", events).await.unwrap();
    until(&told, |event| matches!(event, Event::Ended(_))).await;
    assert!(names.asked() > asked, "the address was known for a second");
    let (_, events) = ear();
    let lost = trunk.call("sip:1000@nowhere.example", "2000", events).await.err().unwrap();
    assert!(lost.to_string().contains("its host is not known"), "{lost}");
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_with_whom_we_do_not_register_calls_from_where_its_name_leads_and_may_move() {
    let [before, after] = [[127, 0, 0, 7], [127, 0, 0, 8]].map(std::net::Ipv4Addr::from);
    let names = NameServer::start(vec![name_server::host_at("provider.example", 1, before)]).await;
    let mut settings = with_account("sip:provider.example");
    settings.trunk[0].account.as_mut().unwrap().register = false;
    settings.names.servers = vec![names.address];
    settings.names.again_ms = 1_000;
    let (trunk, _media, desk) = desk::open(settings).await;
    // Whether a call from there is answered; each is another.
    let calls_from = async |host: std::net::Ipv4Addr| {
        let phone = Phone::at(&host.to_string(), address(&trunk, Transport::Udp)).await;
        let invite = phone.request("INVITE", 1, &format!("of{}", phone.own.port()), "", "");
        phone.send(invite.replace("Call-ID: wire", &format!("Call-ID: {}", phone.own))).await;
        phone.receive().await.is_some()
    };
    let called_from = async |host| {
        let end = Instant::now() + Duration::from_secs(10);
        while !calls_from(host).await {
            assert!(Instant::now() < end, "nobody answers {host}");
        }
    };
    called_from(before).await;
    assert!(!calls_from([127, 0, 0, 9].into()).await, "nobody else is answered");
    names.knows(vec![name_server::host_at("provider.example", 1, after)]);
    called_from(after).await;
    assert!(!calls_from(before).await, "it has moved");
    assert!(desk.legs() > 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_kamailio_registers_us_and_sends_us_calls() {
    for (transport, parameter) in [(Transport::Udp, ""), (Transport::Tcp, ";transport=tcp")] {
        let proxy = kamailio::registrar().await;
        let mut settings = with_account(&format!("sip:{}{parameter}", proxy.address));
        // The proxy knows the account and no number.
        settings.trunk[0].account.as_mut().unwrap().number = ANSWERS.to_owned();
        let (trunk, _media, desk) = desk::open(settings).await;
        registered(&trunk).await;
        let arguments =
            ["-sf", &scenario("routed.xml"), "-s", "alice", "-m", "2", "-r", "10", "-recv_timeout", "10000"];
        let (status, said) = sipp(proxy.address, &arguments).await;
        assert_eq!(status, 0, "by {transport:?}: {said}\n{}", proxy.log());
        quiet(&trunk, Duration::from_secs(20)).await;
        assert_eq!(desk.calls(ANSWERS).len(), 2, "{}", proxy.log());
        trunk.stop(Duration::from_secs(5)).await;
        assert_eq!(trunk.registration("provider"), Some(Registration::Left));
    }
}
