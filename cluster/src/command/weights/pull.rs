//! `weights pull`.

use clap::Args;
use models::weights::{Model, Pull, Store};
use serde::Serialize;

use super::named;
use crate::command::{Error, Output};
use crate::config::NodeConfig;

/// Progress is said each time so many bytes have come.
const SAY_EVERY_BYTES: u64 = 16_000_000;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// Which models; `weights list` has their names
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    /// Take files whose hashes are not known to this version
    #[arg(long)]
    accept_unverified: bool,
}

#[derive(Debug, Serialize)]
struct Pulled {
    name: &'static str,
    folder: std::path::PathBuf,
    licence: &'static str,
    attribution: &'static str,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let models = named(&arguments.models)?;
    let settings = config.engines_here().weights;
    let store = Store::new(&settings.folder);
    // The client blocks, so it may not be on a thread that serves tasks.
    let pulled = tokio::task::spawn_blocking(move || {
        let pull = Pull::new(settings, arguments.accept_unverified)?;
        for model in &models {
            eprintln!("{}: licence {}; {}", model.name, model.licence, model.attribution);
            pull_one(&pull, model)?;
        }
        Ok::<_, Error>(models)
    });
    let models = pulled.await.map_err(|why| Error::Runtime { why: std::io::Error::other(why) })??;
    let rows: Vec<Pulled> = models
        .into_iter()
        .map(|model| Pulled {
            name: model.name,
            folder: store.folder(model),
            licence: model.licence,
            attribution: model.attribution,
        })
        .collect();
    output.show(&rows, |rows| {
        rows.iter().map(|row| format!("{} is in {}\n", row.name, row.folder.display())).collect()
    })
}

fn pull_one(pull: &Pull, model: &'static Model) -> Result<(), Error> {
    let mut said = 0;
    let mut of = String::new();
    pull.model(model, &mut |file, here, all| {
        if of != file {
            of = file.to_owned();
            said = 0;
        }
        if here - said.min(here) >= SAY_EVERY_BYTES || all == Some(here) {
            said = here;
            eprintln!("{file}: {}", share(here, all));
        }
    })?;
    Ok(())
}

fn share(here: u64, all: Option<u64>) -> String {
    let megabytes = here / 1_000_000;
    match all {
        Some(all) => format!("{megabytes} of {} MB", all / 1_000_000),
        None => format!("{megabytes} MB"),
    }
}
