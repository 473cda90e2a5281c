//! The ordered start of a node.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actors::call::{WaitingSounds, Written};
use actors::clock::Clock;
use actors::storage::Storage;
use actors::storage::recordings::Recorder;
use actors::storage::retention::{Eraser, Index, keep_sweeping};
use actors::storage::search::Search;
use actors::supervision::{Parts, Supervision, own_integrations};
use actors::types::CallRecord;
use models::remote::Senses;
use tokio::task::JoinHandle;

use super::opening::{self, Opened};
use super::readiness::{Life, Load, Readiness, Stage};
use super::tenure::Begun;
use super::{Error, Facts, Node, Role, desk, directory, minds, roles, senses, store};
use crate::clock;
use crate::config::NodeConfig;
use crate::edge::carriers::{self, Carriers};
use crate::edge::media::Media;
use crate::edge::sip_trunk::{self, Transport, Trunk};
use crate::gateway::{self, Gateway};
use crate::operator::{Presence, Token};
use crate::telemetry::Metrics;

/// How often what was counted is folded into its histograms.
const KEEP_UP_EVERY: Duration = Duration::from_secs(5);

/// What a node is started with beyond its configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// Take in the demo business.
    pub demo: bool,
    /// What renders `/metrics`.
    pub metrics: Metrics,
}

impl Node {
    /// Starts a node: it takes calls when this returns.
    ///
    /// # Errors
    /// What is missing or in use, and what to do about it. The process is expected to end then.
    pub async fn start(config: NodeConfig, options: Options) -> Result<Self, Error> {
        roles::check(&config.node.roles)?;
        let data = config.node.data.clone();
        directory::prepare(&data)?;
        let opened = opening::open(&config, options.demo).await?;
        let storage = &opened.storage;
        let search = store::search(&config, Arc::clone(storage))?;
        let senses::Opened { senses, serving } = senses::open(&config).await?;
        let (choices, told) = (senses.choices.clone(), senses.clone());
        let recordings = store::recordings(&config, Arc::clone(storage))?;
        recordings.know_keys_by(opened.address_book.clone());
        let recorder = Arc::new(Recorder::start(&config.recordings, recordings.clone())?);
        let supervision = supervise(&config, &opened, search.as_ref(), senses, &recorder).await?;
        let media = Media::start(config.media.clone())?;
        let trunk = trunk(&config, &supervision, &media).await?;
        supervision.connect(trunk.exchange());
        let carriers =
            Carriers::start(carrier_settings(&config), supervision.reception(), media.clone()).await?;
        let life = Arc::new(Life::new());
        let token = Token::create(&data).map_err(|why| Error::Data { path: data.clone(), why })?;
        let gateway = {
            let address_book = opened.address_book.clone();
            let recordings = recordings.clone();
            let kept = desk::Kept { storage, address_book, recordings, search: search.clone() };
            let counter = desk::Counter::new(kept, &config, &supervision, &life);
            let metrics = options.metrics.clone();
            let parts = gateway::Parts {
                render_metrics: Arc::new(move || metrics.render()),
                readiness: Arc::new(readiness(&config, &opened, &supervision, &life, told)),
                counter: Arc::new(counter),
                token,
            };
            Gateway::start(&config.http, parts).await?
        };
        let sip = trunk.local_addresses().first().map(|first| (first.address, first.transport));
        let (sip, transport) = sip.unwrap_or((gateway.address(), Transport::Tcp));
        let facts = Facts {
            sip,
            transport,
            http: gateway.address(),
            inference: serving.address(),
            number: opened.number().await,
            engines: choices,
            calls_closed: opened.begun.calls_closed(),
            store_away: opened.begun == Begun::Away,
            data,
        };
        announce(&facts)?;
        life.enter(Stage::Running);
        let keeping_up = tokio::spawn(keep_up(options.metrics));
        let sweeping = sweep(&config, storage, &recorder, search.as_ref());
        Ok(Self {
            settings: config.node,
            life,
            store: opened.store,
            search,
            recorder,
            supervision,
            media,
            trunk,
            carriers,
            gateway,
            serving,
            keeping_up,
            book_keeping: opened.book_keeping,
            held: opened.tenure.hold(opened.begun, recordings),
            sweeping,
            facts,
        })
    }
}

