//! How the command line reaches the data: through the node that runs on it, or by itself where none does.

use std::sync::Arc;
use std::time::Duration;

use actors::storage::search::Search;

use super::Error;
use crate::config::NodeConfig;
use crate::node::{open_store, recordings, search};
use crate::operator::{Answer, Client, Counts, Desk, Failure, Presence, Request, Token, execute};

/// How often a search that comes up to date is asked whether it fails.
const LOOK_EVERY: Duration = Duration::from_millis(100);

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
            search: None,
            import: config.import.clone(),
            retention: config.retention.clone(),
            counts: Arc::new(Counts::default),
            changed: Arc::new(|_| {}),
            jobs: Arc::default(),
        }))
    }

    /// Finds the way to the search as well. Where no node runs, this process opens the index, and with
    /// `caught_up` brings it up to date first.
    pub(super) async fn to_search(config: &NodeConfig, caught_up: bool) -> Result<Self, Error> {
        let mut access = Self::to(config, Missing::Refuse).await?;
        if let Self::Own(desk) = &mut access {
            desk.search = search(config, Arc::clone(&desk.storage))?;
            if let Some(search) = desk.search.as_ref().filter(|_| caught_up) {
                settle(search).await?;
            }
        }
        Ok(access)
    }

    /// Lets go of the search in order, where this process has it.
    pub(super) async fn close(self) {
        if let Self::Own(Desk { search: Some(search), .. }) = self {
            search.stop().await;
        }
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

/// Waits until all calls can be found, or until it is clear that they can't.
async fn settle(search: &Search) -> Result<(), Error> {
    let failed = |why: String| Error::from(Failure::Failed { why });
    let settled = search.settle();
    tokio::pin!(settled);
    loop {
        tokio::select! {
            done = &mut settled => return done.map_err(|error| failed(error.to_string())),
            () = tokio::time::sleep(LOOK_EVERY) => {
                if let Some(trouble) = search.state().trouble {
                    return Err(failed(trouble));
                }
            }
        }
    }
}
