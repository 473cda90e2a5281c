//! Bounds on calls that we make for a business, against toll fraud: where to, how many at once, how many an hour, and
//! what they cost in a day.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::types::{Destination, TenantId};

/// An hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;
/// What was spent is kept by the hour, for so many hours.
const DAY_HOURS: u64 = 24;

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
    /// What a minute costs, by how the number begins; of several the longest counts.
    pub prices: Vec<Price>,
    /// What a minute costs where no beginning fits, in thousandths of the money that all prices are in.
    pub price_otherwise: u32,
    /// What the calls of one business may cost within a day, in thousandths; 0 for no bound. A call that would begin
    /// beyond it is not made; those under way go on.
    pub spend_per_day_max: u32,
}

/// What a minute of a call costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// How the number begins, such as "+44".
    pub start: String,
    /// The price of a minute that has begun, in thousandths.
    pub per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let premium = ["+449", "+1900", "+4990", "+339", "+979", "+881", "+882", "+883"];
        Self {
            allowed: Vec::new(),
            forbidden: premium.map(str::to_owned).to_vec(),
            at_once_max: 10,
            per_hour_max: 120,
            prices: Vec::new(),
            price_otherwise: 0,
            spend_per_day_max: 0,
        }
    }
}

/// Why a call may not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not to such a number.
    #[error("calls to such numbers are not allowed; see calls.call.outgoing.allowed and forbidden")]
    Number,
    /// As many at once as there may be.
    #[error("the business has as many calls of its own as it may; see calls.call.outgoing.at_once_max")]
    AtOnce,
    /// As many within the hour as there may be.
    #[error(
        "the business has made as many calls as it may within an hour; see calls.call.outgoing.per_hour_max"
    )]
    PerHour,
    /// It might cost more than the day's calls may.
    #[error(
        "the business's calls have cost as much as they may within a day; see calls.call.outgoing.spend_per_day_max"
    )]
    Spend,
}

impl Denied {
    /// Its name in metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::AtOnce => "at_once",
            Self::PerHour => "per_hour",
            Self::Spend => "spend",
        }
    }
}

/// One call that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Begun(u64);

/// What businesses have called lately. `now_ms` is any clock that never goes back, the same for all calls. It is of
/// one node, and forgotten with its process.
#[derive(Debug)]
pub struct Caps {
    settings: Settings,
    next: u64,
    of: BTreeMap<TenantId, Made>,
}

#[derive(Debug, Default)]
struct Made {
    /// Never more than there may be at once.
    open: BTreeMap<Begun, Open>,
    /// When those of the last hour began; never more than may be made.
    began: VecDeque<u64>,
    /// What those that are over have cost, by the hour they ended in; never more hours than a day has.
    spent: VecDeque<(u64, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    per_minute: u32,
    answered_ms: Option<u64>,
}

impl Open {
    /// What it costs if it ends now: each minute that has begun.
    fn cost(self, now_ms: u64) -> u64 {
        let minutes = |since: u64| now_ms.saturating_sub(since) / 60_000 + 1;
        self.answered_ms.map_or(0, minutes).saturating_mul(u64::from(self.per_minute))
    }
}

impl Caps {
    /// With these bounds.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings, next: 0, of: BTreeMap::new() }
    }

    /// Counts one more call of this business; [`Caps::end`] is to follow.
    ///
    /// # Errors
    /// Why it may not be made; then nothing is counted.
    pub fn begin(&mut self, now_ms: u64, tenant: &TenantId, to: &Destination) -> Result<Begun, Denied> {
        if !self.may_call(to) {
            return Err(Denied::Number);
        }
        self.forget(now_ms);
        let per_minute = self.price(to);
        let made = self.of.entry(tenant.clone()).or_default();
        if made.open.len() >= usize::try_from(self.settings.at_once_max).unwrap_or(usize::MAX) {
            return Err(Denied::AtOnce);
        }
        if made.began.len() >= usize::try_from(self.settings.per_hour_max).unwrap_or(usize::MAX) {
            return Err(Denied::PerHour);
        }
        let most = u64::from(self.settings.spend_per_day_max);
        // Whoever rings may answer: a minute of each counts.
        let open = made.open.values().map(|open| open.cost(now_ms).max(u64::from(open.per_minute)));
        let spent = made.spent.iter().map(|(_, spent)| *spent);
        let all: u64 = open.chain(spent).chain([u64::from(per_minute)]).fold(0, u64::saturating_add);
        if most > 0 && all > most {
            return Err(Denied::Spend);
        }
        let begun = Begun(self.next);
        self.next += 1;
        made.open.insert(begun, Open { per_minute, answered_ms: None });
        made.began.push_back(now_ms);
        Ok(begun)
    }

    /// A call of this business was answered: from now on it costs.
    pub fn answered(&mut self, now_ms: u64, tenant: &TenantId, begun: Begun) {
        let open = self.of.get_mut(tenant).and_then(|made| made.open.get_mut(&begun));
        if let Some(open) = open {
            open.answered_ms.get_or_insert(now_ms);
        }
    }

    /// A call of this business is over.
    pub fn end(&mut self, now_ms: u64, tenant: &TenantId, begun: Begun) {
        let Some(made) = self.of.get_mut(tenant) else { return };
        let cost = made.open.remove(&begun).map_or(0, |open| open.cost(now_ms));
        let hour = now_ms / HOUR_MS;
        match made.spent.back_mut() {
            _ if cost == 0 => {}
            Some((last, spent)) if *last == hour => *spent = spent.saturating_add(cost),
            _ => made.spent.push_back((hour, cost)),
        }
    }

    fn price(&self, to: &Destination) -> u32 {
        // A SIP URI is somewhere that only the business itself names, and costs nothing.
        let Destination::Number(number) = to else { return 0 };
        let fits = |price: &&Price| number.as_str().starts_with(price.start.as_str());
        let longest = self.settings.prices.iter().filter(fits).max_by_key(|price| price.start.len());
        longest.map_or(self.settings.price_otherwise, |price| price.per_minute)
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

    /// Forgets what is past its time, and businesses of which nothing is left.
    fn forget(&mut self, now_ms: u64) {
        let hour = now_ms / HOUR_MS;
        self.of.retain(|_, made| {
            made.began.retain(|began| began.saturating_add(HOUR_MS) > now_ms);
            made.spent.retain(|(spent_in, _)| spent_in.saturating_add(DAY_HOURS) > hour);
            !made.open.is_empty() || !made.began.is_empty() || !made.spent.is_empty()
        });
    }
}
