//! `weights list`.

use models::weights::{MODELS, Model, State, Store};
use serde::Serialize;

use super::megabytes;
use crate::command::output::table;
use crate::command::{Error, Output};
use crate::config::NodeConfig;

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    purpose: &'static str,
    here: &'static str,
    bytes: Option<u64>,
    verifiable: bool,
    licence: &'static str,
    attribution: &'static str,
    repository: &'static str,
    revision: &'static str,
}

pub(super) fn run(config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    let store = Store::new(config.engines_here().weights.folder);
    let rows: Vec<Row> = MODELS.iter().map(|model| row(&store, model)).collect();
    output.show(&rows, |rows| text(rows))
}

fn row(store: &Store, model: &Model) -> Row {
    let states: Vec<State> = model.files.iter().map(|file| store.glance(model, file)).collect();
    let here = if states.iter().all(|state| *state == State::Present) {
        "yes"
    } else if states.iter().all(|state| *state == State::Missing) {
        "no"
    } else {
        "in part"
    };
    Row {
        name: model.name,
        purpose: model.purpose,
        here,
        bytes: model.bytes(),
        verifiable: model.is_verifiable(),
        licence: model.licence,
        attribution: model.attribution,
        repository: model.repository,
        revision: model.revision,
    }
}

fn text(rows: &[Row]) -> String {
    let cells: Vec<[String; 6]> = rows
        .iter()
        .map(|row| {
            [
                row.name.into(),
                row.here.into(),
                megabytes(row.bytes),
                if row.verifiable { "known" } else { "unknown" }.into(),
                row.purpose.into(),
                row.licence.into(),
            ]
        })
        .collect();
    table(["MODEL", "HERE", "SIZE", "HASHES", "FOR", "LICENCE"], &cells)
}
