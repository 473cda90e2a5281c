//! A trunk that is tried says what is wrong with it.

use std::time::Duration;

use actors::types::Private;
use cluster::edge::sip_trunk::trial::{Tried, Wish, try_trunk};
use cluster::edge::sip_trunk::{Settings, Transport};
use cluster::sip::dialog::Offers;
use cluster::sip::respond::{Draft, respond};
use cluster::sip::sdp::{KeyManagement, Protection};
use cluster::sip::wire::{HeaderName, Method, Request};

use super::desk::{self, ANSWERS, RINGS};
use super::registering::with_account;
use super::scripted::{Script, Server, granted};
use super::tls::Certificate;
use super::{address, kamailio, quiet};

fn wish(call: Option<&str>) -> Wish {
    Wish { call: call.map(str::to_owned), show_all: false, patience: Duration::from_millis(1_500) }
}

async fn tried(settings: &Settings, call: Option<&str>) -> Vec<Tried> {
    try_trunk(settings, "provider", &wish(call)).await.unwrap()
}

/// The last step's name, whether it worked, and all that it says.
fn last(tried: &[Tried]) -> (String, bool, String) {
    let last = tried.last().unwrap();
    let messages: Vec<String> = last.messages.iter().map(|message| message.join("\n")).collect();
    (last.step.clone(), last.works, format!("{}\n{}\n{}", last.what, last.change, messages.join("\n\n")))
}

async fn says(settings: &Settings, call: Option<&str>, step: &str, works: bool, words: &[&str]) {
    let tried = tried(settings, call).await;
    let (at, worked, text) = last(&tried);
    assert_eq!((at.as_str(), worked), (step, works), "{tried:#?}");
    for words in words {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
}

/// Answers each method as it says, and everything else well.
fn answering(method: Method, status: u16, more: &'static [(HeaderName, &'static str)]) -> Script {
    Box::new(move |request: &Request| {
        if request.method == method {
            let draft = respond(request, status, Some("far"));
            return Some(more.iter().fold(draft, |draft, (name, value)| draft.with(name.clone(), *value)));
        }
        well(request)
    })
}

fn well(request: &Request) -> Option<Draft> {
    match request.method {
        Method::Register => Some(granted(request, 600)),
        Method::Ack => None,
        _ => Some(respond(request, 200, Some("far"))),
    }
}

