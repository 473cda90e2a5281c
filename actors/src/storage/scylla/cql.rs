//! Every statement that the store says, in one place. `subset` says which CQL they keep to, and its tests read all
//! of them.

/// What a statement is for: its deadlines, its consistency, and whether it may be said twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A read while a caller waits: asked of a second node when the first is slow.
    Read,
    /// A write while a caller waits, which may be said twice.
    Write,
    /// A page of a listing.
    List,
    /// A read of what was decided, from a majority of all data centres.
    Agreed,
    /// A read of what was decided, after all that is under way (SERIAL).
    Decided,
    /// A change that is compared first (LWT). Never repeated unseen.
    Compare,
}

impl Use {
    /// Its name, in metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::List => "list",
            Self::Agreed => "agreed",
            Self::Decided => "decided",
            Self::Compare => "compare",
        }
    }
}

/// Makes the statements' names and what each is.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $use:ident $text:literal;)+) => {
        /// A statement. `{data}` and `{lwt}` are the keyspaces.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Statement {
            $($(#[$doc])* $name,)+
        }

        impl Statement {
            /// All of them; a statement's place here is its index.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What it is for.
            pub(super) const fn usage(self) -> Use {
                match self {
                    $(Self::$name => Use::$use,)+
                }
            }

            /// Its text.
            pub(super) const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

statements! {
    Ping = Read "SELECT key FROM system.local WHERE key = 'local'";
    PutProbe = Write "INSERT INTO {data}.probes (id, value) VALUES (?, ?) USING TTL ?";
    Probe = Read "SELECT value FROM {data}.probes WHERE id = ?";

    Fact = Read "SELECT value FROM {lwt}.facts WHERE tenant = ? AND fact = ?";
    FactDecided = Decided "SELECT value FROM {lwt}.facts WHERE tenant = ? AND fact = ?";
    KeepFact = Compare "INSERT INTO {lwt}.facts (tenant, fact, value) VALUES (?, ?, ?) IF NOT EXISTS";
    BusinessDecided = Decided
        "SELECT version, fence, value FROM {lwt}.facts WHERE tenant = ? AND fact = ?";
    PutBusiness = Compare "UPDATE {lwt}.facts SET version = ?, value = ? WHERE tenant = ? AND fact = ? \
        IF version = ? AND fence = ?";
    FenceBusiness = Compare "UPDATE {lwt}.facts SET fence = ? WHERE tenant = ? AND fact = ? \
        IF version = ? AND fence = ?";
    AllFacts = List "SELECT tenant, fact, value FROM {lwt}.facts";
    PutTenant = Write "INSERT INTO {data}.tenants (part, tenant) VALUES (?, ?)";
    Tenants = List "SELECT tenant FROM {data}.tenants WHERE part = ? AND tenant > ? LIMIT ?";

    Number = Read "SELECT tenant FROM {lwt}.numbers WHERE number = ?";
    NumberDecided = Decided "SELECT tenant, claim, sure, claimed_ms FROM {lwt}.numbers WHERE number = ?";
    ClaimNumber = Compare "INSERT INTO {lwt}.numbers (number, tenant, claim, sure, claimed_ms) \
        VALUES (?, ?, ?, false, ?) IF NOT EXISTS";
    TakeNumber = Compare "UPDATE {lwt}.numbers SET tenant = ?, claim = ?, sure = false, claimed_ms = ? \
        WHERE number = ? IF claim = ?";
    ConfirmNumber = Compare "UPDATE {lwt}.numbers SET sure = true WHERE number = ? IF claim = ?";

    Call = Read "SELECT value FROM {data}.calls WHERE call = ?";
    CallAndTime = Read "SELECT value, WRITETIME(value) FROM {data}.calls WHERE call = ?";
    CallAndTenant = Read "SELECT tenant, value FROM {data}.calls WHERE call = ?";
    PutCallValue = Write "INSERT INTO {data}.calls (call, value) VALUES (?, ?)";
    PutCall = Write "INSERT INTO {data}.calls (call, tenant, value) VALUES (?, ?, ?)";
    AllCalls = List "SELECT value FROM {data}.calls";
    AllCallTenants = List "SELECT call, tenant FROM {data}.calls";
    CallTenant = Read "SELECT tenant FROM {data}.calls WHERE call = ?";
    PutCallByDay = Write "INSERT INTO {data}.calls_by_day (tenant, day, place) VALUES (?, ?, ?)";
    DropCallByDay = Write "DELETE FROM {data}.calls_by_day WHERE tenant = ? AND day = ? AND place = ?";
    CallsByDay = List "SELECT place FROM {data}.calls_by_day WHERE tenant = ? AND day = ? AND place > ? LIMIT ?";
    PutBucket = Write "INSERT INTO {data}.buckets (tenant, listing, bucket) VALUES (?, ?, ?)";
    Buckets = List
        "SELECT bucket FROM {data}.buckets WHERE tenant = ? AND listing = ? AND bucket <= ? LIMIT ?";
    PutCallByCaller = Write "INSERT INTO {data}.calls_by_caller (tenant, caller, place) VALUES (?, ?, ?)";
    DropCallByCaller = Write
        "DELETE FROM {data}.calls_by_caller WHERE tenant = ? AND caller = ? AND place = ?";
    CallsByCaller = List
        "SELECT place FROM {data}.calls_by_caller WHERE tenant = ? AND caller = ? AND place > ? LIMIT ?";
    PutOpenCall = Write "INSERT INTO {data}.open_calls (day, shard, call) VALUES (?, ?, ?)";
    DropOpenCall = Write "DELETE FROM {data}.open_calls WHERE day = ? AND shard = ? AND call = ?";
    OpenCalls = List "SELECT call FROM {data}.open_calls WHERE day = ? AND shard = ? AND call > ? LIMIT ?";
    PutOpenDay = Write "INSERT INTO {data}.open_days (part, day) VALUES (?, ?)";
    OpenDays = List "SELECT day FROM {data}.open_days WHERE part = ? AND day >= ?";

    PutEvent = Write "INSERT INTO {data}.call_events (call, seq, value) VALUES (?, ?, ?) USING TTL ?";
    EventSeqs = Read "SELECT seq FROM {data}.call_events WHERE call = ? AND seq >= ? AND seq <= ?";
    Events = List "SELECT value FROM {data}.call_events WHERE call = ?";
    Event = Read "SELECT value FROM {data}.call_events WHERE call = ? AND seq = ?";
    AllEvents = List "SELECT call, value FROM {data}.call_events";
    PutCheckpoint = Write "INSERT INTO {data}.checkpoints (call, state) VALUES (?, ?) USING TTL ?";
    Checkpoint = Read "SELECT state FROM {data}.checkpoints WHERE call = ?";
    CheckpointAndTime = Read "SELECT state, WRITETIME(state) FROM {data}.checkpoints WHERE call = ?";
    DropCheckpoint = Write "DELETE FROM {data}.checkpoints WHERE call = ?";
    AllCheckpoints = List "SELECT call, state FROM {data}.checkpoints";

    CalendarDecided = Decided "SELECT version FROM {lwt}.calendar WHERE tenant = ? AND calendar = ? LIMIT 1";
    CalendarRow = Agreed "SELECT value FROM {lwt}.calendar \
        WHERE tenant = ? AND calendar = ? AND kind = ? AND place = ?";
    CalendarForwards = Agreed "SELECT place, value FROM {lwt}.calendar \
        WHERE tenant = ? AND calendar = ? AND kind = ? AND place >= ? AND place < ? \
        ORDER BY kind ASC, place ASC LIMIT ?";
    CalendarBackwards = Agreed "SELECT place, value FROM {lwt}.calendar \
        WHERE tenant = ? AND calendar = ? AND kind = ? AND place >= ? AND place < ? \
        ORDER BY kind DESC, place DESC LIMIT ?";
    AllCalendars = List "SELECT tenant, kind, place, value FROM {lwt}.calendar";
    RaiseCalendar = Compare "UPDATE {lwt}.calendar SET version = ? WHERE tenant = ? AND calendar = ? \
        IF version = ?";
    PutCalendarRow = Compare "INSERT INTO {lwt}.calendar (tenant, calendar, kind, place, value) \
        VALUES (?, ?, ?, ?, ?) USING TTL ?";
    DropCalendarRow = Compare "DELETE FROM {lwt}.calendar \
        WHERE tenant = ? AND calendar = ? AND kind = ? AND place = ?";

    KeepMessage = Compare "INSERT INTO {lwt}.message_keys (tenant, scope, key, value) VALUES (?, ?, ?, ?) \
        IF NOT EXISTS";
    MessageDecided = Decided "SELECT value FROM {lwt}.message_keys WHERE tenant = ? AND scope = ? AND key = ?";
    MessagesOfScope = Agreed "SELECT key, value FROM {lwt}.message_keys WHERE tenant = ? AND scope = ?";
    DropMessageKey = Compare "DELETE FROM {lwt}.message_keys WHERE tenant = ? AND scope = ? AND key = ? IF EXISTS";
    AllMessages = List "SELECT key, value FROM {lwt}.message_keys";
    AllMessageKeys = List "SELECT tenant, key, value FROM {lwt}.message_keys";
    PutMessage = Write "INSERT INTO {data}.messages (tenant, month, place, key, value) VALUES (?, ?, ?, ?, ?)";
    Messages = List
        "SELECT place, value FROM {data}.messages WHERE tenant = ? AND month = ? AND place > ? LIMIT ?";
    MessagePlaces = List
        "SELECT place FROM {data}.messages WHERE tenant = ? AND month = ? AND place > ? LIMIT ?";
    MessagesAndKeys = List
        "SELECT place, key, value FROM {data}.messages WHERE tenant = ? AND month = ? AND place > ? LIMIT ?";
    DropMessage = Write "DELETE FROM {data}.messages WHERE tenant = ? AND month = ? AND place = ?";

    KeepOutcome = Compare "INSERT INTO {lwt}.outcomes (kind, scope, key, value) VALUES ('tool', ?, ?, ?) \
        IF NOT EXISTS USING TTL ?";
    OutcomeDecided = Decided "SELECT value FROM {lwt}.outcomes WHERE kind = 'tool' AND scope = ? AND key = ?";
    Outcome = Read "SELECT value FROM {lwt}.outcomes WHERE kind = 'tool' AND scope = ? AND key = ?";
    OutcomesOfScope = Agreed "SELECT key FROM {lwt}.outcomes WHERE kind = 'tool' AND scope = ?";
    DropOutcome = Compare "DELETE FROM {lwt}.outcomes WHERE kind = 'tool' AND scope = ? AND key = ? IF EXISTS";
    AllOutcomes = List "SELECT key, value FROM {lwt}.outcomes";

    NewRecording = Compare "INSERT INTO {lwt}.recordings (recording, tenant, value) VALUES (?, ?, ?) IF NOT EXISTS";
    UpdateRecording = Compare "UPDATE {lwt}.recordings SET tenant = ?, value = ? WHERE recording = ? IF EXISTS";
    DropRecording = Compare "DELETE FROM {lwt}.recordings WHERE recording = ? IF EXISTS";
    Recording = Agreed "SELECT value FROM {lwt}.recordings WHERE recording = ?";
    AllAudit = List "SELECT business, value FROM {lwt}.audit";
    AuditRow = Decided "SELECT value FROM {lwt}.audit WHERE business = ? AND seq = ?";
    AllRecordings = List "SELECT value FROM {lwt}.recordings";
    PutRecordingByMonth = Write "INSERT INTO {data}.recordings_by_month (tenant, month, recording) VALUES (?, ?, ?)";
    DropRecordingByMonth = Write
        "DELETE FROM {data}.recordings_by_month WHERE tenant = ? AND month = ? AND recording = ?";
    RecordingsByMonth = List "SELECT recording FROM {data}.recordings_by_month \
        WHERE tenant = ? AND month = ? AND recording > ? LIMIT ?";
    PutToMerge = Write "INSERT INTO {data}.recordings_to_merge (shard, recording) VALUES (?, ?)";
    DropToMerge = Write "DELETE FROM {data}.recordings_to_merge WHERE shard = ? AND recording = ?";
    ToMerge = List "SELECT recording FROM {data}.recordings_to_merge WHERE shard = ? AND recording > ? LIMIT ?";
    PutRemoval = Write "INSERT INTO {data}.removals (shard, recording, tenant) VALUES (?, ?, ?)";
    DropRemoval = Write "DELETE FROM {data}.removals WHERE shard = ? AND recording = ?";
    Removals = List "SELECT recording, tenant FROM {data}.removals WHERE shard = ? AND recording > ? LIMIT ?";

    ReplaceFact = Compare "UPDATE {lwt}.facts SET value = ? WHERE tenant = ? AND fact = ? IF value = ?";
    DropFact = Compare "DELETE FROM {lwt}.facts WHERE tenant = ? AND fact = ? IF EXISTS";
    DropBusiness = Compare "DELETE FROM {lwt}.facts WHERE tenant = ? AND fact = ? IF version = ? AND fence = ?";
    DropNumber = Compare "DELETE FROM {lwt}.numbers WHERE number = ? IF claim = ?";
    DropTenant = Write "DELETE FROM {data}.tenants WHERE part = ? AND tenant = ?";
    DropCall = Write "DELETE FROM {data}.calls WHERE call = ?";
    DropEvents = Write "DELETE FROM {data}.call_events WHERE call = ?";
    DropBucket = Write "DELETE FROM {data}.buckets WHERE tenant = ? AND listing = ? AND bucket = ?";
    BucketsUp = List "SELECT bucket FROM {data}.buckets WHERE tenant = ? AND listing = ? AND bucket >= ? \
        ORDER BY bucket ASC LIMIT ?";
    OldCallsByDay = List "SELECT place FROM {data}.calls_by_day WHERE tenant = ? AND day = ? AND place >= ? \
        AND place < ? ORDER BY place DESC LIMIT ?";
    DropCalendar = Compare "DELETE version FROM {lwt}.calendar WHERE tenant = ? AND calendar = ? IF version = ?";

    LastAudit = Decided "SELECT seq, writer, value FROM {lwt}.audit WHERE business = ? LIMIT 1";
    AuditDecided = Decided "SELECT writer FROM {lwt}.audit WHERE business = ? AND seq = ?";
    AppendAudit = Compare "INSERT INTO {lwt}.audit (business, seq, writer, value) VALUES (?, ?, ?, ?) IF NOT EXISTS";
    Audit = List "SELECT seq, value FROM {lwt}.audit WHERE business = ? AND seq < ? LIMIT ?";

    CallByDay = Read "SELECT place FROM {data}.calls_by_day WHERE tenant = ? AND day = ? AND place = ?";
    CallByCaller = Read "SELECT place FROM {data}.calls_by_caller WHERE tenant = ? AND caller = ? AND place = ?";
    OpenCall = Read "SELECT call FROM {data}.open_calls WHERE day = ? AND shard = ? AND call = ?";
    Bucket = Read "SELECT bucket FROM {data}.buckets WHERE tenant = ? AND listing = ? AND bucket = ?";
    Tenant = Read "SELECT tenant FROM {data}.tenants WHERE part = ? AND tenant = ?";
    Message = Read "SELECT value FROM {data}.messages WHERE tenant = ? AND month = ? AND place = ?";
    RecordingOfMonth = Read
        "SELECT recording FROM {data}.recordings_by_month WHERE tenant = ? AND month = ? AND recording = ?";
    MergeNoted = Read "SELECT recording FROM {data}.recordings_to_merge WHERE shard = ? AND recording = ?";
    AllCallsByDay = List "SELECT tenant, day, place FROM {data}.calls_by_day";
    AllCallsByCaller = List "SELECT tenant, caller, place FROM {data}.calls_by_caller";
    AllListedMessages = List "SELECT tenant, month, place, key FROM {data}.messages";
    AllRecordingsByMonth = List "SELECT tenant, month, recording FROM {data}.recordings_by_month";
    AllEmails = List "SELECT email, tenant, id, claim FROM {lwt}.emails";

    UserDecided = Decided
        "SELECT version, value, claim, loose, stopped FROM {lwt}.users WHERE tenant = ? AND id = ?";
    User = Agreed "SELECT value FROM {lwt}.users WHERE tenant = ? AND id = ?";
    Users = Agreed "SELECT id, value FROM {lwt}.users WHERE tenant = ? AND id > ? LIMIT ?";
    AllUsers = List "SELECT value FROM {lwt}.users";
    PutUser = Compare
        "UPDATE {lwt}.users SET version = ?, value = ? WHERE tenant = ? AND id = ? IF version = ? AND claim = ?";
    BeginEmail = Compare "UPDATE {lwt}.users SET claim = ?, loose = ?, stopped = false \
        WHERE tenant = ? AND id = ? IF version = ? AND claim = ?";
    EndEmail = Compare "UPDATE {lwt}.users SET version = ?, value = ?, claim = ?, loose = ?, stopped = ? \
        WHERE tenant = ? AND id = ? IF version = ? AND claim = ? AND stopped = false";
    StopEmail = Compare
        "UPDATE {lwt}.users SET stopped = true WHERE tenant = ? AND id = ? IF version = ? AND claim = ?";
    LeaveEmail = Compare "UPDATE {lwt}.users SET loose = ?, stopped = true \
        WHERE tenant = ? AND id = ? IF version = ? AND claim = ?";
    EmptyUser = Compare "DELETE version, value FROM {lwt}.users WHERE tenant = ? AND id = ?";
    DropUser = Compare "DELETE FROM {lwt}.users WHERE tenant = ? AND id = ? IF version = ? AND claim = ?";
    Email = Agreed "SELECT tenant, id FROM {lwt}.emails WHERE email = ?";
    EmailDecided = Decided "SELECT tenant, id, claim, claimed_ms FROM {lwt}.emails WHERE email = ?";
    ClaimEmail = Compare "INSERT INTO {lwt}.emails (email, tenant, id, claim, claimed_ms) \
        VALUES (?, ?, ?, ?, ?) IF NOT EXISTS";
    TakeEmail = Compare "UPDATE {lwt}.emails SET tenant = ?, id = ?, claim = ?, claimed_ms = ? \
        WHERE email = ? IF claim = ?";
    DropEmail = Compare "DELETE FROM {lwt}.emails WHERE email = ? IF claim = ?";

    OwnerDecided = Decided "SELECT owner, epoch FROM {lwt}.owners WHERE kind = ? AND id = ?";
    TakeOwnership = Compare "UPDATE {lwt}.owners USING TTL ? SET owner = ?, epoch = ? WHERE kind = ? AND id = ? \
        IF epoch = ?";
    DropOwner = Compare "DELETE FROM {lwt}.owners WHERE kind = ? AND id = ? IF EXISTS";
}

impl Statement {
    /// Its text for the keyspaces of this prefix.
    pub(super) fn for_keyspaces(self, prefix: &str) -> String {
        in_keyspaces(self.text(), prefix)
    }
}

/// A text with its keyspaces' names.
pub(super) fn in_keyspaces(text: &str, prefix: &str) -> String {
    text.replace("{data}", &format!("{prefix}_data")).replace("{lwt}", &format!("{prefix}_lwt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_does_what_its_use_says() {
        for statement in Statement::ALL {
            let text = statement.text();
            let reads = text.starts_with("SELECT");
            match statement.usage() {
                Use::Read | Use::List | Use::Agreed | Use::Decided => assert!(reads, "{text}"),
                Use::Write | Use::Compare => assert!(!reads, "{text}"),
            }
            // What may be said twice changes nothing the second time: it compares nothing and reads nothing.
            assert!(statement.usage() != Use::Write || !text.contains(" IF "), "{text}");
            // What is compared is kept where tablets are off.
            assert!(statement.usage() != Use::Compare || text.contains("{lwt}."), "{text}");
            assert!(statement.usage() != Use::Decided || text.contains("{lwt}."), "{text}");
        }
    }

    #[test]
    fn keyspaces_are_named_by_their_prefix() {
        let text = Statement::Call.for_keyspaces("test");
        assert_eq!(text, "SELECT value FROM test_data.calls WHERE call = ?");
    }
}
