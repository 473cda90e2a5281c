//! Carriers' questions: whose they are, and who answers them.

use std::sync::Arc;
use std::time::Duration;

use actors::types::{PhoneNumber, Private};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;

use super::call::{Ringing, run};
use super::provider::Provider;
use super::provider::proof::Signed;
use super::provider::webhook::{Answer, Asked, News};
use super::server::Shared;
use super::table::{Entered, Opens};
use super::told::{Dialled, Told};
use super::{metrics, upgrade};
use crate::clock;

/// What every answer is.
pub(super) type Reply = Response<Full<Bytes>>;

/// The key that takes a call.
const TAKES: &str = "1";
/// How long a call may take to answer beyond what it takes to be offered.
const ANSWER_MORE: Duration = Duration::from_secs(1);

/// Answers a request.
pub(super) async fn serve(
    shared: Arc<Shared>,
    place: OwnedSemaphorePermit,
    request: Request<Incoming>,
) -> Reply {
    let path = request.uri().path().to_owned();
    let mut parts = path.trim_start_matches('/').splitn(4, '/');
    let (first, provider, what) = (parts.next(), parts.next(), parts.next());
    let token = parts.next().unwrap_or_default().to_owned();
    let provider = provider.and_then(Provider::of).filter(|_| first == Some("carriers"));
    let Some(provider) = provider else {
        metrics::refused("no_route");
        return bare(StatusCode::NOT_FOUND);
    };
    match what {
        Some("stream") => stream(&shared, provider, &token, place, request),
        Some("answer") => asked(shared, provider, "answer", request).await,
        Some("status") => asked(shared, provider, "status", request).await,
        Some("transfer") => of_transfer(shared, provider, "transfer", &token, request).await,
        Some("dialled") => of_transfer(shared, provider, "dialled", &token, request).await,
        Some("ask") => of_transfer(shared, provider, "ask", &token, request).await,
        Some("pressed") => of_transfer(shared, provider, "pressed", &token, request).await,
        _ => {
            metrics::refused("no_route");
            bare(StatusCode::NOT_FOUND)
        }
    }
}

/// A websocket. Its token is the proof: nobody else knows it, and it opens one stream.
fn stream(
    shared: &Shared,
    provider: Provider,
    token: &str,
    place: OwnedSemaphorePermit,
    request: Request<Incoming>,
) -> Reply {
    let Some(key) = upgrade::key_of(request.headers()).map(<[u8]>::to_vec) else {
        metrics::refused("no_websocket");
        return bare(StatusCode::BAD_REQUEST);
    };
    match shared.table.open(provider, Opens::Stream, token) {
        Some(way) => upgrade::take(request, &key, way, shared.settings.message_bytes_max, place),
        None => {
            metrics::refused("wrong_token");
            bare(StatusCode::FORBIDDEN)
        }
    }
}

/// A question about a call by its name.
async fn asked(
    shared: Arc<Shared>,
    provider: Provider,
    kind: &'static str,
    request: Request<Incoming>,
) -> Reply {
    let asked = match believed(&shared, provider, kind, request).await {
        Ok(asked) => asked,
        Err(reply) => return *reply,
    };
    let known = shared.table.call(provider, &asked.call);
    if asked.gone {
        metrics::webhook(provider, kind, "over");
        if let Some(way) = known {
            // A call whose queue is full of events ends by its stream's silence.
            let _ = way.try_send(Told::Over);
        }
        return written(provider, provider.answer(&Answer::HangUp));
    }
    if kind == "status" {
        metrics::webhook(provider, kind, "noted");
        return bare(StatusCode::NO_CONTENT);
    }
    ring(&shared, provider, asked).await
}

async fn ring(shared: &Arc<Shared>, provider: Provider, asked: Asked) -> Reply {
    let refuse = |result, answer: &Answer<'_>| {
        metrics::webhook(provider, "answer", result);
        written(provider, provider.answer(answer))
    };
    let Some(called) = PhoneNumber::parse(&asked.called) else {
        return refuse("no_number", &Answer::Reject);
    };
    let (me, told) = mpsc::channel(shared.settings.events_waiting_max);
    let (reply, answer) = oneshot::channel();
    let most = if shared.is_refusing() { 0 } else { shared.settings.calls_max };
    match shared.table.enter(provider, &asked.call, &me, most) {
        Entered::Full => return refuse("full", &Answer::Busy),
        Entered::Known(way) => {
            if way.send(Told::AskedAgain(reply)).await.is_err() {
                return refuse("over", &Answer::HangUp);
            }
        }
        Entered::New(place) => {
            let caller = asked.caller.as_deref().and_then(PhoneNumber::parse).map(Private::new);
            let (remote, attestation) = (asked.call, asked.attestation);
            let ringing = Ringing { provider, remote, called, caller, attestation, place, me, told, reply };
            shared.calls.spawn(run(Arc::clone(shared), ringing));
        }
    }
    let patience = Duration::from_millis(shared.settings.offer_ms) * 2 + ANSWER_MORE;
    match timeout(patience, answer).await {
        Ok(Ok(answer)) => {
            metrics::webhook(provider, "answer", "answered");
            written(provider, answer)
        }
        _ => refuse("no_answer", &Answer::Reject),
    }
}

