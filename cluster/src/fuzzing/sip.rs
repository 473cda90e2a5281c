//! Signalling.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;

use crate::sip::dialog::{Command, Dialog, Effect, Input, Own, RequestId, Timing, TransactionId};
use crate::sip::digest::{Algorithm, Digest, answer_in};
use crate::sip::identity::{Authority, Passport, Said, claims};
use crate::sip::replaces::{Referred, Replaces};
use crate::sip::respond::respond;
use crate::sip::salvage::salvage;
use crate::sip::sdp::{
    Codec, Fingerprint, Hash, KeyManagement, Means, Negotiation, Protection, SECRET_BYTES, Secret,
    acceptable, parse, sdp_of,
};
use crate::sip::wire::{
    HeaderName, Limits, Message, Method, Request, StreamParser, TransactionKey, call_id_of, cancelled_key,
    parse_datagram,
};
use crate::sip::{check, destination, numbers};

const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 10_000);
const BODY_BYTES_MAX: usize = 64 * 1_024;

/// A datagram: read, checked, answered.
pub(super) fn message(bytes: &[u8]) {
    let _ = call_id_of(bytes);
    match parse_datagram(Bytes::copy_from_slice(bytes), &Limits::datagram()) {
        Ok(Message::Request(request)) => requested(request),
        Ok(Message::Response(response)) => {
            let _ = destination::of_response(&response);
            let _ = TransactionKey::from_response(&response);
            let _ = sdp_of(&response.headers, response.body());
        }
        Err(error) => {
            let refusal = check::refusal_of(&error);
            assert!((400..700).contains(&refusal.status), "{refusal:?}");
        }
    }
}

fn requested(mut request: Request) {
    destination::stamp(&mut request, HERE);
    let _ = destination::response_port(&request, HERE);
    let _ = (numbers::called(&request), numbers::caller(&request, true), numbers::caller(&request, false));
    let _ = (TransactionKey::from_request(&request), cancelled_key(&request));
    let _ = sdp_of(&request.headers, request.body());
    let _ = answer_in(&request);
    vouched(&request);
    if let Some(referred) = Referred::of(&request) {
        assert!(destination::uri(&referred.target).is_some(), "nobody can be called there: {referred:?}");
    }
    let replaces = Replaces::of(&request).ok().flatten();
    let again = replaces.as_ref().and_then(|replaces| Replaces::parse(&replaces.value()));
    assert_eq!(replaces, again, "what names a dialog names it still when it is written anew");
    let verdict = check::check(&request, BODY_BYTES_MAX);
    if !check::is_answerable(&request) {
        return;
    }
    let answer = match &verdict {
        Ok(()) => respond(&request, 200, Some("tag")).with_record_route(&request).with_capabilities().build(),
        Err(refusal) => refusal.response(&request, "tag"),
    };
    let written = Message::Response(answer).to_bytes();
    // What we answer to something usable is usable itself.
    if verdict.is_ok() {
        let read = parse_datagram(written, &Limits::stream());
        assert!(matches!(read, Ok(Message::Response(_))), "{read:?}");
    }
}

/// What a network says of a caller; its certificate's list is read from the same bytes.
fn vouched(request: &Request) {
    let said = Said { from: vec!["1".to_owned()], to: vec!["2".to_owned()], country: "1".to_owned() };
    for claim in claims(request) {
        if let Ok(Some(passport)) = Passport::read(&claim) {
            let _ = passport.fits(&said, 0, 60);
        }
    }
    let _ = Authority::read(request.body()).map(|authority| authority.covers("12155551212"));
}

/// A connection: the first byte says how it is cut into pieces, which makes no difference.
pub(super) fn stream(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let whole = framed(bytes, bytes.len().max(1));
    let pieces = framed(bytes, usize::from(*first) + 1);
    // Where framing is lost, what was whole in the same piece may be lost with it; no piece makes more of it.
    if whole.1 && pieces.1 {
        assert_eq!(whole.0, pieces.0, "cut otherwise, read otherwise");
    }
    assert_eq!(whole.1, pieces.1, "cut otherwise, refused otherwise");
}

