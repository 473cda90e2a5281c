//! Servers of `ops/install test`, each a process of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/moto/bin/moto_server");
/// What Google's requests are let in by.
pub(super) const TOKEN: &str = "a-token-of-a-test";
/// What lets a request into S3, which looks at nobody's signature.
pub(super) const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, \
    SignedHeaders=host, Signature=0";
/// What each cloud's environment would say.
pub(super) const KEYS: [(&str, &str); 6] = [
    ("google_bearer_token", TOKEN),
    ("azure_storage_account_name", super::azure::ACCOUNT),
    ("azure_storage_account_key", super::azure::ACCOUNT_KEY),
    ("aws_access_key_id", "test"),
    ("aws_secret_access_key", "test"),
    ("aws_virtual_hosted_style_request", "false"),
];

/// The server, in a process group of its own; killed when this is dropped, when the test is killed, and in any
/// case after two minutes.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::start_at(free_address())
    }

    fn start_at(address: SocketAddr) -> Self {
        Self::run(address, SERVER, &["-H", "127.0.0.1", "-p", &address.port().to_string()])
    }

    /// One that has the bucket and nothing in it.
    pub(super) fn with_bucket(address: SocketAddr) -> Self {
        let server = Self::start_at(address);
        server.make_bucket();
        server
    }

    pub(super) fn run(address: SocketAddr, program: &str, words: &[&str]) -> Self {
        assert!(std::path::Path::new(program).exists(), "{program} is missing: run `ops/install test`");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "timeout", "--kill-after=2", "120"])
            .args(["setpriv", "--pdeathsig", "KILL", program])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("started");
        let server = Self { child, address };
        for _ in 0..400 {
            if TcpStream::connect(address).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server did not start");
    }

    pub(super) fn signal(&self, signal: Signal) {
        let group = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        let _ = killpg(group, signal);
    }

    pub(super) fn make_bucket(&self) {
        let mut line = TcpStream::connect(self.address).expect("connected");
        let request = format!(
            "PUT /bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\
             Authorization: {SIGNED}\r\n\r\n"
        );
        line.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        line.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// An address where nobody listens.
pub(super) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::SIGCONT);
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}
