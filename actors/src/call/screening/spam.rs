//! How likely a call is spam, by what can be known before it is answered.

use super::{Arriving, Settings};
use crate::types::{Attestation, Distrust, PhoneNumber, Spam, SpamSign};

/// The most there is.
const MOST: u32 = 100;
/// Numbers that differ only in their last digits are neighbours: callers who imitate one's own exchange.
const NEIGHBOURS_DIGITS: usize = 2;
/// A neighbour must have so many digits: short extensions are all neighbours.
const NUMBER_DIGITS: usize = 8;

/// The score and what made it. Callers who show no number are not scored: there is a policy for them.
pub(super) fn score(call: &Arriving<'_>, settings: &Settings) -> Spam {
    let Some(caller) = call.caller else { return Spam { score: 0, reasons: Vec::new() } };
    let signs = [
        (does_not_hold(call.attestation), SpamSign::FalselyVouchedFor, settings.falsely_vouched),
        (
            call.attestation == Attestation::Gateway,
            SpamSign::VouchedForByGateway,
            settings.vouched_by_gateway,
        ),
        (shows_ours(caller, call.called), SpamSign::ShowsOurNumber, settings.shows_our_number),
        (call.recent.calls >= settings.calls_many, SpamSign::ManyCalls, settings.many_calls),
        (call.recent.short >= settings.short_many, SpamSign::HangsUpAtOnce, settings.hangs_up_at_once),
        (is_impossible(caller), SpamSign::ImpossibleNumber, settings.impossible_number),
    ];
    let mut found: Vec<(u32, SpamSign)> =
        signs.into_iter().filter(|(is_so, ..)| *is_so).map(|(_, sign, weight)| (weight, sign)).collect();
    // Weightiest first; the order above among equals.
    found.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let sum = found.iter().fold(0_u32, |sum, (weight, _)| sum.saturating_add(*weight));
    let against = if call.attestation == Attestation::Full { settings.vouched_fully } else { 0 };
    Spam {
        score: sum.saturating_sub(against).min(MOST),
        reasons: found.into_iter().map(|(_, sign)| sign).collect(),
    }
}

/// Whether what was said is false; that a certificate could not be had is nobody's lie.
const fn does_not_hold(attestation: Attestation) -> bool {
    matches!(attestation, Attestation::Failed(why) if !matches!(why, Distrust::NoCertificate))
}

/// Whether the caller shows the number that they call, or one beside it.
fn shows_ours(caller: &PhoneNumber, called: &PhoneNumber) -> bool {
    if caller.reaches_same_line(called) {
        return true;
    }
    let (theirs, ours) = (caller.digits(), called.digits());
    let head = |digits: &str| digits.len().checked_sub(NEIGHBOURS_DIGITS);
    ours.len() >= NUMBER_DIGITS
        && theirs.len() == ours.len()
        && head(theirs).and_then(|end| theirs.get(..end)) == head(ours).and_then(|end| ours.get(..end))
}

/// Whether it is written as an international number and can't be one: no country begins with 0 (ITU-T E.164), and
/// none has so few digits.
fn is_impossible(caller: &PhoneNumber) -> bool {
    caller.as_str().starts_with('+') && (caller.digits().starts_with('0') || caller.digits().len() < 7)
}
