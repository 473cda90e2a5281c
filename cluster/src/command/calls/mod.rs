//! `calls list|show|play|search|reindex|erase|erase-caller`.

mod conversation;
mod erase;
mod erase_caller;
mod list;
mod play;
mod reindex;
mod search;
mod show;
mod words;

use clap::Subcommand;

pub(super) use conversation::line as conversation_line;
pub(super) use words::outcome as outcome_words;

use super::{Error, Output};
use crate::config::NodeConfig;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List calls, newest first
    List(list::Arguments),
    /// Show a call: the conversation with times, what was heard, tools and quality
    Show(show::Arguments),
    /// Find calls by what was said in them
    Search(search::Arguments),
    /// Build the search index anew from the calls on record
    Reindex,
    /// Write a call's recording to a file: the caller left, the receptionist right
    Play(play::Arguments),
    /// Erase a call: its recording, transcript, messages and appointments
    Erase(erase::Arguments),
    /// Erase a caller from a business: every call from or about their number
    EraseCaller(erase_caller::Arguments),
}

pub(super) async fn run(verb: Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    match verb {
        Verb::List(arguments) => list::run(arguments, config, output).await,
        Verb::Play(arguments) => play::run(arguments, config, output).await,
        Verb::Reindex => reindex::run(config, output).await,
        Verb::Search(arguments) => search::run(arguments, config, output).await,
        Verb::Erase(arguments) => erase::run(arguments, config, output).await,
        Verb::EraseCaller(arguments) => erase_caller::run(arguments, config, output).await,
        Verb::Show(arguments) => show::run(arguments, config, output).await,
    }
}
