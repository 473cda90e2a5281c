use proptest::prelude::*;

use super::*;

proptest! {
    /// Whatever is in the file, it is read or refused with mistakes, never with a panic.
    #[test]
    fn any_text_is_read_or_refused(text in "(\\[{1,2}(business|hours|service|staff)\\]{1,2}\n|(id|name|monday|with|duration) = (\"[^\"\n]{0,12}\"|[0-9]{1,12}|\\[\\]|true)\n|.{0,20}\n){0,12}") {
        match read(&text, &Settings::default()) {
            Ok(business) => prop_assert!(!business.name.is_empty()),
            Err(mistakes) => prop_assert!(!mistakes.0.is_empty()),
        }
    }
}
