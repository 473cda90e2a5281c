//! Forms: `name=value` pairs of queries and bodies.

use form_urlencoded::{Serializer, parse};

/// Pairs that are read of one form.
const PAIRS_MAX: usize = 256;

/// A form's pairs, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form(pub Vec<(String, String)>);

impl Form {
    /// Reads a body or a query.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        Self(
            parse(bytes)
                .take(PAIRS_MAX)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// The body, and what the query adds.
    #[must_use]
    pub fn of(body: &[u8], query: &str) -> Self {
        let mut form = Self::read(body);
        form.0.extend(Self::read(query.as_bytes()).0);
        form
    }

    /// A field that is not empty.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter().filter(|(known, value)| known == name && !value.is_empty());
        fields.next().map(|(_, value)| value.as_str())
    }

    /// Written as a body.
    #[must_use]
    pub fn written(pairs: &[(&str, &str)]) -> String {
        Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}
