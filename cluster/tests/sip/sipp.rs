//! SIPp as the caller.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use actors::call::leg::Event;
use actors::types::EndReason;
use cluster::edge::sip_trunk::Transport;
use tokio::task::spawn_blocking;

use super::desk::{self, ANSWERS};
use super::{address, quiet, settings};

/// Runs SIPp and returns its exit status and what it said.
pub(super) async fn sipp(target: SocketAddr, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new("timeout");
    command
        .args(["90", "sipp", "-nostdin", "-i", "127.0.0.1", "-timeout", "60", "-timeout_error"])
        .args(arguments)
        .arg(target.to_string())
        .stdin(Stdio::null())
        .current_dir(std::env::temp_dir());
    let output = spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), said)
}

/// A scenario of our own.
pub(super) fn scenario(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../loadtest/interop").join(name);
    path.to_string_lossy().into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_calls_are_answered_by_udp_and_tcp_and_leave_nothing() {
    let (trunk, media, desk) = desk::open(settings()).await;
    for (transport, mode, calls) in [(Transport::Udp, "u1", 50), (Transport::Tcp, "t1", 50)] {
        let target = address(&trunk, transport);
        let count = calls.to_string();
        let arguments = ["-sn", "uac", "-s", ANSWERS, "-m", &count, "-r", "50", "-d", "300", "-t", mode];
        let (status, said) = sipp(target, &arguments).await;
        assert_eq!(status, 0, "{transport:?}: {said}");
    }
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(desk.count(|event| *event == Event::Established), 100);
    assert_eq!(desk.count(|event| *event == Event::Ended(EndReason::CallerHungUp)), 100);
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}
