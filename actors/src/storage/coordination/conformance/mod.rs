//! One suite for all that coordinate: each sentence of [`super::Coordination`] is a case.
//!
//! An implementation calls [`conformance!`] in its tests with an expression that makes an empty one that keeps
//! states of at most 1,000 bytes and lets at most 8 hints wait.

pub(in crate::storage) mod calls;
pub(in crate::storage) mod checkpoints;
pub(in crate::storage) mod hints;
pub(in crate::storage) mod leases;
pub(in crate::storage) mod places;
pub(in crate::storage) mod rates;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{Coordination, NodeRun};
use crate::types::{CallId, TenantId};

/// What is tested.
pub(in crate::storage) type Shared = Arc<dyn Coordination>;

/// A life long enough for any test.
const LONG_MS: u64 = 60_000;
/// A life that is waited for.
const SHORT_MS: u64 = 400;

fn tenant(name: &str) -> TenantId {
    TenantId::new(name)
}

fn call(number: u128) -> CallId {
    CallId::new(uuid::Uuid::from_u128(number))
}

fn node(name: &str) -> NodeRun {
    NodeRun::new(name)
}

/// Waits until what lives [`SHORT_MS`] is over.
async fn short_life() {
    tokio::time::sleep(Duration::from_millis(SHORT_MS + 50)).await;
}

/// Does something sixty-four times at once.
async fn at_once<T, Doing>(what: impl Fn(usize) -> Doing) -> Vec<T>
where
    T: Send + 'static,
    Doing: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..64).map(|index| tokio::spawn(what(index))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no panic"));
    }
    answers
}

/// Makes one test of each case.
macro_rules! conformance {
    ($shared:expr) => {
        $crate::storage::coordination::conformance::conformance!(@ $shared;
            places {
                a_tenant_has_as_many_places_as_its_limit,
                a_call_is_counted_once,
                a_place_that_is_left_is_free,
                a_place_that_is_forgotten_frees_itself,
                a_place_that_is_held_stays,
                calls_under_way_are_counted_above_the_limit,
                of_sixty_four_at_once_exactly_the_limit_get_in,
                tenants_have_their_own_places
            }
            calls {
                a_call_is_found_where_it_was_put,
                an_entry_expires_unless_it_is_put_again,
                another_node_s_call_stays_its_own,
                a_node_s_calls_are_listed,
                a_removed_call_is_gone_with_its_state,
                a_dead_node_s_call_is_claimed_by_one
            }
            checkpoints {
                a_newer_state_replaces_and_an_older_one_does_not,
                the_same_version_again_is_the_same_write,
                of_many_writers_the_newest_wins,
                a_state_expires_and_can_be_forgotten,
                whoever_lost_a_call_keeps_no_state_of_it,
                a_state_is_any_bytes_up_to_its_bound
            }
            leases {
                a_lease_has_one_holder,
                its_holder_takes_it_again_with_the_same_token,
                tokens_grow_from_holder_to_holder,
                a_lapsed_lease_is_not_renewed,
                only_its_holder_gives_it_back,
                of_sixty_four_at_once_one_gets_it
            }
            rates {
                a_burst_and_then_the_rate,
                a_limit_told_to_wait_is_allowed_then,
                limits_are_apart,
                of_sixty_four_at_once_exactly_the_burst_is_allowed
            }
            hints {
                everybody_who_listens_hears_it,
                who_comes_late_has_missed_it,
                who_does_not_keep_up_hears_of_a_gap,
                nobody_has_to_listen,
                it_works_and_says_so
            }
        );
    };
    (@ $shared:expr; $($group:ident { $($case:ident),+ })+) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                let (shared, _kept) = $shared;
                $crate::storage::coordination::conformance::$group::$case(shared).await;
            }
        )+)+
    };
}
pub(in crate::storage) use conformance;
