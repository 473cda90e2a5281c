//! Who may join: as many streams as the measured steps allow, and not one more.
//!
//! An engine that steps whenever rows are ready keeps up with its streams as long as one step of all their rows
//! takes less than their period; a row then waits for at most the step under way and its own. Engines on one
//! device take turns, so their shares add up.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{AdmissionSettings, Buckets, StepTimes, Tenant};

/// An engine on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member(usize);

/// The right to one stream on some engines, to be given back with [`Admission::release`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a grant that is not released is never given again"]
pub struct Grant {
    tenant: Tenant,
    members: Vec<Member>,
}

/// Why there is no grant.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The engine is loading, warming up, stalled or being rebuilt.
    #[error("the engine is not ready")]
    NotReady,
    /// The engine has no place left.
    #[error("all {slots} places of the engine are taken")]
    NoSlot {
        /// How many it has.
        slots: usize,
    },
    /// With one more stream the device would be too busy.
    #[error(
        "one more stream would keep the device busy for {percent} % of the time, more than {percent_max} %"
    )]
    NoTime {
        /// The part of the time that it would be busy; 0 where that was not measured.
        percent: u32,
        /// The most that it may.
        percent_max: u32,
    },
    /// The tenant has its share.
    #[error("the tenant has its {limit} streams")]
    TenantFull {
        /// How many it may have.
        limit: usize,
    },
}

#[derive(Debug)]
struct Engine {
    /// By pace: how long steps take, and how often a stream brings a row.
    paces: Vec<(StepTimes, Duration)>,
    pace: usize,
    slots: usize,
    granted: usize,
    ready: bool,
}

/// The engines of one device and what they have promised.
#[derive(Debug)]
pub struct Admission {
    settings: AdmissionSettings,
    engines: Vec<Engine>,
    tenants: BTreeMap<Tenant, usize>,
}

impl Admission {
    /// A device without engines.
    #[must_use]
    pub fn new(settings: AdmissionSettings) -> Self {
        Self { settings, engines: Vec::new(), tenants: BTreeMap::new() }
    }

    /// Adds an engine of `slots` places whose streams bring a row every one of `periods`, by their pace; they begin
    /// with the first. It is not ready yet.
    pub fn add(&mut self, slots: usize, periods: &[Duration]) -> Member {
        let times = || StepTimes::new(Buckets::up_to(slots), self.settings.steps_kept);
        let paces = periods.iter().map(|period| (times(), *period)).collect();
        self.engines.push(Engine { paces, pace: 0, slots, granted: 0, ready: false });
        Member(self.engines.len() - 1)
    }

    /// Whether the engine takes streams. Those that it has stay.
    pub fn set_ready(&mut self, member: Member, ready: bool) {
        if let Some(engine) = self.engines.get_mut(member.0) {
            engine.ready = ready;
        }
    }

    /// The engine has fewer places than it had, such as after it ran out of memory. Streams that it has stay.
    pub fn limit(&mut self, member: Member, slots: usize) {
        if let Some(engine) = self.engines.get_mut(member.0) {
            engine.slots = engine.slots.min(slots);
        }
    }

    /// The engine's streams bring their rows at another pace from now on.
    pub fn set_pace(&mut self, member: Member, pace: usize) {
        if let Some(engine) = self.engines.get_mut(member.0) {
            engine.pace = pace.min(engine.paces.len().saturating_sub(1));
        }
    }

    /// A step of the engine was measured, at the pace that its streams have.
    pub fn record(&mut self, member: Member, rows: usize, took: Duration) {
        let pace = self.engines.get(member.0).map_or(0, |engine| engine.pace);
        self.record_at(member, pace, rows, took);
    }

    /// A step of the engine was measured at `pace`.
    pub fn record_at(&mut self, member: Member, pace: usize, rows: usize, took: Duration) {
        let engine = self.engines.get_mut(member.0);
        if let Some((times, _)) = engine.and_then(|engine| engine.paces.get_mut(pace)) {
            times.record(rows, took);
        }
    }

    /// Forgets how long the engine's steps took: it measures again.
    pub fn forget(&mut self, member: Member) {
        if let Some(engine) = self.engines.get_mut(member.0) {
            for (times, _) in &mut engine.paces {
                *times = StepTimes::new(times.buckets().clone(), self.settings.steps_kept);
            }
        }
    }

    /// One stream on each of `members`, or nothing.
    ///
    /// # Errors
    /// [`Refusal`]: the call goes to another node, to another engine, or is refused.
    pub fn grant(&mut self, tenant: Tenant, members: &[Member]) -> Result<Grant, Refusal> {
        let limit = self.settings.tenant_streams_max;
        if self.tenants.get(&tenant).copied().unwrap_or(0) + members.len() > limit {
            return Err(Refusal::TenantFull { limit });
        }
        for (place, member) in members.iter().enumerate() {
            let engine = self.engines.get(member.0).filter(|engine| engine.ready).ok_or(Refusal::NotReady)?;
            let asked = members.iter().take(place + 1).filter(|other| *other == member).count();
            if engine.granted + asked > engine.slots {
                return Err(Refusal::NoSlot { slots: engine.slots });
            }
        }
        self.check_time(members)?;
        for member in members {
            if let Some(engine) = self.engines.get_mut(member.0) {
                engine.granted += 1;
            }
        }
        *self.tenants.entry(tenant).or_default() += members.len();
        Ok(Grant { tenant, members: members.to_vec() })
    }

    /// Takes a grant back.
    pub fn release(&mut self, grant: Grant) {
        for member in &grant.members {
            if let Some(engine) = self.engines.get_mut(member.0) {
                engine.granted = engine.granted.saturating_sub(1);
            }
        }
        if let Some(streams) = self.tenants.get_mut(&grant.tenant) {
            *streams = streams.saturating_sub(grant.members.len());
            if *streams == 0 {
                self.tenants.remove(&grant.tenant);
            }
        }
    }

    /// The part of the time that the device is busy if all its streams are ready at once, with one more on each
    /// of `more`; none where that was not measured.
    #[must_use]
    pub fn share(&self, more: &[Member]) -> Option<f64> {
        let mut share = 0.0;
        for (place, engine) in self.engines.iter().enumerate() {
            let streams = engine.granted + more.iter().filter(|member| member.0 == place).count();
            if streams > 0 {
                let (times, period) = engine.paces.get(engine.pace)?;
                share += times.p99(streams)?.as_secs_f64() / period.as_secs_f64().max(1e-9);
            }
        }
        Some(share)
    }

    /// Streams granted on an engine.
    #[must_use]
    pub fn granted(&self, member: Member) -> usize {
        self.engines.get(member.0).map_or(0, |engine| engine.granted)
    }

    fn check_time(&self, members: &[Member]) -> Result<(), Refusal> {
        let percent_max = (self.settings.share_max * 100.0).round() as u32;
        match self.share(members) {
            Some(share) if share <= f64::from(self.settings.share_max) => Ok(()),
            Some(share) => Err(Refusal::NoTime { percent: (share * 100.0).ceil() as u32, percent_max }),
            None => Err(Refusal::NoTime { percent: 0, percent_max }),
        }
    }
}
