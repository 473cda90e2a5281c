//! Hints by pub/sub, on a connection of its own that listens again whenever it was made anew.

use std::sync::Arc;

use fred::error::Error as Failure;
use fred::interfaces::{EventInterface, PubsubInterface};
use fred::types::Message;
use fred::types::config::Config;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::keys::Keys;
use super::link::{Link, Purpose};
use crate::storage::coordination::{Hints, Settings, Subscribers};

/// Listens for this node.
pub(super) struct Listening {
    link: Arc<Link>,
    keys: Keys,
    subscribers: Subscribers,
    waiting_max: usize,
    hearing: JoinHandle<()>,
}

impl Listening {
    pub(super) fn open(config: Config, settings: &Settings, keys: Keys) -> Self {
        let link = Arc::new(Link::open(config, settings, Purpose::Hints));
        let subscribers = Subscribers::default();
        // Taken now: what is said before the task first runs is heard, too.
        let (connections, messages) = (link.connections(), link.client().message_rx());
        let hear = hear(Arc::clone(&link), keys.clone(), subscribers.clone(), connections, messages);
        let hearing = tokio::spawn(hear);
        Self { link, keys, subscribers, waiting_max: settings.hints_waiting_max, hearing }
    }

    /// Adds a listener. While the server is away it hears nothing, and of a gap once it is back.
    pub(super) async fn subscribe(&self, channel: &str) -> Hints {
        let (hints, first) = self.subscribers.listen(channel, self.waiting_max);
        if first {
            let told: Result<(), Failure> = self.link.client().subscribe(self.keys.channel(channel)).await;
            if let Err(why) = told {
                tracing::debug!(%why, "listening begins with the next connection");
                self.link.misled();
            }
        }
        hints
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}

async fn hear(
    link: Arc<Link>,
    keys: Keys,
    subscribers: Subscribers,
    mut connections: watch::Receiver<u64>,
    mut messages: Receiver<Message>,
) {
    loop {
        loop {
            tokio::select! {
                biased;
                changed = connections.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    break;
                }
                message = messages.recv() => match message {
                    Ok(message) => {
                        if let Some(channel) = keys.channel_of(&message.channel) {
                            subscribers.tell(channel, message.value.as_bytes().unwrap_or_default());
                        }
                    }
                    Err(RecvError::Lagged(_)) => subscribers.miss(),
                    Err(RecvError::Closed) => {
                        wait(&mut connections).await;
                        break;
                    }
                },
            }
        }
        // A client that was made anew has a stream of its own. Taken before it listens, so that nothing is said in
        // between.
        messages = link.client().message_rx();
        listen_again(&link, &keys, &subscribers).await;
    }
}

/// Waits for the next connection.
async fn wait(connections: &mut watch::Receiver<u64>) {
    // Its other side lives as long as the link, which this task holds.
    let _ = connections.changed().await;
}

async fn listen_again(link: &Link, keys: &Keys, subscribers: &Subscribers) {
    let channels: Vec<String> = subscribers.channels().iter().map(|channel| keys.channel(channel)).collect();
    if channels.is_empty() {
        return;
    }
    // Where this fails the connection is gone again, and the next one does it.
    let told: Result<(), Failure> = link.client().subscribe(channels).await;
    if let Err(why) = told {
        tracing::debug!(%why, "listening again failed");
        link.misled();
    }
    subscribers.miss();
}
