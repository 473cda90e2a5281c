//! The scripts, each in a file of its own.

use std::sync::LazyLock;

use fred::types::scripts::Script as Hashed;

/// One script.
pub(super) struct Script {
    /// Its name in metrics.
    pub(super) operation: &'static str,
    /// Whether running it twice is the same as running it once.
    pub(super) repeatable: bool,
    /// Whether it changes nothing.
    pub(super) reads: bool,
    pub(super) text: &'static str,
    hash: LazyLock<String>,
}

impl Script {
    /// What the server calls it.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }
}

macro_rules! script {
    ($name:ident, $operation:literal, repeatable: $repeatable:literal, reads: $reads:literal) => {
        pub(super) static $name: Script = Script {
            operation: $operation,
            repeatable: $repeatable,
            reads: $reads,
            text: include_str!(concat!("scripts/", $operation, ".lua")),
            hash: LazyLock::new(|| {
                Hashed::from_lua(include_str!(concat!("scripts/", $operation, ".lua"))).sha1().to_string()
            }),
        };
    };
}

script!(ADMIT, "admit", repeatable: true, reads: false);
script!(HOLD_PLACES, "hold_places", repeatable: true, reads: false);
script!(COUNT_LIVING, "count_living", repeatable: true, reads: true);
script!(LIVING, "living", repeatable: true, reads: true);
script!(PUT_CALL, "put_call", repeatable: true, reads: false);
script!(CLAIM_CALL, "claim_call", repeatable: true, reads: false);
script!(REMOVE_CALL, "remove_call", repeatable: true, reads: false);
script!(PUT_CHECKPOINT, "put_checkpoint", repeatable: true, reads: false);
script!(DROP_CHECKPOINT, "drop_checkpoint", repeatable: true, reads: false);
script!(ACQUIRE, "acquire", repeatable: true, reads: false);
script!(RENEW, "renew", repeatable: true, reads: false);
// Given back twice, the second answer is "it was not held": only the first is true.
script!(RELEASE, "release", repeatable: false, reads: false);
script!(SPEND, "spend", repeatable: false, reads: false);
