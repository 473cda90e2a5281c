//! The interface, sentence by sentence.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use fred::interfaces::{HashesInterface, KeysInterface, PubsubInterface, SortedSetsInterface};
use fred::types::{Expiration, Value};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::command::{Commands, Operation};
use super::connect;
use super::hints::Listening;
use super::keys::Keys;
use super::link::{Link, Purpose};
use super::script;
use crate::chance::Chance;
use crate::storage::coordination::{
    Acquired, Admission, CheckpointWrite, Coordination, Error, Hints, Lease, LiveCall, Misconfigured,
    NodeRun, Rate, Result, Settings, Spent, VersionedState,
};
use crate::types::{CallId, TenantId};

/// How long the last token of a lease is remembered; after it tokens start from the clock, which has moved on.
const TOKEN_MS: i64 = 7 * 24 * 3_600_000;
/// How long a probe is kept.
const PROBE_MS: i64 = 10_000;

/// What nodes share, on Redis or Valkey.
pub(crate) struct Redis {
    commands: Commands,
    listening: Listening,
    keys: Keys,
    settings: Settings,
}

impl Redis {
    /// Starts connecting to what the settings name; it need not be there. Needs a tokio runtime.
    ///
    /// # Errors
    /// Settings that can't be used.
    pub(crate) fn open(settings: &Settings, chance: Chance) -> std::result::Result<Self, Misconfigured> {
        let (config, keys) = (connect::config(settings)?, Keys::new(&settings.prefix));
        let link = Arc::new(Link::open(config.clone(), settings, Purpose::Commands));
        Ok(Self {
            commands: Commands::new(link, settings, chance),
            listening: Listening::open(config, settings, keys.clone()),
            keys,
            settings: settings.clone(),
        })
    }

    /// Several things of one request at once, but not too many.
    async fn each<Item, Answer, Doing>(
        &self,
        items: impl IntoIterator<Item = Item> + Send,
        act: impl Fn(Item) -> Doing + Send,
    ) -> Result<Vec<Answer>>
    where
        Doing: Future<Output = Result<Answer>> + Send,
        Answer: Send,
    {
        let doing: Vec<Doing> = items.into_iter().map(act).collect();
        stream::iter(doing).buffered(self.settings.batch_max.max(1)).try_collect().await
    }

    /// Prolongs members of a set that expires by them.
    async fn hold(&self, key: String, members: &[CallId], ttl_ms: u64) -> Result<()> {
        let keys = [key];
        for batch in members.chunks(self.settings.batch_max.max(1)) {
            let mut arguments = vec![number(ttl_ms.max(1))];
            arguments.extend(batch.iter().map(|call| call.to_string().into()));
            self.commands.run::<i64>(&script::HOLD_PLACES, &keys, &arguments).await?;
        }
        Ok(())
    }

    async fn forget_member(&self, key: String, calls: &[CallId]) -> Result<()> {
        let members: Vec<String> = calls.iter().map(ToString::to_string).collect();
        let operation = Operation { name: "leave", repeatable: true, reads: false };
        let (key, members) = (&key, &members);
        let left: i64 = self
            .commands
            .operate(operation, |client| async move { client.zrem(key.as_str(), members.clone()).await })
            .await?;
        tracing::trace!(left, "places left");
        Ok(())
    }

    async fn put_call(&self, live: &LiveCall, ttl_ms: u64) -> Result<bool> {
        let arguments = [
            live.node.as_str().into(),
            live.tenant.as_str().into(),
            live.since.as_millisecond().into(),
            number(ttl_ms.max(1)),
        ];
        let put: i64 =
            self.commands.run(&script::PUT_CALL, &[self.keys.entry(live.call)], &arguments).await?;
        Ok(put == 1)
    }
}

/// A count as an argument. Those of the interface are far below the largest number that scripts know exactly, 2⁵³.
fn number(count: u64) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

fn count(answered: i64) -> u32 {
    u32::try_from(answered.max(0)).unwrap_or(u32::MAX)
}

fn unreadable(what: &str) -> Error {
    Error::refused(format!("{what} on the server can't be read"))
}

#[async_trait]
impl Coordination for Redis {
    async fn admit(&self, tenant: &TenantId, call: CallId, limit: u32, ttl_ms: u64) -> Result<Admission> {
        let arguments = [call.to_string().into(), i64::from(limit).into(), number(ttl_ms.max(1))];
        let (granted, taken): (i64, i64) =
            self.commands.run(&script::ADMIT, &[self.keys.places(tenant)], &arguments).await?;
        let in_use = count(taken);
        Ok(if granted == 1 { Admission::Granted { in_use } } else { Admission::Full { in_use } })
    }

