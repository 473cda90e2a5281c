//! Texts embedded elsewhere, in time or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::fixture::{remote, runtime};
use crate::Error;
use crate::batching::Tenant;
use crate::engine::{EmbedRequest, Embedding, Embeddings, EmbeddingsReady};
use crate::remote::{Remote, Served, Server, Settings};

/// Embeds a text as its length and its first letter; hangs, fails or is full where it is told to.
#[derive(Default)]
struct Fake {
    asked: AtomicUsize,
    hung: parking_lot::Mutex<Vec<EmbeddingsReady>>,
    hangs: bool,
    is_full: bool,
}

impl Embeddings for Fake {
    fn name(&self) -> &'static str {
        crate::embeddings::NAME
    }

    fn embed(&self, request: EmbedRequest, ready: EmbeddingsReady) -> Result<(), Error> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        if self.is_full {
            return Err(Error::Full { engine: "fake", limit: 0 });
        }
        if self.hangs {
            self.hung.lock().push(ready);
            return Ok(());
        }
        let direction = |text: &String| {
            let first = text.bytes().next().unwrap_or_default();
            Embedding(Arc::from([text.len() as f32, f32::from(first)]))
        };
        ready(Ok(request.texts.iter().map(direction).collect()));
        Ok(())
    }
}

fn serve(runtime: &tokio::runtime::Runtime, fake: Fake) -> (Server, Arc<Fake>) {
    let fake = Arc::new(fake);
    let settings = Settings { listen: "127.0.0.1:0".parse().expect("an address"), ..Settings::default() };
    let engines = Served { embeddings: Some(fake.clone()), ..Served::default() };
    (runtime.block_on(Server::start(&settings, engines)).expect("starts"), fake)
}

fn to(runtime: &tokio::runtime::Runtime, servers: &[&Server]) -> Remote {
    remote(runtime, servers.iter().map(|server| format!("http://{}", server.address())).collect())
}

fn embed(engine: &dyn Embeddings, texts: Vec<String>) -> Result<Vec<Embedding>, Error> {
    engine.embed_blocking(EmbedRequest { texts, tenant: Tenant(1), within: Duration::from_secs(1) })
}

#[test]
fn peer_texts_are_embedded_elsewhere_however_many() {
    let runtime = runtime();
    let (server, fake) = serve(&runtime, Fake::default());
    let remote = to(&runtime, &[&server]);
    let texts: Vec<String> = (0..1_000).map(|at| "x".repeat(at % 70)).collect();
    let directions = embed(remote.embeddings(None).as_ref(), texts.clone()).expect("directions");
    let lengths: Vec<usize> = directions.iter().map(|one| one.0[0] as usize).collect();
    assert_eq!(lengths, texts.iter().map(String::len).collect::<Vec<_>>(), "in their order");
    assert_eq!(fake.asked.load(Ordering::Acquire), 16, "a message has 64");
    assert_eq!(embed(remote.embeddings(None).as_ref(), Vec::new()), Ok(Vec::new()));
}

#[test]
fn peer_a_node_that_hangs_or_is_full_leaves_time_for_the_next() {
    let runtime = runtime();
    for bad in [Fake { hangs: true, ..Fake::default() }, Fake { is_full: true, ..Fake::default() }] {
        let ((server, first), (other, second)) = (serve(&runtime, bad), serve(&runtime, Fake::default()));
        // Until both were asked: which is asked first is chance.
        for _ in 0..40 {
            let remote = to(&runtime, &[&server, &other]);
            let directions = embed(remote.embeddings(None).as_ref(), vec!["a".into()]).expect("directions");
            assert_eq!(directions[0].0[..], [1.0, 97.0]);
            if first.asked.load(Ordering::Acquire) > 0 && second.asked.load(Ordering::Acquire) > 0 {
                break;
            }
        }
        assert!(first.asked.load(Ordering::Acquire) > 0, "the bad one was asked, too");
        let alone = to(&runtime, &[&server]);
        assert!(embed(alone.embeddings(None).as_ref(), vec!["a".into()]).is_err());
        let alone = to(&runtime, &[&server]);
        let own: Arc<dyn Embeddings> = Arc::new(Fake::default());
        assert!(embed(alone.embeddings(Some(own)).as_ref(), vec!["a".into()]).is_ok(), "this node's own");
    }
}
