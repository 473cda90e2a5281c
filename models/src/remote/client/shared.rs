//! The nodes, how they are, and the task that looks after that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::super::failover::{Backoff, Load, Nodes};
use super::super::metrics::{self as measured, Sense};
use super::super::wire::{Room, Rooms};
use super::super::{ClientSettings, Settings, renewal};
use super::link::Link;
use super::trouble::Trouble;
use crate::{Error, chance, clock};

/// How often it is seen which nodes are to be looked at.
const TICK: Duration = Duration::from_millis(50);

pub(super) struct Shared {
    pub(super) settings: ClientSettings,
    pub(super) links: Vec<Link>,
    all: Settings,
    pub(super) runtime: Handle,
    senses: [Mutex<Nodes>; 4],
    open: [AtomicU64; 4],
    started: Instant,
    dice: AtomicU64,
}

/// A stream on a node, counted while it lives.
pub(super) struct Counted {
    shared: Arc<Shared>,
    sense: Sense,
    node: usize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shared.nodes(self.sense).lock().closed(self.node);
        let before = self.shared.open[self.sense as usize].fetch_sub(1, Ordering::AcqRel);
        measured::set_open(self.sense, usize::try_from(before.saturating_sub(1)).unwrap_or(usize::MAX));
    }
}

impl Shared {
    pub(super) fn start(settings: &Settings, runtime: &Handle) -> Result<Arc<Self>, Error> {
        let _within = runtime.enter();
        let seen = renewal::seen(&settings.certificates);
        let links: Result<Vec<Link>, Error> =
            settings.nodes.iter().map(|node| Link::new(settings, node)).collect();
        let links = links?;
        let client = settings.client.clone();
        let backoff = Backoff {
            first: Duration::from_millis(client.out_ms),
            most: Duration::from_millis(client.out_max_ms),
            every: Duration::from_millis(client.look_ms),
        };
        let nodes = || Mutex::new(Nodes::new(links.len(), backoff));
        let shared = Arc::new(Self {
            senses: [nodes(), nodes(), nodes(), nodes()],
            all: settings.clone(),
            open: Default::default(),
            settings: client,
            links,
            runtime: runtime.clone(),
            started: clock::now(),
            dice: AtomicU64::new(chance::seed()),
        });
        runtime.spawn(look_after(Arc::downgrade(&shared)));
        renewal::start(&settings.certificates, seen, &shared, Self::renew);
        Ok(shared)
    }

    /// Takes the certificates as they are.
    fn renew(&self) -> Result<(), Error> {
        let _within = self.runtime.enter();
        for (link, node) in self.links.iter().zip(&self.all.nodes) {
            link.renew(&self.all, node)?;
        }
        Ok(())
    }

    fn nodes(&self, sense: Sense) -> &Mutex<Nodes> {
        &self.senses[sense as usize]
    }

    fn now(&self) -> Duration {
        clock::now().saturating_duration_since(self.started)
    }

    fn throw(&self) -> u64 {
        // The increments of SplitMix64, and its mixing, which spreads neighbours far apart.
        let seed = self.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The node to ask next.
    pub(super) fn pick(&self, sense: Sense, tried: &[usize]) -> Option<usize> {
        self.nodes(sense).lock().pick(self.throw(), tried)
    }

    /// Whether one of the nodes that are well is not full; none where none is well.
    pub(super) fn has_room(&self, sense: Sense) -> Option<bool> {
        self.nodes(sense).lock().has_room()
    }

    pub(super) fn link(&self, node: usize) -> Option<&Link> {
        self.links.get(node)
    }

    /// A stream was granted there.
    pub(super) fn opened(self: &Arc<Self>, sense: Sense, node: usize) -> Counted {
        self.nodes(sense).lock().opened(node);
        let before = self.open[sense as usize].fetch_add(1, Ordering::AcqRel);
        measured::set_open(sense, usize::try_from(before + 1).unwrap_or(usize::MAX));
        Counted { shared: Arc::clone(self), sense, node }
    }

    /// It did not go well there.
    pub(super) fn note(&self, sense: Sense, node: usize, trouble: &Trouble) {
        measured::count_moved(sense, trouble.word());
        let nodes = self.nodes(sense);
        match trouble {
            Trouble::Full => nodes.lock().was_full(node),
            Trouble::Bad(_) => {}
            _ => {
                let goes_out = nodes.lock().failed(node, self.now(), self.throw());
                if goes_out {
                    tracing::warn!(node, sense = sense.word(), why = %trouble, "a node of the engines is left alone");
                }
            }
        }
    }

    fn looked(&self, node: usize, answer: Result<Rooms, String>) {
        let now = self.now();
        for sense in Sense::ALL {
            let mut nodes = self.nodes(sense).lock();
            match &answer {
                Ok(rooms) => {
                    let room = match sense {
                        Sense::Hearing => &rooms.hearing,
                        Sense::Speaking => &rooms.speaking,
                        Sense::Comparing => &rooms.comparing,
                        Sense::Pausing => &rooms.pausing,
                    };
                    let returns = nodes.looked(node, now, rooms.ready, load(room.as_ref()));
                    drop(nodes);
                    if returns {
                        tracing::info!(node, sense = sense.word(), "a node of the engines is back");
                    }
                }
                Err(why) => {
                    let goes_out = nodes.failed(node, now, self.throw());
                    drop(nodes);
                    if goes_out {
                        tracing::warn!(node, sense = sense.word(), %why, "a node of the engines does not answer");
                    }
                }
            }
        }
        measured::set_nodes_well(self.nodes(Sense::Hearing).lock().well());
    }

    fn due(&self) -> Vec<usize> {
        let patience = Duration::from_millis(self.settings.look_answer_ms) + TICK;
        let now = self.now();
        let mut due: Vec<usize> =
            Sense::ALL.iter().flat_map(|sense| self.nodes(*sense).lock().due(now, patience)).collect();
        due.sort_unstable();
        due.dedup();
        due
    }
}

fn load(room: Option<&Room>) -> Load {
    room.map_or(Load::default(), |room| Load { open: room.open as usize, most: room.most as usize })
}

/// Looks at nodes for as long as somebody uses them.
async fn look_after(shared: Weak<Shared>) {
    let mut every = tokio::time::interval(TICK);
    loop {
        every.tick().await;
        let Some(used) = shared.upgrade() else { return };
        for node in used.due() {
            tokio::spawn(look(Arc::clone(&used), node));
        }
    }
}

async fn look(shared: Arc<Shared>, node: usize) {
    let Some(link) = shared.link(node) else { return };
    let (patience, asked) = (Duration::from_millis(shared.settings.look_answer_ms), clock::now());
    let answer = match tokio::time::timeout(patience, link.look()).await {
        Ok(Ok(rooms)) => {
            measured::record_round_trip(asked.elapsed());
            Ok(rooms)
        }
        Ok(Err(status)) => Err(Trouble::of(&status).to_string()),
        Err(_) => Err(Trouble::Late.to_string()),
    };
    shared.looked(node, answer);
}
