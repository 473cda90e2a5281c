//! The caller waits: something is heard meanwhile.

use crate::call::leg::Command;
use crate::call::shell::Shell;

impl Shell {
    /// Lets the leg know where the caller has begun to wait, or waits no more. The leg itself begins only when nothing
    /// was said for a while, and is silent whenever something is.
    pub(in crate::call) fn wait_or_not(&mut self) {
        let over = self.ending.outcome.is_some() || self.ending.leg_ended.is_some();
        let waits =
            !over && (self.transferring || self.handing_over.is_waited_for() || !self.tools.is_empty());
        if over || waits == self.waits {
            return;
        }
        self.waits = waits;
        let Some(sound) = self.services.waiting_sounds.of(self.case.tenant.tenant()) else { return };
        self.command(Command::Wait(waits.then_some(sound)));
    }
}
