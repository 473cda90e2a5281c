//! `calls play`.

use std::io;
use std::path::{Path, PathBuf};

use actors::types::CallId;
use clap::Args;
use serde::Serialize;

use crate::command::access::{Access, Missing};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::{Answer, Request};

/// The file that stands for standard output.
const STANDARD_OUTPUT: &str = "-";

/// Samples of one side in a second.
const RATE_HZ: u64 = 8_000;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The call, as `calls list` names it
    #[arg(value_name = "CALL")]
    call: CallId,
    /// The file to make, or - for standard output [default: CALL.wav]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Written {
    file: PathBuf,
    milliseconds: u64,
    lost_milliseconds: u64,
    finished: bool,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let access = Access::to(config, Missing::Refuse).await?;
    let call = arguments.call;
    let out = arguments.out.unwrap_or_else(|| PathBuf::from(format!("{call}.wav")));
    if out == Path::new(STANDARD_OUTPUT) {
        // The recording is opened where its key is; it passes through a file that only its owner reads.
        let file =
            std::path::absolute(config.node.data.join(format!("playing-{call}-{}.wav", std::process::id())))?;
        export(&access, call, &file).await?;
        let sound = std::fs::read(&file);
        remove(&file)?;
        return output.write(&sound?);
    }
    let written = export(&access, call, &std::path::absolute(out)?).await?;
    output.show(&written, |written| {
        let seconds = written.milliseconds / 1_000;
        let lost = match written.lost_milliseconds {
            0 => String::new(),
            lost => format!(", {lost} ms of it lost"),
        };
        let open = if written.finished { "" } else { ", not brought to its end" };
        format!("{} ({}:{:02}{lost}{open})\n", written.file.display(), seconds / 60, seconds % 60)
    })
}

async fn export(access: &Access, call: CallId, file: &Path) -> Result<Written, Error> {
    let request = Request::ExportRecording { call, to: file.to_owned() };
    let Answer::Exported { samples, lost_samples, finished } = access.ask(request).await? else {
        return Err(Error::OtherAnswer);
    };
    Ok(Written {
        file: file.to_owned(),
        milliseconds: samples * 1_000 / RATE_HZ,
        lost_milliseconds: lost_samples * 1_000 / RATE_HZ,
        finished,
    })
}

fn remove(file: &Path) -> io::Result<()> {
    std::fs::remove_file(file)
}
