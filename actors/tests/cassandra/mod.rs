//! Real Apache Cassandra, started by the tests that need it and stopped with them: one node or several, each on a
//! loopback address of its own.
//!
//! `ops/install test` fetches its jars and Java 17. The same file serves the store's own tests and the example
//! that measures it.
#![allow(dead_code, reason = "each of those who use it uses a part")]

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../actors/tests/cassandra");
const JARS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/cassandra/lib");
/// How often it is looked whether a node answers, and how many times: seconds on a quiet machine, three minutes
/// on one that does much else.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS_MAX: u32 = 1_800;

/// One Cassandra cluster.
pub(crate) struct Ring {
    folder: TempDir,
    nodes: Vec<Node>,
    native_port: u16,
    storage_port: u16,
}

struct Node {
    address: String,
    /// What its configuration has beside that of all.
    more: String,
    process: Option<Child>,
}

impl Ring {
    /// Starts so many nodes and waits until all answer.
    pub(crate) fn start(count: u8) -> Self {
        Self::start_as(count, |_, _| String::new())
    }

    /// The same, with more in each node's configuration: told by its address and its folder.
    pub(crate) fn start_as(count: u8, more: impl Fn(&str, &Path) -> String) -> Self {
        let process = std::process::id();
        // Every address of 127.0.0.0/8 is this machine; a test process has its own three bytes.
        let address = |number: u8| format!("127.{}.{}.{number}", process >> 8 & 0x7f | 0x40, process & 0xff);
        let free = || {
            let listener = TcpListener::bind((address(1), 0)).expect("a free port");
            let port = listener.local_addr().expect("bound").port();
            (listener, port)
        };
        let ((first, native_port), (second, storage_port)) = (free(), free());
        drop((first, second));
        let folder = TempDir::new().expect("a folder");
        let node = |number: u8| {
            let (address, own) = (address(number), folder.path().join(format!("node-{}", number - 1)));
            std::fs::create_dir_all(&own).expect("a folder");
            Node { more: more(&address, &own), address, process: None }
        };
        let nodes = (1..=count).map(node).collect();
        let mut ring = Self { folder, nodes, native_port, storage_port };
        for index in 0..usize::from(count) {
            ring.start_node(index);
        }
        ring
    }

    /// Where a node answers CQL, as `host:port`.
    pub(crate) fn contact_point(&self, index: usize) -> String {
        format!("{}:{}", self.nodes[index].address, self.native_port)
    }

    /// Where all of them do.
    pub(crate) fn contact_points(&self) -> Vec<String> {
        (0..self.nodes.len()).map(|index| self.contact_point(index)).collect()
    }

    /// Starts a node that is not running and waits until it answers.
    pub(crate) fn start_node(&mut self, index: usize) {
        let folder = self.folder(index);
        let address = self.nodes[index].address.clone();
        let log = folder.join("log");
        let child = self.command(index, &folder, &log).spawn();
        self.nodes[index].process = Some(child.expect("java: run `ops/install test`"));
        let mut looks = 0;
        while TcpStream::connect((address.as_str(), self.native_port)).is_err() {
            let child = self.nodes[index].process.as_mut().expect("started");
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none() && looks < LOOKS_MAX, "Cassandra did not start:\n{}", tail(&log));
            std::thread::sleep(LOOK);
            looks += 1;
        }
    }

    fn command(&self, index: usize, folder: &Path, log: &Path) -> Command {
        let jars = Path::new(JARS);
        let agent = std::fs::read_dir(jars)
            .unwrap_or_else(|_| panic!("{JARS} is missing: run `ops/install test`"))
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("jamm-")))
            .expect("Cassandra's own agent");
        // The ring of tokens cut in equal parts.
        let part = (i128::from(i64::MAX) * 2) / i128::try_from(self.nodes.len()).expect("few");
        let token = i128::from(i64::MIN) + 1 + part * i128::try_from(index).expect("few");
        let yaml = read("cassandra.yaml")
            .replace("{token}", &format!("\"{token}\""))
            .replace("{seeds}", &format!("{}:{}", self.nodes[0].address, self.storage_port))
            .replace("{address}", &self.nodes[index].address)
            .replace("{storage_port}", &self.storage_port.to_string())
            .replace("{native_port}", &self.native_port.to_string())
            .replace("{data}", &folder.display().to_string());
        let config = folder.join("cassandra.yaml");
        std::fs::write(&config, yaml + "\n" + &self.nodes[index].more).expect("written");
        let options = read("jvm.options");
        let options = options.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let output = || Stdio::from(File::options().create(true).append(true).open(log).expect("a log"));
        // It ends with the thread that started it, also where the test process is killed and drops nothing.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "java"])
            .args(options)
            .arg(format!("-javaagent:{}", agent.display()))
            .arg(format!("-Dlogback.configurationFile=file://{HERE}/logback.xml"))
            .arg(format!("-Dcassandra.config=file://{}", config.display()))
            .arg("-Dcassandra.superuser_setup_delay_ms=0")
            .arg(format!("-Dcassandra.storagedir={}", folder.display()))
            .args(["-cp", &format!("{}/*", jars.display()), "org.apache.cassandra.service.CassandraDaemon"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .process_group(0);
        command
    }

    /// Where a node keeps what it has.
    pub(crate) fn folder(&self, index: usize) -> PathBuf {
        self.folder.path().join(format!("node-{index}"))
    }

    /// A node's process.
    pub(crate) fn process(&self, index: usize) -> u32 {
        self.nodes[index].process.as_ref().expect("it runs").id()
    }

    /// Sends a node's processes a signal.
    pub(crate) fn signal(&self, index: usize, signal: Signal) {
        let process = self.nodes[index].process.as_ref().expect("it runs");
        killpg(Pid::from_raw(i32::try_from(process.id()).expect("a process")), signal).expect("it runs");
    }

    /// Kills a node as a power cut would, its disk aside.
    pub(crate) fn kill(&mut self, index: usize) {
        self.signal(index, Signal::SIGKILL);
        let mut process = self.nodes[index].process.take().expect("it runs");
        process.wait().expect("a child");
    }

    /// Takes everything away that a killed node had on its disk.
    pub(crate) fn wipe(&self, index: usize) {
        assert!(self.nodes[index].process.is_none(), "it runs");
        std::fs::remove_dir_all(self.folder(index)).expect("removed");
        std::fs::create_dir(self.folder(index)).expect("a folder");
    }

    /// From now on no file of a running node may grow beyond so many bytes (`RLIMIT_FSIZE`), as on a full disk.
    pub(crate) fn limit(&self, index: usize, bytes: &str) {
        let process = self.nodes[index].process.as_ref().expect("it runs");
        let words = ["--pid", &process.id().to_string(), &format!("--fsize={bytes}:")];
        assert!(Command::new("prlimit").args(words).status().expect("prlimit of util-linux").success());
    }

    /// What a node last said.
    pub(crate) fn log(&self, index: usize) -> String {
        tail(&self.folder.path().join(format!("node-{index}/log")))
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(mut process) = node.process.take() {
                let group = Pid::from_raw(i32::try_from(process.id()).unwrap_or(i32::MAX));
                let _ = killpg(group, Signal::SIGKILL);
                let _ = process.wait();
            }
        }
    }
}

fn read(name: &str) -> String {
    let path = PathBuf::from(HERE).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
