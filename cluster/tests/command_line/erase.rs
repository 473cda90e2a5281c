//! What is erased at the command line is gone, and told.

use super::{DEMO, sample, strowger};

const BUSINESS: &str = "fleet-street-barbers";

fn filled() -> tempfile::TempDir {
    let data = tempfile::tempdir().expect("a directory");
    strowger(data.path(), &["tenant", "import", DEMO]).expect("imports");
    sample::write(data.path());
    data
}

#[test]
fn nothing_is_erased_without_a_yes() {
    let data = filled();
    for words in [
        &["calls", "erase", sample::CALL][..],
        &["calls", "erase-caller", "--tenant", BUSINESS, "+447700900123"],
        &["tenant", "erase", BUSINESS],
    ] {
        let told = strowger(data.path(), words).expect_err("no yes");
        assert!(told.contains("--yes"), "{told}");
    }
    assert!(strowger(data.path(), &["calls", "show", sample::CALL]).is_ok());
}

#[test]
fn a_call_is_erased_and_that_is_told() {
    let data = filled();
    let erased = strowger(data.path(), &["calls", "erase", sample::CALL, "--yes"]).expect("erased");
    assert!(erased.starts_with("erased 1 call(s)"), "{erased}");
    let told = strowger(data.path(), &["calls", "show", sample::CALL]).expect_err("gone");
    assert!(told.contains("there is no call"), "{told}");
    let again = strowger(data.path(), &["calls", "erase", sample::CALL, "--yes"]).expect_err("gone");
    assert!(again.contains("there is no such call"), "{again}");
    let audit = strowger(data.path(), &["tenant", "audit", BUSINESS]).expect("told");
    assert!(audit.contains("operator") && audit.contains("call erased"), "{audit}");
}

#[test]
fn a_caller_is_erased_by_their_number() {
    let data = filled();
    let page = strowger(data.path(), &["calls", "list", "--json"]).expect("lists");
    let page: serde_json::Value = serde_json::from_str(&page).expect("json");
    let caller = page["rows"].as_array().expect("rows").iter().find_map(|row| row["caller"].as_str());
    let caller = caller.expect("one has a number").to_owned();
    let erased = strowger(data.path(), &["calls", "erase-caller", "--tenant", BUSINESS, &caller, "--yes"]);
    assert!(erased.as_deref().is_ok_and(|text| text.starts_with("erased ")), "{erased:?}");
    let left = strowger(data.path(), &["calls", "list", "--json"]).expect("lists");
    assert!(!left.contains(&caller), "{left}");
    let nothing = strowger(data.path(), &["calls", "erase-caller", &caller, "--yes"]).expect("nothing left");
    assert_eq!(nothing, "there was nothing to erase\n");
    let own = strowger(data.path(), &["calls", "erase-caller", "1000", "--yes"]).expect_err("its own number");
    assert!(own.contains("own"), "{own}");
    let none = strowger(data.path(), &["calls", "erase-caller", "nobody", "--yes"]).expect_err("no number");
    assert!(none.contains("no telephone number"), "{none}");
}

#[test]
fn a_business_is_erased_and_its_audit_stays() {
    let data = filled();
    let erased = strowger(data.path(), &["tenant", "erase", BUSINESS, "--yes"]).expect("erased");
    assert!(erased.starts_with("erased the business, "), "{erased}");
    assert_eq!(strowger(data.path(), &["tenant", "list"]).expect("lists").lines().count(), 1);
    let audit = strowger(data.path(), &["tenant", "audit", BUSINESS, "--json"]).expect("told");
    let audit: serde_json::Value = serde_json::from_str(&audit).expect("json");
    assert_eq!(audit["rows"][0]["entry"]["act"], "erase_tenant");
    assert_eq!(audit["rows"][0]["entry"]["erased"]["businesses"], 1);
    strowger(data.path(), &["tenant", "import", DEMO]).expect("it may come back");
}
