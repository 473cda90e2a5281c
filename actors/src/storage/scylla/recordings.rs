//! What is known of recordings, and what must go of them. A recording's row is compared for being there, so that
//! one that was erased is not written again; its listings are checked against it when they are read.

use std::future::Future;

use uuid::Uuid;

use super::Scylla;
use super::calls::month_of;
use super::cql::{Statement, Use};
use super::failure::Failure;
use super::listing::{self, Looked, Start, for_each};
use super::open_calls::{bytes, shard_of, shards};
use crate::storage::ordered::{decode, encode};
use crate::storage::{Error, Listing, Page, Recording, Removal, Result};
use crate::types::{RecordingId, TenantId};

pub(super) const RECORDING: &str = "recording";
pub(super) const REMOVAL: &str = "removal";
/// The listing of recordings among the buckets.
pub(super) const RECORDINGS: i8 = 3;

fn id_of(bytes: &[u8]) -> Result<RecordingId> {
    let wrong = |_| Error::Corrupt { what: RECORDING, why: "it has no identity".to_owned() };
    Uuid::from_slice(bytes).map(RecordingId::new).map_err(wrong)
}

impl Scylla {
    pub(super) async fn put_recording_row(&self, recording: &Recording) -> Result<()> {
        let value = encode(RECORDING, recording)?;
        self.index_recording(recording).await?;
        let (id, tenant) = (recording.id.as_uuid(), recording.tenant.as_str());
        let (new, changed) = ((id, tenant, &value), (tenant, &value, id));
        self.cluster
            .patiently(Use::Compare, || async {
                let is_new = self.cluster.compare(Statement::NewRecording, &new).await?;
                if is_new || self.cluster.compare(Statement::UpdateRecording, &changed).await? {
                    return Ok(());
                }
                Err(Failure::undone("it was erased meanwhile"))
            })
            .await?;
        self.leave_merged(recording).await
    }

    pub(super) async fn update_recording_row(&self, recording: &Recording) -> Result<bool> {
        let value = encode(RECORDING, recording)?;
        if self.recording_row(recording.id).await?.is_none() {
            return Ok(false);
        }
        self.index_recording(recording).await?;
        let changed = (recording.tenant.as_str(), &value, recording.id.as_uuid());
        let update = || self.cluster.compare(Statement::UpdateRecording, &changed);
        if !self.cluster.patiently(Use::Compare, update).await? {
            self.unlist_recording(recording).await?;
            return Ok(false);
        }
        self.leave_merged(recording).await.map(|()| true)
    }

    async fn index_recording(&self, recording: &Recording) -> Result<()> {
        let (tenant, month) = (recording.tenant.as_str(), month_of(recording.started_at));
        let id = recording.id.as_uuid();
        let by_month = self.cluster.write(Statement::PutRecordingByMonth, (tenant, month, bytes(id)), None);
        let bucket = self.cluster.write(Statement::PutBucket, (tenant, RECORDINGS, month), None);
        let to_merge = async {
            match recording.to_merge() {
                true => self.cluster.write(Statement::PutToMerge, (shard_of(id), bytes(id)), None).await,
                false => Ok(()),
            }
        };
        tokio::try_join!(by_month, bucket, to_merge).map(drop)
    }

    async fn leave_merged(&self, recording: &Recording) -> Result<()> {
        let id = recording.id.as_uuid();
        if recording.finished.is_none() || recording.to_merge() {
            return Ok(());
        }
        self.cluster.write(Statement::DropToMerge, (shard_of(id), bytes(id)), None).await
    }

    async fn unlist_recording(&self, recording: &Recording) -> Result<()> {
        let (id, month) = (recording.id.as_uuid(), month_of(recording.started_at));
        self.cluster.write(Statement::DropToMerge, (shard_of(id), bytes(id)), None).await?;
        let values = (recording.tenant.as_str(), month, bytes(id));
        self.cluster.write(Statement::DropRecordingByMonth, values, None).await
    }

    pub(super) async fn recording_row(&self, recording: RecordingId) -> Result<Option<Recording>> {
        let row: Option<(Option<Vec<u8>>,)> =
            self.cluster.row(Statement::Recording, (recording.as_uuid(),)).await?;
        row.and_then(|(value,)| value).map(|value| decode(RECORDING, &value)).transpose()
    }

