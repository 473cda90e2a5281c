//! Outside programs that run for a while.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

/// A running program in a process group of its own. It is killed when this is dropped, when the thread that
/// started it ends without dropping it (a killed test), and in any case after a minute, or after as long as was said.
pub(super) struct Peer {
    pub(super) child: Child,
}

impl Peer {
    /// Starts a program with its output in `log`.
    pub(super) fn start(program: &str, arguments: &[&str], log: &Path) -> Self {
        Self::start_for(60, program, arguments, log)
    }

    /// The same for so many seconds at most.
    pub(super) fn start_for(seconds: u32, program: &str, arguments: &[&str], log: &Path) -> Self {
        let log = fs::File::create(log).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "timeout", "--kill-after=2", &seconds.to_string()])
            .args(["setpriv", "--pdeathsig", "KILL", program])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Waits until the program ends by itself and returns its exit status.
    pub(super) async fn ended(&mut self, within: Duration) -> Option<i32> {
        let end = Instant::now() + within;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            sleep(Duration::from_millis(20)).await;
        }
        None
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let Ok(None) = self.child.try_wait() else { return };
        if let Ok(group) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

/// Waits until somebody on this machine has bound a port for `protocol` (`udp` or `tcp`).
pub(super) async fn bound(protocol: &str, port: u16) {
    let end = Instant::now() + Duration::from_secs(30);
    let wanted = format!(":{port:04X}");
    loop {
        let table = fs::read_to_string(format!("/proc/net/{protocol}")).unwrap();
        let mut addresses = table.lines().filter_map(|line| line.split_whitespace().nth(1));
        if addresses.any(|address| address.ends_with(&wanted)) {
            return;
        }
        assert!(Instant::now() < end, "nobody has bound {protocol} port {port}");
        sleep(Duration::from_millis(20)).await;
    }
}
