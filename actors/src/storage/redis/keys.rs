//! The names of what is kept. What one script touches has one hash tag: the part in braces is all that decides the
//! slot (Redis Cluster specification, "Hash tags").

use crate::storage::coordination::NodeRun;
use crate::types::{CallId, TenantId};

/// Makes names with a cluster's prefix.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// A tenant's places.
    pub(super) fn places(&self, tenant: &TenantId) -> String {
        self.name("tenant", tenant.as_str(), "places")
    }

    /// The entry of a call.
    pub(super) fn entry(&self, call: CallId) -> String {
        self.name("call", &call.to_string(), "entry")
    }

    /// The state of a call; in the slot of its entry.
    pub(super) fn state(&self, call: CallId) -> String {
        self.name("call", &call.to_string(), "state")
    }

    /// Which calls a node has; the entries have the last word.
    pub(super) fn node(&self, node: &NodeRun) -> String {
        self.name("node", node.as_str(), "calls")
    }

    /// Who holds a lease.
    pub(super) fn lease(&self, lease: &str) -> String {
        self.name("lease", lease, "holder")
    }

    /// The last token of a lease; in its slot.
    pub(super) fn token(&self, lease: &str) -> String {
        self.name("lease", lease, "token")
    }

    /// A rate limit.
    pub(super) fn limit(&self, limit: &str) -> String {
        self.name("limit", limit, "empty_us")
    }

    /// What [`check`](crate::storage::coordination::Coordination::check) writes.
    pub(super) fn probe(&self) -> String {
        self.name("probe", "", "written")
    }

    /// A channel of hints.
    pub(super) fn channel(&self, channel: &str) -> String {
        format!("{}:hints:{channel}", self.prefix)
    }

    /// The channel by its name here.
    pub(super) fn channel_of<'name>(&self, name: &'name str) -> Option<&'name str> {
        name.strip_prefix(self.prefix.as_str())?.strip_prefix(":hints:")
    }

    fn name(&self, kind: &str, of: &str, what: &str) -> String {
        format!("{}:{{{kind}:{of}}}:{what}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of a key that decides its slot.
    fn tag(key: &str) -> &str {
        let (_, rest) = key.split_once('{').expect("a tag");
        rest.split_once('}').expect("ends").0
    }

    #[test]
    fn what_one_script_touches_has_one_tag() {
        let keys = Keys::new("strowger");
        let call = CallId::default();
        for name in ["", "a", "}", "{", "a}b{c"] {
            assert_eq!(tag(&keys.lease(name)), tag(&keys.token(name)), "{name:?}");
        }
        assert_eq!(tag(&keys.entry(call)), tag(&keys.state(call)));
        assert!(tag(&keys.entry(call)).contains(&call.to_string()), "calls spread over the slots");
    }

    #[test]
    fn a_channel_is_found_again() {
        let keys = Keys::new("a:b");
        assert_eq!(keys.channel_of(&keys.channel("x:y")), Some("x:y"));
        assert_eq!(keys.channel_of("other:hints:x"), None);
    }
}
