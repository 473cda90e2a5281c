//! The CQL that this store keeps to, so that it runs on ScyllaDB and on Apache Cassandra 5 alike. The tests read
//! every statement of `cql` and every step of `schema`, and accept nothing that is not here.
//!
//! ```text
//! tables      text, blob, boolean, tinyint, smallint, int, bigint and uuid; a static column; CLUSTERING ORDER BY;
//!             gc_grace_seconds, default_time_to_live, TimeWindowCompactionStrategy
//! SELECT      columns, WRITETIME; a whole table by pages, or one partition: all columns of its key, then
//!             clustering columns from the first by =, then one by < <= > >=; ORDER BY those, LIMIT
//! INSERT      the whole primary key; USING TTL; IF NOT EXISTS
//! UPDATE      by the whole primary key, or the partition's where only static columns are set; USING TTL; IF
//! DELETE      by the whole primary key or the partition's; a static column; IF
//! IF          = of columns in one row, EXISTS, NOT EXISTS: in the keyspace for it alone
//! batches     unlogged, of one partition; with conditions in the keyspace for them alone
//! ```
//! No secondary index, materialised view, counter, collection, tuple, user-defined type or function, aggregate, `IN`,
//! `ALLOW FILTERING`, `GROUP BY`, `PER PARTITION LIMIT`, `TOKEN`, JSON, logged batch, and no null but in a condition.
//!
//! What the servers do differently, and what is done about it:
//!
//! | difference | here |
//! |---|---|
//! | ScyllaDB keeps a keyspace in tablets unless it is told not to, and comparisons on those are not to be trusted yet | two keyspaces; `migrate` makes the one for comparisons with `tablets = {'enabled': false}`, which it says to a server that has `system_schema.scylla_keyspaces` and to no other; a node refuses to start on one with tablets |
//! | what a comparison answers: ScyllaDB always gives the old row, Cassandra only where it did not hold, and for a batch each in its own order | `[applied]` is found by its name, nothing else of the answer is read; who was first is asked for by a SERIAL read |
//! | `USING TIMEOUT`, `BYPASS CACHE`, `PER PARTITION RATE LIMIT` and service levels are ScyllaDB's | deadlines are this program's own (see `settings`) |
//! | storage-attached indexes, vectors, masking, unified compaction and the functions of version 5 are Cassandra's | none of them; compaction is the server's default but for events |
//! | ScyllaDB has an address per shard, and the driver routes by shard and tablet | the driver's matter; a pool is counted per shard there and per node on Cassandra |
//! | counters, change data capture and materialised views are limited on tablets | none of them |
//! | a table's `WITH id` | the one of `notes_id`, so that nodes which make the first table at once make one; both servers know it |
//! | ScyllaDB drops tombstones by `tombstone_gc`, which may wait for a repair, Cassandra after `gc_grace_seconds` | nothing is deleted and written again under one key but by its one writer, by comparison, or in a later era |
//! | schema agreement: Raft, or gossip | awaited after every step, on both |

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::cql::Statement;
    use super::super::schema;

    const TYPES: [&str; 8] = ["text", "blob", "boolean", "tinyint", "smallint", "int", "bigint", "uuid"];
    const OPTIONS: [&str; 3] = ["gc_grace_seconds", "default_time_to_live", "compaction"];

    #[derive(Debug, Default)]
    struct Table {
        partition: Vec<String>,
        clustering: Vec<String>,
        columns: BTreeSet<String>,
        statics: BTreeSet<String>,
    }

    impl Table {
        fn is_whole_key(&self, named: &BTreeSet<String>) -> bool {
            self.partition.iter().chain(&self.clustering).all(|column| named.contains(column))
        }

        fn is_partition(&self, named: &[String]) -> bool {
            named.len() == self.partition.len() && self.partition.iter().all(|column| named.contains(column))
        }
    }

    /// Words, texts in quotes, and signs.
    struct Words(Vec<String>, usize);

    impl Words {
        fn of(text: &str) -> Self {
            let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
            for sign in text.chars() {
                if is_quoted || sign == '\'' {
                    is_quoted ^= sign == '\'';
                    word.push(sign);
                } else if sign.is_alphanumeric() || "_.{}".contains(sign) {
                    word.push(sign);
                } else {
                    words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                    let follows = words.last().is_some_and(|last| "<>".contains(last.as_str()));
                    match words.last_mut().filter(|_| sign == '=' && follows) {
                        Some(last) => last.push('='),
                        None => words.extend((!sign.is_whitespace()).then(|| sign.to_string())),
                    }
                }
            }
            words.extend(Some(word).filter(|word| !word.is_empty()));
            Self(words, 0)
        }

        fn peek(&self) -> &str {
            self.0.get(self.1).map_or("", String::as_str)
        }

        fn next(&mut self) -> String {
            self.1 += 1;
            self.0.get(self.1 - 1).cloned().unwrap_or_default()
        }

        /// Whether these words come next, which are taken then.
        fn take(&mut self, words: &[&str]) -> bool {
            let comes =
                self.0[self.1..].iter().map(String::as_str).take(words.len()).eq(words.iter().copied());
            self.1 += if comes { words.len() } else { 0 };
            comes
        }

        fn expect(&mut self, word: &str) {
            assert_eq!(self.next(), word, "{:?}", self.0);
        }

        fn name(&mut self) -> String {
            let name = self.next();
            let is_name = name.chars().all(|sign| sign.is_ascii_lowercase() || sign == '_');
            assert!(is_name && !name.is_empty(), "{name} is no column: {:?}", self.0);
            name
        }

        fn value(&mut self) {
            let value = self.next();
            let is_value = value == "?"
                || value.starts_with('\'')
                || ["true", "false"].contains(&value.as_str())
                || value.parse::<i64>().is_ok();
            assert!(is_value, "{value} is no value: {:?}", self.0);
        }

        fn list(&mut self, mut one: impl FnMut(&mut Self)) {
            loop {
                one(self);
                if !self.take(&[","]) {
                    return;
                }
            }
        }

        fn names(&mut self) -> Vec<String> {
            let mut names = Vec::new();
            self.list(|words| names.push(words.name()));
            names
        }
    }

    /// A table of the schema by its text.
    fn table(text: &str) -> (String, Table) {
        let mut words = Words::of(text);
        assert!(words.take(&["CREATE", "TABLE", "IF", "NOT", "EXISTS"]), "{text}");
        let (name, mut table) = (words.next(), Table::default());
        words.expect("(");
        words.list(|words| {
            if words.take(&["PRIMARY", "KEY", "("]) {
                table.partition = match words.take(&["("]) {
                    true => {
                        let names = words.names();
                        words.expect(")");
                        names
                    }
                    false => vec![words.name()],
                };
                if words.take(&[","]) {
                    table.clustering = words.names();
                }
                words.expect(")");
                return;
            }
            let (column, kind) = (words.name(), words.next());
            assert!(TYPES.contains(&kind.as_str()), "{kind} in {text}");
            if words.take(&["static"]) {
                table.statics.insert(column.clone());
            }
            if words.take(&["PRIMARY", "KEY"]) {
                table.partition = vec![column.clone()];
            }
            table.columns.insert(column);
        });
        words.expect(")");
        let mut joined = words.take(&["WITH"]);
        while joined {
            options(&mut words);
            joined = words.take(&["AND"]);
        }
        assert_eq!(words.peek(), "", "{text}");
        (name, table)
    }

    fn options(words: &mut Words) {
        if words.take(&["CLUSTERING", "ORDER", "BY", "("]) {
            words.list(|words| {
                words.name();
                assert!(words.take(&["ASC"]) || words.take(&["DESC"]));
            });
            return words.expect(")");
        }
        let option = words.name();
        assert!(OPTIONS.contains(&option.as_str()), "{option}");
        words.expect("=");
        if option != "compaction" {
            return words.value();
        }
        let window =
            ["{'class'", ":", "'TimeWindowCompactionStrategy'", ",", "'compaction_window_unit'", ":"];
        assert!(words.take(&window) && words.take(&["'DAYS'", ",", "'compaction_window_size'", ":"]));
        words.next();
    }

    /// `WHERE`: the columns that are equal to something, in order, and those in a range.
    fn conditions(words: &mut Words) -> (Vec<String>, BTreeSet<String>) {
        let (mut equal, mut ranges) = (Vec::new(), BTreeSet::new());
        loop {
            let column = words.name();
            match words.next().as_str() {
                "=" => equal.push(column),
                "<" | "<=" | ">" | ">=" => drop(ranges.insert(column)),
                other => panic!("{other}: {:?}", words.0),
            }
            words.value();
            if !words.take(&["AND"]) {
                return (equal, ranges);
            }
        }
    }

    fn select(words: &mut Words, tables: &BTreeMap<String, Table>) {
        words.list(|words| {
            if words.take(&["WRITETIME", "("]) {
                words.name();
                words.expect(")");
            } else {
                words.name();
            }
        });
        words.expect("FROM");
        let name = words.next();
        if !words.take(&["WHERE"]) {
            assert!(tables.contains_key(&name), "{name}");
            return;
        }
        let (mut equal, ranges) = conditions(words);
        if name == "system.local" {
            return;
        }
        let table = &tables[&name];
        let clustering = equal.split_off(table.partition.len().min(equal.len()));
        assert!(table.is_partition(&equal), "not one partition: {:?}", words.0);
        assert!(table.clustering.starts_with(&clustering), "a gap: {:?}", words.0);
        let next: Vec<&String> = table.clustering.iter().skip(clustering.len()).take(1).collect();
        assert!(ranges.iter().all(|column| next.contains(&column)), "the next column: {:?}", words.0);
        if words.take(&["ORDER", "BY"]) {
            let mut at = 0;
            words.list(|words| {
                assert_eq!(Some(&words.name()), table.clustering.get(at), "{:?}", words.0);
                at += 1;
                assert!(words.take(&["ASC"]) || words.take(&["DESC"]));
            });
        }
        if words.take(&["LIMIT"]) {
            words.value();
        }
    }

    fn ttl(words: &mut Words) {
        if words.take(&["USING", "TTL"]) {
            words.value();
        }
    }

    fn change(words: &mut Words, verb: &str, tables: &BTreeMap<String, Table>) {
        let columns: BTreeSet<String> = match verb {
            "DELETE" if words.peek() != "FROM" => words.names().into_iter().collect(),
            _ => BTreeSet::new(),
        };
        match verb {
            "DELETE" => words.expect("FROM"),
            "INSERT" => words.expect("INTO"),
            _ => {}
        }
        let name = words.next();
        let table = &tables[&name];
        let is_key = |equal: &[String], set: &BTreeSet<String>| {
            let named: BTreeSet<String> = equal.iter().cloned().collect();
            let is_static = set.iter().all(|column| table.statics.contains(column));
            let whole = table.is_whole_key(&named) && named.len() == equal.len();
            whole || (table.is_partition(equal) && is_static)
        };
        if verb == "INSERT" {
            words.expect("(");
            let columns = words.names();
            words.expect(")");
            assert!(words.take(&["VALUES", "("]), "{:?}", words.0);
            words.list(Words::value);
            words.expect(")");
            assert!(table.is_whole_key(&columns.iter().cloned().collect()), "{:?}", words.0);
            assert!(columns.iter().all(|column| table.columns.contains(column)), "{:?}", words.0);
            if words.take(&["IF", "NOT", "EXISTS"]) {
                assert!(name.starts_with("{lwt}."), "{:?}", words.0);
            }
            return ttl(words);
        }
        let mut set = columns;
        if verb == "UPDATE" {
            ttl(words);
            words.expect("SET");
            words.list(|words| {
                set.insert(words.name());
                words.expect("=");
                words.value();
            });
        }
        words.expect("WHERE");
        let (equal, ranges) = conditions(words);
        assert!(ranges.is_empty(), "{:?}", words.0);
        assert!(is_key(&equal, &set), "not a whole key: {:?}", words.0);
        if words.take(&["IF"]) {
            assert!(name.starts_with("{lwt}."), "{:?}", words.0);
            if !words.take(&["EXISTS"]) {
                assert!(conditions(words).1.is_empty(), "{:?}", words.0);
            }
        }
    }

    fn tables() -> BTreeMap<String, Table> {
        schema::STEPS.iter().chain([&schema::NOTES]).map(|text| table(text)).collect()
    }

    fn check(text: &str, tables: &BTreeMap<String, Table>) {
        let mut words = Words::of(text);
        match words.next().as_str() {
            "SELECT" => select(&mut words, tables),
            verb @ ("INSERT" | "UPDATE" | "DELETE") => change(&mut words, verb, tables),
            other => panic!("{other} is not said: {text}"),
        }
        assert_eq!(words.peek(), "", "something follows: {text}");
    }

    #[test]
    fn every_statement_and_every_table_is_of_the_subset() {
        let tables = tables();
        assert!(tables.len() > 20 && tables.values().all(|table| !table.partition.is_empty()));
        for statement in Statement::ALL {
            check(statement.text(), &tables);
        }
    }

    #[test]
    fn what_is_not_of_the_subset_is_noticed() {
        let tables = tables();
        for outside in [
            "SELECT value FROM {data}.calls WHERE call IN (?)",
            "SELECT value FROM {data}.calls WHERE tenant = ?",
            "SELECT place FROM {data}.calls_by_day WHERE tenant = ? AND place = ?",
            "SELECT value FROM {data}.calls WHERE call = ? ALLOW FILTERING",
            "SELECT COUNT(value) FROM {data}.calls WHERE call = ?",
            "SELECT value FROM {lwt}.calendar WHERE tenant = ? AND calendar = ? AND place > ?",
            "INSERT INTO {data}.call_events (call, value) VALUES (?, ?)",
            "INSERT INTO {data}.calls (call, value) VALUES (?, ?) IF NOT EXISTS",
            "INSERT INTO {data}.calls (call, value) VALUES (?, ?) USING TIMEOUT 5s",
            "UPDATE {data}.calls SET value = ? WHERE call = ? IF EXISTS",
            "UPDATE {lwt}.calendar SET value = ? WHERE tenant = ? AND calendar = ? IF version = ?",
            "UPDATE {lwt}.users SET value = null WHERE tenant = ? AND id = ? IF version = ?",
            "DELETE FROM {data}.calls_by_day WHERE tenant = ?",
            "DELETE FROM {data}.calls_by_day WHERE tenant = ? AND day = ? AND place > ?",
            "BEGIN BATCH APPLY BATCH",
            "TRUNCATE {data}.calls",
        ] {
            let checked = std::panic::catch_unwind(|| check(outside, &tables));
            assert!(checked.is_err(), "{outside}");
        }
        let outside = "CREATE TABLE IF NOT EXISTS {data}.tags (call uuid PRIMARY KEY, tags set<text>)";
        assert!(std::panic::catch_unwind(|| table(outside)).is_err());
    }
}
