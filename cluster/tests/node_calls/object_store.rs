//! A node whose recordings lie in S3 and whose master key is in a KMS, both behind one server of `ops/install test`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::phone::Phone;
use super::{NUMBER, outcomes, started};
use crate::command_line::strowger;
use crate::node_life::{calls, stop, wait_for};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/moto/bin/moto_server");

/// The server, in a process group of its own; killed when this is dropped or the test is killed.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        assert!(std::path::Path::new(SERVER).exists(), "{SERVER} is missing: run `ops/install test`");
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let child = Command::new("setpriv")
            .args([
                "--pdeathsig",
                "TERM",
                "timeout",
                "--kill-after=2",
                "120",
                "setpriv",
                "--pdeathsig",
                "KILL",
            ])
            .args([SERVER, "-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("starts");
        let server = Self { child, address };
        for _ in 0..400 {
            if TcpStream::connect(address).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server did not start");
    }

    fn signal(&self, signal: Signal) {
        let _ = killpg(Pid::from_raw(i32::try_from(self.child.id()).expect("a pid")), signal);
    }

    /// Asks as an administrator would; the server checks no signature.
    fn ask(&self, service: &str, head: &str, more: &str, body: &str) -> String {
        let mut line = TcpStream::connect(self.address).expect("connects");
        write!(
            line,
            "{head} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=0\r\n{more}\r\n{body}",
            body.len()
        )
        .expect("asks");
        let mut answer = String::new();
        line.read_to_string(&mut answer).expect("answers");
        answer
    }

    /// Makes a master key; its URL.
    fn master_key(&self) -> String {
        let more = "X-Amz-Target: TrentService.CreateKey\r\nContent-Type: application/x-amz-json-1.1\r\n";
        let answer = self.ask("kms", "POST /", more, "{}");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let body: serde_json::Value = serde_json::from_str(body).expect("json");
        format!("aws-kms://us-east-1/{}", body["KeyMetadata"]["KeyId"].as_str().expect("an id"))
    }

    /// The names of all objects.
    fn objects(&self) -> Vec<String> {
        let answer = self.ask("s3", "GET /bucket?list-type=2", "", "");
        let names = answer.split("<Key>").skip(1);
        names.filter_map(|rest| rest.split_once("</Key>")).map(|(name, _)| name.to_owned()).collect()
    }

    fn has_merged(&self, count: usize) -> bool {
        let objects = self.objects();
        objects.len() == count && objects.iter().all(|object| object.ends_with(".ogg.sealed"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::SIGCONT);
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn speak(phone: &mut Phone) {
    phone.calls();
    std::thread::sleep(Duration::from_secs(3));
    phone.hangs_up();
}

#[test]
fn peer_s3_a_node_keeps_plays_and_erases_recordings_elsewhere() {
    let server = Server::start();
    assert!(server.ask("s3", "PUT /bucket", "", "").starts_with("HTTP/1.1 200"));
    let (endpoint, key) = (format!("http://{}", server.address), server.master_key());
    let data = tempfile::tempdir().expect("a directory");
    let (node, presence) = started(
        data.path(),
        &[
            ("STROWGER_RECORDINGS_URL", "s3://bucket/calls"),
            ("STROWGER_RECORDINGS_OBJECTS_ENDPOINT", &endpoint),
            ("STROWGER_RECORDINGS_OBJECTS_ALLOW_HTTP", "true"),
            ("STROWGER_RECORDINGS_OBJECTS_REGION", "us-east-1"),
            ("STROWGER_RECORDINGS_MERGE_EVERY_MS", "500"),
            ("STROWGER_RECORDINGS_MASTER_KEY", &key),
            ("STROWGER_RECORDINGS_KMS_ENDPOINT", &endpoint),
            ("STROWGER_RECORDINGS_KMS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ],
    );
    speak(&mut Phone::new(presence.sip, NUMBER, "first"));
    wait_for("the merged recording", || server.has_merged(1));
    assert!(!data.path().join("master.key").exists(), "the key is elsewhere");
    let call = calls(data.path())[0]["id"].as_str().expect("an id").to_owned();
    let file = |name: &str| data.path().join(name).to_string_lossy().into_owned();
    let (whole, part) = (file("whole.ogg"), file("part.wav"));
    strowger(data.path(), &["calls", "play", &call, "--ogg", "--out", &whole]).expect("plays");
    assert!(std::fs::read(&whole).expect("there").starts_with(b"OggS"));
    strowger(data.path(), &["calls", "play", &call, "--from", "0.5", "--to", "1.5", "--out", &part])
        .expect("plays");
    assert_eq!(std::fs::read(&part).expect("there").len(), 44 + 8_000 * 4, "a second of both sides");

    // Nobody answers there: calls go on as ever, and what they said arrives later.
    server.signal(Signal::SIGSTOP);
    speak(&mut Phone::new(presence.sip, NUMBER, "second"));
    let over = serde_json::json!({ "result": "success", "reason": "caller_hung_up" });
    wait_for("both records", || outcomes(data.path()) == [over.clone(), over.clone()]);
    server.signal(Signal::SIGCONT);
    wait_for("both recordings", || server.has_merged(2));

    let erased =
        strowger(data.path(), &["tenant", "erase", "fleet-street-barbers", "--yes"]).expect("erased");
    assert!(erased.contains("2 call(s), 2 recording(s)"), "{erased}");
    wait_for("the objects' end", || server.objects().is_empty());
    assert!(stop(node), "a clean exit");
}
