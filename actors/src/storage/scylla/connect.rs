//! A session with the cluster: who is asked, with which deadlines, and the statements made ready.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use scylla::client::PoolSize;
use scylla::client::execution_profile::{ExecutionProfile, ExecutionProfileHandle};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::{DefaultRetryPolicy, FallthroughRetryPolicy};
use scylla::policies::speculative_execution::SimpleSpeculativeExecutionPolicy;
use scylla::policies::timestamp_generator::MonotonicTimestampGenerator;
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency, SerialConsistency, Statement as Text};

use super::cql::{Statement, Use};
use super::failure::Failure;
use super::refused;
use super::settings::Settings;
use crate::clock::ms;
use crate::storage::{Error, Result, trust};

/// Statements that are made ready at once.
const PREPARED_AT_ONCE: usize = 8;
/// Rows of one page; a listing that wants more asks for the next one.
const PAGE_ROWS: i32 = 1_000;
/// How often it is asked whether all nodes know the tables, while they are made.
const AGREED_AGAIN: Duration = Duration::from_millis(50);
/// What the cluster is told of who connects.
const NAME: &str = "strowger";

/// A session and its statements. Once its connections stay broken, a new one takes its place.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) session: Session,
    prepared: Vec<PreparedStatement>,
    pub(super) profiles: Profiles,
}

impl Live {
    /// Connects and makes the statements ready. The tables must be there.
    pub(super) async fn open(settings: &Settings) -> Result<Self> {
        let (session, profiles) = session(settings).await?;
        let mut prepared = Vec::with_capacity(Statement::ALL.len());
        for statements in Statement::ALL.chunks(PREPARED_AT_ONCE) {
            let texts = statements.iter().map(|one| prepare(&session, &profiles, *one, settings));
            for ready in futures_util::future::join_all(texts).await {
                prepared.push(ready.map_err(Failure::of_read)?);
            }
        }
        Ok(Self { session, prepared, profiles })
    }

    pub(super) fn statement(&self, statement: Statement) -> std::result::Result<&PreparedStatement, Failure> {
        self.prepared
            .get(statement as usize)
            .ok_or_else(|| Failure::refused("a statement was not made ready"))
    }
}

async fn prepare(
    session: &Session,
    profiles: &Profiles,
    statement: Statement,
    settings: &Settings,
) -> std::result::Result<PreparedStatement, Failure> {
    let text = Text::new(statement.for_keyspaces(&settings.keyspace_prefix));
    let preparing = tokio::time::timeout(ms(settings.batch_ms), session.prepare(text));
    let mut ready = preparing.await.map_err(|_| Failure::undone("the cluster is slow to make ready"))??;
    ready.set_page_size(PAGE_ROWS);
    ready.set_is_idempotent(statement.usage() != Use::Compare);
    ready.set_execution_profile_handle(Some(profiles.of(statement.usage()).clone()));
    Ok(ready)
}

/// Deadlines, consistency and repetition, by use.
#[derive(Debug)]
pub(super) struct Profiles {
    read: ExecutionProfileHandle,
    write: ExecutionProfileHandle,
    list: ExecutionProfileHandle,
    agreed: ExecutionProfileHandle,
    decided: ExecutionProfileHandle,
    compare: ExecutionProfileHandle,
    pub(super) batch: ExecutionProfileHandle,
}

impl Profiles {
    fn new(settings: &Settings) -> Self {
        let plan = DefaultPolicy::builder().token_aware(true);
        let plan = match settings.data_centre.as_str() {
            "" => plan,
            name => plan.prefer_datacenter(name.to_owned()).permit_dc_failover(true),
        };
        let (plan, once) = (plan.build(), Arc::new(FallthroughRetryPolicy::new()));
        let profile = |deadline_ms, consistency| {
            ExecutionProfile::builder()
                .request_timeout(Some(ms(deadline_ms)))
                .consistency(consistency)
                .serial_consistency(Some(SerialConsistency::Serial))
                .load_balancing_policy(Arc::clone(&plan))
                .retry_policy(Arc::new(DefaultRetryPolicy::new()))
        };
        let second = SimpleSpeculativeExecutionPolicy {
            max_retry_count: 1,
            retry_interval: Duration::from_millis(settings.second_ask_ms),
        };
        let local = Consistency::LocalQuorum;
        let second: Arc<SimpleSpeculativeExecutionPolicy> = Arc::new(second);
        let twice = |deadline_ms, consistency| {
            profile(deadline_ms, consistency).speculative_execution_policy(Some(second.clone()))
        };
        let compare = profile(settings.lwt_ms, Consistency::Quorum).retry_policy(once.clone());
        Self {
            read: twice(settings.call_path_ms, local).build().into_handle(),
            write: profile(settings.call_path_ms, local).build().into_handle(),
            list: profile(settings.listing_ms, local).build().into_handle(),
            agreed: twice(settings.lwt_ms, Consistency::Quorum).build().into_handle(),
            decided: profile(settings.lwt_ms, Consistency::Serial).retry_policy(once).build().into_handle(),
            compare: compare.build().into_handle(),
            batch: profile(settings.batch_ms, local).build().into_handle(),
        }
    }

