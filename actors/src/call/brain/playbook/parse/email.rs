//! E-mail addresses, typed or spoken: "sam dot taylor at example dot com".

use super::Found;
use super::{digits, spelling};
use crate::call::brain::playbook::normalise::Words;

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| {
        let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        !user.is_empty()
            && user.chars().all(fit)
            && host.chars().all(fit)
            && host.rsplit_once('.').is_some_and(|(name, top)| !name.is_empty() && top.len() >= 2)
            && !text.contains("..")
    })
}

/// One piece of an address: a word, a letter, digits or a sign.
fn piece(words: &Words, index: usize) -> Found<String> {
    let sign = match words.at(index) {
        "dot" | "point" => ".",
        "underscore" => "_",
        "dash" | "hyphen" | "minus" => "-",
        "plus" => "+",
        _ => "",
    };
    if !sign.is_empty() {
        return Some((sign.to_owned(), 1));
    }
    if let Some(found) = spelling::run(words, index).or_else(|| digits::run(words, index)) {
        return Some(found);
    }
    let word = words.at(index);
    (!word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'))
        .then(|| (word.to_owned(), 1))
}

/// The address in the utterance, if there is one.
pub(crate) fn find(words: &Words) -> Option<String> {
    if let Some(typed) = words.iter().find(|word| is_address(word)) {
        return Some(typed.to_owned());
    }
    const BEFORE: [&str; 12] =
        ["is", "its", "it", "email", "address", "to", "at", "me", "me:", "my", "use", "on"];
    for at in (1..words.len()).filter(|index| words.at(*index) == "at") {
        let mut host = String::new();
        let mut index = at + 1;
        while let Some((part, length)) = piece(words, index) {
            host.push_str(&part);
            index += length;
            if is_address(&format!("a@{host}")) && words.at(index) != "dot" {
                break;
            }
        }
        let start =
            (0..at).rev().find(|index| BEFORE.contains(&words.at(*index))).map_or(0, |index| index + 1);
        let mut user = String::new();
        let mut index = start;
        while index < at {
            let Some((part, length)) = piece(&words.slice(0, at), index) else { break };
            user.push_str(&part);
            index += length;
        }
        let address = format!("{user}@{host}");
        if index == at && is_address(&address) {
            return Some(address);
        }
    }
    None
}

/// The address as it is read back: "sam dot taylor at example dot com".
pub(crate) fn spoken(address: &str) -> String {
    address.replace('@', " at ").replace('.', " dot ").replace('_', " underscore ").replace('-', " dash ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found() {
        for (text, address) in [
            ("my email is sam dot taylor at example dot com", Some("sam.taylor@example.com")),
            ("it's s a m at mail dot example dot co dot uk", Some("sam@mail.example.co.uk")),
            ("sam underscore seven seven at example dot org thanks", Some("sam_77@example.org")),
            ("write to sam@example.com please", Some("sam@example.com")),
            ("see you at three", None),
        ] {
            assert_eq!(find(&Words::of(text)).as_deref(), address, "{text}");
        }
        assert_eq!(
            find(&Words::of(&spoken("sam.taylor@example.com"))).as_deref(),
            Some("sam.taylor@example.com")
        );
    }
}