    async fn hold_places(&self, tenant: &TenantId, calls: &[CallId], ttl_ms: u64) -> Result<()> {
        self.hold(self.keys.places(tenant), calls, ttl_ms).await
    }

    async fn leave(&self, tenant: &TenantId, call: CallId) -> Result<()> {
        self.forget_member(self.keys.places(tenant), &[call]).await
    }

    async fn places_taken(&self, tenant: &TenantId) -> Result<u32> {
        self.commands.run(&script::COUNT_LIVING, &[self.keys.places(tenant)], &[]).await.map(count)
    }

    async fn put_calls(&self, calls: &[LiveCall], ttl_ms: u64) -> Result<Vec<CallId>> {
        let mut by_node = BTreeMap::<&NodeRun, Vec<CallId>>::new();
        for live in calls {
            by_node.entry(&live.node).or_default().push(live.call);
        }
        // First the list and then the entries: what is listed and has no entry is passed over.
        for (node, calls) in &by_node {
            self.hold(self.keys.node(node), calls, ttl_ms).await?;
        }
        let put = self.each(calls, |live| self.put_call(live, ttl_ms)).await?;
        let others: Vec<&LiveCall> =
            calls.iter().zip(put).filter(|(_, put)| !put).map(|(live, _)| live).collect();
        for live in &others {
            self.forget_member(self.keys.node(&live.node), &[live.call]).await?;
        }
        Ok(others.into_iter().map(|live| live.call).collect())
    }

    async fn live_call(&self, call: CallId) -> Result<Option<LiveCall>> {
        let key = &self.keys.entry(call);
        let operation = Operation { name: "live_call", repeatable: true, reads: true };
        let (node, tenant, since): (Option<String>, Option<String>, Option<i64>) = self
            .commands
            .operate(operation, |client| async move {
                client.hmget(key.as_str(), vec!["node", "tenant", "since"]).await
            })
            .await?;
        let (Some(node), Some(tenant), Some(since)) = (node, tenant, since) else { return Ok(None) };
        let since = Timestamp::from_millisecond(since).map_err(|_| unreadable("a call's entry"))?;
        Ok(Some(LiveCall { call, node: NodeRun::new(node), tenant: TenantId::new(tenant), since }))
    }

    async fn calls_of(&self, node: &NodeRun, limit: usize) -> Result<Vec<LiveCall>> {
        let most = number(u64::try_from(limit).unwrap_or(u64::MAX));
        let listed: Vec<String> =
            self.commands.run(&script::LIVING, &[self.keys.node(node)], &[most]).await?;
        let calls: Vec<CallId> = listed.iter().filter_map(|text| text.parse().ok()).collect();
        let found = self.each(calls, |call| self.live_call(call)).await?;
        Ok(found.into_iter().flatten().filter(|live| live.node == *node).collect())
    }

    async fn claim_call(&self, call: CallId, from: &NodeRun, to: &NodeRun, ttl_ms: u64) -> Result<bool> {
        let arguments = [from.as_str().into(), to.as_str().into(), number(ttl_ms.max(1))];
        let claimed: i64 =
            self.commands.run(&script::CLAIM_CALL, &[self.keys.entry(call)], &arguments).await?;
        if claimed != 1 {
            return Ok(false);
        }
        self.hold(self.keys.node(to), &[call], ttl_ms).await?;
        self.forget_member(self.keys.node(from), &[call]).await?;
        Ok(true)
    }

    async fn remove_call(&self, call: CallId, node: &NodeRun) -> Result<()> {
        let keys = [self.keys.entry(call), self.keys.state(call)];
        self.commands.run::<i64>(&script::REMOVE_CALL, &keys, &[node.as_str().into()]).await?;
        self.forget_member(self.keys.node(node), &[call]).await
    }

    async fn put_checkpoint(
        &self,
        call: CallId,
        version: u64,
        state: &[u8],
        ttl_ms: u64,
    ) -> Result<CheckpointWrite> {
        self.settings.check_state(state)?;
        let arguments = [number(version), state.into(), number(ttl_ms.max(1))];
        let answer: Vec<i64> =
            self.commands.run(&script::PUT_CHECKPOINT, &[self.keys.state(call)], &arguments).await?;
        match answer.as_slice() {
            [1] => Ok(CheckpointWrite::Written),
            [0, kept] => Ok(CheckpointWrite::Stale { kept: u64::try_from(*kept).unwrap_or(0) }),
            _ => Err(unreadable("a checkpoint's answer")),
        }
    }

