//! All keys there are, those without a default value included.

use serde::Deserialize;
use toml::{Table, Value};

use super::{NodeConfig, load::defaults};

/// No key is called so; asking for it makes serde list those that there are.
const NO_SUCH_KEY: &str = "no-such-key";

/// Every key, dotted, table by table.
#[must_use]
pub fn keys() -> Vec<String> {
    let defaults = defaults();
    let mut found = Vec::new();
    collect(&defaults, &mut Vec::new(), &mut found);
    found
}

fn collect(table: &Table, path: &mut Vec<String>, found: &mut Vec<String>) {
    for field in fields(path) {
        match table.get(&field) {
            Some(Value::Table(inner)) => {
                path.push(field);
                collect(inner, path, found);
                path.pop();
            }
            _ => found.push(path.iter().map(|name| format!("{name}.")).collect::<String>() + &field),
        }
    }
}

/// The keys of one table, by what serde says of one that it does not have.
fn fields(path: &[String]) -> Vec<String> {
    let mut key = path.to_vec();
    key.push(NO_SUCH_KEY.to_owned());
    let mut tree = defaults();
    super::setting::put(&mut tree, &key, Value::Boolean(true));
    match NodeConfig::deserialize(Value::Table(tree)) {
        Ok(_) => Vec::new(),
        Err(error) => {
            let known = error.message().split_once("expected").map(|(_, known)| known).unwrap_or_default();
            known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        }
    }
}
