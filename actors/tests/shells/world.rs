//! A node without a telephone network.

use std::sync::Arc;
use std::time::Duration;

use actors::call::leg::{Incoming, Refusal};
use actors::call::{Minds, WaitingSettings, WaitingSounds};
use actors::chance::Chance;
use actors::clock::Clock;
use actors::config::Settings;
use actors::storage::journal::{self, Journalled, Volatile};
use actors::storage::recordings::{self, MasterKey, Recorder, Recordings};
use actors::storage::{Page, Storage};
use actors::supervision::{Parts, Supervision, own_integrations};
use actors::tenant::import;
use actors::types::{
    Announcement, Attestation, Business, CallEventKind, CallId, CallRecord, EndReason, Life, PhoneNumber,
    Speaker, TenantId,
};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::engines::{Ears, Mouth};
use super::parrot::{conversing, handing_over, minds, playbook};
use super::phone::Phone;
use super::store::Store;

pub(super) const NUMBER: &str = "+442079460001";

pub(super) struct World {
    pub(super) supervision: Supervision,
    pub(super) store: Store,
    pub(super) ears: Ears,
    pub(super) mouth: Mouth,
    clock: Clock,
}

/// The barbers of the import tests, with one number and a limit.
pub(super) fn business(version: u64, calls_max: u32) -> Business {
    let text = include_str!("../businesses/barbers.toml");
    let mut business = import::read(text, &import::Settings::default()).expect("a business");
    business.version = version;
    business.numbers = vec![PhoneNumber::parse(NUMBER).expect("a number")];
    business.policy.concurrent_calls_max = calls_max;
    business
}

pub(super) fn tenant() -> TenantId {
    business(1, 1).id
}

pub(super) fn start_of_time() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

