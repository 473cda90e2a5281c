//! Carries one caller from node to node.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tonic::Streaming;

use super::super::metrics::{self as measured, Sense};
use super::super::wire::FromEar;
use super::kept::{Granted, Kept};
use super::session::Session;
use super::shared::Shared;
use super::trouble::{Trouble, nobody};
use crate::clock;
use crate::engine::{ListenRequest, Place, SpeechToText};

/// How often a caller whom nobody takes looks whether a node has come back.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Until the caller is gone, or nobody is left to hear them. They begin where a place was kept for them, if one was.
pub(super) async fn carry(
    session: Arc<Session>,
    shared: Arc<Shared>,
    instead: Option<Arc<dyn SpeechToText>>,
    kept: Option<Arc<Kept>>,
) {
    let mut tried = Vec::new();
    let mut last = None;
    let mut granted = kept.as_ref().and_then(|kept| kept.take());
    while !session.is_closed() {
        let (node, opened) = match granted.take() {
            // Where it can't be sent the stream is over, which is seen at once.
            Some(granted) => {
                let _ = granted.sender.try_send(session.opening());
                (granted.node, Ok(granted))
            }
            None => {
                let next = next(&session, &shared, &mut tried, last.as_ref(), instead.is_some()).await;
                let Some(node) = next else {
                    let here = kept.as_ref().and_then(|kept| kept.here.clone()).unwrap_or_default();
                    return nobody_there(&session, &shared, last.as_ref(), instead.as_deref(), &here);
                };
                (node, Granted::ask(&shared, node, session.opening()).await)
            }
        };
        match opened {
            Ok(Granted { incoming, sender, counted, .. }) => {
                session.goes_there(sender, clock::now());
                let trouble = follow(&session, incoming).await;
                drop(counted);
                let Some(trouble) = trouble else { return };
                shared.note(Sense::Hearing, node, &trouble);
                tried = vec![node];
                if session.leaves() > shared.settings.moves_max {
                    measured::count_nobody(Sense::Hearing);
                    return session.fails(nobody(shared.links.len(), Some(&trouble)));
                }
                last = Some(trouble);
            }
            Err(trouble) => {
                shared.note(Sense::Hearing, node, &trouble);
                if matches!(trouble, Trouble::Bad(_)) {
                    return session.fails(nobody(shared.links.len(), Some(&trouble)));
                }
                tried.push(node);
                last = Some(trouble);
            }
        }
    }
}

/// The next node. Where all are in trouble and there is nobody instead, one may come back in time.
async fn next(
    session: &Session,
    shared: &Shared,
    tried: &mut Vec<usize>,
    last: Option<&Trouble>,
    has_instead: bool,
) -> Option<usize> {
    if let Some(node) = shared.pick(Sense::Hearing, tried) {
        return Some(node);
    }
    if has_instead || matches!(last, None | Some(Trouble::Full)) {
        return None;
    }
    let until = clock::now() + Duration::from_millis(shared.settings.wait_ms);
    while clock::now() < until && !session.is_closed() {
        sleep(LOOK_EVERY).await;
        // It has answered a look since, or it would not be named.
        if let Some(node) = shared.pick(Sense::Hearing, &[]) {
            tried.clear();
            return Some(node);
        }
    }
    None
}

/// Takes what a node says. Returns what ended that; none where the caller is gone.
async fn follow(session: &Session, mut incoming: Streaming<FromEar>) -> Option<Trouble> {
    loop {
        tokio::select! {
            message = incoming.message() => match message {
                Ok(Some(message)) => {
                    if !session.on_node(message, clock::now()) {
                        return Some(Trouble::Broken("it says what nobody understands".into()));
                    }
                }
                Ok(None) => return Some(Trouble::Broken("it ended the stream".into())),
                // A granted stream that ends for want of room was not read, or its engine is.
                Err(status) => return Some(match Trouble::of(&status) {
                    Trouble::Full => Trouble::Stalled,
                    trouble => trouble,
                }),
            },
            () = session.call.notified() => {
                if session.is_closed() {
                    return None;
                }
                if let Some(trouble) = session.take_trouble() {
                    return Some(trouble);
                }
            }
        }
    }
}

/// No node is left: this node's own engine takes the caller, if there is one.
fn nobody_there(
    session: &Arc<Session>,
    shared: &Shared,
    last: Option<&Trouble>,
    instead: Option<&dyn SpeechToText>,
    place: &Place,
) {
    let Some(engine) = instead else {
        measured::count_nobody(Sense::Hearing);
        return session.fails(nobody(shared.links.len(), last));
    };
    let told = Arc::downgrade(session);
    let listener = Box::new(move |event| {
        if let Some(session) = told.upgrade() {
            session.on_own(event, clock::now());
        }
    });
    let request = ListenRequest { rate_hz: session.rate_hz, phrases: Arc::clone(&session.phrases) };
    match engine.listen_at(place, request, listener) {
        Ok((audio, listening)) => {
            measured::count_instead(Sense::Hearing);
            listening.expect(session.expectation());
            session.goes_here(audio, listening.into(), clock::now());
        }
        Err(error) => {
            measured::count_nobody(Sense::Hearing);
            session.fails(error);
        }
    }
}