    pub(super) async fn list_to_merge(&self, page: &Page) -> Result<Listing<Recording>> {
        listing::fill(page, Start::of(page, 0)?, |from, most| async move {
            let look = |shard| self.of_shard::<(Vec<u8>,)>(Statement::ToMerge, shard, &from.place, most);
            let (found, next) = merged(look, self.cluster.settings.fan_out, most, |row| &row.0).await?;
            let rows = for_each(found, self.cluster.settings.fan_out, |(id,)| async move {
                let row = self.recording_row(id_of(&id)?).await?.filter(Recording::to_merge);
                Ok(row.map(|row| (Start { bucket: 0, place: id }, row)))
            });
            Ok(Looked { rows: rows.await?.into_iter().flatten().collect(), next })
        })
        .await
    }

    pub(super) async fn list_removals(&self, page: &Page) -> Result<Listing<Removal>> {
        listing::fill(page, Start::of(page, 0)?, |from, most| async move {
            let look =
                |shard| self.of_shard::<(Vec<u8>, String)>(Statement::Removals, shard, &from.place, most);
            let (found, next) = merged(look, self.cluster.settings.fan_out, most, |row| &row.0).await?;
            let row = |(id, tenant): (Vec<u8>, String)| {
                let removal = Removal { recording: id_of(&id)?, tenant: TenantId::new(tenant) };
                Ok((Start { bucket: 0, place: id }, removal))
            };
            Ok(Looked { rows: found.into_iter().map(row).collect::<Result<_>>()?, next })
        })
        .await
    }

    async fn of_shard<R>(&self, statement: Statement, shard: i16, after: &[u8], most: usize) -> Result<Vec<R>>
    where
        R: for<'frame, 'meta> scylla::deserialize::row::DeserializeRow<'frame, 'meta> + Send,
    {
        let rows = i32::try_from(most).unwrap_or(i32::MAX);
        self.cluster.rows(statement, (shard, after, rows), most).await
    }

    pub(super) async fn forget_removal_row(&self, recording: RecordingId) -> Result<()> {
        let id = recording.as_uuid();
        self.cluster.write(Statement::DropRemoval, (shard_of(id), bytes(id)), None).await
    }

    /// Takes a removal of another store; whether there is no recording that it would take away.
    pub(super) async fn import_removal(&self, removal: &Removal) -> Result<bool> {
        if self.recording_row(removal.recording).await?.is_some() {
            return Ok(false);
        }
        let id = removal.recording.as_uuid();
        let values = (shard_of(id), bytes(id), removal.tenant.as_str());
        self.cluster.write(Statement::PutRemoval, values, None).await.map(|()| true)
    }

    /// Puts a removal in the place of a recording's row: the removal first, so that its objects are found however
    /// this ends. Whether there was one.
    pub(super) async fn erase_recording(&self, recording: RecordingId) -> Result<bool> {
        let Some(row) = self.recording_row(recording).await? else { return Ok(false) };
        let id = recording.as_uuid();
        let values = (shard_of(id), bytes(id), row.tenant.as_str());
        self.cluster.write(Statement::PutRemoval, values, None).await?;
        let erased = self.drop_for_sure(Statement::DropRecording, (id,)).await?;
        self.unlist_recording(&row).await?;
        Ok(erased)
    }
}

/// The first rows of all shards, in order, and where to look next.
async fn merged<R, F>(
    look: impl FnMut(i16) -> F,
    at_once: usize,
    most: usize,
    id: impl Fn(&R) -> &Vec<u8>,
) -> Result<(Vec<R>, Option<Start>)>
where
    F: Future<Output = Result<Vec<R>>>,
{
    let mut found: Vec<R> = for_each(shards(), at_once, look).await?.into_iter().flatten().collect();
    found.sort_by(|one, other| id(one).cmp(id(other)));
    found.truncate(most);
    let next = found.last().filter(|_| found.len() >= most);
    let next = next.map(|last| Start { bucket: 0, place: id(last).clone() });
    Ok((found, next))
}
