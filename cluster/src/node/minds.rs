//! What this node's calls talk and think with.

use std::sync::Arc;

use actors::call::brain::playbook::Playbook;
use actors::call::{Minds, Understanding};
use models::engine::Embeddings;

use crate::config::NodeConfig;

/// The conversation, with a playbook for its brain: no language model is needed. With embeddings it understands
/// callers whose words are nobody's example.
pub(super) fn minds(config: &NodeConfig, embeddings: Option<Arc<dyn Embeddings>>) -> Minds {
    let playbook = Playbook::with_settings(config.playbook);
    let conversation = config.calls.conversation.clone();
    let Some(engine) = embeddings else {
        return Minds::new(conversation, Arc::new(move |_| Box::new(playbook.clone())));
    };
    let understanding = Understanding::new(engine, config.understanding.clone());
    Minds::new(
        conversation,
        Arc::new(move |beginning| understanding.mind(playbook.clone(), &beginning.business)),
    )
}
