//! An utterance that another node goes on with: from the very sample where it says the same, else from the first
//! word that nobody has begun.

/// What of an utterance was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::remote) struct Delivered {
    /// Who said it; empty where nobody did.
    pub(in crate::remote) engine: String,
    /// Samples that were delivered.
    pub(in crate::remote) samples: u64,
    /// Words of the text that had begun.
    pub(in crate::remote) words: u32,
}

/// What an engine says of the text, and what of that it leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::remote) struct Rest {
    /// The text to be said; empty where nothing is left.
    pub(in crate::remote) text: String,
    /// Words of the whole text before it.
    pub(in crate::remote) words_before: u32,
    /// Samples at its start that are not delivered again.
    pub(in crate::remote) skip: u64,
}

impl Rest {
    /// What `engine` says of `text`. The same engine says the same, so it goes on where the other broke off; to
    /// another voice's words the listener comes at the next one.
    pub(in crate::remote) fn of(text: &str, engine: &str, delivered: &Delivered) -> Self {
        if delivered.samples == 0 {
            return Self { text: text.to_owned(), words_before: 0, skip: 0 };
        }
        if delivered.engine == engine {
            return Self { text: text.to_owned(), words_before: 0, skip: delivered.samples };
        }
        let words: Vec<&str> = text.split_whitespace().skip(delivered.words as usize).collect();
        Self { text: words.join(" "), words_before: delivered.words, skip: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "We are open  from nine to five.";

    #[test]
    fn the_same_voice_goes_on_at_the_sample_and_another_at_the_next_word() {
        let delivered = Delivered { engine: "flite".into(), samples: 4_000, words: 3 };
        assert_eq!(
            Rest::of(TEXT, "flite", &delivered),
            Rest { text: TEXT.into(), words_before: 0, skip: 4_000 }
        );
        assert_eq!(
            Rest::of(TEXT, "espeak-ng", &delivered),
            Rest { text: "from nine to five.".into(), words_before: 3, skip: 0 }
        );
        let all = Delivered { words: 7, ..delivered };
        assert_eq!(Rest::of(TEXT, "espeak-ng", &all).text, "");
    }

    #[test]
    fn what_was_not_begun_is_said_whole() {
        let rest = Rest::of(TEXT, "flite", &Delivered::default());
        assert_eq!(rest, Rest { text: TEXT.into(), words_before: 0, skip: 0 });
    }
}
