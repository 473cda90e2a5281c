//! The calendar as an integration: its actor decides on retries.

use async_trait::async_trait;

use super::{Calendar, ToolContext};
use crate::integrations::{Error, Integration, Kind, Request};
use crate::types::ToolOutcome;

#[async_trait]
impl Integration for Calendar {
    fn kind(&self) -> Kind {
        Kind::Calendar
    }

    async fn call(&self, request: &Request) -> Result<ToolOutcome, Error> {
        let context = ToolContext { call: request.call, now: request.now, new_id: request.new_id };
        Ok(self.attempt(&request.business, &request.key, context, &request.asked).await?)
    }
}
