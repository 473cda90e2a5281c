//! `calls reindex`.

use std::time::Duration;

use actors::storage::search::State;

use crate::command::access::Access;
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::{Answer, Failure, Request};

/// How often the index is asked whether it is complete.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn run(config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    let access = Access::to_search(config, false).await?;
    let rebuilt = rebuild(&access).await;
    access.close().await;
    output.show(&rebuilt?, |state| format!("the index is built anew: {} call(s)\n", state.calls))
}

async fn rebuild(access: &Access) -> Result<State, Error> {
    let mut request = Request::Reindex;
    loop {
        let Answer::SearchState(state) = access.ask(request).await? else { return Err(Error::OtherAnswer) };
        if let Some(why) = state.trouble {
            return Err(Failure::Failed { why }.into());
        }
        if state.complete {
            return Ok(state);
        }
        tokio::time::sleep(LOOK_EVERY).await;
        request = Request::SearchState;
    }
}
