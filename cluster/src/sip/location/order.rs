//! The order of SRV records (RFC 2782): by priority, and within one by a draw in which weights count.

use super::{RECORDS_MAX, Server};
use crate::sip::draws::Draws;

/// The servers in the order in which they are tried. Those that a domain says there are none of are left out.
pub(super) fn ordered(servers: &[Server], draws: &mut Draws) -> Vec<Server> {
    let mut left: Vec<Server> =
        servers.iter().filter(|server| !server.target.is_empty()).take(RECORDS_MAX).cloned().collect();
    // Those without weight stand first in their priority, so that they have a small chance of being chosen.
    left.sort_by(|one, other| {
        (one.priority, one.weight, &one.target, one.port).cmp(&(
            other.priority,
            other.weight,
            &other.target,
            other.port,
        ))
    });
    let mut chosen = Vec::with_capacity(left.len());
    while let Some(priority) = left.first().map(|server| server.priority) {
        let of_priority = left.iter().take_while(|server| server.priority == priority);
        let total: u64 = of_priority.clone().map(|server| u64::from(server.weight)).sum();
        let drawn = draws.between(0, total);
        let mut sum = 0;
        let at = of_priority
            .map(|server| {
                sum += u64::from(server.weight);
                sum
            })
            .position(|sum| sum >= drawn)
            .unwrap_or(0);
        chosen.push(left.remove(at));
    }
    chosen
}
