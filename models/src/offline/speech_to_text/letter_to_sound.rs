//! How an unknown word probably sounds, by its letters. Good enough for a brand or a family name to be heard
//! sometimes; a business that needs more has its words in the dictionary.

/// Letters and their sounds, the longest first where one begins with another.
const RULES: &[(&str, &str)] = &[
    ("tion", "SH AH N"),
    ("sion", "ZH AH N"),
    ("ture", "CH ER"),
    ("ight", "AY T"),
    ("ough", "AO"),
    ("sch", "SH"),
    ("tch", "CH"),
    ("dge", "JH"),
    ("eau", "OW"),
    ("igh", "AY"),
    ("air", "EH R"),
    ("ear", "IH R"),
    ("oor", "AO R"),
    ("our", "AO R"),
    ("cz", "CH"),
    ("ch", "CH"),
    ("sh", "SH"),
    ("th", "TH"),
    ("ph", "F"),
    ("gh", "G"),
    ("kh", "K"),
    ("zh", "ZH"),
    ("wh", "W"),
    ("wr", "R"),
    ("kn", "N"),
    ("ck", "K"),
    ("ng", "NG"),
    ("qu", "K W"),
    ("ee", "IY"),
    ("ea", "IY"),
    ("ei", "AY"),
    ("ey", "IY"),
    ("eu", "OY"),
    ("ew", "UW"),
    ("ai", "EY"),
    ("ay", "EY"),
    ("au", "AO"),
    ("aw", "AO"),
    ("ie", "IY"),
    ("oa", "OW"),
    ("oe", "OW"),
    ("oi", "OY"),
    ("oo", "UW"),
    ("ou", "AW"),
    ("ow", "OW"),
    ("oy", "OY"),
    ("ue", "UW"),
    ("ui", "UW"),
    ("ar", "AA R"),
    ("er", "ER"),
    ("ir", "ER"),
    ("or", "AO R"),
    ("ur", "ER"),
    ("ce", "S EH"),
    ("ci", "S IH"),
    ("cy", "S IY"),
    ("a", "AE"),
    ("b", "B"),
    ("c", "K"),
    ("d", "D"),
    ("e", "EH"),
    ("f", "F"),
    ("g", "G"),
    ("h", "HH"),
    ("i", "IH"),
    ("j", "JH"),
    ("k", "K"),
    ("l", "L"),
    ("m", "M"),
    ("n", "N"),
    ("o", "AA"),
    ("p", "P"),
    ("q", "K"),
    ("r", "R"),
    ("s", "S"),
    ("t", "T"),
    ("u", "AH"),
    ("v", "V"),
    ("w", "W"),
    ("x", "K S"),
    ("y", "Y"),
    ("z", "Z"),
];

/// Final letters that sound otherwise than elsewhere.
const ENDINGS: &[(&str, &str)] = &[
    ("y", "IY"),
    ("i", "IY"),
    ("o", "OW"),
    ("a", "AH"),
    ("le", "AH L"),
    ("ce", "S"),
    ("se", "Z"),
    ("ge", "JH"),
];

/// The probable phones of `word`, none where it has no letters.
pub(super) fn guess(word: &str) -> Option<String> {
    let letters: String = word.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
    let mut phones: Vec<&str> = Vec::new();
    let mut rest = letters.as_str();
    while !rest.is_empty() {
        let at_start = rest.len() == letters.len();
        let ending = ENDINGS.iter().find(|(ending, _)| !at_start && *ending == rest);
        if let Some((_, sound)) = ending {
            phones.push(sound);
            break;
        }
        // A final e after a consonant is silent.
        if rest == "e" && letters.len() > 2 {
            break;
        }
        let Some((spelled, sound)) = RULES.iter().find(|(spelled, _)| rest.starts_with(spelled)) else {
            break;
        };
        let tail = rest.get(spelled.len()..).unwrap_or_default();
        let doubled = spelled.len() == 1 && tail.starts_with(spelled) && !"aeiou".contains(spelled);
        if !doubled {
            phones.push(sound);
        }
        rest = tail;
    }
    (!phones.is_empty()).then(|| phones.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_brands_sound_about_right() {
        for (word, phones) in [
            ("schumann", "SH AH M AE N"),
            ("kowalski", "K OW AE L S K IY"),
            ("tanguy", "T AE NG AH IY"),
            ("glow", "G L OW"),
            ("brushe", "B R AH SH"),
        ] {
            assert_eq!(guess(word).as_deref(), Some(phones), "{word}");
        }
        assert_eq!(guess("'-"), None);
    }
}
