//! One suite that every store passes: each sentence of [`super::Storage`] is a case.
//!
//! A backend calls [`conformance!`] in its tests with an expression that makes an empty store.

pub(super) mod audit;
pub(super) mod bookings;
pub(super) mod businesses;
pub(super) mod calls;
pub(super) mod erasure;
pub(super) mod holders;
pub(super) mod once;
pub(super) mod portable;
mod sample;
pub(super) mod users;

pub(crate) use sample::*;

/// All that a store holds, as bytes, and the names of its tables.
#[derive(Debug, Default)]
pub struct Everything {
    /// Those that a call which is over leaves something in.
    pub tables: Vec<String>,
    /// Each row's table and bytes.
    pub rows: Vec<(String, Vec<u8>)>,
}

/// Makes one test of each case; or, as `conformance!(in_turn run)`, has `run!(name, case).await` run one after
/// the other.
macro_rules! conformance {
    (@ [in_turn $run:ident] $($group:ident { $($case:ident),+ })+) => {
        $($(
            $run!(stringify!($case), $crate::storage::conformance::$group::$case).await;
        )+)+
    };
    (@ [$store:expr] $($group:ident { $($case:ident),+ })+) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                let (store, _kept) = $store;
                $crate::storage::conformance::$group::$case(store).await;
            }
        )+)+
    };
    ($($how:tt)+) => {
        $crate::storage::conformance::conformance!(@ [$($how)+]
            businesses {
                a_business_is_written_where_its_version_is_the_expected_one,
                a_number_belongs_to_one_business,
                businesses_are_listed_by_id,
                a_business_is_changed_by_one_of_many_at_once
            }
            calls {
                a_call_is_read_as_it_was_last_written,
                calls_are_listed_newest_first_in_pages,
                a_cursor_stays_true_while_calls_come_in,
                a_cursor_is_checked,
                callers_have_their_own_listing,
                a_call_whose_times_or_caller_change_is_listed_once,
                open_calls_are_those_without_an_end,
                an_event_is_appended_once,
                events_stay_in_order_whatever_order_they_come_in,
                a_clock_that_goes_back_loses_nothing,
                tenants_see_their_own_calls_only,
                a_checkpoint_replaces_the_one_before
            }
            holders {
                a_call_is_claimed_by_one_of_many,
                what_is_over_or_unknown_is_not_claimed,
                whoever_lost_a_call_writes_nothing_of_it,
                a_call_that_was_claimed_does_not_begin_again,
                whoever_lost_a_call_keeps_no_state_of_it,
                a_thing_has_one_owner_per_epoch
            }
            bookings {
                time_is_given_once,
                of_sixty_four_at_once_one_gets_the_time,
                overlapping_time_is_never_given_under_any_race,
                a_buffer_is_occupied_too,
                times_that_touch_do_not_overlap,
                moving_frees_the_old_time,
                moving_may_overlap_its_own_time,
                moving_to_taken_time_changes_nothing,
                a_change_names_the_version_it_changes,
                cancelling_frees_the_time_and_keeps_the_appointment,
                what_was_cancelled_is_not_moved,
                a_key_is_used_once,
                appointments_are_listed_by_start,
                tenants_and_resources_have_their_own_time,
                an_occupied_span_must_hold_its_appointment
            }
            once {
                a_message_is_kept_once_per_key,
                messages_are_listed_newest_first,
                the_first_outcome_is_the_one,
                of_many_outcomes_at_once_one_is_remembered,
                a_recording_is_read_as_it_was_last_written,
                a_business_has_one_key_for_ever,
                odd_names_are_kept_apart,
                a_store_that_works_says_so
            }
            users {
                an_email_address_is_one_users,
                of_many_users_at_once_one_gets_the_address,
                a_user_is_changed_where_their_version_is_the_expected_one,
                a_changed_address_is_taken_and_the_old_one_is_free,
                a_user_is_changed_by_one_of_many_at_once,
                addresses_are_swapped_over_and_over_and_never_two_users,
                users_are_listed_by_identity,
                a_deleted_users_address_is_free
            }
            portable {
                everything_is_exported_once,
                what_was_exported_makes_the_same_store,
                importing_again_changes_nothing,
                another_row_of_the_same_identity_is_refused,
                imported_time_and_numbers_are_given_once
            }
            erasure {
                of_an_erased_call_nothing_remains,
                a_conversation_is_erased_and_its_appointments_stand,
                a_call_that_goes_on_is_left,
                of_an_erased_caller_nothing_remains,
                a_caller_is_found_by_what_they_said,
                of_an_erased_business_nothing_remains,
                the_time_of_erased_appointments_is_free,
                an_erasure_is_repeated_without_harm,
                much_is_erased_in_steps,
                old_calls_are_listed_oldest_first,
                an_erased_recording_is_not_written_again,
                recordings_with_work_left_are_listed
            }
            audit {
                an_audit_is_a_chain,
                of_many_rows_at_once_each_has_its_number,
                keys_are_listed_replaced_and_dropped
            }
        );
    };
}
pub(crate) use conformance;
