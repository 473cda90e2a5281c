//! Erasing what waits, on the disk as well.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::timeout;

use super::Journalled;
use super::drain::anew;
use super::entry::{Entry, Lane};
use super::erase::{Which, call_of, call_of_lane, count, instead};
use super::file::LogError;
use super::ledger::Ledger;
use super::record;
use crate::clock::ms;
use crate::storage::{Erased, Erasure, Error, Result};
use crate::types::{CallId, CallRecord};

impl Journalled {
    /// Erases what waits of `which`, so that it is gone from the file as well, and waits a while for the store to be
    /// told of the calls that had something there.
    pub(super) async fn erase_waiting(&self, which: Which<'_>) -> Result<Erasure> {
        {
            let ledger = self.shared.ledger.lock();
            if ledger.rows() == 0 && !ledger.is_stale() {
                return Ok(Erasure::default());
            }
        }
        let of_tools = self.calls_of_tools().await?;
        let (mut erasure, live) = {
            let _gate = self.shared.gate.lock().await;
            self.erase_from_file(which, &of_tools).await?
        };
        for call in live {
            // Where the store has it as one that goes on, it is counted there.
            let stored = match which {
                Which::Call(..) => None,
                Which::Caller(..) | Which::Tenant(_) => self.shared.store()?.call(call).await?,
            };
            erasure.live += u64::from(stored.is_none_or(|record| record.ended_at.is_some()));
        }
        self.shared.measure();
        self.shared.wake.notify_one();
        self.told(&erasure.calls).await;
        Ok(erasure)
    }

    /// The calls whose tools' outcomes wait and whose records do not: whose they are is known to the store only.
    async fn calls_of_tools(&self) -> Result<HashMap<CallId, CallRecord>> {
        let calls: Vec<CallId> = {
            let ledger = self.shared.ledger.lock();
            let of_tools = ledger.all().filter_map(|entry| match entry {
                Entry::Outcome { key, .. } => call_of(key),
                _ => None,
            });
            of_tools.filter(|call| record_in(&ledger, *call).is_none()).collect()
        };
        let mut known = HashMap::new();
        for call in calls {
            if let Some(record) = self.shared.store()?.call(call).await? {
                known.insert(call, record);
            }
        }
        Ok(known)
    }

    /// The caller holds the gate: nothing is on its way to the store.
    async fn erase_from_file(
        &self,
        which: Which<'_>,
        of_tools: &HashMap<CallId, CallRecord>,
    ) -> Result<(Erasure, Vec<CallId>)> {
        let (erasure, live, erasures, synced) = {
            let mut ledger = self.shared.ledger.lock();
            let plan = plan(&ledger, which, of_tools);
            if plan.gone.is_empty() && !ledger.is_stale() {
                return Ok((plan.erasure, plan.live));
            }
            ledger.erase(&plan.gone);
            let now = self.shared.clock.now();
            for entry in plan.instead {
                let bytes = record::write(ledger.next(), now, &entry).map_or(0, |bytes| bytes.len() as u64);
                ledger.put(now, entry, bytes);
            }
            (plan.erasure, plan.live, ledger.erasures(), self.shared.log.replace(anew(&ledger)))
        };
        match synced.await.unwrap_or(Err(LogError::Closed)) {
            Ok(()) => {
                self.shared.ledger.lock().clean(erasures);
                Ok((erasure, live))
            }
            Err(error) => Err(Error::Unavailable {
                why: format!("what was erased is still in the journal's file ({error}); erase again"),
            }),
        }
    }

    /// Waits until the store was told of these calls, or for so long as one write may take.
    async fn told(&self, calls: &[CallId]) {
        let all_told = async {
            loop {
                let progress = self.shared.progress.notified();
                let is_left = |call: &CallId| !self.shared.ledger.lock().is_free(&Lane::Call(*call));
                if !calls.iter().any(is_left) {
                    return;
                }
                progress.await;
            }
        };
        let most: Duration = ms(self.shared.settings.drain_write_ms);
        // What the store could not be told yet it is told later.
        let _ = timeout(most, all_told).await;
    }
}

/// What is to be done.
#[derive(Default)]
struct Plan {
    /// What goes.
    gone: Vec<u64>,
    /// What takes its place.
    instead: Vec<Entry>,
    /// Calls that go on.
    live: Vec<CallId>,
    erasure: Erasure,
}

fn plan(ledger: &Ledger, which: Which<'_>, of_tools: &HashMap<CallId, CallRecord>) -> Plan {
    let mut by_call: BTreeMap<CallId, Vec<(u64, &Entry)>> = BTreeMap::new();
    for (number, entry) in ledger.numbered() {
        if let Some(call) = call_of_lane(&entry.lane()) {
            by_call.entry(call).or_default().push((number, entry));
        }
    }
    let (mut plan, mut erased) = (Plan::default(), Erased::default());
    for (call, waiting) in by_call {
        if ledger.is_erased(call) {
            continue;
        }
        let entries = || waiting.iter().map(|(_, entry)| *entry);
        let kept = record_in(ledger, call);
        let chosen = kept.or_else(|| of_tools.get(&call)).filter(|record| which.has(record, entries()));
        match chosen {
            Some(record) if record.ended_at.is_none() => plan.live.extend(kept.map(|record| record.id)),
            Some(record) => {
                plan.gone.extend(waiting.iter().map(|(number, _)| *number));
                entries().for_each(|entry| count(entry, &mut erased));
                if let Some(record) = kept {
                    plan.instead.extend(instead(record, which.extent(), entries()));
                    plan.erasure.calls.push(record.id);
                    erased.calls += 1;
                } else {
                    // The rest of it is in the store, and erased there.
                    tracing::debug!(call_id = %record.id, "what a tool call came to is not written any more");
                }
            }
            None => {
                for (number, entry) in waiting.iter().filter(|(_, entry)| which.has_alone(entry)) {
                    plan.gone.push(*number);
                    count(entry, &mut erased);
                }
            }
        }
    }
    plan.erasure.erased = erased;
    plan
}

/// A call's record as it was last kept.
fn record_in(ledger: &Ledger, call: CallId) -> Option<&CallRecord> {
    ledger.of(&Lane::Call(call)).rev().find_map(|entry| match entry {
        Entry::Call(record) => Some(&**record),
        _ => None,
    })
}
