//! `calls play`.

use std::io;
use std::path::{Path, PathBuf};

use actors::storage::recordings::{Extract, Format};
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
    /// The file to make, or - for standard output [default: CALL.wav or CALL.ogg]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// From here, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = milliseconds)]
    from: Option<u64>,
    /// To here, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = milliseconds)]
    to: Option<u64>,
    /// Write the Ogg/Opus file as it is kept, not a WAV file
    #[arg(long, conflicts_with_all = ["from", "to"])]
    ogg: bool,
}

/// Seconds, such as 12 or 12.5, as milliseconds.
fn milliseconds(text: &str) -> Result<u64, String> {
    let wrong = || "write seconds, such as 12 or 12.5".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |text: &str| !text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return Err(wrong());
    }
    let part: String = part.chars().chain("00".chars()).take(3).collect();
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    Ok(number(whole)? * 1_000 + number(&part)?)
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
    let (format, ending) = if arguments.ogg { (Format::Ogg, "ogg") } else { (Format::Wav, "wav") };
    let extract = Extract { from_ms: arguments.from, until_ms: arguments.to, format };
    let out = arguments.out.unwrap_or_else(|| PathBuf::from(format!("{call}.{ending}")));
    if out == Path::new(STANDARD_OUTPUT) {
        // The recording is opened where its key is; it passes through a file that only its owner reads.
        let file =
            std::path::absolute(config.node.data.join(format!("playing-{call}-{}.wav", std::process::id())))?;
        export(&access, call, extract, &file).await?;
        let sound = std::fs::read(&file);
        remove(&file)?;
        return output.write(&sound?);
    }
    let written = export(&access, call, extract, &std::path::absolute(out)?).await?;
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

async fn export(access: &Access, call: CallId, extract: Extract, file: &Path) -> Result<Written, Error> {
    let request = Request::ExportRecording { call, to: file.to_owned(), extract };
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

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn seconds_are_read_as_people_write_them() {
        for (text, expected) in
            [("0", 0), ("12", 12_000), ("12.5", 12_500), ("1.0625", 1_062), ("3.07", 3_070)]
        {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
        }
        for wrong in ["", ".", "1.", ".5", "-1", "1e3", "a", "9999999999", "1:30"] {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }
}
