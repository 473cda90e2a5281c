//! What a node does.

use serde::{Deserialize, Serialize};

use super::Error;

/// One thing that a node does. Health, metrics and operators are answered whatever it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes calls from carriers: signalling and audio.
    Edge,
    /// Holds the conversations of those calls. It goes with `edge`: calls don't leave the node where they land.
    Calls,
    /// Lets its engines work for other nodes, at `inference.listen`.
    Inference,
    /// Answers businesses over HTTP.
    Gateway,
}

/// Whether these make a node.
///
/// # Errors
/// Roles that can't be without each other, or none at all.
pub(super) fn check(roles: &[Role]) -> Result<(), Error> {
    let has = |role| roles.contains(&role);
    let (why, mend) = match (has(Role::Edge), has(Role::Calls), has(Role::Inference)) {
        (true, false, _) => ("edge without calls", "add \"calls\""),
        (false, true, _) => ("calls without edge", "add \"edge\""),
        (false, false, false) => ("neither edge and calls nor inference", "name one of them"),
        _ => return Ok(()),
    };
    Err(Error::Roles { why, mend })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_that_make_no_node_are_told() {
        assert!(check(&[Role::Edge, Role::Calls, Role::Gateway]).is_ok());
        assert!(check(&[Role::Inference]).is_ok());
        let told = check(&[Role::Edge, Role::Gateway]).expect_err("half a node").to_string();
        assert!(told.contains("node.roles") && told.contains("add \"calls\""), "{told}");
        assert!(check(&[Role::Gateway]).is_err() && check(&[]).is_err());
    }
}
