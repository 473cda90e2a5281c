//! Calls that change hands, and why whoever had one before can't write over what came after.
//!
//! A call that is never claimed costs nothing here: the process that it came to is the only one that writes it. To
//! claim it is one comparison, in the owner's row of that call: of many one wins, and its epoch is the claim's
//! number.
//!
//! What is written of a call is not compared. Two writes of one row are decided by their times, so the times are
//! cut into eras: a write of the process that the call came to has a time in the first era after the call's start,
//! one of the first that claimed it has one in the second, and so on. Whatever a process still writes that was
//! frozen, cut off or slow, and whenever it comes, lies in an earlier era than what was written since, and changes
//! nothing. No clock needs to agree with another for that.
//!
//! ```text
//! call's start │ held by the first       │ claimed once            │ claimed twice
//!              └─ + ms since the start ──┴─ + ms since the start ──┴─ …        each era: 2^28 µs, 268 s
//! ```
//! The states of calls are written by the same eras (see `states`).
//!
//! Within an era one process writes; its times follow how long the call has lasted, in milliseconds counted as
//! microseconds, so that an era has room for three days of call.
//!
//! Events need none of this: they carry numbers, and the first of a number stays. What a process appends that has
//! lost the call lies behind what its successor appended, or is left out where the number is taken.

use super::Scylla;
use super::cql::Statement;
use super::events::DAY_SECONDS;
use super::failure::Meaning;
use crate::storage::{Claim, Error, HOLDER, Owner, Result};
use crate::types::{CallId, CallRecord, Holder, Life};

/// The kind of a call's row among the owners.
const KIND: &str = "call";
/// The length of an era, in microseconds.
const ERA_US: i64 = 1 << 28;

/// When a write of a call's row is made, for the servers: see above. `written_us`: the time of what is there.
pub(super) fn time_of(record: &CallRecord, now: jiff::Timestamp, written_us: Option<i64>) -> i64 {
    let own = in_era(record.started_at, record.claim(), now);
    written_us.map_or(own, |written| own.max(written.saturating_add(1)))
}

/// A time in the era of this claim, of a call that began then; 0: of the process that it came to.
pub(super) fn in_era(started_at: jiff::Timestamp, claim: u32, now: jiff::Timestamp) -> i64 {
    let lasted_ms = now.as_millisecond().saturating_sub(started_at.as_millisecond());
    let era = started_at.as_microsecond().saturating_add(i64::from(claim) * ERA_US);
    era.saturating_add(lasted_ms.clamp(0, ERA_US - 1))
}

/// Refuses what is written by one that has lost the call.
pub(super) fn check_holder(before: Option<&CallRecord>, record: &CallRecord) -> Result<()> {
    match before.is_none_or(|before| before.yields_to(record)) {
        true => Ok(()),
        false => Err(Error::Conflict { what: HOLDER }),
    }
}

impl Scylla {
    /// Takes a call that goes on from another process.
    pub(super) async fn claim_call_row(&self, call: CallId, from: Option<&Life>, to: &Life) -> Result<Claim> {
        let Some(record) = self.call_row(call).await?.filter(|record| record.ended_at.is_none()) else {
            return Ok(Claim::Over);
        };
        let id = call.to_string();
        let decided = self.decided_owner(KIND, &id).await?;
        let held = match &decided {
            Some(owner) => holder_of(owner),
            None => record.held_by,
        };
        let claim = match held {
            Some(held) if held.life == *to => held.claim,
            held if held.as_ref().map(|held| &held.life) != from => return Ok(Claim::Held(held)),
            held => match self.take_call(&id, to, decided.as_ref(), held).await? {
                Ok(claim) => claim,
                Err(held) => return Ok(Claim::Held(held)),
            },
        };
        // Read again: what the other wrote until now counts; what it writes from now on is of an earlier era.
        let Some(mut record) = self.call_row(call).await?.filter(|record| record.ended_at.is_none()) else {
            return Ok(Claim::Over);
        };
        record.held_by = Some(Holder { life: to.clone(), claim });
        self.put_call_row(&record).await?;
        Ok(Claim::Granted(Box::new(record)))
    }

    /// Forgets who claimed a call: it is erased.
    pub(super) async fn forget_claims(&self, call: CallId) -> Result<()> {
        let id = call.to_string();
        if self.decided_owner(KIND, &id).await?.is_some() {
            self.drop_for_sure(Statement::DropOwner, (KIND, id.as_str())).await?;
        }
        Ok(())
    }

    /// The claim's number; or who was first.
    async fn take_call(
        &self,
        id: &str,
        to: &Life,
        decided: Option<&Owner>,
        held: Option<Holder>,
    ) -> Result<std::result::Result<u32, Option<Holder>>> {
        let days = self.cluster.settings.checkpoint_days;
        let ttl = i32::try_from(days.saturating_mul(DAY_SECONDS)).unwrap_or(i32::MAX);
        // A record that came from another store may have been claimed there: its number goes on.
        let known = held.as_ref().map_or(0, |held| u64::from(held.claim));
        let before = decided.map(|owner| owner.epoch);
        let epoch = before.unwrap_or(0).max(known).saturating_add(1);
        let owner = Owner { who: to.to_string(), epoch };
        match self.try_take((KIND, id), owner, before, ttl).await {
            Ok(owner) => Ok(Ok(u32::try_from(owner.epoch).unwrap_or(u32::MAX))),
            Err(failure) if failure.meaning == Meaning::Undone => {
                let first = self.decided_owner(KIND, id).await?;
                match first.as_ref().and_then(holder_of) {
                    Some(first) if first.life == *to => Ok(Ok(first.claim)),
                    Some(first) => Ok(Err(Some(first))),
                    None => Err(failure.into_error(false)),
                }
            }
            Err(failure) => Err(failure.into_error(true)),
        }
    }
}

fn holder_of(owner: &Owner) -> Option<Holder> {
    let claim = u32::try_from(owner.epoch).unwrap_or(u32::MAX);
    Life::parse(&owner.who).map(|life| Holder { life, claim })
}
