//! What goes wrong behind the telephone: engines, and the store under the real calendar.

use std::sync::Arc;

use actors::storage::Memory;

use super::chance::{Dice, Failures};
use super::failing::Failing;
use crate::telephone::{BrainFault, Chance, ToolFault, VoiceFault};

pub(super) struct Troubles {
    pub(super) engines: Failures,
    pub(super) store: Arc<Failing<Memory>>,
    pub(super) dice: Dice,
    /// So many of a thousand uses of the store go wrong.
    pub(super) rate: u64,
}

impl Chance for Troubles {
    fn sound(&mut self) -> Option<(f32, u64)> {
        None
    }

    fn voice(&mut self) -> VoiceFault {
        self.engines.voice()
    }

    fn brain(&mut self) -> BrainFault {
        self.engines.brain()
    }

    fn tool(&mut self) -> ToolFault {
        self.store.work();
        if !self.dice.in_thousand(self.rate) {
            return self.engines.tool();
        }
        if self.dice.in_thousand(500) {
            self.store.fail_before();
        } else {
            self.store.fail_after();
        }
        if self.dice.in_thousand(300) { ToolFault::Slow(self.dice.below(20_000)) } else { ToolFault::None }
    }

    fn twice(&mut self) -> bool {
        self.engines.twice()
    }

    fn resumes(&mut self) -> bool {
        self.engines.resumes()
    }
}