/// A question about people who are dialled, by its token, and the number of one of them after it.
async fn of_transfer(
    shared: Arc<Shared>,
    provider: Provider,
    kind: &'static str,
    token: &str,
    request: Request<Incoming>,
) -> Reply {
    let asked = match believed(&shared, provider, kind, request).await {
        Ok(asked) => asked,
        Err(reply) => return *reply,
    };
    let (token, person) = match token.split_once('/') {
        Some((token, person)) => (token, person.parse::<usize>().ok()),
        None => (token, None),
    };
    // The caller of a call that we know nothing of any more hears no error message, but silence and the end.
    let over = || written(provider, provider.answer(&Answer::HangUp));
    let Some(way) = shared.table.open(provider, Opens::Transfer, token) else {
        metrics::webhook(provider, kind, "over");
        return over();
    };
    let (reply, answer) = oneshot::channel();
    let (token, first) = (token.to_owned(), person.unwrap_or_default());
    let told = match (kind, asked.news) {
        ("transfer", _) => Told::Fetched(reply),
        ("ask", _) => Told::PickedUp { token, person: first, reply },
        ("pressed", _) => {
            let takes = asked.keys.as_deref() == Some(TAKES);
            if !takes && provider.lets_go_by_rest() {
                let (rest, leg) = (shared.rest.clone(), asked.call.clone());
                shared.asking.spawn(async move { rest.hang_up(provider, &leg).await });
            }
            Told::Pressed { token, person: first, takes, reply }
        }
        (_, News::Live) => {
            metrics::webhook(provider, kind, "noted");
            return bare(StatusCode::NO_CONTENT);
        }
        (_, news) => Told::Dialled(Dialled { token, person, whom: asked.whom, news, reply }),
    };
    if way.send(told).await.is_err() {
        return over();
    }
    metrics::webhook(provider, kind, "answered");
    // The call may ask its actor, which has as long.
    let patience = Duration::from_millis(shared.settings.offer_ms) + ANSWER_MORE;
    match timeout(patience, answer).await {
        Ok(Ok(answer)) => written(provider, answer),
        _ => over(),
    }
}

/// What a webhook says, where it is the carrier's.
async fn believed(
    shared: &Shared,
    provider: Provider,
    kind: &'static str,
    request: Request<Incoming>,
) -> Result<Asked, Box<Reply>> {
    let (head, body) = request.into_parts();
    let limit = Duration::from_millis(shared.settings.request_ms);
    let limited = Limited::new(body, shared.settings.body_bytes_max);
    let body = match timeout(limit, limited.collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            metrics::refused("body");
            return Err(Box::new(bare(StatusCode::PAYLOAD_TOO_LARGE)));
        }
        Err(_) => {
            metrics::refused("slow");
            return Err(Box::new(bare(StatusCode::REQUEST_TIMEOUT)));
        }
    };
    let query = head.uri.query().unwrap_or_default();
    let path = head.uri.path_and_query().map_or("", |path| path.as_str());
    let url = format!("{}{path}", shared.settings.public_url);
    let header = |name: &str| header_of(&head.headers, name);
    let signed = Signed {
        method: head.method.as_str(),
        url: &url,
        query,
        body: &body,
        header: &header,
        now_s: u64::try_from(clock::now().as_second()).unwrap_or(0),
    };
    if let Err(why) = provider.prove(&shared.settings.secrets(provider), &signed) {
        tracing::warn!(provider = provider.name(), %why, "a webhook was refused");
        metrics::refused(why.name());
        metrics::webhook(provider, kind, "unproven");
        return Err(Box::new(bare(StatusCode::FORBIDDEN)));
    }
    let asked = match kind {
        "answer" | "status" => provider.asked(&body, query),
        _ => provider.told(&body, query),
    };
    match asked {
        Ok(asked) => Ok(asked),
        Err(why) => {
            tracing::warn!(provider = provider.name(), %why, "a webhook can't be used");
            metrics::webhook(provider, kind, "unusable");
            Err(Box::new(bare(StatusCode::BAD_REQUEST)))
        }
    }
}

fn header_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn written(provider: Provider, answer: String) -> Reply {
    if answer.is_empty() {
        return bare(StatusCode::NO_CONTENT);
    }
    let mut reply = Response::new(Full::new(Bytes::from(answer)));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(provider.answer_type()));
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

/// An answer of a status alone.
pub(super) fn bare(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}
