//! A call's place among its tenant's calls on all nodes.

use std::fmt;

use super::Sharing;
use crate::types::CallId;

/// Free again when it is dropped, however the call ended.
pub(crate) struct Place {
    pub(super) sharing: Sharing,
    pub(super) call: CallId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sharing.left(self.call);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Place").field("call", &self.call).finish_non_exhaustive()
    }
}
