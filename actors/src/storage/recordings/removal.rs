//! Removing the objects of what was erased.

use super::{Recordings, Result, folder_of};
use crate::storage::{Page, Removal};
use crate::types::TenantId;

/// Removals in one look at the list.
const PAGE: usize = 256;

impl Recordings {
    /// Removes the objects of all recordings that were erased, and forgets each when they are gone. How many those
    /// were. Their keys are gone already: what can't be removed now can't be heard, and is tried again.
    ///
    /// # Errors
    /// The first failure; the others are tried nevertheless.
    pub async fn remove_erased(&self) -> Result<u64> {
        let (mut count, mut first, mut page) = (0, None, Page::first(PAGE));
        loop {
            let listing = self.storage.removals(page).await?;
            for removal in &listing.rows {
                match self.remove_one(removal).await {
                    Ok(()) => count += 1,
                    Err(error) => first = first.or(Some(error)),
                }
            }
            let Some(next) = listing.next else { break };
            page = Page { after: Some(next), limit: PAGE };
        }
        first.map_or(Ok(count), Err)
    }

    async fn remove_one(&self, removal: &Removal) -> Result<()> {
        self.objects.clear(&folder_of(&removal.tenant, removal.recording), None).await?;
        self.storage.forget_removal(removal.recording).await?;
        Ok(())
    }

    /// Forgets a business's opened key: it was erased.
    pub fn forget_key(&self, tenant: &TenantId) {
        self.keys.forget(tenant);
    }

    /// Whether none of a business's objects is left.
    ///
    /// # Errors
    /// The objects can't be listed.
    pub async fn is_gone(&self, tenant: &TenantId) -> Result<bool> {
        Ok(self.objects.is_empty(&super::tenant_folder(tenant)).await?)
    }
}
