//! The node under test: a process of its own on loopback, with a store of its own, gone afterwards.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// How long a node may take to be ready, in tenths of a second.
const READY_TENTHS_MAX: u32 = 150;

/// A running node.
#[derive(Debug)]
pub struct Node {
    child: Child,
    program: PathBuf,
    folder: tempfile::TempDir,
    sip: String,
}

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It can't be started, or a command of it failed.
    #[error("{program}: {why}")]
    Program {
        /// Which program.
        program: String,
        /// Why.
        why: String,
    },
}

impl Node {
    /// Starts `program` with the scripted engines and a business that takes any number of calls.
    ///
    /// # Errors
    /// Where the program is absent, refuses the business or is not ready in time.
    pub async fn start(program: &Path, calls_max: u32) -> Result<Self, Error> {
        let failed = |why: String| Error::Program { program: program.display().to_string(), why };
        let folder = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
        let config = folder.path().join("strowger.toml");
        let business = folder.path().join("business.toml");
        std::fs::write(&config, configuration(calls_max)).map_err(|error| failed(error.to_string()))?;
        std::fs::write(&business, business_file(calls_max)).map_err(|error| failed(error.to_string()))?;
        let data = folder.path().join("data");
        let import = Command::new(program)
            .arg("tenant")
            .arg("import")
            .arg(&business)
            .arg("--data")
            .arg(&data)
            .output();
        let import = import.map_err(|error| failed(error.to_string()))?;
        if !import.status.success() {
            return Err(failed(String::from_utf8_lossy(&import.stderr).into_owned()));
        }
        let log = std::fs::File::create(folder.path().join("node.log"))
            .map_err(|error| failed(error.to_string()))?;
        let child = Command::new(program)
            .arg("run")
            .arg("--data")
            .arg(&data)
            .arg("--config")
            .arg(&config)
            .args(["--sip", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let mut node = Self { child, program: program.to_owned(), folder, sip: String::new() };
        node.sip = node.wait_until_ready().await?;
        Ok(node)
    }

    async fn wait_until_ready(&mut self) -> Result<String, Error> {
        for _ in 0..READY_TENTHS_MAX {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failed(format!("it ended with {status}: {}", self.log())));
            }
            let file = std::fs::read_to_string(self.data().join("node.json")).unwrap_or_default();
            let value: Value = serde_json::from_str(&file).unwrap_or_default();
            if let Some(sip) = value.get("sip").and_then(Value::as_str) {
                return Ok(sip.to_owned());
            }
        }
        Err(self.failed(format!("it was not ready in time: {}", self.log())))
    }

    /// Its SIP address, `host:port`.
    #[must_use]
    pub fn sip(&self) -> &str {
        &self.sip
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("node.log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn failed(&self, why: String) -> Error {
        Error::Program { program: self.program.display().to_string(), why }
    }

    /// The business's calls, newest first, as the command line lists them.
    ///
    /// # Errors
    /// Where the command fails.
    pub fn calls(&self, limit: u32) -> Result<Vec<Value>, Error> {
        let output = Command::new(&self.program)
            .args(["calls", "list", "--json", "--limit", &limit.to_string(), "--data"])
            .arg(self.data())
            .output()
            .map_err(|error| self.failed(error.to_string()))?;
        if !output.status.success() {
            return Err(self.failed(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let value: Value =
            serde_json::from_slice(&output.stdout).map_err(|error| self.failed(error.to_string()))?;
        let rows = value.get("rows").cloned().unwrap_or(value);
        Ok(rows.as_array().cloned().unwrap_or_default())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number that the business under test is called by.
pub const NUMBER: &str = "1000";

/// Bounds that a single source of all calls would meet are raised; nothing else differs from the defaults.
fn configuration(calls_max: u32) -> String {
    let calls_max = calls_max.max(2_000);
    format!(
        "[engines]\nspeech_to_text = \"scripted\"\ntext_to_speech = \"scripted\"\n[sip]\ndialogs_max = {dialogs}\n\
         transactions_max = 1000000\nmessages_per_second_per_source = 1000000\nmessages_burst_per_source = 1000000\n\
         [media]\nfirst_port = 10000\nlast_port = 29999\nquarantine_ms = {quarantine_ms}\n\
         [calls.supervision]\ncalls_max = {calls_max}\n",
        dialogs = calls_max.saturating_mul(10).max(5_000),
        quarantine_ms = if calls_max > 2_000 { 0 } else { 30_000 },
    )
}

fn business_file(calls_max: u32) -> String {
    include_str!("../scenarios/business.toml").replace("CALLS_MAX", &calls_max.to_string())
}