/// The messages of a stream, and whether it could be framed to its end.
fn framed(bytes: &[u8], piece: usize) -> (Vec<Bytes>, bool) {
    let limits = Limits { max_message_bytes: 65_536, max_body_bytes: 65_536, ..Limits::stream() };
    let mut parser = StreamParser::new(limits);
    let mut found = Vec::new();
    for piece in bytes.chunks(piece) {
        match parser.push(piece) {
            Ok(messages) => found.extend(messages.iter().map(Message::to_bytes)),
            Err(_) => return (found, false),
        }
        assert!(parser.pending() <= 65_536 + 256, "{} bytes wait", parser.pending());
    }
    (found, true)
}

/// What can't be read: enough of it to refuse it, or nothing.
pub(super) fn salvaged(bytes: &[u8]) {
    let Some(request) = salvage(bytes) else { return };
    assert!(check::is_answerable(&request));
    let answer = respond(&request, 400, Some("tag")).because("Bad Request").build();
    assert!(!Message::Response(answer).to_bytes().is_empty());
}

/// A session description, as an offer and as an answer.
pub(super) fn description(bytes: &[u8]) {
    let readable = parse(bytes).is_ok();
    let refusal = negotiation(Protection::Accepted).refuse(bytes);
    assert_eq!(refusal.is_some(), readable);
    let streams = refusal.and_then(|refusal| parse(&refusal).ok()).map(|refusal| refusal.media);
    assert!(!readable || streams.is_some_and(|all| all.iter().all(|media| media.port == 0)), "taken in part");
    for protection in [Protection::Accepted, Protection::Offered, Protection::Required] {
        let means = Means { protection, has_secret: true, certified: true, codecs: &Codec::ALL };
        let takes = acceptable(bytes, means);
        let mut answering = negotiation(protection);
        let answer = answering.answer(bytes);
        if let Ok(answer) = answer {
            assert!(takes.is_ok(), "answered what is not acceptable");
            assert!(parse(&answer).is_ok(), "our own answer can't be read");
            assert_eq!(answering.hear_again(bytes), Ok(()), "told once more it is something else");
            // Held and resumed.
            let _ = answering.unchanged();
            let _ = answering.answer(bytes);
        }
        for (keys, browsers) in
            [(KeyManagement::Sdes, false), (KeyManagement::Dtls, false), (KeyManagement::Dtls, true)]
        {
            offered(negotiation(protection).keyed(keys).for_browsers(browsers), bytes);
        }
    }
}

/// As an answer: what it agrees on is what was offered.
fn offered(mut offering: Negotiation, answer: &[u8]) {
    let offer = offering.offer();
    assert!(parse(&offer).is_ok(), "our own offer can't be read");
    if offering.accept(answer).is_err() {
        return;
    }
    let offer = String::from_utf8_lossy(&offer).into_owned();
    let (by_handshake, described) = (offer.contains("a=fingerprint:"), offer.contains("a=crypto:"));
    let agreed = offering.agreed().map(|agreed| (agreed.handshake.is_some(), agreed.protected.is_some()));
    assert_eq!(agreed, Some((by_handshake, described)), "talked down");
    let again = String::from_utf8_lossy(&offering.offer()).into_owned();
    assert_eq!(again.contains("a=fingerprint:"), by_handshake, "offered otherwise in mid-call");
}

fn negotiation(protection: Protection) -> Negotiation {
    Negotiation::new(HERE, 1)
        .comforting(true)
        .certified(Some(Fingerprint { hash: Hash::Sha256, bytes: vec![7; 32] }))
        .protected(protection, Secret::from([7; SECRET_BYTES]))
}

