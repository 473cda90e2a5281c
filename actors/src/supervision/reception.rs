//! Takes or refuses calls: whose number, is there room, and an actor for the call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jiff::tz::TimeZone;
use metrics::counter;
use models::engine;
use ractor::rpc::CallResult;
use ractor::{Actor, ActorRef};
use tokio::time::timeout;

use super::refusals::Refusals;
use super::root::Branches;
use super::{Settings, engines, tenants};
use crate::call::leg::{Events, Incoming, Leg, Reception, Refusal};
use crate::call::screening::{Arriving, Recent, Then, Verdict, decide, overflow};
use crate::call::{self, CRASHED, CallActor, Case, Journal, Place, Places, Services, refused};
use crate::clock::ms;
use crate::directory::{CallRef, Directory, Number, TenantRef};
use crate::metrics::{CALLS_ARRIVED, CALLS_OFFERED};
use crate::storage;
use crate::tenant::{Slot, Slots};
use crate::types::{Arrived, Business, Private, Route};

/// The front desk of a node.
pub(super) struct Receptionist {
    pub(super) services: Arc<Services>,
    pub(super) directory: Arc<Directory>,
    pub(super) branches: Branches,
    pub(super) calls: Arc<Slots>,
    pub(super) settings: Settings,
    pub(super) refusals: Refusals,
    pub(super) closed: AtomicBool,
}

/// What is known of a call so far.
#[derive(Default)]
struct Known {
    business: Option<Arc<Business>>,
    arrived: Option<Arrived>,
}

#[async_trait]
impl Reception for Receptionist {
    async fn offer(&self, incoming: Incoming, leg: Arc<dyn Leg>) -> Result<Events, Refusal> {
        let mut known = Known::default();
        let taken = self.take(&incoming, leg, &mut known).await;
        let answer = match &taken {
            Ok(_) => "taken",
            Err(Refusal::UnknownNumber) => "unknown_number",
            Err(Refusal::TenantFull { .. }) => "tenant_full",
            Err(Refusal::Screened { .. }) => "screened",
            Err(Refusal::NodeFull { .. }) => "node_full",
            Err(Refusal::StoreAway { .. }) => "store_away",
            Err(Refusal::Failed { .. }) => "failed",
        };
        counter!(CALLS_OFFERED, "answer" => answer).increment(1);
        if let Err(refusal) = &taken {
            if known.business.is_none() {
                known.business = self.known_business(&incoming);
            }
            self.record_refusal(&incoming, known, refusal);
        }
        taken
    }
}

impl Receptionist {
    /// Takes no more calls; those under way go on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether it takes and makes no more calls.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Takes calls again.
    pub(super) fn open(&self) {
        self.closed.store(false, Ordering::Release);
    }

    async fn take(
        &self,
        incoming: &Incoming,
        leg: Arc<dyn Leg>,
        known: &mut Known,
    ) -> Result<Events, Refusal> {
        let began = self.services.clock.monotonic();
        let full = || Refusal::NodeFull { retry_after_s: self.settings.retry_after_s };
        if self.closed.load(Ordering::Acquire) {
            return Err(full());
        }
        let node_slot = self.calls.take(self.settings.calls_max).ok_or_else(full)?;
        let calls = self.branches.calls().ok_or_else(full)?;
        let tenant = self.tenant_of(incoming).await?;
        let snapshot = tenant.live.snapshot();
        let pinned = known.business.insert(Arc::clone(snapshot.for_calls_to(&incoming.called)));
        let mut verdict = self.screen(incoming, pinned);
        if let Then::Turn(status) = verdict.then {
            counter!(CALLS_ARRIVED, "route" => verdict.arrived.route.name()).increment(1);
            known.arrived = Some(verdict.arrived);
            return Err(Refusal::Screened { status });
        }
        let rings = leg.rings() || leg.reaches().is_some();
        let places = self.seat(incoming, &tenant, pinned, node_slot, &mut verdict, rings).await?;
        if matches!(verdict.then, Then::Reach(_)) && !rings {
            // Nobody can be called while the caller hears it ring; better the receptionist than a call that ends.
            verdict.then = Then::Receptionist { ask_number: false };
            verdict.arrived.route = Route::Receptionist;
        }
        counter!(CALLS_ARRIVED, "route" => verdict.arrived.route.name()).increment(1);
        if self.closed.load(Ordering::Acquire) {
            // Drained meanwhile: everybody who was in has been told so already.
            return Err(full());
        }
        let case = Arc::new(Case::new(
            incoming,
            tenant.live,
            Arc::clone(pinned),
            leg,
            places,
            self.journal(incoming),
            began,
        ));
        if verdict.arrived != Arrived::default() {
            case.note(|record, _| record.arrived = Some(verdict.arrived));
            case.write_record();
        }
        self.start(case, Arc::clone(&snapshot.phrases), verdict.then, &calls).await
    }

