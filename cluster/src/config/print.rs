//! The effective configuration as TOML, without its secrets.

use toml::{Table, Value};

use super::NodeConfig;

/// Keys that end so hold secrets and are masked; keys that end in `_file` name where a secret lies.
const SECRET: &[&str] = &["secret", "password", "token", "api_key"];

/// What stands for a secret.
const MASK: &str = "‹secret›";

/// Prints every key with its effective value; secrets are masked where they are set.
#[must_use]
pub fn print(config: &NodeConfig) -> String {
    let mut tree = Table::try_from(config).unwrap_or_default();
    mask(&mut tree);
    toml::to_string(&tree).unwrap_or_default()
}

fn mask(tree: &mut Table) {
    for (name, value) in tree.iter_mut() {
        match value {
            Value::Table(inner) => mask(inner),
            Value::Array(all) => all.iter_mut().for_each(|one| {
                if let Value::Table(inner) = one {
                    mask(inner);
                }
            }),
            Value::String(text) if !text.is_empty() && SECRET.iter().any(|end| name.ends_with(end)) => {
                MASK.clone_into(text);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::defaults;

    #[test]
    fn secrets_are_masked_and_files_that_hold_them_are_not() {
        let mut tree: Table =
            toml::from_str("[a]\nsigning_secret = \"x\"\nsecret_file = \"/y\"\napi_key = \"\"\n[[a.trunk]]\npassword = \"x\"\n")
                .expect("toml");
        mask(&mut tree);
        assert_eq!(
            toml::to_string(&tree).expect("toml"),
            "[a]\napi_key = \"\"\nsecret_file = \"/y\"\nsigning_secret = \"‹secret›\"\n\n[[a.trunk]]\npassword = \"‹secret›\"\n"
        );
    }

    #[test]
    fn what_is_printed_is_read_back_as_it_was() {
        let tree: Table = toml::from_str(&print(&NodeConfig::default())).expect("toml");
        assert_eq!(tree, defaults());
    }
}
