//! How the command line reaches the data: through the node that runs on it, or by itself where none does.

use std::sync::Arc;

use super::Error;
use crate::config::NodeConfig;
use crate::node::{open_store, recordings};
use crate::operator::{Answer, Client, Counts, Desk, Presence, Request, Token, execute};

/// What to do where there is no data yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Make an empty store.
    Make,
    /// Say so.
    Refuse,
}

/// The way to the data.
pub(super) enum Access {
    /// A node has it.
    Node(Client),
    /// This process has it.
    Own(Desk),
}

impl Access {
    /// Finds the way to the data that `config` names.
    pub(super) async fn to(config: &NodeConfig, missing: Missing) -> Result<Self, Error> {
        let data = &config.node.data;
        if let Some(presence) = Presence::find(data) {
            let token = Token::read(data).map_err(|why| Error::Unreadable {
                path: data.join("operator.token"),
                why,
                mend: "run this as the user that runs the node",
            })?;
            return Ok(Self::Node(Client::new(presence.http, token)));
        }
        if missing == Missing::Refuse && !data.is_dir() {
            return Err(Error::NoData { data: data.clone() });
        }
        let storage = open_store(config).await?.storage();
        let recordings = recordings(config, storage.clone())?;
        Ok(Self::Own(Desk {
            storage,
            recordings,
            import: config.import.clone(),
            retention: config.retention.clone(),
            counts: Arc::new(Counts::default),
            changed: Arc::new(|_| {}),
            jobs: Arc::default(),
        }))
    }

    /// Asks. What comes of a request that fails is an error here.
    pub(super) async fn ask(&self, request: Request) -> Result<Answer, Error> {
        let answer = match self {
            Self::Node(client) => client.ask(&request).await?,
            Self::Own(desk) => execute(desk, request).await,
        };
        match answer {
            Answer::Failure(failure) => Err(failure.into()),
            answer => Ok(answer),
        }
    }
}
