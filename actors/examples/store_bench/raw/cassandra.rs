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
use scylla::serialize::row::SerializeRow;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;
use uuid::Uuid;

use super::{Failure, Raw};

/// The listing of calls among the buckets.
const CALLS: i8 = 1;

/// Partitions of a day's open calls.
const SHARDS: u128 = 64;

/// A session, and the statements of a call's rows.
pub(crate) struct Cassandra {
    session: Session,
    call: PreparedStatement,
    value: PreparedStatement,
    read: PreparedStatement,
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
            value: prepare(format!("INSERT INTO {data}.calls (call, value) VALUES (?, ?)")).await?,
            read: prepare(format!("SELECT tenant, value FROM {data}.calls WHERE call = ?")).await?,
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

/// What the rows of a call hold.
pub(crate) struct CassandraRows {
    id: Uuid,
    tenant: String,
    day: i32,
    shard: i16,
    place: Vec<u8>,
    caller: String,
    value: Vec<u8>,
}

impl CassandraRows {
    pub(crate) fn of(record: &CallRecord) -> Result<Self, Failure> {
        let id = record.id.as_uuid();
        let caller = record.caller.as_ref().map_or("", |caller| caller.reveal().as_str());
        Ok(Self {
            id,
            tenant: record.tenant.as_str().to_owned(),
            day: i32::try_from(record.started_at.as_second().div_euclid(86_400))?,
            shard: i16::try_from(id.as_u128() % SHARDS)?,
            place: [&(!record.started_at.as_nanosecond()).to_be_bytes()[..], id.as_bytes()].concat(),
            caller: caller.to_owned(),
            value: serde_json::to_vec(record)?,
        })
    }

    fn open_entry(&self) -> (i32, i16, &[u8]) {
        (self.day, self.shard, self.id.as_bytes())
    }
}

impl Cassandra {
    async fn say(&self, what: &PreparedStatement, values: impl SerializeRow) -> Result<(), Failure> {
        self.session.execute_unpaged(what, values).await?;
        Ok(())
    }

    pub(crate) async fn put_call(&self, rows: &CassandraRows) -> Result<(), Failure> {
        self.say(&self.call, (rows.id, &rows.tenant, &rows.value)).await
    }

    pub(crate) async fn put_value(&self, rows: &CassandraRows) -> Result<(), Failure> {
        self.say(&self.value, (rows.id, &rows.value)).await
    }

    pub(crate) async fn read_call(&self, rows: &CassandraRows) -> Result<(), Failure> {
        let found = self.session.execute_unpaged(&self.read, (rows.id,)).await?.into_rows_result()?;
        found.first_row::<(Option<String>, Option<Vec<u8>>)>()?;
        Ok(())
    }

    pub(crate) async fn put_by_day(&self, rows: &CassandraRows) -> Result<(), Failure> {
        self.say(&self.by_day, (&rows.tenant, rows.day, &rows.place)).await
    }

    pub(crate) async fn put_by_caller(&self, rows: &CassandraRows) -> Result<(), Failure> {
        self.say(&self.by_caller, (&rows.tenant, &rows.caller, &rows.place)).await
    }

    pub(crate) async fn put_bucket(&self, rows: &CassandraRows) -> Result<(), Failure> {
        self.say(&self.bucket, (&rows.tenant, CALLS, rows.day)).await
    }

    pub(crate) async fn put_open(&self, rows: &CassandraRows) -> Result<(), Failure> {
        self.say(&self.open, rows.open_entry()).await
    }

    pub(crate) async fn drop_open(&self, rows: &CassandraRows) -> Result<(), Failure> {
        self.say(&self.close, rows.open_entry()).await
    }
}

#[async_trait]
impl Raw for Cassandra {
    async fn begin(&self, record: &CallRecord) -> Result<(), Failure> {
        let rows = CassandraRows::of(record)?;
        tokio::try_join!(
            self.put_call(&rows),
            self.put_by_day(&rows),
            self.put_by_caller(&rows),
            self.put_bucket(&rows),
            self.put_open(&rows),
        )?;
        Ok(())
    }

    async fn end(&self, record: &CallRecord) -> Result<(), Failure> {
        let rows = CassandraRows::of(record)?;
        tokio::try_join!(self.put_call(&rows), self.drop_open(&rows))?;
        Ok(())
    }
}
