//! The recording, by the business's policy.

use crate::call::shell::Shell;

impl Shell {
    pub(in crate::call) fn start_recording(&mut self) {}

    pub(in crate::call) fn end_recording(&mut self) {}
}
