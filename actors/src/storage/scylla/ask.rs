//! Statements said to the cluster: each try with its deadline, tries with growing waits between them, and in the
//! end an answer or an error that says whether anything may have been changed.

use std::future::Future;
use std::time::Duration;

use arc_swap::ArcSwap;
use metrics::{counter, gauge, histogram};
use scylla::deserialize::row::DeserializeRow;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::batch::{Batch, BatchType};
use scylla::value::{CqlValue, Row};

use super::connect::Live;
use super::cql::{Statement, Use};
use super::failure::{Failure, Meaning};
use super::metrics::{IN_FLIGHT, RETRIES, SECONDS, UNKNOWN};
use super::settings::Settings;
use crate::chance::Chance;
use crate::clock::{Clock, ms};
use crate::storage::Result;

/// The answer to one try.
pub(super) type Tried<T> = std::result::Result<T, Failure>;
/// Values of a statement in a batch. `None` is null: in conditions only, since elsewhere it is a tombstone.
pub(super) type Values = Vec<Option<CqlValue>>;

/// Says statements to the cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) live: ArcSwap<Live>,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) chance: Chance,
}

/// Counts an act while it is under way, also where whoever waits for it gives up.
struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        gauge!(IN_FLIGHT).increment(1.0);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1.0);
    }
}

impl Cluster {
    /// Tries until it works, is refused, or the time for all tries is over.
    pub(super) async fn patiently<T, F>(&self, usage: Use, act: impl FnMut() -> F + Send) -> Result<T>
    where
        F: Future<Output = Tried<T>> + Send,
    {
        let (began, _under_way) = (self.clock.monotonic(), UnderWay::begin());
        let answer = self.try_on(usage, act).await;
        let outcome = if answer.is_ok() { "done" } else { "failed" };
        let took = self.clock.monotonic().duration_since(began);
        histogram!(SECONDS, "usage" => usage.name(), "outcome" => outcome).record(took.as_secs_f64());
        answer
    }

