//! Bounds on calls that we make for a business, against toll fraud: where to, how many at once, how many an hour.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::types::{Destination, TenantId};

/// An hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// The bounds. They hold for transfers and for calls that the receptionist makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The beginnings of the numbers that may be called, such as "+44"; empty for all. A SIP URI is called as it is:
    /// only a business's own file has one.
    pub allowed: Vec<String>,
    /// The beginnings of those that may not, such as premium rates; they count before the allowed ones.
    pub forbidden: Vec<String>,
    /// Calls at once for one business.
    pub at_once_max: u32,
    /// Calls within an hour for one business.
    pub per_hour_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let premium = ["+449", "+1900", "+4990", "+339", "+979", "+881", "+882", "+883"];
        Self {
            allowed: Vec::new(),
            forbidden: premium.map(str::to_owned).to_vec(),
            at_once_max: 10,
            per_hour_max: 120,
        }
    }
}

/// Why a call may not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not to such a number.
    #[error("calls to such numbers are not allowed; see calls.outgoing.allowed and forbidden")]
    Number,
    /// As many at once as there may be.
    #[error("the business has as many calls of its own as it may; see calls.outgoing.at_once_max")]
    AtOnce,
    /// As many within the hour as there may be.
    #[error("the business has made as many calls as it may within an hour; see calls.outgoing.per_hour_max")]
    PerHour,
}

/// What businesses have called lately. `now_ms` is any clock that never goes back, the same for all calls.
#[derive(Debug)]
pub struct Caps {
    settings: Settings,
    of: BTreeMap<TenantId, Made>,
}

#[derive(Debug, Default)]
struct Made {
    open: u32,
    /// When those of the last hour began; never more than may be made.
    began: VecDeque<u64>,
}

impl Caps {
    /// With these bounds.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings, of: BTreeMap::new() }
    }

    /// Counts one more call of this business; [`Caps::end`] is to follow.
    ///
    /// # Errors
    /// Why it may not be made; then nothing is counted.
    pub fn begin(&mut self, now_ms: u64, tenant: &TenantId, to: &Destination) -> Result<(), Denied> {
        if !self.may_call(to) {
            return Err(Denied::Number);
        }
        self.forget(now_ms);
        let made = self.of.entry(tenant.clone()).or_default();
        if made.open >= self.settings.at_once_max {
            return Err(Denied::AtOnce);
        }
        if made.began.len() >= usize::try_from(self.settings.per_hour_max).unwrap_or(usize::MAX) {
            return Err(Denied::PerHour);
        }
        made.open += 1;
        made.began.push_back(now_ms);
        Ok(())
    }

    /// A call of this business is over.
    pub fn end(&mut self, tenant: &TenantId) {
        if let Some(made) = self.of.get_mut(tenant) {
            made.open = made.open.saturating_sub(1);
        }
    }

    fn may_call(&self, to: &Destination) -> bool {
        let Destination::Number(number) = to else { return true };
        let number = number.as_str();
        let begins = |starts: &[String]| {
            starts.iter().any(|start| !start.is_empty() && number.starts_with(start.as_str()))
        };
        !begins(&self.settings.forbidden)
            && (self.settings.allowed.is_empty() || begins(&self.settings.allowed))
    }

    /// Forgets what is an hour old, and businesses of which nothing is left.
    fn forget(&mut self, now_ms: u64) {
        self.of.retain(|_, made| {
            made.began.retain(|began| began.saturating_add(HOUR_MS) > now_ms);
            made.open > 0 || !made.began.is_empty()
        });
    }
}
