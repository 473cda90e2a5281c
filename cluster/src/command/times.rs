//! Times and lengths for people.

use actors::types::CallTime;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-11-22 18:03:11` in the zone named, or in UTC where that zone is not known here.
pub(super) fn moment(at: Timestamp, time_zone: &str) -> String {
    zoned(at, time_zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `Sun 22 Nov 2026, 18:03` in the zone named.
pub(super) fn appointment(at: Timestamp, time_zone: &str) -> String {
    zoned(at, time_zone).strftime("%a %d %b %Y, %H:%M").to_string()
}

fn zoned(at: Timestamp, time_zone: &str) -> jiff::Zoned {
    at.to_zoned(TimeZone::get(time_zone).unwrap_or(TimeZone::UTC))
}

/// `1:02.3`: minutes, seconds, tenths.
pub(super) fn into_call(at: CallTime) -> String {
    let tenths = at.as_ms() / 100;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

/// `1:02`: minutes and seconds.
pub(super) fn length(from: Timestamp, until: Timestamp) -> String {
    let seconds = until.duration_since(from).as_secs().max(0);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_the_business_s_own_zone() {
        let summer: Timestamp = "2026-07-01T11:30:00Z".parse().expect("a time");
        assert_eq!(moment(summer, "Europe/London"), "2026-07-01 12:30:00");
        assert_eq!(appointment(summer, "Europe/London"), "Wed 01 Jul 2026, 12:30");
        assert_eq!(moment(summer, "Nowhere/Land"), "2026-07-01 11:30:00");
        assert_eq!(into_call(CallTime::from_ms(62_345)), "1:02.3");
        assert_eq!(length(summer, summer + jiff::SignedDuration::from_secs(125)), "2:05");
    }
}
