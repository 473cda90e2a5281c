//! How many calls may begin.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use super::super::sources::Sources;
use super::Settings;

/// Whether one more call may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Admission {
    /// It may.
    Yes,
    /// Its source has sent too many.
    SourceOver,
    /// All have.
    AllOver,
}

/// Two limits: one for each source, one for all together.
#[derive(Debug)]
pub(super) struct Rates {
    each: Sources,
    all: Sources,
}

/// Stands for everybody.
const EVERYBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl Rates {
    pub(super) fn new(settings: &Settings, sources_max: usize) -> Self {
        Self {
            each: Sources::new(
                settings.invites_per_second_per_source,
                settings.invites_burst_per_source,
                sources_max,
            ),
            all: Sources::new(settings.invites_per_second, settings.invites_burst, 1),
        }
    }

    pub(super) fn admit(&mut self, source: IpAddr, now: Instant) -> Admission {
        // A source that is over its own limit doesn't use up everybody's.
        if !self.each.admit(source, now) {
            Admission::SourceOver
        } else if !self.all.admit(EVERYBODY, now) {
            Admission::AllOver
        } else {
            Admission::Yes
        }
    }
}