    /// What is done with the call by the business's rules.
    fn screen(&self, incoming: &Incoming, business: &Business) -> Verdict {
        let services = &self.services;
        let settings = &services.settings.screening;
        let recent = match (&incoming.caller, &business.arrival.screening) {
            (Some(caller), Some(_)) => {
                services.history.lock().began(settings, services.now_ms(), &business.id, caller)
            }
            _ => Recent::default(),
        };
        let zone = TimeZone::get(&business.time_zone).unwrap_or(TimeZone::UTC);
        let now = zone.to_datetime(services.clock.now());
        let call = Arriving {
            caller: incoming.caller.as_ref().map(Private::reveal),
            called: &incoming.called,
            attestation: incoming.attestation,
            is_open: business.hours.is_open(now.date(), now.time()),
            recent,
        };
        decide(business, &call, settings)
    }

    /// Everything that the call takes up. Where the business or the engines have no room, it is forwarded if the
    /// business has somewhere for it to go.
    async fn seat(
        &self,
        incoming: &Incoming,
        tenant: &TenantRef,
        business: &Business,
        node_slot: Slot,
        verdict: &mut Verdict,
        rings: bool,
    ) -> Result<Places, Refusal> {
        let (slot, shared) = match self.place(incoming, tenant, business).await {
            Ok(place) => place,
            Err(limit) => {
                let full = Refusal::TenantFull { limit };
                *verdict = overflow(business, verdict.arrived.clone()).ok_or_else(|| full.clone())?;
                let beyond = tenant.live.take_slot_beyond(self.settings.beyond_limit_max).ok_or(full)?;
                return Ok(Places::beyond(vec![node_slot, beyond]));
            }
        };
        let heard = match engines::keep(&self.services, business, ms(self.settings.engines_ms)).await {
            Ok(heard) => heard,
            Err(why) => {
                tracing::info!(call_id = %incoming.call, %why, "no engine has room for a call");
                let full = || Refusal::NodeFull { retry_after_s: self.settings.retry_after_s };
                // Who can't be forwarded would come to a receptionist who does not hear them.
                let elsewhere = overflow(business, verdict.arrived.clone()).filter(|_| rings);
                *verdict = elsewhere.ok_or_else(full)?;
                engine::Place::default()
            }
        };
        Ok(Places::new(vec![node_slot, slot], shared, heard))
    }

    /// A place for the call among the business's, here and on all nodes; its limit where there is none.
    pub(super) async fn place(
        &self,
        incoming: &Incoming,
        tenant: &TenantRef,
        business: &Business,
    ) -> Result<(Slot, Place), u32> {
        let slot = tenant.live.take_slot(business)?;
        let limit = business.policy.concurrent_calls_max;
        let shared = self.services.sharing.admit(&business.id, incoming.call, limit).await;
        shared.map(|shared| (slot, shared)).map_err(|()| limit)
    }

    /// Starts the call's actor under its supervisor.
    pub(super) async fn start(
        &self,
        case: Arc<Case>,
        phrases: Arc<[String]>,
        then: Then,
        calls: &ActorRef<super::calls::Message>,
    ) -> Result<Events, Refusal> {
        let (directory, enrolled) = (Arc::clone(&self.directory), Arc::clone(&case));
        let load = call::Load::new(self.services.settings.waiting_events_max);
        let arguments = call::Arguments {
            load: Arc::clone(&load),
            case: Arc::clone(&case),
            services: Arc::clone(&self.services),
            phrases,
            then,
            enrol: Box::new(move |actor| {
                directory.add_call(CallRef { actor: actor.clone(), case: enrolled })
            }),
        };
        match Actor::spawn_linked(None, CallActor, arguments, calls.get_cell()).await {
            Ok((actor, _)) => {
                let inlet = call::Inlet::new(actor, load);
                Ok(Arc::new(move |event| inlet.leg(event)))
            }
            Err(error) => {
                tracing::error!(call_id = %case.call, %error, "call actor did not start");
                self.directory.take_case(&case);
                case.close(CRASHED);
                Err(Refusal::Failed { why: "its actor did not start".to_owned() })
            }
        }
    }

