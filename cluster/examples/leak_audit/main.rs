//! Tens of thousands of short calls of every ending, twice: what is left of them, and what of it grows.
//!
//! `cargo run --release -p cluster --example leak_audit [calls] [at once]`; 20,000 and 400 where nothing is said.
//! Ends with 1 where a call, a transaction, a timer, a port, a connection or a task is left, or where the second
//! half leaves more memory allocated than the first: what was asked for and not given back, to the byte, where resident
//! memory tells pages and the allocator's own habits besides. What libraries in C take is not in it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a measuring program"
)]

mod caller;
mod desk;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cap::Cap;
use cluster::clock;
use cluster::edge::media::{self, Media};
use cluster::edge::sip_trunk::{Settings, Transport, Trunk};
use tikv_jemallocator::Jemalloc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use caller::Way;
use desk::{Desk, Known};

#[global_allocator]
static ALLOCATOR: Cap<Jemalloc> = Cap::new(Jemalloc, usize::MAX);

/// How long what is left may take to go.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that the second half may leave: tables that once had to hold more calls at once than in the first, and stay
/// as large. Of 20,000 calls it is less than a byte for each.
const NOISE_BYTES: i64 = 16 * 1_024;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let number = |at: usize, otherwise| {
        std::env::args().nth(at).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (calls, at_once) = (number(1, 20_000), number(2, 400));
    let media = Media::start(media::Settings {
        address: "127.0.0.1".parse().unwrap(),
        first_port: 20_000,
        last_port: 31_999,
        quarantine_ms: 0,
        threads: 1,
        dead_media_ms: 1_500,
        ..media::Settings::default()
    })
    .expect("media");
    let desk = Arc::new(Desk::default());
    let trunk =
        Trunk::start(settings(), Arc::new(Known(Arc::clone(&desk))), media.clone()).await.expect("a trunk");
    let address = |transport| {
        trunk.local_addresses().iter().find(|one| one.transport == transport).expect("listens").address
    };
    let there = (address(Transport::Udp), address(Transport::Tcp));
    // What is made once, at the first calls, is no leak.
    half(there, 200, at_once).await;
    let tasks = settled(&trunk, &media, &desk, usize::MAX).await.expect("a quiet start");
    println!("{calls} calls of {} endings, {at_once} at once, twice", Way::ALL.len());
    let mut used = Vec::new();
    for name in ["first", "second"] {
        let began = clock::monotonic();
        let odd = half(there, calls, at_once).await;
        let took = clock::since(began);
        let Some(left) = settled(&trunk, &media, &desk, tasks).await else { return ExitCode::FAILURE };
        let allocated = i64::try_from(ALLOCATOR.allocated()).expect("fits");
        used.push(allocated);
        println!(
            "{name}: {:.0} s, {:.0} calls/s, {odd} odd, tasks {left} (before {tasks}), allocated {allocated} bytes, \
             resident {:.1} MiB; offered {} ended {} in all",
            took.as_secs_f64(),
            calls as f64 / took.as_secs_f64(),
            resident_bytes() as f64 / 1_048_576.0,
            desk.offered(),
            desk.ended()
        );
    }
    let growth = used[1] - used[0];
    println!("growth in the second half: {growth} bytes, {:.3} per call", growth as f64 / calls as f64);
    trunk.stop(Duration::from_secs(1)).await;
    if growth > NOISE_BYTES { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Timers so short that what waits for them is over within seconds.
fn settings() -> Settings {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let mut settings = Settings {
        udp: Some(any),
        tcp: Some(any),
        shards: 2,
        t4_ms: 200,
        connection_stall_ms: 1_000,
        // A goodbye to a reset connection makes a new one, to a port that may be somebody else's by then.
        connection_idle_ms: 10_000,
        connections_per_source_max: 1_000,
        ..Settings::default()
    };
    settings.timing.t1_ms = 50;
    settings.timing.t2_ms = 400;
    settings.timing.transfer_ms = 3_000;
    // They all come from one address, and who is dropped ends in none of the ways that are meant.
    (settings.guard.invites_per_second, settings.guard.invites_per_second_per_source) = (10_000, 10_000);
    settings
}

/// So many calls, each ending in turn. Returns those that did not go as meant.
async fn half(there: (SocketAddr, SocketAddr), calls: usize, at_once: usize) -> usize {
    let places = Arc::new(Semaphore::new(at_once));
    let mut under_way = JoinSet::new();
    let mut odd = 0;
    for number in 0..calls {
        let place = Arc::clone(&places).acquire_owned().await.expect("open");
        let way = Way::ALL[number % Way::ALL.len()];
        under_way.spawn(async move {
            let went = caller::call(way, there).await;
            drop(place);
            (way, went)
        });
        while let Some(done) = under_way.try_join_next() {
            odd += count(done.expect("a call"));
        }
    }
    while let Some(done) = under_way.join_next().await {
        odd += count(done.expect("a call"));
    }
    odd
}

fn count((way, went): (Way, Result<(), String>)) -> usize {
    match went {
        Ok(()) => 0,
        Err(why) => {
            eprintln!("{way:?}: {why}");
            1
        }
    }
}

/// Waits until nothing is left, and returns the tasks that are; none where something stays.
async fn settled(trunk: &Trunk, media: &Media, desk: &Desk, tasks_max: usize) -> Option<usize> {
    let began = clock::monotonic();
    loop {
        let (counts, audio) = (trunk.counts(), media.counts());
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let quiet = counts.is_quiet()
            && counts.timers == 0
            && counts.tcp_connections == 0
            && (audio.sessions, audio.ports_in_use, desk.legs()) == (0, 0, 0);
        if quiet && tasks <= tasks_max {
            return Some(tasks);
        }
        if clock::since(began) > PATIENCE {
            println!("LEFT BEHIND: {counts:?} {audio:?}, {} legs, {tasks} tasks of {tasks_max}", desk.legs());
            return None;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn resident_bytes() -> i64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("statm");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<i64>().ok()).expect("pages") * 4_096
}
