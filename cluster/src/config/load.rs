//! Reads the configuration. The only reader of the environment in this crate.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::keys::keys;
use super::setting::at;
use super::{Mistake, Mistakes, NodeConfig, Origin, Setting};

/// Environment variables that begin so are settings; everything else in the environment is not ours.
const PREFIX: &str = "STROWGER_";

/// Names the configuration file where no flag does.
const FILE_VARIABLE: &str = "STROWGER_CONFIG";

/// Loads a node's settings: defaults, then the file, then the environment, then flags.
///
/// # Errors
/// All mistakes at once; nothing is taken over from a configuration with a mistake.
pub fn load(file: Option<&Path>, flags: Vec<Setting>) -> Result<NodeConfig, Mistakes> {
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    let named =
        environment.iter().find(|(name, _)| name == FILE_VARIABLE).map(|(_, path)| PathBuf::from(path));
    let text = match file.map(Path::to_path_buf).or(named) {
        None => None,
        Some(path) => Some(read(path)?),
    };
    combine(text.as_ref().map(|(path, text)| (path.as_path(), text.as_str())), &environment, flags)
}

fn read(path: PathBuf) -> Result<(PathBuf, String), Mistakes> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) => Err(Mistakes(vec![Mistake {
            origin: Origin::File { path, line: 1 },
            key: String::new(),
            what: format!("the configuration file can't be read: {error}"),
            mend: "name a file that exists with --config, or none".to_owned(),
        }])),
    }
}

/// [`load`] without the outside world.
fn combine(
    file: Option<(&Path, &str)>,
    environment: &[(String, String)],
    flags: Vec<Setting>,
) -> Result<NodeConfig, Mistakes> {
    let defaults = defaults();
    let mut settings = Vec::new();
    if let Some((path, text)) = file {
        settings.extend(from_file(path, text)?);
    }
    settings.extend(from_environment(environment, &defaults));
    settings.extend(flags);

    // Each setting is tried alone on top of the defaults, so that every mistake is found and blamed on its line.
    let mut mistakes = Vec::new();
    let mut tree = defaults.clone();
    for setting in &settings {
        let mut trial = defaults.clone();
        setting.put_into(&mut trial);
        match NodeConfig::deserialize(Value::Table(trial)) {
            Ok(_) => setting.put_into(&mut tree),
            Err(error) => mistakes.push(Mistake::of(setting, &defaults, error.message())),
        }
    }
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    NodeConfig::deserialize(Value::Table(tree)).map_err(|error| {
        Mistakes(
            settings.last().map(|last| Mistake::of(last, &defaults, error.message())).into_iter().collect(),
        )
    })
}

/// The defaults as a tree.
pub(super) fn defaults() -> Table {
    // Our own structs always serialise; were one to stop doing so, the reference test would fail.
    Table::try_from(NodeConfig::default()).unwrap_or_default()
}

fn from_file(path: &Path, text: &str) -> Result<Vec<Setting>, Mistakes> {
    let line_of = |offset: usize| text.get(..offset).unwrap_or_default().matches('\n').count() + 1;
    let (spans, errors) = DeTable::parse_recoverable(text);
    let mut mistakes: Vec<Mistake> = errors
        .iter()
        .map(|error| Mistake {
            origin: Origin::File {
                path: path.to_owned(),
                line: line_of(error.span().map_or(0, |span| span.start)),
            },
            key: String::new(),
            what: error.message().to_owned(),
            mend: "write TOML 1.0, as in ops/config/reference.toml".to_owned(),
        })
        .collect();
    // After one slip the parser finds others that are none.
    mistakes.dedup_by_key(|mistake| mistake.origin.clone());
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    let values: Table = toml::from_str(text).unwrap_or_default();
    let mut found = Vec::new();
    collect(spans.get_ref(), &mut Vec::new(), &mut |key, offset| {
        if let Some(value) = at(&values, key) {
            let origin = Origin::File { path: path.to_owned(), line: line_of(offset) };
            found.push(Setting { key: key.to_vec(), value: value.clone(), origin });
        }
    });
    Ok(found)
}

