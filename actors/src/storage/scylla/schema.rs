//! The tables, in the steps in which they came to be; in the CQL of `subset`. A step is never changed once it has been released; a new
//! one is added after it. Each may be carried out twice, since a node may die before it has noted it.

/// The layout that this program reads and writes: how many steps it knows.
pub(super) const LAYOUT: i32 = STEPS.len() as i32;

/// Where the layout's version is noted, and who migrates.
pub(super) const NOTES: &str =
    "CREATE TABLE IF NOT EXISTS {lwt}.layout (name text PRIMARY KEY, version int, holder uuid)";

/// The identity of [`NOTES`]: fixed by the keyspaces' prefix, so that nodes which make that table at once, on
/// servers that do not agree yet, make one table. An FNV-1a hash in a UUID of version 8 (RFC 9562 section 5.8).
pub(super) fn notes_id(prefix: &str) -> uuid::Uuid {
    let (start, prime) =
        (0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, 0x0000_0000_0100_0000_0000_0000_0000_013b_u128);
    let hash = prefix.bytes().fold(start, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(prime));
    uuid::Builder::from_custom_bytes(hash.to_be_bytes()).into_uuid()
}

/// The steps.
pub(super) const STEPS: &[&str] = &[
    // What is decided once, each in one partition.
    "CREATE TABLE IF NOT EXISTS {lwt}.facts (tenant text, fact text, version bigint, fence bigint, value blob, \
     PRIMARY KEY ((tenant, fact)))",
    "CREATE TABLE IF NOT EXISTS {lwt}.numbers (number text PRIMARY KEY, tenant text, claim uuid, sure boolean, \
     claimed_ms bigint)",
    // A business's calendar: appointments, the order of their starts, the spans that they take, and the keys that
    // they were written under. All of it hangs on one version, so that one comparison decides.
    "CREATE TABLE IF NOT EXISTS {lwt}.calendar (tenant text, calendar text, version bigint static, kind tinyint, \
     place blob, value blob, PRIMARY KEY ((tenant, calendar), kind, place))",
    "CREATE TABLE IF NOT EXISTS {lwt}.message_keys (tenant text, scope text, key text, value blob, \
     PRIMARY KEY ((tenant, scope), key))",
    "CREATE TABLE IF NOT EXISTS {lwt}.outcomes (kind text, scope text, key text, value blob, \
     PRIMARY KEY ((kind, scope), key))",
    "CREATE TABLE IF NOT EXISTS {lwt}.owners (kind text, id text, owner text, epoch bigint, \
     PRIMARY KEY ((kind, id)))",
    "CREATE TABLE IF NOT EXISTS {lwt}.audit (business text, seq bigint, writer uuid, value blob, \
     PRIMARY KEY (business, seq)) WITH CLUSTERING ORDER BY (seq DESC)",
    // Compared for one thing only: one that was erased is not written again.
    "CREATE TABLE IF NOT EXISTS {lwt}.recordings (recording uuid PRIMARY KEY, tenant text, value blob)",
    // What one writer at a time writes.
    "CREATE TABLE IF NOT EXISTS {data}.tenants (part tinyint, tenant text, PRIMARY KEY (part, tenant))",
    "CREATE TABLE IF NOT EXISTS {data}.calls (call uuid PRIMARY KEY, tenant text, value blob)",
    "CREATE TABLE IF NOT EXISTS {data}.calls_by_day (tenant text, day int, place blob, \
     PRIMARY KEY ((tenant, day), place))",
    "CREATE TABLE IF NOT EXISTS {data}.buckets (tenant text, listing tinyint, bucket int, \
     PRIMARY KEY ((tenant, listing), bucket)) WITH CLUSTERING ORDER BY (bucket DESC)",
    "CREATE TABLE IF NOT EXISTS {data}.calls_by_caller (tenant text, caller text, place blob, \
     PRIMARY KEY ((tenant, caller), place))",
    // An index only, checked against the calls when it is read: a row that comes back does no harm, so its
    // tombstones need not be kept for long.
    "CREATE TABLE IF NOT EXISTS {data}.open_calls (day int, shard smallint, call blob, \
     PRIMARY KEY ((day, shard), call)) WITH gc_grace_seconds = 3600 AND default_time_to_live = 2592000",
    "CREATE TABLE IF NOT EXISTS {data}.open_days (part tinyint, day int, PRIMARY KEY (part, day)) \
     WITH default_time_to_live = 2592000",
    // Append only, with a time to live by the business's retention: whole files go when their window is over.
    "CREATE TABLE IF NOT EXISTS {data}.call_events (call uuid, seq bigint, value blob, PRIMARY KEY (call, seq)) \
     WITH compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', \
     'compaction_window_size': '3'}",
    "CREATE TABLE IF NOT EXISTS {data}.checkpoints (call uuid PRIMARY KEY, state blob)",
    "CREATE TABLE IF NOT EXISTS {data}.messages (tenant text, month int, place blob, key text, value blob, \
     PRIMARY KEY ((tenant, month), place))",
    "CREATE TABLE IF NOT EXISTS {data}.recordings_by_month (tenant text, month int, recording blob, \
     PRIMARY KEY ((tenant, month), recording))",
    "CREATE TABLE IF NOT EXISTS {data}.recordings_to_merge (shard smallint, recording blob, \
     PRIMARY KEY (shard, recording)) WITH gc_grace_seconds = 3600",
    "CREATE TABLE IF NOT EXISTS {data}.removals (shard smallint, recording blob, tenant text, \
     PRIMARY KEY (shard, recording)) WITH gc_grace_seconds = 3600",
    "CREATE TABLE IF NOT EXISTS {data}.probes (id uuid PRIMARY KEY, value bigint)",
    // A user, and the address that is claimed for them or is to be given up (see `users`).
    "CREATE TABLE IF NOT EXISTS {lwt}.users (tenant text, id blob, version bigint, value blob, claim uuid, \
     loose text, stopped boolean, PRIMARY KEY (tenant, id))",
    "CREATE TABLE IF NOT EXISTS {lwt}.emails (email text PRIMARY KEY, tenant text, id blob, claim uuid, \
     claimed_ms bigint)",
];
