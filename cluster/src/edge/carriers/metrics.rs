//! What the carriers' edge counts.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use super::provider::Provider;

/// Webhooks, by `provider`, `kind` and `result`.
pub const WEBHOOKS: &str = "strowger_carriers_webhooks_total";
/// Requests that were refused before anything was done, by `reason`.
pub const REFUSED: &str = "strowger_carriers_refused_total";
/// Calls, by `provider` and `result`: `answered`, `refused`, `connected`; `reaching` for each time that people are called
/// before the answer, and `joined` where one of them has the call.
pub const CALLS: &str = "strowger_carriers_calls_total";
/// Calls alive.
pub const ALIVE: &str = "strowger_carriers_calls";
/// Messages of websockets that were not used, by `provider` and `reason`.
pub const DROPS: &str = "strowger_carriers_messages_dropped_total";
/// Streams that we closed, by `provider` and `reason`.
pub const CLOSED: &str = "strowger_carriers_streams_closed_total";
/// Requests to carriers' REST, by `provider`, `what` and `result`.
pub const REST: &str = "strowger_carriers_rest_total";

/// Says what each metric is.
pub fn describe() {
    describe_counter!(WEBHOOKS, Unit::Count, "carriers' webhooks, by provider, kind and result");
    describe_counter!(REFUSED, Unit::Count, "requests refused before anything was done, by reason");
    describe_counter!(CALLS, Unit::Count, "carriers' calls, by provider and result");
    describe_gauge!(ALIVE, Unit::Count, "carriers' calls alive");
    describe_counter!(DROPS, Unit::Count, "websocket messages not used, by provider and reason");
    describe_counter!(CLOSED, Unit::Count, "streams that we closed, by provider and reason");
    describe_counter!(REST, Unit::Count, "requests to carriers, by provider, what and result");
}

pub(super) fn webhook(provider: Provider, kind: &'static str, result: &'static str) {
    counter!(WEBHOOKS, "provider" => provider.name(), "kind" => kind, "result" => result).increment(1);
}

pub(super) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

pub(super) fn call(provider: Provider, result: &'static str) {
    counter!(CALLS, "provider" => provider.name(), "result" => result).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(super) fn alive(calls: usize) {
    gauge!(ALIVE).set(calls as f64);
}

pub(super) fn dropped(provider: Provider, reason: &'static str) {
    counter!(DROPS, "provider" => provider.name(), "reason" => reason).increment(1);
}

pub(super) fn closed(provider: Provider, reason: &'static str) {
    counter!(CLOSED, "provider" => provider.name(), "reason" => reason).increment(1);
}

pub(super) fn rest(provider: Provider, what: &'static str, result: &'static str) {
    counter!(REST, "provider" => provider.name(), "what" => what, "result" => result).increment(1);
}
