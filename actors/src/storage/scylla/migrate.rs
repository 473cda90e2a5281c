//! Makes the tables, once, however many nodes try at the same time; and refuses tables of another layout.

use scylla::client::session::Session;
use scylla::statement::{Consistency, SerialConsistency, Statement as Text};
use scylla::value::{CqlValue, Row};
use tokio::time::Instant;
use uuid::Uuid;

use super::connect::session;
use super::cql::in_keyspaces;
use super::failure::Failure;
use super::schema::{LAYOUT, NOTES, STEPS, notes_id};
use super::settings::Settings;
use crate::chance::Chance;
use crate::clock::{Clock, ms};
use crate::storage::{Error, Result};

/// The command that mends a layout.
pub(super) const COMMAND: &str = "strowger store migrate";
/// How long a node that migrates is waited for before it is taken for dead, in seconds: the life of its mark.
/// Raised with every step.
const HOLD_SECONDS: i32 = 60;
/// The wait between two looks at another node that migrates, in milliseconds.
const LOOK_AGAIN_MS: u64 = 250;

/// Makes the keyspaces and the tables that are missing. Safe to repeat and from many nodes at once: one does it,
/// the others wait.
///
/// # Errors
/// The cluster can't be reached, refuses, or is newer than this program.
pub async fn migrate(settings: &Settings) -> Result<()> {
    let until = Clock::system().monotonic() + ms(settings.migrate_ms);
    loop {
        let late = || Err(Error::Unknown { why: "it was not done in time".to_owned() });
        let tried = tokio::time::timeout_at(until, once(settings)).await.unwrap_or_else(|_| late());
        match tried {
            // A cluster that has only just started has too few nodes for a while.
            Err(Error::Unavailable { why } | Error::Unknown { why })
                if Clock::system().monotonic() + ms(LOOK_AGAIN_MS) < until =>
            {
                tracing::info!(why, "the layout is not made yet; it is tried again");
                tokio::time::sleep(ms(LOOK_AGAIN_MS)).await;
            }
            Err(Error::Unavailable { why } | Error::Unknown { why }) => {
                return Err(Error::Unknown { why: format!("{why}; run `{COMMAND}` again") });
            }
            done => return done,
        }
    }
}

async fn once(settings: &Settings) -> Result<()> {
    let (session, _) = session(settings).await?;
    let id = Chance::system().id(Clock::system().now());
    Migration { session: &session, settings, id }.run().await
}

/// Whether the tables are those that this program knows.
///
/// # Errors
/// They are not; the error says which command mends that.
pub(super) async fn check_layout(session: &Session, settings: &Settings) -> Result<()> {
    let wrong = |why: String| Err(Error::Corrupt { what: "layout of the store's cluster", why });
    let found = match (Migration { session, settings, id: Uuid::nil() }).version().await {
        Ok(found) => found.unwrap_or(0),
        Err(failure) if failure.is_final() => 0,
        Err(failure) => return Err(failure.of_read()),
    };
    if found < LAYOUT {
        return wrong(format!("it is {found}, this program needs {LAYOUT}: run `{COMMAND}`"));
    }
    if found > LAYOUT {
        return wrong(format!("it is {found}, this program knows {LAYOUT}: use a newer one"));
    }
    if has_tablets(session, settings).await? {
        let name = format!("{}_lwt", settings.keyspace_prefix);
        return wrong(format!(
            "keyspace {name} has tablets, on which comparisons are not safe: make it anew without \
             (tablets = {{'enabled': false}}), or let `{COMMAND}` make it under another keyspace_prefix"
        ));
    }
    Ok(())
}

/// Whether the keyspace of comparisons has tablets. Only ScyllaDB knows of such.
async fn has_tablets(session: &Session, settings: &Settings) -> Result<bool> {
    if !is_scylla(session).await.map_err(Failure::of_read)? {
        return Ok(false);
    }
    let mut text =
        Text::new("SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = ?");
    text.set_is_idempotent(true);
    let name = format!("{}_lwt", settings.keyspace_prefix);
    let answer =
        session.query_unpaged(text, (name,)).await.map_err(|error| Failure::from(error).of_read())?;
    let rows = answer.into_rows_result().map_err(|error| Failure::refused(error.to_string()).of_read())?;
    let row = rows.maybe_first_row::<Row>().map_err(|error| Failure::refused(error.to_string()).of_read())?;
    Ok(row.is_some_and(|row| row.columns.first().is_some_and(Option::is_some)))
}

async fn is_scylla(session: &Session) -> std::result::Result<bool, Failure> {
    let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system_schema' \
                AND table_name = 'scylla_keyspaces'";
    let mut text = Text::new(text);
    text.set_is_idempotent(true);
    let answer = session.query_unpaged(text, ()).await?;
    Ok(answer.into_rows_result().is_ok_and(|rows| rows.rows_num() > 0))
}

struct Migration<'s> {
    session: &'s Session,
    settings: &'s Settings,
    id: Uuid,
}