    pub(super) const fn of(&self, usage: Use) -> &ExecutionProfileHandle {
        match usage {
            Use::Read => &self.read,
            Use::Write => &self.write,
            Use::List => &self.list,
            Use::Agreed => &self.agreed,
            Use::Decided => &self.decided,
            Use::Compare => &self.compare,
        }
    }
}

/// Connects; no table needs to be there.
pub(super) async fn session(settings: &Settings) -> Result<(Session, Profiles)> {
    check(settings)?;
    let profiles = Profiles::new(settings);
    let connections = NonZeroUsize::new(settings.connections).unwrap_or(NonZeroUsize::MIN);
    let mut builder = SessionBuilder::new()
        .known_nodes(&settings.contact_points)
        .custom_identity(scylla::client::SelfIdentity::new().with_application_name(NAME))
        .default_execution_profile_handle(profiles.batch.clone())
        .timestamp_generator(Arc::new(MonotonicTimestampGenerator::new()))
        .pool_size(PoolSize::PerShard(connections))
        .connection_timeout(ms(settings.connect_ms))
        .hostname_resolution_timeout(Some(ms(settings.connect_ms)))
        .metadata_request_clientside_timeout(ms(settings.listing_ms))
        .keepalive_interval(ms(settings.health_ms.max(1_000)))
        .keepalive_timeout(ms(settings.listing_ms))
        .schema_agreement_interval(AGREED_AGAIN)
        .auto_await_schema_agreement(false)
        .tcp_nodelay(true)
        .fetch_schema_metadata(true)
        .keyspaces_to_fetch([
            format!("{}_data", settings.keyspace_prefix),
            format!("{}_lwt", settings.keyspace_prefix),
        ]);
    if let Some(credentials) = &settings.credentials {
        builder = builder.user(&credentials.user, credentials.password.reveal());
    }
    if let Some(tls) = &settings.tls {
        builder = builder.tls_context(Some(trust::authorities(&tls.authorities).map_err(unusable)?));
    }
    let connecting = tokio::time::timeout(ms(settings.total_ms), builder.build());
    let points = settings.contact_points.join(", ");
    let why = match connecting.await {
        Ok(Ok(session)) => return Ok((session, profiles)),
        Ok(Err(error)) => {
            let remedy = refused::remedy(&error, settings);
            format!("no session with the cluster at {points}: {remedy} ({error})")
        }
        Err(_) => format!(
            "no session with the cluster at {points}: it did not answer within {} ms; check \
             scylla.contact_points and that it runs",
            settings.total_ms
        ),
    };
    Err(Error::Unavailable { why })
}

fn unusable(why: String) -> Error {
    Error::Unavailable { why }
}

/// What would otherwise be said to the cluster as part of a statement.
fn check(settings: &Settings) -> Result<()> {
    let plain = |name: &str, most: usize| {
        !name.is_empty()
            && name.len() <= most
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
    };
    let wrong = |why: &str| Err(Error::Corrupt { what: "setting", why: why.to_owned() });
    if !plain(&settings.keyspace_prefix, 40) {
        return wrong("keyspace_prefix must be 1 to 40 lower-case letters, digits and underscores");
    }
    let centre = |name: &String| {
        name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
    };
    if !centre(&settings.data_centre) || !settings.copies_by_data_centre.keys().all(centre) {
        return wrong("a data centre's name has letters, digits, dashes, dots and underscores only");
    }
    Ok(())
}
