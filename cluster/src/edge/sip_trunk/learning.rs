//! From where providers call with whom we have an account and do not register: from where their names lead (RFC 3263).
//! Where we register, each search for a server teaches the same.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::shard::Shared;
use crate::sip::location::Wanted;

/// Looks them up, and again and again, for as long as it is let: a provider may move.
pub(super) async fn learn(shared: Arc<Shared>) {
    let of_account = |(trunk, account): (usize, Option<&super::Account>)| {
        let account = account.filter(|account| !account.register && shared.guard.learns(trunk))?;
        Some((trunk, account.wanted()?))
    };
    let all: Vec<(usize, Wanted)> = shared.guard.accounts().enumerate().filter_map(of_account).collect();
    if all.is_empty() {
        return;
    }
    let every = Duration::from_millis(shared.settings.names.again_ms);
    let reaches = |transport, address| shared.transports.reaches(transport, address);
    loop {
        for (trunk, wanted) in &all {
            match shared.names.find(wanted, &reaches, crate::chance::number()).await {
                Ok(targets) => {
                    shared.guard.learn(*trunk, targets.iter().map(|target| target.address.ip()));
                }
                // It may still call from where it did.
                Err(lost) => {
                    let (trunk, unanswered) = (shared.guard.name(*trunk), lost.unanswered);
                    tracing::warn!(trunk, unanswered, "it is not known from where a provider calls");
                }
            }
        }
        sleep(every).await;
    }
}
