//! Users: nothing of them is kept for later.

use async_trait::async_trait;

use super::Journalled;
use crate::storage::{Listing, Page, Result, Users};
use crate::types::{EmailAddress, Private, TenantId, User, UserId};

#[async_trait]
impl Users for Journalled {
    async fn create_user(&self, user: &User) -> Result<()> {
        self.shared.store()?.create_user(user).await
    }

    async fn change_user(&self, user: &User, expected: u64) -> Result<()> {
        self.shared.store()?.change_user(user, expected).await
    }

    async fn user(&self, tenant: &TenantId, user: UserId) -> Result<Option<User>> {
        self.shared.store()?.user(tenant, user).await
    }

    async fn user_by_email(&self, email: &Private<EmailAddress>) -> Result<Option<User>> {
        self.shared.store()?.user_by_email(email).await
    }

    async fn users(&self, tenant: &TenantId, page: Page) -> Result<Listing<User>> {
        self.shared.store()?.users(tenant, page).await
    }

    async fn delete_user(&self, tenant: &TenantId, user: UserId) -> Result<bool> {
        self.shared.store()?.delete_user(tenant, user).await
    }
}
