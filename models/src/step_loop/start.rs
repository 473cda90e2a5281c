//! The handle of a step loop.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::listener::Delivery;
use super::shared::{Counts, Health, Shared};
use super::{
    Device, Failure, HeldGrant, Listener, Model, Preparation, Settings, Stream, metrics as measured,
};
use super::{thread, watchdog};
use crate::batching::{Member, Refusal, Tenant};
use crate::{Error, clock};

/// A model on a thread of its own. Dropping it ends its streams.
pub struct StepLoop<I: Clone, O> {
    shared: Arc<Shared<I, O>>,
}

impl<I, O> StepLoop<I, O>
where
    I: Clone + Send + 'static,
    O: Send + 'static,
{
    /// Starts the threads of engine `name` on `device`. `factory` makes the model, on its thread, now and after
    /// each failure. The engine is ready when the model is built, warmed up and has sung its canary's song.
    ///
    /// # Errors
    /// [`Error::Failed`] where the machine gives no threads.
    pub fn start<M>(
        name: &'static str,
        settings: Settings,
        device: &Device,
        mut factory: impl FnMut() -> Result<M, Failure> + Send + 'static,
        mut preparation: Preparation<I, O>,
    ) -> Result<Self, Error>
    where
        M: Model<Input = I, Output = O>,
        I: Sync,
    {
        let shared = Arc::new(Shared::new(name, settings, device.clone()));
        let started = Self { shared: Arc::clone(&shared) };
        let driven = Arc::clone(&shared);
        spawn(name, format!("step-{name}"), move || thread::run(&driven, &mut factory, &mut preparation))?;
        spawn(name, format!("watch-{name}"), move || watchdog::watch(&shared))?;
        Ok(started)
    }

    /// Opens a stream for `tenant`, whose weight is its share next to others, if the device has room for one.
    ///
    /// # Errors
    /// [`Refusal`], which says what is full.
    pub fn open(&self, tenant: Tenant, weight: u32, listener: Listener<O>) -> Result<Stream<I, O>, Refusal> {
        self.open_with(self.grant(tenant)?, weight, listener)
    }

    /// The right to one stream, for [`Self::open_with`], kept from before there is one.
    ///
    /// # Errors
    /// [`Refusal`], which says what is full.
    pub fn grant(&self, tenant: Tenant) -> Result<Arc<HeldGrant>, Refusal> {
        let granted = self.shared.device.grant(tenant, &[self.shared.member]);
        if let Err(refusal) = &granted {
            measured::count_refusal(self.shared.name, *refusal);
            if matches!(refusal, Refusal::NoTime { .. }) {
                self.doubt_measurements();
            }
        }
        granted
    }

    /// An engine that refuses its only stream makes no steps, so its measurements would never change.
    fn doubt_measurements(&self) {
        let mut state = self.shared.state.lock();
        let again_at = state.measured_at + Duration::from_millis(self.shared.settings.measure_again_ms);
        if state.schedule.streams() == 0 && self.shared.now() >= again_at {
            state.measure = true;
            self.shared.work.notify_one();
        }
    }

    /// Opens a stream on a grant that includes this engine's [`Self::member`].
    ///
    /// # Errors
    /// [`Refusal::NoSlot`] where more streams are open than were granted.
    pub fn open_with(
        &self,
        grant: Arc<HeldGrant>,
        weight: u32,
        listener: Listener<O>,
    ) -> Result<Stream<I, O>, Refusal> {
        let shared = &self.shared;
        let mut state = shared.state.lock();
        let slots = shared.settings.slots;
        let ticket = state.schedule.join(grant.tenant(), weight).ok_or(Refusal::NoSlot { slots })?;
        let delivery = Arc::new(Delivery::new(ticket.generation, listener));
        state.deliveries.insert(ticket, Arc::clone(&delivery));
        measured::set_streams(shared.name, state.schedule.streams());
        let joined = state.pace.join();
        Ok(Stream {
            ticket: Mutex::new(ticket),
            joined,
            delivery,
            shared: Arc::downgrade(shared),
            _grant: grant,
        })
    }

    /// This engine on its device, for grants that include it.
    #[must_use]
    pub fn member(&self) -> Member {
        self.shared.member
    }

    /// How the engine is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.state.lock().health.clone()
    }

    /// What happened since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.state.lock().counts
    }

    /// Waits until the engine is ready or has failed, at most `patience`, and says how it is then.
    #[must_use]
    pub fn wait_until_ready(&self, patience: Duration) -> Health {
        let until = clock::now() + patience;
        let mut state = self.shared.state.lock();
        while !matches!(state.health, Health::Ready | Health::Failed(_)) {
            if self.shared.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.health.clone()
    }
}

impl<I: Clone, O> Drop for StepLoop<I, O> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        let failure = Failure::Failed { why: "the engine was stopped".into() };
        let told = self.shared.end_all(&mut state, &failure);
        self.shared.device.set_ready(self.shared.member, false);
        drop(state);
        super::shared::tell(told);
        self.shared.work.notify_all();
        self.shared.changed.notify_all();
    }
}

fn spawn(engine: &'static str, name: String, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    std::thread::Builder::new()
        .name(name)
        .spawn(run)
        .map(drop)
        .map_err(|error| Error::Failed { engine, why: format!("no thread: {error}") })
}
