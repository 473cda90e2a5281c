//! What this node hears, speaks and compares with, and what it lets others use of that.

use std::net::SocketAddr;
use std::time::Duration;

use models::engine::{Choice, choose, choose_embeddings, choose_pause_judge};
use models::remote::{Remote, Senses, Served, Server, compose};
use tokio::runtime::Handle;

use super::Error;
use super::roles::Role;
use crate::config::NodeConfig;

/// This node's engines at work for others, where they are.
pub(super) struct Serving(Option<Server>);

/// The engines of this node, and who else uses them.
pub(super) struct Opened {
    /// What its calls use.
    pub(super) senses: Senses,
    /// Who else is served.
    pub(super) serving: Serving,
}

/// This node's own engines.
///
/// # Errors
/// An engine that the settings name and that can't run.
pub(crate) fn own(settings: &models::engine::Settings) -> Result<Senses, models::Error> {
    let (engines, mut choices) = choose(settings)?;
    let (embeddings, choice) = choose_embeddings(settings)?;
    choices.push(choice);
    let (pause_judge, choice) = choose_pause_judge(settings)?;
    choices.push(choice);
    Ok(Senses { engines, embeddings, pause_judge, choices })
}

/// Opens this node's own engines, lets others use them where that is its role, and takes others' for its calls
/// where the settings say so. Others are never given what is not this node's own.
pub(super) async fn open(config: &NodeConfig) -> Result<Opened, Error> {
    let engines = config.engines_here();
    let own = own(&engines)?;
    let has = |role| config.node.roles.contains(&role);
    let serving = if has(Role::Inference) {
        let engines = Served {
            speech_to_text: own.engines.speech_to_text.clone(),
            text_to_speech: own.engines.text_to_speech.clone(),
            embeddings: own.embeddings.clone(),
            pause_judge: own.pause_judge.clone(),
        };
        Some(Server::start(&config.inference, engines).await?)
    } else {
        None
    };
    let senses = if has(Role::Calls) {
        let remote = others(config)?;
        compose(&engines, own, remote.as_ref())?
    } else {
        own
    };
    Ok(Opened { senses, serving: Serving(serving) })
}

/// The engines of the nodes that are named.
///
/// # Errors
/// An address or certificates that can't be used.
pub(crate) fn others(config: &NodeConfig) -> Result<Option<Remote>, models::Error> {
    if config.inference.nodes.is_empty() {
        return Ok(None);
    }
    Remote::start(&config.inference, &Handle::current()).map(Some)
}

/// What an operator sees of the others, engine by engine, with nobody in their stead.
pub(crate) fn of_others(config: &NodeConfig) -> Result<Senses, models::Error> {
    let Some(remote) = others(config)? else { return Ok(Senses::default()) };
    let mut senses = compose(&config.engines, Senses::default(), Some(&remote))?;
    let is_other = |choice: &Choice| choice.engine == Some(models::remote::NAME);
    senses.choices.retain(is_other);
    Ok(senses)
}

impl Serving {
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.0.as_ref().map(Server::address)
    }

    /// Nothing new is taken from others.
    pub(super) fn rest(&self) {
        if let Some(server) = &self.0 {
            server.rest();
        }
    }

    /// What others have here ends, so that it goes on elsewhere.
    pub(super) async fn stop(self, grace: Duration) {
        if let Some(server) = self.0 {
            server.stop(grace).await;
        }
    }
}
