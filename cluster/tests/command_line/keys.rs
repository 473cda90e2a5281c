//! The master key is changed at the command line.

use std::path::Path;
use std::sync::Arc;

use actors::storage::recordings::{MasterKey, Recorder, Recordings, Settings};
use actors::storage::{Embedded, Storage};
use actors::types::{CallId, RecordingId, TenantId};

use super::{DEMO, strowger};

const BUSINESS: &str = "fleet-street-barbers";

/// Records nothing of a call, which makes the business a key.
fn record(data: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Embedded::open(&data.join("strowger.redb"), &Default::default()).expect("opens");
        let storage: Arc<dyn Storage> = Arc::new(store);
        let master = MasterKey::open(&data.join("master.key")).expect("made");
        let recordings = Recordings::in_folder(&data.join("recordings"), master, storage).expect("made");
        let recorder = Recorder::start(&Settings::default(), recordings).expect("starts");
        let (call, recording) = (CallId::default(), RecordingId::default());
        let opened =
            recorder.open(&TenantId::new(BUSINESS), call, recording, jiff::Timestamp::UNIX_EPOCH).await;
        let (ring, handle) = opened.expect("opens");
        drop(ring);
        handle.finish().await.expect("kept");
        recorder.stop().await;
    });
}

#[test]
fn the_keys_are_sealed_anew_once_and_that_is_told() {
    let data = tempfile::tempdir().expect("a directory");
    strowger(data.path(), &["tenant", "import", DEMO]).expect("imports");
    record(data.path());
    let key = |name: &str| data.path().join(name).to_string_lossy().into_owned();
    let (old, new) = (key("master.key"), key("new.key"));
    let wrong = ["keys", "reseal", "--from", &key("other.key"), "--to", &key("another.key")];
    let told = strowger(data.path(), &wrong).expect_err("neither opens them");
    assert!(told.contains("other.key is not the master key that sealed it"), "{told}");
    let told =
        strowger(data.path(), &["keys", "reseal", "--from", "vault://x", "--to", &new]).expect_err("what?");
    assert!(told.contains("vault://x") && told.contains("aws-kms://"), "{told}");
    let words = ["keys", "reseal", "--from", &old, "--to", &new];
    let done = strowger(data.path(), &words).expect("done");
    assert!(done.starts_with("sealed the keys of 1 business(es) anew"), "{done}");
    let again = strowger(data.path(), &words).expect("nothing to do");
    assert!(again.starts_with("sealed the keys of 0 business(es)"), "{again}");
    let audit = strowger(data.path(), &["tenant", "audit", BUSINESS]).expect("told");
    assert_eq!(audit.matches("key sealed anew").count(), 1, "{audit}");
}
