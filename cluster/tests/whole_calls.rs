//! Whole calls by voice: a node and a caller, two real processes with a telephone line between them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use cluster::clock;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use crate::command_line::{DEMO, strowger};
use crate::node_life::{Process, calls, configured, start, start_configured, stop, tones};

/// How long a call may take, a loaded machine included.
const CALL_MAX: Duration = Duration::from_secs(150);
const TIME_ZONE: &str = "Europe/London";

/// A configuration with the engines that need no model weights: the ear is pocketsphinx, the voice flite.
fn offline_engines(data: &Path) -> PathBuf {
    let file = data.join("offline.toml");
    std::fs::write(&file, "[engines]\nspeech_to_text = \"pocketsphinx\"\ntext_to_speech = \"flite\"\n")
        .expect("writes");
    file
}

/// The demo business without its holidays, so that a day of the week is open whenever the test runs.
fn open_every_week(data: &Path) -> PathBuf {
    let demo = std::fs::read_to_string(DEMO).expect("the demo business");
    let blocks = demo.split("\n\n").filter(|block| !block.starts_with("[[closed]]"));
    let file = data.join("business.toml");
    std::fs::write(&file, blocks.collect::<Vec<_>>().join("\n\n")).expect("writes");
    file
}

/// What a receptionist takes "next Thursday" for: the one of the week after this one.
fn next_thursday(today: Date) -> Date {
    let since_monday = i64::from(today.weekday().to_monday_zero_offset());
    today.saturating_add((7 - since_monday + 3).days())
}

/// Lets a caller call, and returns when the call is over.
fn call(data: &Path, config: &Path, said: &[&str], typed: &str) -> Output {
    let words = ["call"].iter().chain(said).copied().collect::<Vec<_>>();
    let mut command = configured(data, config, &words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut caller = Process::start(&mut command);
    let mut input = caller.0.stdin.take().expect("its input");
    input.write_all(typed.as_bytes()).expect("is typed");
    drop(input);
    let began = clock::monotonic();
    while caller.0.try_wait().expect("a child").is_none() {
        assert!(clock::since(began) < CALL_MAX, "the call does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
    caller.output()
}

fn json(data: &Path, words: &[&str]) -> Value {
    serde_json::from_str(&strowger(data, words).expect("shows")).expect("json")
}

/// How loud each side of a recording is on average.
fn loudness(file: &Path) -> [f64; 2] {
    let mut reader = hound::WavReader::open(file).expect("a WAV file");
    assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 8_000));
    let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>().expect("samples");
    assert!(samples.len() > 2 * 8_000 * 10, "a recording of {} samples", samples.len());
    [0, 1].map(|side| {
        let side: Vec<f64> = samples.iter().skip(side).step_by(2).map(|sample| f64::from(*sample)).collect();
        (side.iter().map(|sample| sample * sample).sum::<f64>() / side.len() as f64).sqrt()
    })
}

#[test]
fn peer_a_haircut_is_booked_by_voice() {
    let data = tempfile::tempdir().expect("a directory");
    let data = data.path();
    strowger(data, &["tenant", "import", &open_every_week(data).to_string_lossy()]).expect("imports");
    let config = offline_engines(data);
    let node = start_configured(data, &config, &[]);
    let day = next_thursday(clock::now().in_tz(TIME_ZONE).expect("a time zone").date());
    let said = ["i'd like a haircut next thursday at three", "sam taylor", "yes please", "yes please"];
    let output = call(data, &config, &said, "");
    let heard = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{heard}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!heard.contains("trouble"), "{heard}");

    let bookings = json(data, &["bookings", "list", "--json"]);
    let bookings = bookings["rows"].as_array().expect("rows");
    let [booking] = bookings.as_slice() else { panic!("{bookings:?}\n{heard}") };
    assert_eq!((&booking["slot"]["service"], &booking["state"]), (&"haircut".into(), &"confirmed".into()));
    let starts: Timestamp = booking["slot"]["start"].as_str().expect("a moment").parse().expect("a moment");
    let starts = starts.in_tz(TIME_ZONE).expect("a time zone").datetime();
    assert_eq!(starts, day.at(15, 0, 0, 0), "{heard}");

    let id = booking["call"].as_str().expect("a call");
    let shown = json(data, &["calls", "show", id, "--json"]);
    let record = &shown["record"];
    assert_eq!(record["outcome"]["result"], "success", "{record}");
    assert_eq!(record["heading"], "booked", "{record}");
    assert_eq!(record["bookings"], serde_json::json!([booking["id"]]), "{record}");
    assert!(record["recording"].is_string(), "{record}");

    let file = data.join("call.wav");
    strowger(data, &["calls", "play", id, "--out", &file.to_string_lossy()]).expect("plays");
    let [caller, receptionist] = loudness(&file);
    assert!(caller > 100.0 && receptionist > 100.0, "caller {caller:.0}, receptionist {receptionist:.0}");
    assert!(stop(node), "a clean exit");
}

#[test]
fn peer_lines_of_a_pipe_are_said_one_after_another() {
    let data = tempfile::tempdir().expect("a directory");
    let data = data.path();
    let node = start(data);
    let output = call(data, &tones(data), &[], "do you take walk ins\n\nwhere are you\n");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    let place = |words: &str| shown.find(words).unwrap_or_else(|| panic!("no {words:?} in {shown}"));
    let in_turn = ["take walk ins", "You can walk in", "where are you", "186 Fleet Street"].map(place);
    assert!(in_turn.is_sorted(), "{shown}");
    assert_eq!(calls(data).len(), 1);
    assert!(stop(node), "a clean exit");
}
