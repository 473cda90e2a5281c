//! Servers looked up by name (RFC 3263), and which of them failed lately.
//!
//! The search itself is [`crate::sip::location`]; here are its questions asked, with a deadline, and the answers
//! kept as long as they say, in bounds.

mod records;
mod settings;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ProtocolConfig, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use parking_lot::Mutex;

pub use settings::Settings;

use crate::clock;
use crate::sip::destination::Transport;
use crate::sip::location::{Health, Known, Step, Target, Wanted, locate};

/// How often a search may ask in turn: transports, servers, addresses, and once more for names that were too many.
const TURNS_MAX: usize = 5;

/// Looks names up. See the module's documentation.
pub(super) struct Names {
    settings: Settings,
    resolver: Option<TokioResolver>,
    health: Mutex<Health>,
    started: Instant,
}

/// A search that led nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost {
    /// Somebody was asked in vain: the network or the name server fails, rather than the name.
    pub(super) unanswered: bool,
}

impl Names {
    /// One that asks the name servers of the settings, or the system's.
    pub(super) fn new(settings: &Settings) -> Self {
        let resolver = match resolver(settings) {
            Ok(resolver) => Some(resolver),
            Err(error) => {
                tracing::error!(error = %error, "no name can be looked up; name servers in sip.names.servers");
                None
            }
        };
        Self {
            resolver,
            health: Mutex::new(Health::new(settings.avoided_max)),
            started: clock::monotonic(),
            settings: settings.clone(),
        }
    }

    /// The servers to try, those that failed lately at the end.
    pub(super) async fn find(
        &self,
        wanted: &Wanted,
        reaches: &(dyn Fn(Transport, Option<IpAddr>) -> bool + Send + Sync),
        seed: u64,
    ) -> Result<Vec<Target>, Lost> {
        let mut known = Known::new();
        let mut unanswered = false;
        let search = async {
            for _ in 0..TURNS_MAX {
                match locate(wanted, &known, &|transport, address| reaches(transport, address), seed) {
                    Step::Found(targets) => return targets,
                    Step::Ask(questions) => {
                        let asked = questions.into_iter().map(|question| self.answer(question));
                        for (question, answer, failed) in futures_util::future::join_all(asked).await {
                            unanswered |= failed;
                            known.insert(question, answer);
                        }
                    }
                }
            }
            Vec::new()
        };
        let found = tokio::time::timeout(Duration::from_millis(self.settings.search_ms), search).await;
        let found = found.unwrap_or_else(|_| {
            unanswered = true;
            Vec::new()
        });
        if found.is_empty() {
            return Err(Lost { unanswered });
        }
        Ok(self.health.lock().ordered(self.now_ms(), found))
    }

    /// A server failed and is tried last for so long; 0 where it works again.
    pub(super) fn avoid(&self, target: &Target, for_ms: u64) {
        let now = self.now_ms();
        let mut health = self.health.lock();
        if for_ms == 0 {
            health.works(target);
        } else {
            health.failed(now, target, now.saturating_add(for_ms));
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(clock::since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Names").finish_non_exhaustive()
    }
}

fn resolver(settings: &Settings) -> Result<TokioResolver, hickory_resolver::net::NetError> {
    let mut builder = if settings.servers.is_empty() {
        TokioResolver::builder_tokio()?
    } else {
        let servers = settings.servers.iter().map(|server| {
            let connections = [ProtocolConfig::Udp, ProtocolConfig::Tcp].map(|protocol| {
                let mut connection = ConnectionConfig::new(protocol);
                connection.port = server.port();
                connection
            });
            NameServerConfig::new(server.ip(), true, connections.into())
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    options(settings, builder.options_mut());
    builder.build()
}

fn options(settings: &Settings, options: &mut ResolverOpts) {
    options.timeout = Duration::from_millis(settings.timeout_ms);
    options.attempts = settings.attempts;
    options.cache_size = settings.cache_max;
    options.positive_max_ttl = Some(Duration::from_secs(settings.keep_most_s));
    options.negative_max_ttl = Some(Duration::from_secs(settings.keep_missing_most_s));
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
}
