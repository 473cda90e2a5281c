//! `trunk test NAME`: found, connected to, asked, registered at, called; each step with what came back and what to
//! change.

use std::time::Duration;

use clap::Args;

use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::edge::sip_trunk::trial::{Tried, Wish, try_trunk};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The trunk's name, as in [[sip.trunk]]
    #[arg(value_name = "NAME")]
    name: String,
    /// Call this number, and hang up as soon as it rings
    #[arg(long, value_name = "NUMBER")]
    call: Option<String>,
    /// Show every message, also where all is well
    #[arg(long)]
    messages: bool,
    /// Show numbers and names as they are; passwords are never shown
    #[arg(long)]
    unredacted: bool,
    /// How long an answer may take, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 6_000)]
    patience_ms: u64,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let dialled = |one: char| one.is_ascii_alphanumeric() || "+*.-_".contains(one);
    if arguments.call.as_ref().is_some_and(|number| number.is_empty() || !number.chars().all(dialled)) {
        return Err(Error::NoNumber);
    }
    let wish = Wish {
        call: arguments.call,
        show_all: arguments.unredacted,
        patience: Duration::from_millis(arguments.patience_ms),
    };
    let tried = try_trunk(&config.sip, &arguments.name, &wish).await?;
    output.show(&tried, |tried| text(tried, arguments.messages))?;
    // A server that failed does not matter where another one has done all that was asked.
    let works = tried.last().is_some_and(|last| last.works) && tried.iter().any(|one| one.step == "options");
    if works { Ok(()) } else { Err(Error::TrunkBroken { name: arguments.name }) }
}

fn text(tried: &[Tried], all: bool) -> String {
    let mut text = String::new();
    for one in tried {
        let state = if one.works { "well  " } else { "broken" };
        text += &format!("{state}  {:<8}  {}: {}\n", one.step, one.server, one.what);
        if !one.change.is_empty() {
            text += &format!("        → {}\n", one.change);
        }
        if all || !one.works {
            for message in &one.messages {
                for line in message {
                    text += &format!("          {line}\n");
                }
                text += "\n";
            }
        }
    }
    text
}