/// Takes calls; where that is not the node's role, none, and from this machine's own addresses alone.
async fn trunk(config: &NodeConfig, supervision: &Supervision, media: &Media) -> Result<Trunk, Error> {
    if config.node.roles.contains(&Role::Edge) {
        return Ok(Trunk::start(config.sip.clone(), supervision.reception(), media.clone()).await?);
    }
    let udp = Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0));
    let (tcp, tls, ws, wss) = (None, None, None, None);
    let settings = sip_trunk::Settings { udp, tcp, tls, ws, wss, trunk: Vec::new(), ..config.sip.clone() };
    let trunk = Trunk::start(settings, supervision.reception(), media.clone()).await?;
    trunk.refuse_new(true);
    Ok(trunk)
}

/// The same for calls by carriers' websockets.
fn carrier_settings(config: &NodeConfig) -> carriers::Settings {
    let mut settings = config.carriers.clone();
    if !config.node.roles.contains(&Role::Edge) {
        settings.address = None;
    }
    settings
}

async fn supervise(
    config: &NodeConfig,
    opened: &Opened,
    search: Option<&Arc<Search>>,
    senses: Senses,
    recorder: &Arc<Recorder>,
) -> Result<Arc<Supervision>, Error> {
    let storage = &opened.storage;
    let written = search.map(|search| {
        let search = Arc::clone(search);
        Arc::new(move |record: &CallRecord| search.ended(record)) as Written
    });
    let parts = Parts {
        life: opened.life.clone(),
        address_book: opened.address_book.clone(),
        coordination: Arc::clone(&opened.coordination),
        written,
        speech_to_text: senses.engines.speech_to_text,
        text_to_speech: senses.engines.text_to_speech,
        pause_judge: senses.pause_judge,
        voice_lag_ms: config.media.voice_activity.hangover_ms,
        recorder: Some(Arc::clone(recorder)),
        waiting_sounds: Arc::new(WaitingSounds::load(&config.calls.call.waiting)?),
        settings: config.calls.clone(),
        integrations: own_integrations(storage, &config.calls),
        ..Parts::new(Arc::clone(storage), minds::minds(config, senses.embeddings))
    };
    Ok(Arc::new(Supervision::start(parts).await?))
}

/// Erases what is past its time, beside everything else.
fn sweep(
    config: &NodeConfig,
    storage: &Arc<dyn Storage>,
    recorder: &Recorder,
    search: Option<&Arc<Search>>,
) -> Option<JoinHandle<()>> {
    let settings = config.retention.clone();
    settings.enabled.then(|| {
        let recordings = recorder.recordings().clone();
        let index = search.map(|search| Arc::clone(search) as Arc<dyn Index>);
        let eraser =
            Eraser::new(Arc::clone(storage), recordings, settings, Clock::system()).with_index(index);
        tokio::spawn(keep_sweeping(eraser))
    })
}

fn readiness(
    config: &NodeConfig,
    opened: &Opened,
    supervision: &Arc<Supervision>,
    life: &Arc<Life>,
    senses: Senses,
) -> Readiness {
    let counted = Arc::clone(supervision);
    Readiness {
        life: Arc::clone(life),
        load: Arc::new(move || {
            let counts = counted.counts();
            Load { calls: counts.calls, calls_max: counts.calls_max as usize }
        }),
        storage: Arc::clone(&opened.storage),
        coordination: Arc::clone(&opened.coordination),
        probe_timeout: Duration::from_millis(config.node.probe_timeout_ms),
        senses,
    }
}

/// Tells the command line that this node runs, and the log what it runs with.
fn announce(facts: &Facts) -> Result<(), Error> {
    let presence = Presence {
        pid: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
        http: facts.http,
        sip: facts.sip,
        transport: facts.transport,
        inference: facts.inference,
        number: facts.number.clone(),
        started_at: clock::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    presence.write(&facts.data).map_err(|why| Error::Data { path: facts.data.clone(), why })?;
    for choice in &facts.engines {
        tracing::info!(engine = choice.engine.unwrap_or("none"), why = %choice.why, "engine chosen");
    }
    if let Some(inference) = facts.inference {
        tracing::info!(%inference, "engines work for other nodes");
    }
    tracing::info!(sip = %facts.sip, http = %facts.http, calls_closed = facts.calls_closed, "node takes calls");
    Ok(())
}

async fn keep_up(metrics: Metrics) {
    let mut every = tokio::time::interval(KEEP_UP_EVERY);
    loop {
        every.tick().await;
        metrics.keep_up();
    }
}