async fn at(script: Script) -> (Server, Settings) {
    let server = Server::start(script).await;
    let settings = with_account(&format!("sip:{}", server.address));
    (server, settings)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_reached_says_where_it_ended() {
    let mut nowhere = with_account("sip:provider.example");
    nowhere.names.servers = vec!["127.0.0.1:9".parse().unwrap()];
    nowhere.names.timeout_ms = 200;
    says(&nowhere, None, "find", false, &["no name server answers", "sip.names.servers"]).await;
    let names = super::name_server::NameServer::start(Vec::new()).await;
    nowhere.names.servers = vec![names.address];
    says(&nowhere, None, "find", false, &["leads nowhere", "spelling"]).await;

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = with_account(&format!("sip:{free};transport=tcp"));
    says(&refused, None, "connect", false, &["refused", "check the port"]).await;
    let refused = with_account(&format!("sip:{free}"));
    says(&refused, None, "options", false, &["refused", "> OPTIONS sip:127.0.0.1 SIP/2.0"]).await;
    let (_server, silent) = at(Box::new(|_| None)).await;
    says(&silent, None, "options", false, &["nothing came back", "firewall", ";transport=tcp"]).await;
    let unknown = try_trunk(&silent, "other", &wish(None)).await.unwrap_err().to_string();
    assert!(unknown.contains("no [[sip.trunk]] has this name"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_says_what_to_change() {
    for (method, status, more, step, words) in [
        (Method::Options, 503, &[(HeaderName::RetryAfter, "30")][..], "options", "after 30 s"),
        (Method::Options, 483, &[], "options", "circles"),
        (Method::Register, 403, &[], "register", "may not register"),
        (Method::Register, 404, &[], "register", "account.user"),
        (Method::Register, 405, &[], "register", "register = false"),
        (
            Method::Register,
            401,
            &[(HeaderName::WwwAuthenticate, "Basic realm=\"x\"")],
            "register",
            "SHA-512-256",
        ),
        (Method::Invite, 404, &[], "call", "other form"),
        (Method::Invite, 408, &[], "call", "public_address"),
        (Method::Invite, 480, &[], "call", "can't be reached"),
        (Method::Invite, 488, &[(HeaderName::Warning, "304 far \"no codec\"")], "call", "no codec"),
        (Method::Invite, 503, &[], "call", "try again"),
    ] {
        let (_server, settings) = at(answering(method, status, more)).await;
        says(&settings, Some("1000"), step, false, &[words, &format!("{status} ")]).await;
    }
    for (method, status, step) in [(Method::Options, 405, "call"), (Method::Invite, 486, "call")] {
        let (_server, settings) = at(answering(method, status, &[])).await;
        says(&settings, Some("1000"), step, true, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_proved_and_a_wrong_one_is_told_and_neither_is_shown() {
    let loops = Server::start(Box::new(|request: &Request| {
        let challenge = "Digest realm=\"provider\", nonce=\"n\", qop=\"auth\"";
        Some(match request.method {
            Method::Register => {
                respond(request, 401, Some("far")).with(HeaderName::WwwAuthenticate, challenge)
            }
            _ => respond(request, 200, Some("far")),
        })
    }))
    .await;
    let asks = with_account(&format!("sip:{}", loops.address));
    says(&asks, None, "register", false, &["user or the password is wrong", "account.realm = \"provider\""])
        .await;
    assert_eq!(loops.asked(&Method::Register).len(), 2, "no loop");
    let tried = tried(&asks, None).await;
    let text = format!("{tried:?}");
    assert!(!text.contains("alice") && !text.contains("secret"), "{text}");
    let open = try_trunk(&asks, "provider", &Wish { show_all: true, ..wish(None) }).await.unwrap();
    let text = format!("{open:?}");
    assert!(text.contains("alice@127.0.0.1") && text.contains("response=…"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_that_meddles_is_found_out() {
    let meddles: Script = Box::new(|request: &Request| {
        let mut request = request.clone();
        let via = super::scripted::header(&request, &HeaderName::Via);
        let changed = via.replacen("127.0.0.1", "203.0.113.7", 1);
        request.headers.remove_all(&HeaderName::Via);
        request.headers.push_front(cluster::sip::wire::Header::build(HeaderName::Via, changed).unwrap());
        well(&request)
    });
    let (_server, settings) = at(meddles).await;
    let tried = tried(&settings, None).await;
    let path = tried.iter().find(|one| one.step == "path").unwrap();
    assert!(!path.works && path.change.contains("SIP ALG"), "{path:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_looked_at() {
    let certificate = Certificate::new(&["provider.example"]);
    let (trunk, _media, _desk) = desk::open(certificate.settings("127.0.0.1")).await;
    let there = address(&trunk, Transport::Tls);
    let names = super::name_server::NameServer::start(vec![
        super::name_server::host("provider.example", 60),
        super::name_server::host("other.example", 60),
    ])
    .await;
    let by = |name: &str| {
        let mut settings = with_account(&format!("sip:{name}:{};transport=tls", there.port()));
        settings.names.servers = vec![names.address];
        settings.secure.trust_file = Some(certificate.chain());
        settings.trunk[0].account.as_mut().unwrap().register = false;
        settings
    };
    says(&by("provider.example"), None, "options", true, &[]).await;
    says(
        &by("other.example"),
        None,
        "connect",
        false,
        &["is for", "provider.example", "not for other.example"],
    )
    .await;
    let mut stranger = by("provider.example");
    let another = Certificate::new(&["provider.example"]);
    stranger.secure.trust_file = Some(another.chain());
    says(&stranger, None, "connect", false, &["trust_file"]).await;
    let plain = address(&trunk, Transport::Tcp);
    let mut no_tls = by("provider.example");
    no_tls.trunk[0].account.as_mut().unwrap().server =
        format!("sip:127.0.0.1:{};transport=tls", plain.port());
    says(&no_tls, None, "connect", false, &["no TLS there"]).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_hung_up_when_it_rings_or_is_answered() {
    let (trunk, _media, desk) = desk::open(super::settings()).await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let parameter = if transport == Transport::Tcp { ";transport=tcp" } else { "" };
        let mut settings = with_account(&format!("sip:{}{parameter}", address(&trunk, transport)));
        settings.trunk[0].account.as_mut().unwrap().register = false;
        says(&settings, Some(RINGS), "call", true, &["it rang (180)"]).await;
        says(&settings, Some(ANSWERS), "call", true, &[]).await;
        settings.trunk[0].offers = Some(Offers::Delayed);
        says(&settings, Some(ANSWERS), "call", true, &[]).await;
    }
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(desk.legs(), 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_offers_what_the_trunk_is_offered() {
    for (srtp, srtp_keys, lines) in [
        (None, None, [" RTP/AVP ", "a=rtpmap:0 PCMU"]),
        (Some(Protection::Offered), None, [" RTP/SAVP ", "a=crypto:1 "]),
        (
            Some(Protection::Required),
            Some(KeyManagement::Dtls),
            [" UDP/TLS/RTP/SAVP ", "a=fingerprint:sha-256 "],
        ),
    ] {
        let (server, mut settings) = at(answering(Method::Invite, 488, &[])).await;
        (settings.trunk[0].srtp, settings.trunk[0].srtp_keys) = (srtp, srtp_keys);
        says(&settings, Some("1"), "call", false, &["srtp_keys"]).await;
        let offer = server.asked(&Method::Invite)[0].body().to_vec();
        let offer = String::from_utf8(offer).unwrap();
        assert!(lines.iter().all(|line| offer.contains(line)), "{offer}");
    }
    let (server, mut settings) = at(answering(Method::Invite, 488, &[])).await;
    settings.trunk[0].offers = Some(Offers::Delayed);
    says(&settings, Some("1"), "call", false, &["srtp_keys"]).await;
    assert!(server.asked(&Method::Invite)[0].body().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_kamailio_is_asked_by_its_account_and_nothing_is_changed_there() {
    let proxy = kamailio::registrar().await;
    let settings = with_account(&format!("sip:{};transport=tcp", proxy.address));
    says(&settings, None, "register", true, &["200"]).await;
    let mut wrong = settings.clone();
    wrong.trunk[0].account.as_mut().unwrap().password = Private::new("guess".into());
    says(&wrong, None, "register", false, &["user or the password is wrong"]).await;
    // Nobody was registered by that.
    says(&settings, Some("alice"), "call", false, &["404 Not Registered"]).await;
}
