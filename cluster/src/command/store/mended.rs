//! What was mended of rows that were read while they changed, in words.

use actors::storage::backup::Mended;

/// One line for each kind; nothing where there was nothing to mend.
pub(super) fn text(mended: &Mended) -> String {
    let mut text = String::new();
    for (what, count) in [
        ("changed while it was made", mended.appointments_renewed),
        ("made while it was made", mended.appointments_added),
    ] {
        if count > 0 {
            text += &format!("{count} appointment(s) were {what}\n");
        }
    }
    for (count, what) in [
        (mended.numbers, "number(s) were another business's by then"),
        (mended.users, "user(s) were left out: another had their address by then"),
        (mended.of_other_calls, "event(s) and state(s) of calls that began later were left out"),
        (mended.recordings, "recording(s) were erased meanwhile"),
    ] {
        if count > 0 {
            text += &format!("{count} {what}\n");
        }
    }
    for (tenant, booking) in &mended.appointments_without_time {
        text += &format!(
            "appointment {booking} of {tenant} is kept as cancelled: its time was another's by then; ask whoever \
             it is for\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use actors::types::{BookingId, TenantId};

    #[test]
    fn it_says_who_must_be_asked_and_nothing_of_what_is_whole() {
        assert_eq!(text(&Mended::default()), "");
        let lost = (TenantId::new("barbers"), BookingId::default());
        let mended = Mended { numbers: 2, appointments_without_time: vec![lost], ..Mended::default() };
        let told = text(&mended);
        assert!(told.starts_with("2 number(s) were another business's"), "{told}");
        assert!(told.contains("of barbers is kept as cancelled") && told.lines().count() == 2, "{told}");
    }
}