/// The answer to our challenge.
pub(super) fn digest(bytes: &[u8]) {
    let mut message = b"INVITE sip:1000@192.0.2.1 SIP/2.0\r\nAuthorization: ".to_vec();
    message.extend(bytes.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
    message.extend_from_slice(b"\r\nContent-Length: 0\r\n\r\n");
    let Ok(Message::Request(request)) = parse_datagram(Bytes::from(message), &Limits::datagram()) else {
        return;
    };
    let Some(answer) = answer_in(&request) else { return };
    let mut digest = Digest::new("strowger", &[Algorithm::Md5, Algorithm::Sha256], 60_000, 16, [7; 32]);
    assert!(!digest.challenges(1_000, 1, false).is_empty());
    let verdict = digest.judge(1_000, &request, &answer, Some("password"));
    assert_ne!(verdict, crate::sip::digest::Verdict::Known, "nobody can know a nonce of this digest");
}

/// A call: what a connection brings, one message after another.
pub(super) fn dialog(bytes: &[u8]) {
    let mut parser = StreamParser::new(Limits::stream());
    let Ok(messages) = parser.push(bytes) else { return };
    let mut now = 1_000;
    let mut call: Option<Dialog> = None;
    for (message, number) in messages.into_iter().zip(1_u32..) {
        now += 50;
        let input = match message {
            Message::Request(request) if check::check(&request, BODY_BYTES_MAX).is_err() => continue,
            Message::Request(request) => {
                let transaction = TransactionId(u64::from(number));
                if call.is_none() {
                    call = begun(&request, transaction, now);
                    continue;
                }
                let transaction = (request.method != Method::Ack).then_some(transaction);
                Input::Request { transaction, request }
            }
            Message::Response(response) => Input::Response { id: RequestId(number % 4), response },
        };
        let Some(call) = &mut call else { continue };
        call.handle(now, input);
        carried_out(call);
        let commands = [Command::Answer, Command::Transfer("sip:2000@192.0.2.9".to_owned()), Command::HangUp];
        if let Some(command) = commands.get(number as usize / 3).filter(|_| number.is_multiple_of(3)) {
            call.handle(now, Input::Command(command.clone()));
            carried_out(call);
        }
        if let Some(at) = call.deadline() {
            now = now.max(at);
            call.handle(now, Input::Tick);
            carried_out(call);
        }
        let captured = call.capture(now);
        let again = captured.and_then(|bytes| Dialog::restore(&bytes, now));
        assert!(again.is_ok(), "a call can't be read back: {again:?}");
    }
}

fn begun(invite: &Request, transaction: TransactionId, now: u64) -> Option<Dialog> {
    if invite.method != Method::Invite {
        return None;
    }
    let own = Own {
        tag: "own".to_owned(),
        contact: "<sip:strowger@192.0.2.1>".to_owned(),
        via: "SIP/2.0/UDP 192.0.2.1".to_owned(),
        timing: Timing::default(),
        takes_referrals: true,
        follows_redirects: true,
    };
    let mut call = Dialog::incoming(own, negotiation(Protection::Accepted), now, transaction, invite).ok()?;
    carried_out(&mut call);
    call.handle(now, Input::Command(Command::Ring));
    carried_out(&mut call);
    Some(call)
}

/// What a dialog sends can be sent, and read.
fn carried_out(call: &mut Dialog) {
    for effect in call.drain() {
        let message = match effect {
            Effect::Respond { response, .. } | Effect::Retransmit { response, .. } => {
                Message::Response(response)
            }
            Effect::Send { request, .. } | Effect::Acknowledge { request, .. } => {
                assert!(request.headers.get(&HeaderName::Via).is_some(), "a request without Via");
                Message::Request(request)
            }
            Effect::Tell(_) | Effect::Unusable { .. } | Effect::Ignored { .. } => continue,
        };
        assert!(!message.to_bytes().is_empty());
    }
}
