//! One decoder thread: takes the turn that needs it most, hears it to its end or until somebody needs it more.
//!
//! Finished turns come first, the oldest before the others, for their callers wait in silence. A decoder that has
//! nothing else to do listens to a caller who still speaks: it tells partial results, and the final is there almost
//! at once. It leaves such a caller, at no loss but its own work, when a finished turn waits and no other decoder is
//! idle; the turn's audio is kept until it is answered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::NAME;
use super::decoder::{Decoders, Utterance};
use super::recogniser::{Shared, fail};
use super::session::{Lease, More, Session};
use crate::audio::TELEPHONE_HZ;
use crate::engine::{Expectation, Heard, RecogniserEvent};
use crate::{clock, metrics as measured};

/// How long a decoder waits before it looks again.
const TICK: Duration = Duration::from_millis(20);
/// Samples decoded in one go (100 ms): the longest that a more urgent turn waits for a decoder to look up.
const PIECE: usize = 800;
/// Samples between two partial results (300 ms).
const PARTIAL_EVERY: usize = 2_400;
/// How long a decoder stays with a caller who says nothing more.
const PATIENCE: Duration = Duration::from_millis(1_000);

enum Job {
    Turn(Arc<Session>, Lease),
    Prepare(Arc<Session>),
}

/// How hearing a turn ended.
enum End {
    Words(Heard, crate::offline::ffi::CepstralMean, std::time::Instant),
    /// After this many samples somebody else needed the decoder, or the caller fell silent.
    Left(usize),
}

/// Works until the engine is gone.
pub(super) fn work(shared: &Shared, mut decoders: Decoders) {
    while let Some(job) = next(shared) {
        let (Job::Turn(session, _) | Job::Prepare(session)) = &job;
        let session = Arc::clone(session);
        let outcome = catch_unwind(AssertUnwindSafe(|| match &job {
            Job::Turn(session, lease) => answer(shared, &mut decoders, session, *lease),
            Job::Prepare(session) => decoders.prepare(&session.business, Expectation::Open).map(drop),
        }));
        if let Err(why) = outcome.unwrap_or_else(|_| Err("it panicked".into())) {
            decoders.discard(&session.business);
            if let Job::Turn(session, lease) = &job {
                session.turns.lock().answered(*lease);
            }
            fail(&session, &why);
        }
    }
}

/// The most urgent work; none when the engine is gone.
fn next(shared: &Shared) -> Option<Job> {
    let mut state = shared.state.lock();
    loop {
        if state.closed {
            return None;
        }
        if let Some(session) = most_urgent(shared) {
            let lease = session.turns.lock().lease();
            return Some(Job::Turn(session, lease));
        }
        if let Some(session) = state.unprepared.pop() {
            return Some(Job::Prepare(session));
        }
        state.idle += 1;
        shared.work.wait(&mut state);
        state.idle -= 1;
    }
}

fn most_urgent(shared: &Shared) -> Option<Arc<Session>> {
    shared.sessions.look(|all| {
        let open = || all.clone().filter(|session| session.delivery.is_open());
        let waiting = open().filter_map(|session| Some((session.turns.lock().waits()?, session)));
        if let Some((_, session)) = waiting.min_by_key(|(since, _)| *since) {
            return Some(Arc::clone(session));
        }
        let speaking = open().map(|session| (session.turns.lock().unheard(), session));
        let speaking = speaking.filter(|(new, _)| *new > 0).max_by_key(|(new, _)| *new);
        speaking.map(|(_, session)| Arc::clone(session))
    })
}

/// Whether a finished turn waits that no idle decoder will take.
fn is_needed_elsewhere(shared: &Shared) -> bool {
    let state = shared.state.lock();
    let waits = |session: &Arc<Session>| session.delivery.is_open() && session.turns.lock().waits().is_some();
    state.closed || state.idle == 0 && shared.sessions.look(|mut all| all.any(waits))
}

fn answer(shared: &Shared, decoders: &mut Decoders, session: &Session, lease: Lease) -> Result<(), String> {
    let (expectation, mean) = {
        let turns = session.turns.lock();
        (turns.expectation, turns.mean)
    };
    let utterance = decoders.start(&session.business, expectation, &mean)?;
    let (heard, mean, finished_at) = match hear(shared, session, lease, utterance)? {
        End::Words(heard, mean, finished_at) => (heard, mean, finished_at),
        End::Left(samples) => {
            session.turns.lock().put_back(lease, samples);
            return Ok(());
        }
    };
    {
        let mut turns = session.turns.lock();
        turns.mean = mean;
        turns.answered(lease);
    }
    measured::record_final(NAME, finished_at.elapsed());
    session.delivery.tell(RecogniserEvent::Final { turn: lease.number, heard });
    Ok(())
}

fn hear(
    shared: &Shared,
    session: &Session,
    lease: Lease,
    mut utterance: Utterance<'_>,
) -> Result<End, String> {
    let (mut heard, mut told_at) = (0, 0);
    let mut told = Heard::default();
    let mut silent_since = clock::now();
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        piece.clear();
        let more = session.turns.lock().more(lease, heard, PIECE, &mut piece);
        if !session.delivery.is_open() {
            return Ok(End::Left(heard));
        }
        match more {
            More::Audio => {
                utterance.feed(&piece)?;
                heard += piece.len();
                silent_since = clock::now();
                measured::count_decoded(NAME, piece.len(), TELEPHONE_HZ);
            }
            More::Finished(at) => {
                let (words, mean) = utterance.finish()?;
                return Ok(End::Words(words, mean, at));
            }
            More::Nothing => {
                if is_needed_elsewhere(shared) || silent_since.elapsed() > PATIENCE {
                    return Ok(End::Left(heard));
                }
                shared.work.wait_for(&mut shared.state.lock(), TICK);
                continue;
            }
        }
        if heard - told_at >= PARTIAL_EVERY {
            told_at = heard;
            let partial = utterance.partial();
            if partial != told && !partial.words.is_empty() {
                told = partial.clone();
                measured::count_partial(NAME);
                session.delivery.tell(RecogniserEvent::Partial { turn: lease.number, heard: partial });
            }
        }
    }
}
