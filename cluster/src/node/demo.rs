//! A made-up business, for trying things out.

use actors::storage::{Page, Storage};
use actors::tenant::import;
use actors::types::PhoneNumber;

use super::Error;

/// Its file, as anybody would write it.
const FILE: &str = include_str!("../../../ops/config/demo.toml");

/// Takes the demo business in, where it is not there yet; one that was changed since stays as it is.
pub(super) async fn import(storage: &dyn Storage, settings: &import::Settings) -> Result<(), Error> {
    let failed = |why: &dyn std::fmt::Display| Error::Demo { why: why.to_string() };
    let business = import::read(FILE, settings).map_err(|mistakes| failed(&mistakes))?;
    if storage.business(&business.id).await.map_err(|error| failed(&error))?.is_some() {
        return Ok(());
    }
    storage.put_business(&business, None).await.map_err(|error| failed(&error))
}

/// A number that this node answers, for whoever names none: the first of the first business.
pub(super) async fn number(storage: &dyn Storage) -> Option<PhoneNumber> {
    let listing = storage.businesses(Page::first(1)).await.ok()?;
    listing.rows.into_iter().next()?.numbers.into_iter().next()
}