    /// Whose call it is. The store is asked where nothing is known or what is known is old; where it does not
    /// answer, what is known serves on: of a tenant that runs, or of one in the address book.
    async fn tenant_of(&self, incoming: &Incoming) -> Result<TenantRef, Refusal> {
        let now = self.services.clock.monotonic();
        let known = self.directory.number(&incoming.called);
        let running = known.as_ref().and_then(|number| self.directory.tenant(&number.tenant));
        let fresh = known.is_some_and(|number| now - number.checked_at < ms(self.settings.refresh_ms));
        if let (true, Some(tenant)) = (fresh, &running) {
            return Ok(tenant.clone());
        }
        let found = timeout(ms(self.settings.look_up_ms), self.look_up(incoming)).await;
        let why = match (found, running) {
            (Ok(Ok(Some(business))), _) => {
                let business = Arc::new(business);
                if let Some(book) = &self.services.address_book {
                    book.note(&business);
                }
                return self.running(incoming, Arc::unwrap_or_clone(business)).await;
            }
            (Ok(Ok(None)), _) => {
                if let Some(book) = &self.services.address_book {
                    book.is_nobodys(&incoming.called);
                }
                self.directory.set_number(incoming.called.clone(), None);
                return Err(Refusal::UnknownNumber);
            }
            (_, Some(tenant)) => {
                tracing::warn!(call_id = %incoming.call, "the store did not answer, using what is known");
                return Ok(tenant);
            }
            (Ok(Err(error)), None) => error.to_string(),
            (Err(_), None) => "the store did not answer in time".to_owned(),
        };
        let known = self.services.address_book.as_ref().and_then(|book| book.find(&incoming.called));
        let Some((business, age)) = known else {
            return Err(Refusal::StoreAway { why, retry_after_s: self.settings.retry_after_s });
        };
        tracing::warn!(call_id = %incoming.call, tenant_id = %business.id, why, age_s = age.as_secs(),
            "the store did not answer, using the address book");
        self.running(incoming, Arc::unwrap_or_clone(business)).await
    }

    async fn look_up(&self, incoming: &Incoming) -> storage::Result<Option<Business>> {
        match self.services.storage.tenant_of(&incoming.called).await? {
            Some(tenant) => self.services.storage.business(&tenant).await,
            None => Ok(None),
        }
    }

    /// The tenant's running actor with this business or a newer one.
    pub(super) async fn running(
        &self,
        incoming: &Incoming,
        business: Business,
    ) -> Result<TenantRef, Refusal> {
        let (id, failed) = (business.id.clone(), |why: &str| Refusal::Failed { why: why.to_owned() });
        let tenant = match self.directory.tenant(&id) {
            Some(tenant) => {
                tenant.live.adopt(business);
                tenant
            }
            None => {
                let tenants = self.branches.tenants().ok_or_else(|| failed("the node is stopping"))?;
                let start = |reply| tenants::Message::Start { business: Box::new(business), reply };
                match tenants.call(start, Some(ms(self.settings.look_up_ms))).await {
                    Ok(CallResult::Success(tenant)) => tenant,
                    _ => return Err(failed("the tenant did not start")),
                }
            }
        };
        let checked_at = self.services.clock.monotonic();
        self.directory.set_number(incoming.called.clone(), Some(Number { tenant: id, checked_at }));
        Ok(tenant)
    }

    pub(super) fn journal(&self, incoming: &Incoming) -> Journal {
        let services = &self.services;
        Journal::new(
            incoming.call,
            Arc::clone(&services.storage),
            services.settings.journal.clone(),
            services.chance.clone(),
            Arc::clone(&services.backlog),
            services.sharing.clone(),
            services.written.clone(),
        )
    }

    /// Whose call it would have been, where that is known without asking the store: a full node refuses before it
    /// asks, and the business should see whom it missed all the same.
    fn known_business(&self, incoming: &Incoming) -> Option<Arc<Business>> {
        let tenant = self.directory.number(&incoming.called)?.tenant;
        Some(Arc::clone(&self.directory.tenant(&tenant)?.live.snapshot().business))
    }

    fn record_refusal(&self, incoming: &Incoming, known: Known, refusal: &Refusal) {
        let business = known.business.as_deref();
        let may = self.refusals.may_record(self.services.clock.monotonic());
        tracing::info!(call_id = %incoming.call, tenant_id = business.map(|business| business.id.as_str()),
            %refusal, recorded = may, "call refused");
        if may {
            self.journal(incoming).end(refused(incoming, business, known.arrived, refusal));
        }
    }
}
