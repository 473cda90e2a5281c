//! The words a business's callers are likely to use, for recognisers with a language model.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::types::{Business, Condition};

/// Each once, in order, so that the same business gives the same list.
pub(super) fn phrases(business: &Business) -> Arc<[String]> {
    let mut phrases = BTreeSet::from([business.name.clone()]);
    for service in &business.services {
        phrases.insert(service.name.clone());
        phrases.extend(service.also_called.iter().cloned());
    }
    phrases.extend(business.resources.iter().map(|resource| resource.name.clone()));
    phrases.extend(business.faqs.iter().flat_map(|faq| faq.questions.iter().cloned()));
    for department in &business.departments {
        phrases.insert(department.name.clone());
        phrases.extend(department.also_called.iter().cloned());
    }
    for rule in &business.transfer_rules {
        if let Condition::CallerSays(said) = &rule.when {
            phrases.extend(said.iter().cloned());
        }
    }
    phrases.retain(|phrase| !phrase.trim().is_empty());
    phrases.into_iter().collect()
}