fn collect(table: &DeTable<'_>, key: &mut Vec<String>, found: &mut impl FnMut(&[String], usize)) {
    for (name, value) in table {
        key.push(name.get_ref().to_string());
        match Spanned::get_ref(value) {
            DeValue::Table(inner) if !inner.is_empty() => collect(inner, key, found),
            _ => found(key, name.span().start),
        }
        key.pop();
    }
}

fn from_environment(environment: &[(String, String)], defaults: &Table) -> Vec<Setting> {
    let known = keys();
    environment
        .iter()
        .filter(|(name, _)| name != FILE_VARIABLE)
        .map(|(name, text)| {
            let wanted = name.trim_start_matches(PREFIX).to_lowercase();
            let key = known.iter().find(|key| key.replace('.', "_") == wanted).unwrap_or(&wanted);
            let key: Vec<String> = match key.split_once('.') {
                Some(_) => key.split('.').map(str::to_owned).collect(),
                // Not a key. Dotted after its table's name it is at least near the one that was meant.
                None => wanted.splitn(2, '_').map(str::to_owned).collect(),
            };
            let value = read_value(text, at(defaults, &key));
            Setting { key, value, origin: Origin::Environment { name: name.clone() } }
        })
        .collect()
}

fn read_value(text: &str, default: Option<&Value>) -> Value {
    let as_toml = || toml::from_str::<Table>(&format!("value = {text}")).ok()?.remove("value");
    match default {
        Some(Value::String(_)) => Value::String(text.to_owned()),
        _ => as_toml().unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        match combine(Some((Path::new("node.toml"), text)), &[], Vec::new()) {
            Ok(_) => Vec::new(),
            Err(Mistakes(all)) => all.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_its_cure() {
        let text = "[http]\nadress = \"127.0.0.1:1\"\nconnections_max = \"many\"\n\n[log]\nformat = \"xml\"\n[nonsense]\na = 1\n";
        insta_like(
            &mistakes(text),
            &[
                "node.toml:2: http.adress: there is no such key; did you mean http.address?",
                "node.toml:3: http.connections_max: invalid type: string \"many\", expected usize; write it like the default, 256",
                "node.toml:6: log.format: unknown variant `xml`, expected `human` or `json`; write it like the default, \"human\"",
                "node.toml:8: nonsense.a: there is no such key; `strowger config print` shows all keys",
            ],
        );
    }

    fn insta_like(found: &[String], expected: &[&str]) {
        assert_eq!(found, expected, "found:\n{}", found.join("\n"));
    }

    #[test]
    fn a_file_that_is_not_toml_is_told_by_its_line() {
        let told = mistakes("[http]\naddress = \n");
        assert!(told.first().is_some_and(|first| first.starts_with("node.toml:2: ")), "{told:?}");
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let file = "[http]\nconnections_max = 1\nbody_bytes_max = 1\nhead_timeout_ms = 1\n";
        let environment = [
            ("STROWGER_HTTP_CONNECTIONS_MAX".to_owned(), "2".to_owned()),
            ("STROWGER_HTTP_BODY_BYTES_MAX".to_owned(), "2".to_owned()),
        ];
        let flags = vec![Setting::flag("--x", "http.connections_max", 3)];
        let config = combine(Some((Path::new("node.toml"), file)), &environment, flags).expect("no mistakes");
        let http = &config.http;
        assert_eq!((http.connections_max, http.body_bytes_max, http.head_timeout_ms), (3, 2, 1));
    }

    #[test]
    fn a_misspelt_variable_is_a_mistake() {
        let environment = [("STROWGER_HTTP_ADRESS".to_owned(), "127.0.0.1:1".to_owned())];
        let told = combine(None, &environment, Vec::new()).expect_err("a mistake").to_string();
        assert_eq!(
            told,
            "environment variable STROWGER_HTTP_ADRESS: http.adress: there is no such key; did you mean http.address?"
        );
    }
}
