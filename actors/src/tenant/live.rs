//! The live state that a tenant's actor owns and everybody else reads without its mailbox.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::RwLock;
use ractor::ActorRef;

use super::{Slot, Slots};
use crate::integrations::{self, Ask, Kind};
use crate::types::{Business, Line, PhoneNumber, TenantId, ToolOutcome};

/// A tenant's live state. Outlives a restart of its actor.
pub struct Live {
    tenant: TenantId,
    phrases: Phrases,
    snapshot: ArcSwap<Snapshot>,
    calls: Arc<Slots>,
    /// Calls beyond the limit, which go somewhere else.
    beyond: Arc<Slots>,
    integrations: RwLock<BTreeMap<Kind, ActorRef<integrations::Message>>>,
}

/// What a business's callers are likely to say, for recognisers with a language model.
pub type Phrases = fn(&Business) -> Vec<String>;

/// A business in one version, with what is derived from it once.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) business: Arc<Business>,
    pub(crate) phrases: Arc<[String]>,
    lines: Vec<(PhoneNumber, Arc<Business>)>,
}

impl Snapshot {
    fn new(business: Arc<Business>, phrases: Phrases) -> Self {
        let phrases = phrases(&business).into();
        let of = |line: &Line| (line.number.clone(), Arc::new(business.for_line(line)));
        let lines = business.arrival.lines.iter().map(of).collect();
        Self { business, phrases, lines }
    }

    /// The business as it is for calls to this number.
    pub(crate) fn for_calls_to(&self, called: &PhoneNumber) -> &Arc<Business> {
        let line = self.lines.iter().find(|(number, _)| number.reaches_same_line(called));
        line.map_or(&self.business, |(_, business)| business)
    }
}

impl Live {
    pub(crate) fn new(business: Arc<Business>, phrases: Phrases) -> Self {
        Self {
            tenant: business.id.clone(),
            phrases,
            snapshot: ArcSwap::from_pointee(Snapshot::new(business, phrases)),
            calls: Arc::default(),
            beyond: Arc::default(),
            integrations: RwLock::default(),
        }
    }

    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Takes a newer version of the business for the calls to come; those under way keep theirs. An older or
    /// equal version changes nothing.
    pub(crate) fn adopt(&self, business: Business) {
        let current = self.snapshot.load().business.version;
        if business.version <= current {
            return;
        }
        tracing::info!(tenant_id = %self.tenant, version = business.version, "new version of the business");
        let new = Arc::new(Snapshot::new(Arc::new(business), self.phrases));
        self.snapshot.rcu(|old| {
            if old.business.version < new.business.version { Arc::clone(&new) } else { Arc::clone(old) }
        });
    }

    /// The business as of now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Takes a call's place, where the tenant's limit allows one more; else the limit.
    pub(crate) fn take_slot(&self, business: &Business) -> Result<Slot, u32> {
        let limit = business.policy.concurrent_calls_max;
        self.calls.take(limit).ok_or(limit)
    }

    /// Takes a place beyond the limit, for a call that goes somewhere else.
    pub(crate) fn take_slot_beyond(&self, most: u32) -> Option<Slot> {
        self.beyond.take(most)
    }

    /// How many calls it has now.
    pub(crate) fn calls(&self) -> u32 {
        self.calls.taken()
    }

    pub(super) fn set_integration(&self, kind: Kind, actor: Option<ActorRef<integrations::Message>>) {
        let mut integrations = self.integrations.write();
        match actor {
            Some(actor) => integrations.insert(kind, actor),
            None => integrations.remove(&kind),
        };
    }

    /// Hands a request to the integration that serves it, or answers that there is none now.
    pub(crate) fn ask(&self, ask: Box<Ask>) {
        let actor = self.integrations.read().get(&Kind::of(&ask.request.asked)).cloned();
        let refused = match actor {
            None => Some(ask),
            Some(actor) => match actor.cast(integrations::Message::Ask(ask)) {
                Ok(()) => None,
                Err(ractor::MessagingErr::SendErr(integrations::Message::Ask(ask))) => Some(ask),
                Err(_) => return,
            },
        };
        if let Some(ask) = refused {
            (ask.reply)(ToolOutcome::Failed { why: "it is being started again".to_owned() });
        }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Live")
            .field("tenant", &self.tenant)
            .field("calls", &self.calls())
            .finish_non_exhaustive()
    }
}
