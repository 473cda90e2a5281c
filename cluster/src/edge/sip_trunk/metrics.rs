//! What the trunk counts.

use actors::types::Attestation;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use super::Counts;
use crate::sip::dialog::Offers;
use crate::sip::sdp::Unacceptable;

/// INVITEs that began a call, by `result`: `offered`, `refused`.
pub const INVITES: &str = "strowger_sip_invites_total";
/// Calls that are to take the place of others, by `way` (`replaces` for those who ask, `refer` for those that we are
/// asked to make) and `result`: `called`, `taken`, `refused`, `failed`.
pub const TAKEOVERS: &str = "strowger_sip_takeovers_total";
/// Calls that we make, by when audio is `offered`: `early`, `delayed`.
pub const CALLS_MADE: &str = "strowger_sip_calls_made_total";
/// Calls that end because what the far side describes in its answer can't be used, by `why`.
pub const UNUSABLE: &str = "strowger_sip_unusable_descriptions_total";
/// Refused requests, by `status`.
pub const REFUSALS: &str = "strowger_sip_refusals_total";
/// Messages sent again because no answer or ACK came, by `kind`.
pub const RETRANSMISSIONS: &str = "strowger_sip_retransmissions_total";
/// Messages that were dropped, by `reason`.
pub const DROPS: &str = "strowger_sip_drops_total";
/// Inputs that a dialog passed over.
pub const IGNORED: &str = "strowger_sip_ignored_total";
/// Calls alive.
pub const DIALOGS: &str = "strowger_sip_dialogs";
/// Transactions alive, by `role`.
pub const TRANSACTIONS: &str = "strowger_sip_transactions";
/// Connections open.
pub const CONNECTIONS: &str = "strowger_sip_tcp_connections";

/// Times the certificates were read anew, by `result`: `taken`, `refused`.
pub const CERTIFICATES: &str = "strowger_sip_certificate_reads_total";

/// Passwords asked for and given, by `result`: `asked`, `stale`, `known`, `wrong`, `other_uri`.
pub const AUTHENTICATIONS: &str = "strowger_sip_authentications_total";

/// INVITEs of the trunks that are named in the settings, by `trunk` and `result`: `taken`, `forbidden`.
pub const OF_TRUNK: &str = "strowger_sip_trunk_invites_total";

/// What networks said of callers, by `result`: `none`, `A`, `B`, `C`, or why it does not hold.
pub const ATTESTATIONS: &str = "strowger_sip_attestations_total";

/// What became of our registrations, by `trunk` and `result`: `granted`, `failed`, `expired`, `left`.
pub const REGISTRATIONS: &str = "strowger_sip_registrations_total";
/// Whether a provider knows where we are: 1 or 0, by `trunk`.
pub const REGISTERED: &str = "strowger_sip_registered";

/// Says what each metric is. Call once, when a recorder is installed.
pub fn describe() {
    describe_counter!(INVITES, Unit::Count, "INVITEs that began a call, by result");
    describe_counter!(
        TAKEOVERS,
        Unit::Count,
        "SIP calls that are to take the place of others, by way and result"
    );
    describe_counter!(CALLS_MADE, Unit::Count, "SIP calls that we make, by when audio is offered");
    describe_counter!(UNUSABLE, Unit::Count, "SIP calls ended for what their answer describes, by why");
    describe_counter!(REFUSALS, Unit::Count, "refused SIP requests, by status");
    describe_counter!(RETRANSMISSIONS, Unit::Count, "SIP messages sent again, by kind");
    describe_counter!(DROPS, Unit::Count, "SIP messages dropped, by reason");
    describe_counter!(IGNORED, Unit::Count, "inputs that a SIP dialog passed over");
    describe_counter!(CERTIFICATES, Unit::Count, "times the SIP certificates were read anew, by result");
    describe_counter!(AUTHENTICATIONS, Unit::Count, "SIP passwords asked for and given, by result");
    describe_counter!(OF_TRUNK, Unit::Count, "INVITEs of the named SIP trunks, by trunk and result");
    describe_counter!(ATTESTATIONS, Unit::Count, "what networks said of SIP callers, by result");
    describe_counter!(REGISTRATIONS, Unit::Count, "answers to our SIP registrations, by trunk and result");
    describe_gauge!(REGISTERED, Unit::Count, "1 where a SIP trunk is registered");
    describe_gauge!(DIALOGS, Unit::Count, "SIP calls alive");
    describe_gauge!(TRANSACTIONS, Unit::Count, "SIP transactions alive, by role");
    describe_gauge!(CONNECTIONS, Unit::Count, "SIP connections open");
}

pub(super) fn dropped(reason: &'static str) {
    counter!(DROPS, "reason" => reason).increment(1);
}

pub(super) fn refused(status: u16) {
    counter!(REFUSALS, "status" => status.to_string()).increment(1);
}

pub(super) fn invited(result: &'static str) {
    counter!(INVITES, "result" => result).increment(1);
}

pub(super) fn called(offers: Offers) {
    let offered = match offers {
        Offers::Early => "early",
        Offers::Delayed => "delayed",
    };
    counter!(CALLS_MADE, "offered" => offered).increment(1);
}

pub(super) fn unusable(why: Unacceptable) {
    counter!(UNUSABLE, "why" => why.name()).increment(1);
}

pub(super) fn taken_over(way: &'static str, result: &'static str) {
    counter!(TAKEOVERS, "way" => way, "result" => result).increment(1);
}

pub(super) fn retransmitted(kind: &'static str) {
    counter!(RETRANSMISSIONS, "kind" => kind).increment(1);
}

pub(super) fn certificates_read(result: &'static str) {
    counter!(CERTIFICATES, "result" => result).increment(1);
}

pub(super) fn authenticated(result: &'static str) {
    counter!(AUTHENTICATIONS, "result" => result).increment(1);
}

pub(super) fn attested(attestation: Attestation) {
    let result = match attestation {
        Attestation::Failed(why) => why.name(),
        other => other.name(),
    };
    counter!(ATTESTATIONS, "result" => result).increment(1);
}

pub(super) fn of_trunk(name: &str, result: &'static str) {
    counter!(OF_TRUNK, "trunk" => name.to_owned(), "result" => result).increment(1);
}

pub(super) fn registered(trunk: &str, result: &'static str, is_registered: bool) {
    counter!(REGISTRATIONS, "trunk" => trunk.to_owned(), "result" => result).increment(1);
    gauge!(REGISTERED, "trunk" => trunk.to_owned()).set(if is_registered { 1.0 } else { 0.0 });
}

pub(super) fn ignored() {
    counter!(IGNORED).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(super) fn publish(counts: &Counts) {
    gauge!(DIALOGS).set(counts.dialogs as f64);
    gauge!(TRANSACTIONS, "role" => "server").set(counts.server_transactions as f64);
    gauge!(TRANSACTIONS, "role" => "client").set(counts.client_transactions as f64);
    gauge!(CONNECTIONS).set(counts.tcp_connections as f64);
}