    async fn checkpoint(&self, call: CallId) -> Result<Option<VersionedState>> {
        let key = &self.keys.state(call);
        let operation = Operation { name: "checkpoint", repeatable: true, reads: true };
        let (version, state): (Option<u64>, Option<Vec<u8>>) =
            self.commands
                .operate(operation, |client| async move {
                    client.hmget(key.as_str(), vec!["version", "state"]).await
                })
                .await?;
        Ok(version.zip(state).map(|(version, state)| VersionedState { version, state }))
    }

    async fn drop_checkpoint(&self, call: CallId, claim: u32, ttl_ms: u64) -> Result<()> {
        let arguments = [number(VersionedState::last_of(claim)), number(ttl_ms.max(1))];
        let keys = [self.keys.state(call)];
        self.commands.run::<i64>(&script::DROP_CHECKPOINT, &keys, &arguments).await.map(drop)
    }

    async fn acquire(&self, lease: &str, owner: &NodeRun, ttl_ms: u64) -> Result<Acquired> {
        let keys = [self.keys.lease(lease), self.keys.token(lease)];
        let arguments = [owner.as_str().into(), number(ttl_ms.max(1)), TOKEN_MS.into()];
        let answer: Vec<Value> = self.commands.run(&script::ACQUIRE, &keys, &arguments).await?;
        match answer.as_slice() {
            [Value::Integer(1), Value::Integer(token)] => {
                let token = u64::try_from(*token).map_err(|_| unreadable("a lease's token"))?;
                Ok(Acquired::Granted(Lease { token }))
            }
            [Value::Integer(0), holder, Value::Integer(left_ms)] => {
                let holder = holder.as_string().ok_or_else(|| unreadable("a lease's holder"))?;
                Ok(Acquired::Held { by: NodeRun::new(holder), for_ms: u64::try_from(*left_ms).unwrap_or(1) })
            }
            _ => Err(unreadable("a lease")),
        }
    }

    async fn renew(&self, lease: &str, owner: &NodeRun, token: u64, ttl_ms: u64) -> Result<bool> {
        let arguments = [owner.as_str().into(), token.to_string().into(), number(ttl_ms.max(1))];
        let held: i64 = self.commands.run(&script::RENEW, &[self.keys.lease(lease)], &arguments).await?;
        Ok(held == 1)
    }

    async fn release(&self, lease: &str, owner: &NodeRun, token: u64) -> Result<bool> {
        let arguments = [owner.as_str().into(), token.to_string().into()];
        let held: i64 = self.commands.run(&script::RELEASE, &[self.keys.lease(lease)], &arguments).await?;
        Ok(held == 1)
    }

    async fn spend(&self, limit: &str, rate: Rate) -> Result<Spent> {
        let arguments = [number(rate.interval_us()), number(rate.burst_us())];
        let (allowed, rest): (i64, i64) =
            self.commands.run(&script::SPEND, &[self.keys.limit(limit)], &arguments).await?;
        Ok(match allowed {
            1 => Spent::Allowed { left: count(rest) },
            _ => Spent::Limited { retry_ms: u64::try_from(rest).unwrap_or(1).max(1) },
        })
    }

    async fn publish(&self, channel: &str, hint: &[u8]) -> Result<()> {
        let (channel, hint) = (&self.keys.channel(channel), &Value::from(hint));
        let operation = Operation { name: "publish", repeatable: false, reads: false };
        let heard_by: i64 = self
            .commands
            .operate(operation, |client| async move { client.publish(channel.as_str(), hint.clone()).await })
            .await?;
        tracing::trace!(heard_by, "hint said");
        Ok(())
    }

    async fn subscribe(&self, channel: &str) -> Result<Hints> {
        Ok(self.listening.subscribe(channel).await)
    }

    async fn check(&self) -> Result<()> {
        let key = &self.keys.probe();
        let write = Operation { name: "check", repeatable: true, reads: false };
        let until = Expiration::PX(PROBE_MS);
        let until = &until;
        self.commands
            .operate::<(), _>(write, |client| async move {
                client.set(key.as_str(), "1", Some(until.clone()), None, false).await
            })
            .await?;
        let read = Operation { reads: true, ..write };
        let found: Option<String> =
            self.commands.operate(read, |client| async move { client.get(key.as_str()).await }).await?;
        found.map(drop).ok_or_else(|| Error::unavailable("what was written is not there"))
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the settings: they hold the password.
        formatter.write_str("Redis")
    }
}
