//! `weights verify`.

use clap::Args;
use models::weights::{State, Store};
use serde::Serialize;

use super::named;
use crate::command::output::table;
use crate::command::{Error, Output};
use crate::config::NodeConfig;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// Which models; all that are here, where none is named
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    model: &'static str,
    file: &'static str,
    state: &'static str,
    sha256: Option<String>,
}

pub(super) fn run(arguments: &Arguments, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    let store = Store::new(config.engines_here().weights.folder);
    let mut rows = Vec::new();
    for model in named(&arguments.models)? {
        for file in model.files {
            let state = store.check(model, file)?;
            // Of models that nobody named, only what is here is of interest.
            if state != State::Missing || !arguments.models.is_empty() {
                rows.push(row(model.name, file.path, state));
            }
        }
    }
    output.show(&rows, |rows| {
        let cells: Vec<[String; 4]> = rows
            .iter()
            .map(|row| {
                [row.model.into(), row.file.into(), row.state.into(), row.sha256.clone().unwrap_or_default()]
            })
            .collect();
        table(["MODEL", "FILE", "STATE", "SHA-256"], &cells)
    })?;
    let wrong = |row: &&Row| row.state == "wrong" || row.state == "missing" || row.state == "in part";
    match rows.iter().filter(wrong).count() {
        0 => Ok(()),
        files => Err(Error::WrongWeights { files }),
    }
}

fn row(model: &'static str, file: &'static str, state: State) -> Row {
    let (state, sha256) = match state {
        State::Missing => ("missing", None),
        State::Partial(_) => ("in part", None),
        State::Present | State::Right => ("right", None),
        State::Unverified(found) => ("unverified", Some(found)),
        State::Wrong(found) => ("wrong", Some(found)),
    };
    Row { model, file, state, sha256 }
}
