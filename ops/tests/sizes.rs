//! Files and functions stay small enough to read in one sitting. Telephony code always grows one session file
//! that swallows the product; here it can't.

use syn::visit::Visit;

use crate::source::{expect_none, rust_files};

const FILE_LINES_MAX: usize = 600;
const TEST_FILE_LINES_MAX: usize = 900;
const FILE_LINES_NINETY_PERCENT: usize = 400;
const TABLE_OF_CONTENTS_LINES_MAX: usize = 200;
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn no_file_is_too_long() {
    let findings: Vec<String> = rust_files()
        .iter()
        .filter_map(|file| {
            let lines = file.text.lines().count();
            let limit = if file.is_test() { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
            (lines > limit).then(|| format!("{}: {lines} lines, at most {limit}", file.path))
        })
        .collect();
    expect_none(&findings, "cut these files by phase, verb or provider:");
}

#[test]
fn nine_files_in_ten_are_short() {
    let files = rust_files();
    let product: Vec<_> = files.iter().filter(|file| !file.is_test()).collect();
    let long: Vec<String> = product
        .iter()
        .filter(|file| file.text.lines().count() > FILE_LINES_NINETY_PERCENT)
        .map(|file| format!("{}: {} lines", file.path, file.text.lines().count()))
        .collect();
    assert!(
        long.len() * 10 <= product.len(),
        "more than a tenth of {} files is over {FILE_LINES_NINETY_PERCENT} lines:\n  {}",
        product.len(),
        long.join("\n  ")
    );
}

#[test]
fn a_mod_file_is_a_table_of_contents() {
    let findings: Vec<String> = rust_files()
        .iter()
        .filter(|file| file.path.ends_with("/mod.rs") && !file.is_test())
        .filter_map(|file| {
            let lines = file.product_text().lines().filter(|line| !line.trim().is_empty()).count();
            (lines > TABLE_OF_CONTENTS_LINES_MAX).then(|| {
                format!("{}: {lines} lines of code, at most {TABLE_OF_CONTENTS_LINES_MAX}", file.path)
            })
        })
        .collect();
    expect_none(&findings, "move what these hold into files named after it:");
}

#[test]
fn no_function_is_too_long() {
    let mut findings = Vec::new();
    for file in rust_files() {
        let mut visitor = Functions { path: &file.path, findings: &mut findings };
        visitor.visit_file(&file.syntax());
    }
    expect_none(&findings, "cut these functions:");
}

struct Functions<'a> {
    path: &'a str,
    findings: &'a mut Vec<String>,
}

impl Functions<'_> {
    fn check(&mut self, name: &syn::Ident, block: &syn::Block) {
        let braces = block.brace_token.span;
        let start = braces.open().start().line;
        let lines = braces.close().end().line - start + 1;
        if lines > FUNCTION_LINES_MAX {
            self.findings
                .push(format!("{}:{start} {name}: {lines} lines, at most {FUNCTION_LINES_MAX}", self.path));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.check(&item.sig.ident, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.check(&item.sig.ident, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.check(&item.sig.ident, block);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}

#[test]
fn nothing_is_left_open() {
    let open =
        ["todo!(", "unimplemented!(", concat!("FIX", "ME"), concat!("XX", "X"), concat!("#[ign", "ore")];
    let findings: Vec<String> = rust_files()
        .iter()
        .filter(|file| file.path != "ops/tests/sizes.rs")
        .flat_map(|file| {
            file.text.lines().enumerate().filter_map(|(number, line)| {
                let word = open.iter().find(|word| line.contains(**word))?;
                Some(format!("{}:{} {word}", file.path, number + 1))
            })
        })
        .collect();
    expect_none(&findings, "finish these, or name them in the README's list of what is missing:");
}

#[test]
fn names_say_what_they_are() {
    let banned = ["utils", "util", "common", "helpers", "helper", "manager", "misc"];
    let findings: Vec<String> = rust_files()
        .iter()
        .filter(|file| file.path.trim_end_matches(".rs").split('/').any(|part| banned.contains(&part)))
        .map(|file| file.path.clone())
        .collect();
    expect_none(&findings, "name these files after what is in them:");
}
