//! The handle to everything that runs.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::{Actor, ActorRef, SpawnErr};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::call_backs::{self, CallBacks};
use super::reception::Receptionist;
use super::refusals::Refusals;
use super::root::{self, Branches, Root};
use super::{Parts, Settings, calls, tenants};
use crate::call::hand_over::Caps;
use crate::call::leg::{Exchange, Reception};
use crate::call::{self, Backlog, Outgoing, Services, Sharing, SharingTasks, Snapshot};
use crate::clock::ms;
use crate::directory::{CallRef, Directory};
use crate::tenant::{Slots, Status};
use crate::types::{CallId, TenantId};

/// A node's calls and tenants. Dropping it does not stop them: see [`Supervision::stop`].
pub struct Supervision {
    root: ActorRef<root::Message>,
    directory: Arc<Directory>,
    receptionist: Arc<Receptionist>,
    backlog: Arc<Backlog>,
    sharing: Sharing,
    _sharing: SharingTasks,
    call_backs: CallBacks,
    exchange: Arc<OnceLock<Arc<dyn Exchange>>>,
    settings: Settings,
}

/// Why supervision did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tree did not start.
    #[error("supervision did not start: {0}")]
    Spawn(#[from] SpawnErr),
    /// One of its branches did not start.
    #[error("a branch of the supervision tree did not start; see the log")]
    Branches,
}

/// How much is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Calls under way.
    pub calls: usize,
    /// Calls this node can serve.
    pub calls_max: u32,
    /// Tenants whose actor runs.
    pub tenants: usize,
    /// Calls, over or not, whose journal has something that the store has not taken yet.
    pub unwritten: usize,
}

impl Supervision {
    /// Starts the tree. To be called once per node, on a tokio runtime, after [`super::start_again`].
    ///
    /// # Errors
    /// Where an actor did not start.
    pub async fn start(parts: Parts) -> Result<Self, Error> {
        let (directory, branches) = (Arc::new(Directory::default()), Branches::default());
        let (backlog, settings) = (Arc::new(Backlog::default()), parts.settings.supervision.clone());
        let integrations = Arc::new(parts.settings.integrations.clone());
        let arguments = root::Arguments {
            branches: branches.clone(),
            tenants: tenants::Arguments {
                directory: Arc::clone(&directory),
                integrations: parts.integrations.into(),
                settings: Arc::clone(&integrations),
                chance: parts.chance.clone(),
            },
            calls: calls::Arguments { directory: Arc::clone(&directory), settings: settings.clone() },
            stop_ms: settings.hung_ms.saturating_mul(2),
        };
        let root = grown(arguments, &settings).await?;
        let waiting = Arc::new(call_backs::Waiting::default());
        let written = call_backs::told(&waiting, &parts.settings.call_back, &directory, parts.written);
        let (sharing, sharing_tasks) =
            Sharing::start(parts.coordination, parts.life, parts.settings.call.sharing.clone());
        let exchange = Arc::new(OnceLock::new());
        let outgoing = Outgoing {
            exchange: Arc::clone(&exchange),
            began: parts.clock.monotonic(),
            caps: Arc::new(Mutex::new(Caps::new(parts.settings.call.outgoing.clone()))),
        };
        let services = Services {
            storage: parts.storage,
            address_book: parts.address_book,
            speech_to_text: parts.speech_to_text,
            text_to_speech: parts.text_to_speech,
            pause_judge: parts.pause_judge,
            voice_lag_ms: parts.voice_lag_ms,
            recorder: parts.recorder,
            waiting_sounds: parts.waiting_sounds,
            minds: parts.minds,
            clock: parts.clock,
            chance: parts.chance,
            backlog: Arc::clone(&backlog),
            sharing: sharing.clone(),
            written: Some(written),
            settings: parts.settings.call,
            integrations,
            outgoing,
            history: Mutex::default(),
        };
        let services = Arc::new(services);
        let receptionist = Arc::new(Receptionist {
            refusals: Refusals::new(settings.refusals_recorded_per_s, services.clock.monotonic()),
            services: Arc::clone(&services),
            directory: Arc::clone(&directory),
            branches,
            calls: Arc::new(Slots::default()),
            settings: settings.clone(),
            closed: AtomicBool::new(false),
        });
        let call_backs =
            CallBacks::start(waiting, Arc::clone(&receptionist), services, parts.settings.call_back);
        Ok(Self {
            root,
            call_backs,
            directory,
            receptionist,
            backlog,
            sharing,
            _sharing: sharing_tasks,
            settings,
            exchange,
        })
    }

