//! What this node's calls talk and think with.

use std::sync::Arc;

use actors::call::Minds;
use actors::call::brain::playbook::Playbook;

use crate::config::NodeConfig;

/// The conversation, with a playbook for its brain: no language model is needed.
pub(super) fn minds(config: &NodeConfig) -> Minds {
    let playbook = Playbook::with_settings(config.playbook);
    Minds::new(config.calls.conversation.clone(), Arc::new(move |_| Box::new(playbook.clone())))
}
