//! Which process of which node.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One life of a node: a process, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Life {
    /// The node's name. All its lives have it, and no other node's do.
    pub node: String,
    /// This life's own name: no other life of any node has it.
    pub run: String,
}

impl Life {
    /// A life of this node.
    pub fn new(node: impl Into<String>, run: impl Into<String>) -> Self {
        Self { node: node.into(), run: run.into() }
    }

    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (run, node) = text.split_once('@')?;
        Some(Self::new(node, run))
    }
}

/// Its run and its node, as in `0192f7c0@london-1`.
impl fmt::Display for Life {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.run, self.node)
    }
}

/// Who has a call, or had it to its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// Which process.
    #[serde(flatten)]
    pub life: Life,
    /// How many had it before: a call that is claimed from a dead process counts one more.
    pub claim: u32,
}

impl Holder {
    /// The process that a call came to.
    #[must_use]
    pub const fn first(life: Life) -> Self {
        Self { life, claim: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_read_as_it_was_written() {
        for node in ["london-1", "a@b", ""] {
            let life = Life::new(node, "0192");
            assert_eq!(Life::parse(&life.to_string()), Some(life));
        }
        assert_eq!(Life::parse("nobody"), None);
    }

    #[test]
    fn a_holder_is_flat() {
        let holder = Holder { life: Life::new("n", "r"), claim: 2 };
        let text = serde_json::to_string(&holder).expect("JSON");
        assert_eq!(text, r#"{"node":"n","run":"r","claim":2}"#);
        assert_eq!(serde_json::from_str::<Holder>(&text).expect("read"), holder);
    }
}
