//! `users add|list|remove`.

use super::{DEMO, strowger};

#[test]
fn users_are_taken_in_listed_and_removed() {
    let data = tempfile::tempdir().expect("a directory");
    let run = |words: &[&str]| strowger(data.path(), words);
    run(&["tenant", "import", DEMO]).expect("imported");
    let added = run(&["users", "add", "Ada@Example.com", "--name", "Ada", "--role", "owner"]).expect("added");
    assert!(added.starts_with("ada@example.com is a user of fleet-street-barbers now, "), "{added}");
    let taken = run(&["users", "add", "ada@example.COM"]).expect_err("she has it");
    assert!(taken.contains("somebody has this e-mail address already"), "{taken}");
    let wrong = run(&["users", "add", "ada"]).expect_err("no address");
    assert!(wrong.contains("no e-mail address; write one such as"), "{wrong}");
    assert!(
        run(&["users", "add", "b@example.com", "--role", "king"]).expect_err("no role").contains("viewer")
    );
    run(&["users", "add", "ben@example.com"]).expect("added");
    let listed = run(&["users", "list"]).expect("listed");
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(lines[1].contains("owner") && lines[1].contains("ada@example.com"), "{listed}");
    assert!(lines[2].contains("agent") && lines[2].contains("ben@example.com"), "{listed}");
    let gone = run(&["users", "remove", "ADA@example.com"]).expect("removed");
    assert_eq!(gone, "ada@example.com is no user of fleet-street-barbers any more\n");
    let again = run(&["users", "remove", "ada@example.com"]).expect_err("she is gone");
    assert!(again.contains("there is no user of fleet-street-barbers with this e-mail address"), "{again}");
    run(&["users", "add", "ada@example.com", "--json"]).expect("it is free");
    assert!(run(&["store", "check"]).expect("sound").contains("users_by_email       2"));
}