    async fn try_on<T, F>(&self, usage: Use, mut act: impl FnMut() -> F + Send) -> Result<T>
    where
        F: Future<Output = Tried<T>> + Send,
    {
        let whole = match usage {
            Use::Read | Use::Write => self.settings.call_path_total_ms,
            Use::List | Use::Agreed | Use::Decided | Use::Compare => self.settings.total_ms,
        };
        let until = self.clock.monotonic() + ms(whole);
        let (mut doubt, mut wait_ms) = (false, self.settings.backoff_ms);
        loop {
            let failure = match tokio::time::timeout_at(until, act()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure)) => failure,
                Err(_) => Failure::unknown(format!("no answer within {whole} ms")),
            };
            doubt |= failure.meaning == Meaning::Unknown;
            let wait = Duration::from_millis(self.chance.spread_ms(wait_ms));
            if failure.is_final() || self.clock.monotonic() + wait >= until {
                if matches!(usage, Use::Read | Use::List | Use::Agreed | Use::Decided) {
                    return Err(failure.of_read());
                }
                if doubt {
                    counter!(UNKNOWN).increment(1);
                }
                return Err(failure.into_error(doubt));
            }
            counter!(RETRIES).increment(1);
            tokio::time::sleep(wait).await;
            wait_ms = (wait_ms * 2).min(self.settings.backoff_max_ms);
        }
    }

    /// Rows, at most `most`; page by page.
    pub(super) async fn rows<R>(
        &self,
        statement: Statement,
        values: impl SerializeRow + Sync,
        most: usize,
    ) -> Result<Vec<R>>
    where
        R: for<'frame, 'meta> DeserializeRow<'frame, 'meta> + Send,
    {
        let values = &values;
        self.patiently(statement.usage(), || self.try_rows(statement, values, most)).await
    }

    /// The row, if there is one.
    pub(super) async fn row<R>(
        &self,
        statement: Statement,
        values: impl SerializeRow + Sync,
    ) -> Result<Option<R>>
    where
        R: for<'frame, 'meta> DeserializeRow<'frame, 'meta> + Send,
    {
        Ok(self.rows(statement, values, 1).await?.pop())
    }

    pub(super) async fn try_rows<R>(
        &self,
        statement: Statement,
        values: &(impl SerializeRow + Sync),
        most: usize,
    ) -> Tried<Vec<R>>
    where
        R: for<'frame, 'meta> DeserializeRow<'frame, 'meta> + Send,
    {
        let (mut rows, mut state) = (Vec::new(), PagingState::start());
        loop {
            let (page, next) = self.page(statement, values, state, None).await?;
            rows.extend(page);
            match next {
                Some(next) if rows.len() < most => state = next,
                _ => break,
            }
        }
        rows.truncate(most);
        Ok(rows)
    }

    /// One page as the cluster cuts it, of at most `size` rows.
    pub(super) async fn page<R>(
        &self,
        statement: Statement,
        values: &(impl SerializeRow + Sync),
        state: PagingState,
        size: Option<i32>,
    ) -> Tried<(Vec<R>, Option<PagingState>)>
    where
        R: for<'frame, 'meta> DeserializeRow<'frame, 'meta> + Send,
    {
        let live = self.live.load_full();
        let sized = size.map(|size| -> Tried<_> {
            let mut sized = live.statement(statement)?.clone();
            sized.set_page_size(size);
            Ok(sized)
        });
        let sized = sized.transpose()?;
        let prepared = match &sized {
            Some(sized) => sized,
            None => live.statement(statement)?,
        };
        let asked = live.session.execute_single_page(prepared, values, state).await;
        let (answer, next) = asked.map_err(|error| Failure::from(error).without_change())?;
        let unreadable =
            |why: String| Failure::refused(format!("the answer is not what was asked for: {why}"));
        let rows = answer.into_rows_result().map_err(|error| unreadable(error.to_string()))?;
        let rows = rows.rows::<R>().map_err(|error| unreadable(error.to_string()))?;
        let rows =
            rows.collect::<std::result::Result<_, _>>().map_err(|error| unreadable(error.to_string()))?;
        let next = match next {
            PagingStateResponse::HasMorePages { state } => Some(state),
            PagingStateResponse::NoMorePages => None,
        };
        Ok((rows, next))
    }

    /// Writes what may be written twice; durable when it returns. `at_us`: the time that decides which of two
    /// writes is the later, in microseconds; absent: now.
    pub(super) async fn write(
        &self,
        statement: Statement,
        values: impl SerializeRow + Sync,
        at_us: Option<i64>,
    ) -> Result<()> {
        let values = &values;
        self.patiently(statement.usage(), || async move {
            let live = self.live.load_full();
            let prepared = live.statement(statement)?;
            match at_us {
                None => live.session.execute_unpaged(prepared, values).await?,
                Some(_) => {
                    let mut timed = prepared.clone();
                    timed.set_timestamp(at_us);
                    live.session.execute_unpaged(&timed, values).await?
                }
            };
            Ok(())
        })
        .await
    }

    /// Writes several rows of one partition, which may be written twice.
    pub(super) async fn write_together(&self, statement: Statement, values: Vec<Values>) -> Result<()> {
        let values = &values;
        self.patiently(Use::Write, || async move {
            let live = self.live.load_full();
            let mut batch = Batch::new(BatchType::Unlogged);
            batch.set_is_idempotent(true);
            batch.set_execution_profile_handle(Some(live.profiles.batch.clone()));
            for _ in values {
                batch.append_statement(live.statement(statement)?.clone());
            }
            live.session.batch(&batch, values).await?;
            Ok(())
        })
        .await
    }

    /// Compares and changes, once: whether it was applied. A failure that is [`Meaning::Unknown`] may be applied
    /// yet; a [`Use::Decided`] read says.
    pub(super) async fn compare(
        &self,
        statement: Statement,
        values: &(impl SerializeRow + Sync),
    ) -> Tried<bool> {
        let live = self.live.load_full();
        let answer = live.session.execute_unpaged(live.statement(statement)?, values).await?;
        applied(answer)
    }

    /// Compares and changes several rows of one partition, once.
    pub(super) async fn compare_together(&self, changes: &[(Statement, Values)]) -> Tried<bool> {
        let live = self.live.load_full();
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_is_idempotent(false);
        batch.set_execution_profile_handle(Some(live.profiles.of(Use::Compare).clone()));
        for (statement, _) in changes {
            batch.append_statement(live.statement(*statement)?.clone());
        }
        let values: Vec<&Values> = changes.iter().map(|(_, values)| values).collect();
        applied(live.session.batch(&batch, values).await?)
    }

    /// Inserts what nobody may overwrite, and returns what is there: this, or what was first. In doubt it is read
    /// after all that is under way.
    pub(super) async fn keep_first(
        &self,
        keep: Statement,
        values: &(impl SerializeRow + Sync),
        decided: Statement,
        key: &(impl SerializeRow + Sync),
    ) -> Result<Option<Vec<u8>>> {
        self.patiently(Use::Compare, || async move {
            match self.compare(keep, values).await {
                Ok(true) => return Ok(None),
                Err(failure) if failure.meaning != Meaning::Unknown => return Err(failure),
                Ok(false) | Err(_) => {}
            }
            let there: Vec<(Vec<u8>,)> = self.try_rows(decided, key, 1).await?;
            match there.into_iter().next() {
                Some((first,)) => Ok(Some(first)),
                None => Err(Failure::undone("it was not kept")),
            }
        })
        .await
    }
}

/// Whether a comparison held. The column is found by its name: its place differs between servers.
pub(super) fn applied(answer: scylla::response::query_result::QueryResult) -> Tried<bool> {
    let wrong = || Failure::unknown("the answer does not say what became of it");
    let rows = answer.into_rows_result().map_err(|_| wrong())?;
    let (index, _) = rows.column_specs().get_by_name("[applied]").ok_or_else(wrong)?;
    let row: Row = rows.first_row().map_err(|_| wrong())?;
    match row.columns.get(index) {
        Some(Some(CqlValue::Boolean(applied))) => Ok(*applied),
        _ => Err(wrong()),
    }
}
