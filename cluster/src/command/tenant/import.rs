//! `tenant import FILE…`.

use std::path::{Path, PathBuf};

use actors::types::TenantId;
use clap::Args;
use serde::Serialize;

use crate::command::access::{Access, Missing};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::{Answer, Failure, Request};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Imported {
    file: PathBuf,
    tenant: TenantId,
    version: u64,
    replaced: bool,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let access = Access::to(config, Missing::Make).await?;
    for file in arguments.files {
        let imported = import(&access, &file).await?;
        output.show(&imported, |imported| {
            let done = if imported.replaced { "changed" } else { "added" };
            format!("{} {done}, version {}\n", imported.tenant, imported.version)
        })?;
    }
    Ok(())
}

async fn import(access: &Access, file: &Path) -> Result<Imported, Error> {
    let text = std::fs::read_to_string(file).map_err(|why| Error::Unreadable {
        path: file.to_owned(),
        why,
        mend: "name a business's TOML file; ops/config/demo.toml is one",
    })?;
    match access.ask(Request::ImportTenant { text }).await {
        Ok(Answer::Imported { tenant, version, replaced }) => {
            Ok(Imported { file: file.to_owned(), tenant, version, replaced })
        }
        Ok(_) => Err(Error::OtherAnswer),
        Err(Error::Failure(Failure::Mistakes { mistakes })) => {
            let mistakes = mistakes.iter().map(|mistake| format!("{}: {mistake}", file.display())).collect();
            Err(Error::Import { file: file.to_owned(), mistakes })
        }
        Err(error) => Err(error),
    }
}
