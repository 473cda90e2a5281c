//! Calls that the business's side makes: to people whom a caller is handed over to.

use std::sync::{Arc, Weak};

use actors::call::leg::{Events, Exchange, Leg, NotCalled, Outgoing};
use actors::types::Destination;

use super::Trunk;
use super::trunk::Inner;

/// Makes calls as long as its trunk is there.
pub(super) struct ByTrunk(pub(super) Weak<Inner>);

/// Who calls where no number is known.
const NOBODY: &str = "anonymous";

#[async_trait::async_trait]
impl Exchange for ByTrunk {
    async fn call(&self, outgoing: Outgoing, events: Events) -> Result<Arc<dyn Leg>, NotCalled> {
        let gone = || NotCalled { why: "the trunk is stopped".to_owned() };
        let trunk = Trunk::of(self.0.upgrade().ok_or_else(gone)?);
        let called = match &outgoing.to {
            Destination::Uri(uri) => {
                let from = outgoing.from.as_ref().map_or(NOBODY, |from| from.reveal().as_str());
                trunk.call(uri, from, events).await
            }
            Destination::Number(number) => {
                let by = trunk.outgoing().ok_or_else(|| NotCalled {
                    why: "no trunk has an account to call by: add [sip.trunk.account]".to_owned(),
                })?;
                // As the account itself: few providers let others' numbers be shown.
                trunk.call_by(&by, number.as_str(), None, events).await
            }
        };
        called.map_err(|why| NotCalled { why: why.to_string() })
    }
}
