//! The driver of the cluster by itself: the rows of a call, those of its beginning said at once and those of its end,
//! with the store's own statements, consistency and connections.

use std::num::NonZeroUsize;
use std::time::Duration;

use actors::storage::scylla::Settings;
use actors::types::CallRecord;
use async_trait::async_trait;
use scylla::client::PoolSize;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

use super::{Failure, Raw};

/// The listing of calls among the buckets.
const CALLS: i8 = 1;

/// Partitions of a day's open calls.
const SHARDS: u128 = 64;

/// A session, and the statements of a call's rows.
pub(crate) struct Cassandra {
    session: Session,
    call: PreparedStatement,
    by_day: PreparedStatement,
    by_caller: PreparedStatement,
    bucket: PreparedStatement,
    open: PreparedStatement,
    close: PreparedStatement,
}

impl Cassandra {
    /// Connects; the tables must be there.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let profile = ExecutionProfile::builder()
            .consistency(Consistency::LocalQuorum)
            .request_timeout(Some(Duration::from_millis(settings.call_path_ms)))
            .build();
        let connections = NonZeroUsize::new(settings.connections).unwrap_or(NonZeroUsize::MIN);
        let session = SessionBuilder::new()
            .known_nodes(&settings.contact_points)
            .default_execution_profile_handle(profile.into_handle())
            .pool_size(PoolSize::PerShard(connections))
            .build()
            .await?;
        let data = format!("{}_data", settings.keyspace_prefix);
        let prepare = |text: String| {
            let session = &session;
            async move {
                let mut ready = session.prepare(text).await?;
                ready.set_is_idempotent(true);
                Ok::<_, Failure>(ready)
            }
        };
        Ok(Self {
            call: prepare(format!("INSERT INTO {data}.calls (call, tenant, value) VALUES (?, ?, ?)")).await?,
            by_day: prepare(format!("INSERT INTO {data}.calls_by_day (tenant, day, place) VALUES (?, ?, ?)"))
                .await?,
            by_caller: prepare(format!(
                "INSERT INTO {data}.calls_by_caller (tenant, caller, place) VALUES (?, ?, ?)"
            ))
            .await?,
            bucket: prepare(format!("INSERT INTO {data}.buckets (tenant, listing, bucket) VALUES (?, ?, ?)"))
                .await?,
            open: prepare(format!("INSERT INTO {data}.open_calls (day, shard, call) VALUES (?, ?, ?)"))
                .await?,
            close: prepare(format!("DELETE FROM {data}.open_calls WHERE day = ? AND shard = ? AND call = ?"))
                .await?,
            session,
        })
    }
}

#[async_trait]
impl Raw for Cassandra {
    async fn begin(&self, record: &CallRecord) -> Result<(), Failure> {
        let (id, tenant) = (record.id.as_uuid(), record.tenant.as_str());
        let day = day_of(record)?;
        let place = [&(!record.started_at.as_nanosecond()).to_be_bytes()[..], id.as_bytes()].concat();
        let caller = record.caller.as_ref().map_or("", |caller| caller.reveal().as_str());
        let session = &self.session;
        tokio::try_join!(
            session.execute_unpaged(&self.call, (id, tenant, serde_json::to_vec(record)?)),
            session.execute_unpaged(&self.by_day, (tenant, day, &place)),
            session.execute_unpaged(&self.by_caller, (tenant, caller, &place)),
            session.execute_unpaged(&self.bucket, (tenant, CALLS, day)),
            session.execute_unpaged(&self.open, (day, shard_of(id)?, id.as_bytes().to_vec())),
        )?;
        Ok(())
    }

    async fn end(&self, record: &CallRecord) -> Result<(), Failure> {
        let (id, tenant) = (record.id.as_uuid(), record.tenant.as_str());
        let session = &self.session;
        tokio::try_join!(
            session.execute_unpaged(&self.call, (id, tenant, serde_json::to_vec(record)?)),
            session.execute_unpaged(&self.close, (day_of(record)?, shard_of(id)?, id.as_bytes().to_vec())),
        )?;
        Ok(())
    }
}

fn day_of(record: &CallRecord) -> Result<i32, Failure> {
    Ok(i32::try_from(record.started_at.as_second().div_euclid(86_400))?)
}

fn shard_of(id: uuid::Uuid) -> Result<i16, Failure> {
    Ok(i16::try_from(id.as_u128() % SHARDS)?)
}