pub(super) fn id(number: u32) -> CallId {
    CallId::new(Uuid::from_u128(u128::from(number)))
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(20, Settings::default()).await
    }

    /// With the conversation of the product instead of the parrot.
    pub(super) async fn conversing() -> Self {
        Self::made_of(20, Settings::default(), conversing()).await
    }

    pub(super) async fn with(tenant_calls_max: u32, settings: Settings) -> Self {
        Self::made_of(tenant_calls_max, settings, minds()).await
    }

    /// With the conversation and the playbook of the product; identifiers and retries follow the seed.
    pub(super) async fn seeded(seed: u64) -> Self {
        Self::over(Store::default(), playbook(), 20, |parts| parts.chance = Chance::seeded(seed)).await
    }

    /// With the product's conversation and playbook in the middle of a working day, which tells people who is on the
    /// line before they get a caller.
    pub(super) async fn handing_over() -> Self {
        Self::over(Store::default(), handing_over(), 20, |parts| {
            parts.clock = Clock::starting_at("2026-03-10T11:00:00Z".parse().expect("a time"));
            let sounds = WaitingSounds::load(&WaitingSettings::default());
            parts.waiting_sounds = Arc::new(sounds.expect("the pattern"));
        })
        .await
    }

    /// With the product's conversation and playbook in the middle of a working day, for a business with these rules.
    pub(super) async fn with_rules(rules: &str) -> Self {
        Self::with_rules_and_limit(rules, 20).await
    }

    /// The same at another time.
    pub(super) async fn with_rules_at(rules: &str, at: &str) -> Self {
        Self::ruled(rules, 20, at).await
    }

    /// The same with a limit to the business's calls.
    pub(super) async fn with_rules_and_limit(rules: &str, calls_max: u32) -> Self {
        Self::ruled(rules, calls_max, "2026-03-10T11:00:00Z").await
    }

    async fn ruled(rules: &str, calls_max: u32, at: &str) -> Self {
        Self::ruled_over(Store::default(), rules, calls_max, at).await
    }

    async fn ruled_over(store: Store, rules: &str, calls_max: u32, at: &str) -> Self {
        let text = include_str!("../businesses/barbers.toml");
        let text = text.replace("numbers = [", &format!("numbers = [\"{NUMBER}\", "));
        let read = import::read(&format!("{text}\n{rules}"), &import::Settings::default());
        let mut business = read.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        business.policy.concurrent_calls_max = calls_max;
        business.policy.announcement = Announcement::NotRecorded;
        Self::of(business, store, playbook(), |parts| {
            parts.clock = Clock::starting_at(at.parse().expect("a time"));
            parts.life = Life::new("alone", at);
            parts.chance = Chance::seeded(at.len() as u64 + u64::from(at.as_bytes()[15]));
        })
        .await
    }

    /// Another process over what one has left in the store, at this time.
    pub(super) async fn again(before: &Self, rules: &str, at: &str) -> Self {
        Self::ruled_over(before.store.clone(), rules, 20, at).await
    }

    async fn made_of(tenant_calls_max: u32, settings: Settings, minds: Minds) -> Self {
        Self::over(Store::default(), minds, tenant_calls_max, |parts| parts.settings = settings).await
    }

    /// With the product's conversation and a recorder into this folder.
    pub(super) async fn recording_into(folder: &std::path::Path) -> (Self, Arc<Recorder>) {
        let store = Store::default();
        let objects = Recordings::in_folder(
            folder,
            MasterKey::open(&folder.join("key")).expect("a key"),
            Arc::new(store.clone()),
        );
        let recorder = Recorder::start(&recordings::Settings::default(), objects.expect("a folder"));
        let recorder = Arc::new(recorder.expect("started"));
        let world = Self::over(store, conversing(), 20, |parts| parts.recorder = Some(Arc::clone(&recorder)));
        (world.await, recorder)
    }

    /// With the product's conversation, whose writes go through a journal in memory.
    pub(super) async fn journalled(seed: u64) -> (Self, Arc<Journalled>) {
        let (store, chance) = (Store::default(), Chance::seeded(seed));
        let journal = Arc::new(Journalled::in_log(
            Arc::new(store.clone()),
            Box::new(Volatile::default()),
            journal::Settings::default(),
            Clock::starting_at(start_of_time()),
            chance.clone(),
        ));
        let storage: Arc<dyn Storage> = journal.clone();
        let world = Self::over(store, playbook(), 20, |parts| {
            parts.chance = chance;
            parts.integrations = own_integrations(&storage, &parts.settings);
            parts.storage = storage;
        });
        (world.await, journal)
    }

    async fn over(
        store: Store,
        minds: Minds,
        tenant_calls_max: u32,
        change: impl FnOnce(&mut Parts),
    ) -> Self {
        Self::of(business(1, tenant_calls_max), store, minds, change).await
    }

    async fn of(business: Business, store: Store, minds: Minds, change: impl FnOnce(&mut Parts)) -> Self {
        let (ears, mouth) = (Ears::default(), Mouth::default());
        if store.memory.business(&business.id).await.expect("read").is_none() {
            store.memory.put_business(&business, None).await.expect("kept");
        }
        let mut parts = Parts::new(Arc::new(store.clone()), minds);
        parts.speech_to_text = Some(Arc::new(ears.clone()));
        parts.text_to_speech = Some(Arc::new(mouth.clone()));
        parts.clock = Clock::starting_at(start_of_time());
        parts.chance = Chance::seeded(1);
        parts.life = Life::new("alone", "once");
        change(&mut parts);
        let clock = parts.clock.clone();
        let supervision = Supervision::start(parts).await.expect("started");
        Self { supervision, store, ears, mouth, clock }
    }

    pub(super) async fn try_call(&self, call: CallId, called: &str) -> Result<Phone, Refusal> {
        self.offered(call, called, Some("+447700900123"), start_of_time()).await
    }

    /// A call to the business from this number, or from one that is not shown.
    pub(super) async fn call_from(&self, number: u32, caller: Option<&str>) -> Result<Phone, Refusal> {
        self.offered(id(number), NUMBER, caller, self.clock.now()).await
    }

    async fn offered(
        &self,
        call: CallId,
        called: &str,
        caller: Option<&str>,
        at: Timestamp,
    ) -> Result<Phone, Refusal> {
        self.offered_by(Phone::new(), call, called, caller, at).await
    }

    /// A call by a leg that can't be left ringing.
    pub(super) async fn call_that_can_not_ring(&self, number: u32) -> Phone {
        self.call_by(Phone::that(false, None), number).await
    }

    /// A call by this telephone.
    pub(super) async fn call_by(&self, phone: Phone, number: u32) -> Phone {
        let now = self.clock.now();
        self.offered_by(phone, id(number), NUMBER, Some("+447700900123"), now).await.expect("taken")
    }

    async fn offered_by(
        &self,
        phone: Phone,
        call: CallId,
        called: &str,
        caller: Option<&str>,
        at: Timestamp,
    ) -> Result<Phone, Refusal> {
        let incoming = Incoming {
            call,
            called: PhoneNumber::parse(called).expect("a number"),
            caller: caller.and_then(PhoneNumber::parse).map(Into::into),
            attestation: Attestation::Absent,
            at,
        };
        let events = self.supervision.reception().offer(incoming, phone.leg()).await?;
        phone.connect(events);
        Ok(phone)
    }

    pub(super) async fn call(&self, number: u32) -> Phone {
        self.try_call(id(number), NUMBER).await.expect("taken")
    }

    /// Waits (on paused time: skips) until no call is left and everything is written; panics after ten minutes.
    pub(super) async fn settle(&self) {
        let began = Instant::now();
        loop {
            let counts = self.supervision.counts();
            if counts.calls == 0 && counts.unwritten == 0 {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(600), "still busy: {counts:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) async fn record(&self, number: u32) -> CallRecord {
        self.store.memory.call(id(number)).await.expect("read").expect("there is a record")
    }

    /// A call to the business at this moment of its clock.
    pub(super) async fn call_now(&self, number: u32, caller: &str) -> Phone {
        self.offered(id(number), NUMBER, Some(caller), self.clock.now()).await.expect("taken")
    }

    /// What the caller heard, by the record.
    pub(super) async fn said(&self, number: u32) -> Vec<String> {
        self.said_in(id(number)).await
    }

    /// The same of a call that the node has made.
    pub(super) async fn said_in(&self, call: CallId) -> Vec<String> {
        let events = self.store.memory.events(call).await.expect("read");
        let of = |kind| match kind {
            CallEventKind::Said { speaker: Speaker::Receptionist, text, .. } => Some(text.into_inner()),
            _ => None,
        };
        events.into_iter().filter_map(|event| of(event.kind)).collect()
    }

    /// How the call ended; its record is complete, its events without a gap and its checkpoint gone.
    pub(super) async fn end_of(&self, number: u32) -> EndReason {
        let record = self.record(number).await;
        let outcome = record.outcome.expect("it has ended");
        assert!(record.ended_at >= Some(record.started_at));
        assert_eq!(self.store.memory.checkpoint(id(number)).await.expect("read"), None);
        let events = self.store.memory.events(id(number)).await.expect("read");
        assert!(events.iter().map(|event| event.seq).eq(0..events.len() as u32), "no gap");
        let ends = events.iter().filter(|event| matches!(event.kind, CallEventKind::Ended { .. }));
        assert_eq!(ends.count(), 1);
        assert!(self.store.memory.open_calls(Page::first(10)).await.expect("read").rows.is_empty());
        outcome.reason
    }

    /// Nothing is left of any call.
    pub(super) async fn expect_nothing_left(&self, phones: &[Phone]) {
        self.settle().await;
        sleep(Duration::from_secs(2)).await;
        let slots: u32 = self.supervision.tenants().iter().map(|tenant| tenant.calls).sum();
        assert_eq!(slots, 0, "places of the tenant");
        assert_eq!(self.ears.open(), 0, "sessions");
        for phone in phones {
            assert!(phone.is_over());
            assert!(phone.is_let_go(), "somebody still holds the leg");
        }
    }
}

pub(super) async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}
