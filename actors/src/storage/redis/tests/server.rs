//! Real servers on free ports of this machine, each in a directory of its own. They end with the test, however it
//! ends.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::time::Instant;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whose server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Make {
    /// Redis, as the system has it.
    Redis,
    /// Valkey, as `ops/install test` unpacks it.
    Valkey,
}

impl Make {
    fn program(self, name: &str) -> String {
        match self {
            Self::Redis => format!("redis-{name}"),
            Self::Valkey => {
                format!("{}/../target/valkey/usr/bin/valkey-{name}", env!("CARGO_MANIFEST_DIR"))
            }
        }
    }

    /// What its command line says.
    pub(crate) fn say(self, words: &[&str]) -> String {
        let program = self.program("cli");
        let output = Command::new(&program).args(words).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}; ops/install test gets it"));
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

/// A server.
pub(crate) struct Server {
    make: Make,
    child: Child,
    port: u16,
    words: Vec<String>,
    folder: TempDir,
}

impl Server {
    /// Redis that writes nothing to disk, with further words of its configuration.
    pub(crate) fn start(words: &[&str]) -> Self {
        Self::start_as(Make::Redis, words)
    }

    /// The same of another make.
    pub(crate) fn start_as(make: Make, words: &[&str]) -> Self {
        Self::start_with(make, &[&["--save", "", "--appendonly", "no"], words].concat(), None)
    }

    /// A server or a sentinel with these words alone; `file` is its configuration file, which it may change.
    pub(crate) fn start_with(make: Make, words: &[&str], file: Option<&str>) -> Self {
        // A free port can be taken by another before it is bound: another one then.
        (0..5)
            .find_map(|_| Self::try_start(make, words, file))
            .unwrap_or_else(|| panic!("{make:?} does not start; ops/install test gets it"))
    }

    fn try_start(make: Make, words: &[&str], file: Option<&str>) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a directory");
        let mut all = Vec::new();
        if let Some(text) = file {
            let path = folder.path().join("server.conf");
            std::fs::write(&path, text).expect("writes");
            all.push(path.to_string_lossy().into_owned());
        }
        let port = free_port();
        all.extend(["--port".to_owned(), port.to_string(), "--bind".to_owned(), "127.0.0.1".to_owned()]);
        all.extend(["--dir".to_owned(), folder.path().to_string_lossy().into_owned()]);
        all.extend(words.iter().map(|word| (*word).to_owned()));
        let child = run(make, &all, folder.path());
        let mut server = Self { make, child, port, words: all, folder };
        server.answers().then_some(server)
    }

    fn answers(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.child.try_wait().expect("asks").is_some() {
                return false;
            }
            let said = self.say(&["ping"]);
            if said.starts_with("PONG") || said.starts_with("NOAUTH") {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it answers to a command.
    pub(crate) fn say(&self, words: &[&str]) -> String {
        self.make.say(&[&["-p", &self.port.to_string()], words].concat())
    }

    /// Stands still: the kernel takes connections and bytes, nobody answers.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Goes on after [`Self::freeze`].
    pub(crate) fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Dies without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("is gone");
    }

    /// Starts again on its port, after [`Self::kill`]; empty, unless it keeps what it has on disk.
    pub(crate) fn start_again(&mut self) {
        self.child = run(self.make, &self.words, self.folder.path());
        assert!(self.answers(), "it starts again");
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        kill(pid, signal).expect("signals");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(make: Make, words: &[String], folder: &Path) -> Child {
    let program = make.program("server");
    let mut command = Command::new(&program);
    command.args(words).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("{program}: {error}; ops/install test gets it"))
}

/// A port that is free now, with room for the port of a cluster's bus, 10,000 above it.
pub(crate) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        if port < 55_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}
