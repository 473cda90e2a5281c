//! Outside programs that run for a while.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A running program, stopped when dropped, and in any case after a minute.
pub(super) struct Peer {
    pub(super) child: Child,
}

impl Peer {
    /// Starts a program with its output in `log`.
    pub(super) fn start(program: &str, arguments: &[&str], log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let child = Command::new("timeout")
            .args(["--kill-after=2", "60", program])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // `timeout` passes the signal on; killing it outright would leave its child behind.
        if let Ok(id) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let _ = self.child.wait();
    }
}
