//! Events that wait to be sent to one caller's node.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tonic::Status;

use crate::remote::wire::FromEar;
use crate::remote::wire::from_ear::Kind;

/// A bounded queue of events. A partial result takes the place of the one before it; where another event finds no
/// room the stream is ended, for it is not read.
pub(super) struct Outbox {
    most: usize,
    state: Mutex<State>,
    reader: AtomicWaker,
    /// Told when the stream has an end, whoever made it.
    ended: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<FromEar>,
    end: Option<Option<Status>>,
    /// The end was told, or nobody reads any more.
    closed: bool,
}

/// The reading end.
pub(super) struct Outgoing(Arc<Outbox>);

impl Outbox {
    pub(super) fn new(most: usize) -> (Arc<Self>, Outgoing) {
        let outbox = Arc::new(Self {
            most,
            state: Mutex::default(),
            reader: AtomicWaker::new(),
            ended: Notify::new(),
        });
        (Arc::clone(&outbox), Outgoing(outbox))
    }

    /// Queues an event. False where it found no room, which ends the stream.
    pub(super) fn push(&self, kind: Kind) -> bool {
        let mut state = self.state.lock();
        if state.closed || state.end.is_some() {
            return true;
        }
        let event = FromEar { kind: Some(kind) };
        let newer = match (&event.kind, state.waiting.back().and_then(|last| last.kind.as_ref())) {
            (Some(Kind::Partial(new)), Some(Kind::Partial(old))) => new.turn == old.turn,
            _ => false,
        };
        if newer {
            state.waiting.pop_back();
        }
        let fits = state.waiting.len() < self.most;
        if fits {
            state.waiting.push_back(event);
            drop(state);
            self.reader.wake();
        } else {
            drop(state);
            self.end(Some(Status::resource_exhausted("the events are not read")));
        }
        fits
    }

    /// Nothing follows; without a status the stream ends well.
    pub(super) fn end(&self, status: Option<Status>) {
        self.state.lock().end.get_or_insert(status);
        self.ended.notify_one();
        self.reader.wake();
    }

    /// Waits until the stream has an end.
    pub(super) async fn ended(&self) {
        self.ended.notified().await;
    }
}

impl Stream for Outgoing {
    type Item = Result<FromEar, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.reader.register(context.waker());
        let mut state = self.0.state.lock();
        if let Some(event) = state.waiting.pop_front() {
            return Poll::Ready(Some(Ok(event)));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        match state.end.take() {
            Some(status) => {
                state.closed = true;
                Poll::Ready(status.map(Err))
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.0.state.lock().closed = true;
        self.0.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::StreamExt;

    use super::*;
    use crate::remote::wire::Words;

    fn partial(turn: u64, stable: u32) -> Kind {
        Kind::Partial(Words { turn, stable, words: Vec::new() })
    }

    #[test]
    fn partials_give_way_and_what_does_not_fit_ends_the_stream() {
        let (outbox, mut outgoing) = Outbox::new(2);
        assert!(outbox.push(partial(0, 1)) && outbox.push(partial(0, 2)));
        assert!(outbox.push(Kind::Final(Words::default())));
        assert!(!outbox.push(partial(1, 1)), "the newest is of another turn");
        let mut next = || outgoing.next().now_or_never().expect("waits");
        assert_eq!(next().expect("an event").expect("well").kind, Some(partial(0, 2)));
        assert!(matches!(next(), Some(Ok(FromEar { kind: Some(Kind::Final(_)) }))));
        assert_eq!(next().expect("the end").expect_err("ill").code(), tonic::Code::ResourceExhausted);
        assert!(next().is_none());
    }

    #[test]
    fn a_reader_that_goes_is_noticed() {
        let (outbox, outgoing) = Outbox::new(2);
        assert!(outbox.ended().now_or_never().is_none());
        drop(outgoing);
        assert!(outbox.ended().now_or_never().is_some());
    }
}