    /// Who takes calls.
    #[must_use]
    pub fn reception(&self) -> Arc<dyn Reception> {
        Arc::clone(&self.receptionist) as Arc<dyn Reception>
    }

    /// Makes calls by this exchange from now on; the first one stays. Until then nobody is called.
    pub fn connect(&self, exchange: Arc<dyn Exchange>) {
        if self.exchange.set(exchange).is_err() {
            tracing::warn!("calls are made by an exchange already; the other is not used");
        }
    }

    /// Takes no more calls; those under way go on.
    pub fn drain(&self) {
        self.receptionist.close();
    }

    /// Takes calls again after [`Self::drain`].
    pub fn resume(&self) {
        self.receptionist.open();
    }

    /// Takes no more calls, has those under way say goodbye, ends after `grace` those that have not, and waits for
    /// the store to take every record. Returns what is left: nothing, unless the store is away.
    pub async fn stop(&self, grace: Duration) -> Counts {
        self.drain();
        self.call_backs.stop();
        for call in self.directory.calls() {
            // One that has ended meanwhile needs no telling.
            let _ = call.actor.cast(call::Message::NodeStopping);
        }
        if timeout(grace, self.directory.no_calls()).await.is_err() {
            tracing::warn!(
                calls = self.directory.calls_live(),
                "ending the calls that have not ended by themselves"
            );
        }
        let stop_ms = self.settings.hung_ms.saturating_mul(3);
        if self.root.stop_and_wait(None, Some(ms(stop_ms))).await.is_err() {
            tracing::error!("the supervision tree did not stop in time");
        }
        if timeout(ms(self.settings.write_out_ms), self.backlog.all_written()).await.is_err() {
            tracing::error!(journals = self.backlog.writing(), "the store did not take everything");
        }
        self.sharing.settle().await;
        self.counts()
    }

    /// How much is going on.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            calls: self.directory.calls_live(),
            calls_max: self.settings.calls_max,
            tenants: self.directory.tenants().len(),
            unwritten: self.backlog.writing(),
        }
    }

    /// The tenants whose actors run, at a glance.
    #[must_use]
    pub fn tenants(&self) -> Vec<Status> {
        self.directory.tenants().iter().map(|tenant| tenant.live.status()).collect()
    }

    /// A tenant's business has changed in the store: its next call reads it, and its numbers, anew.
    pub fn refresh(&self, tenant: &TenantId) {
        self.directory.forget_numbers_of(tenant);
    }

    /// The calls under way, oldest first.
    #[must_use]
    pub fn live_calls(&self) -> Vec<CallRef> {
        let mut calls = self.directory.calls();
        calls.sort_by_key(CallRef::call);
        calls
    }

    /// A call under way as it is now; `None` where there is no such call or it did not answer in time.
    pub async fn snapshot(&self, call: CallId) -> Option<Snapshot> {
        self.directory.call(call)?.snapshot(ms(self.settings.look_up_ms)).await
    }
}

/// The root, with its branches.
async fn grown(arguments: root::Arguments, settings: &Settings) -> Result<ActorRef<root::Message>, Error> {
    let (root, _) = Actor::spawn(None, Root, arguments).await?;
    let grown = root.call(root::Message::Grow, Some(ms(settings.look_up_ms))).await;
    grown.ok().filter(ractor::rpc::CallResult::is_success).ok_or(Error::Branches)?;
    Ok(root)
}

#[cfg(test)]
impl Supervision {
    /// The branches, for tests that break them.
    pub(super) fn branches(&self) -> &Branches {
        &self.receptionist.branches
    }
}

impl fmt::Debug for Supervision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Supervision").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