impl Migration<'_> {
    async fn run(&self) -> Result<()> {
        self.make_keyspaces().await.map_err(|failure| failure.into_error(true))?;
        let notes = format!("{NOTES} WITH id = {}", notes_id(&self.settings.keyspace_prefix));
        self.say(&notes).await.map_err(|failure| failure.into_error(true))?;
        loop {
            let found = self.version().await.map_err(Failure::of_read)?.unwrap_or(0);
            if found > LAYOUT {
                let why = format!("it is {found}, this program knows {LAYOUT}: use a newer one");
                return Err(Error::Corrupt { what: "layout of the store's cluster", why });
            }
            if found == LAYOUT {
                return Ok(());
            }
            if self.hold().await.map_err(|failure| failure.into_error(true))? {
                return self.take_steps().await.map_err(|failure| failure.into_error(true));
            }
            tokio::time::sleep(ms(LOOK_AGAIN_MS)).await;
        }
    }

    /// Carries out the steps that are not noted, and notes each. The version is read again, since another node
    /// may have finished between the look and the hold.
    async fn take_steps(&self) -> std::result::Result<(), Failure> {
        let found = self.version().await?.unwrap_or(0);
        for (index, step) in STEPS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
            let started = Instant::now();
            self.say(step).await?;
            let version = i32::try_from(index + 1).unwrap_or(LAYOUT);
            tracing::info!(version, ms = started.elapsed().as_millis(), "a step of the layout was made");
            // Noted only by the one who holds it still: it may have been taken for dead.
            let note = "UPDATE {lwt}.layout SET version = ? WHERE name = 'tables' IF holder = ?";
            let values = vec![Some(CqlValue::Int(version)), Some(CqlValue::Uuid(self.id))];
            if !self.compare(note, values).await? || !self.hold().await? {
                return Err(Failure::undone("another node took the migration over; run it again"));
            }
        }
        let release = "UPDATE {lwt}.layout SET holder = ? WHERE name = 'tables' IF holder = ?";
        self.compare(release, vec![None, Some(CqlValue::Uuid(self.id))]).await?;
        Ok(())
    }

    /// Takes the migration for a while, or keeps it: whether this node has it.
    async fn hold(&self) -> std::result::Result<bool, Failure> {
        let take = format!(
            "UPDATE {{lwt}}.layout USING TTL {HOLD_SECONDS} SET holder = ? WHERE name = 'tables' \
                            IF holder = ?"
        );
        let own = Some(CqlValue::Uuid(self.id));
        Ok(self.compare(&take, vec![own.clone(), None]).await?
            || self.compare(&take, vec![own.clone(), own]).await?)
    }

    async fn version(&self) -> std::result::Result<Option<i32>, Failure> {
        let prefix = &self.settings.keyspace_prefix;
        let text = in_keyspaces("SELECT version FROM {lwt}.layout WHERE name = 'tables'", prefix);
        let mut text = Text::new(text);
        text.set_is_idempotent(true);
        text.set_consistency(Consistency::Serial);
        let answer = self.session.query_unpaged(text, ()).await?;
        let rows = answer.into_rows_result().map_err(|error| Failure::refused(error.to_string()))?;
        let row = rows.maybe_first_row::<(Option<i32>,)>();
        Ok(row.map_err(|error| Failure::refused(error.to_string()))?.and_then(|(version,)| version))
    }

    async fn compare(&self, text: &str, values: Vec<Option<CqlValue>>) -> std::result::Result<bool, Failure> {
        let mut text = Text::new(in_keyspaces(text, &self.settings.keyspace_prefix));
        text.set_consistency(Consistency::Quorum);
        text.set_serial_consistency(Some(SerialConsistency::Serial));
        super::ask::applied(self.session.query_unpaged(text, values).await?)
    }

    async fn make_keyspaces(&self) -> std::result::Result<(), Failure> {
        let copies = self.copies();
        let scylla = is_scylla(self.session).await?;
        let tablets = if scylla { " AND tablets = {'enabled': false}" } else { "" };
        for (name, tablets) in [("data", ""), ("lwt", tablets)] {
            let prefix = &self.settings.keyspace_prefix;
            let text =
                format!("CREATE KEYSPACE IF NOT EXISTS {prefix}_{name} WITH replication = {copies}{tablets}");
            self.say(&text).await?;
        }
        Ok(())
    }

    fn copies(&self) -> String {
        let by_centre = &self.settings.copies_by_data_centre;
        if by_centre.is_empty() {
            let copies = self.settings.copies;
            return format!("{{'class': 'NetworkTopologyStrategy', 'replication_factor': {copies}}}");
        }
        let list: String = by_centre.iter().map(|(name, copies)| format!(", '{name}': {copies}")).collect();
        format!("{{'class': 'NetworkTopologyStrategy'{list}}}")
    }

    /// Says a statement of the layout and waits until all nodes agree.
    async fn say(&self, text: &str) -> std::result::Result<(), Failure> {
        let text = in_keyspaces(text, &self.settings.keyspace_prefix);
        self.session.query_unpaged(Text::new(text), ()).await?;
        let agreed = self.session.await_schema_agreement().await;
        agreed.map(drop).map_err(|error| Failure::undone(format!("the nodes do not agree: {error}")))
    }
}
