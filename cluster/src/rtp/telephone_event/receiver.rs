//! What was pressed.

use serde::{Deserialize, Serialize};

use super::Event;

/// How far a repeated packet's timestamp may run ahead of the duration that was told, in samples, and still
/// be the same press: some senders move the timestamp with every packet.
const SAME_PRESS: u32 = 240;

/// Tells each press once, at its first packet that arrives.
///
/// Presses are told apart by timestamp, as RFC 4733 section 2.5.1 has it, so no packet in particular is
/// needed: not the first, not the marker, none of the ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Receiver {
    last: Option<Press>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Press {
    timestamp: u32,
    code: u8,
    duration: u16,
    ended: bool,
}

impl Receiver {
    /// Takes a packet; the key, if it tells of a new press.
    pub fn packet(&mut self, timestamp: u32, marker: bool, payload: &[u8]) -> Option<char> {
        let event = Event::parse(payload)?;
        let key = event.key()?;
        if let Some(last) = &mut self.last {
            let ahead = timestamp.wrapping_sub(last.timestamp);
            if ahead > u32::MAX / 2 {
                // Overtaken by a later press.
                return None;
            }
            let may_go_on = !last.ended || event.end;
            let goes_on = !marker && may_go_on && ahead <= u32::from(last.duration) + SAME_PRESS;
            if ahead == 0 || (event.code == last.code && goes_on) {
                last.timestamp = timestamp;
                last.ended |= event.end;
                last.duration = event.duration;
                return None;
            }
        }
        self.last = Some(Press { timestamp, code: event.code, duration: event.duration, ended: event.end });
        Some(key)
    }

    /// Whether a key is down, as far as is known.
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        self.last.as_ref().is_some_and(|press| !press.ended)
    }

    /// Forgets the last press. For a new source.
    pub fn restart(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn payload(code: u8, end: bool, duration: u16) -> [u8; 4] {
        Event { code, end, duration }.to_bytes()
    }

    #[test]
    fn a_press_is_told_once_whatever_is_lost() {
        // A press as it is sent: marker, growing durations, three ends.
        let packets: Vec<(bool, [u8; 4])> = (1..=5u16)
            .map(|step| (step == 1, payload(5, false, step * 160)))
            .chain((0..3).map(|_| (false, payload(5, true, 960))))
            .collect();
        for kept in 1u32..1 << packets.len() {
            let mut receiver = Receiver::default();
            for timestamp in [1_000u32, 5_000] {
                let told: Vec<char> = packets
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| kept >> index & 1 == 1)
                    .filter_map(|(_, (marker, payload))| receiver.packet(timestamp, *marker, payload))
                    .collect();
                assert_eq!(told, ['5'], "{kept:b}");
            }
        }
    }

    #[test]
    fn a_press_split_for_its_length_is_one() {
        let mut receiver = Receiver::default();
        assert_eq!(receiver.packet(100, true, &payload(11, false, 0xffff)), Some('#'));
        assert_eq!(receiver.packet(100 + 0xffff, false, &payload(11, false, 160)), None);
        assert_eq!(receiver.packet(100 + 0xffff, false, &payload(11, true, 320)), None);
    }

    #[test]
    fn a_timestamp_that_moves_with_every_packet_is_one_press() {
        let mut receiver = Receiver::default();
        assert_eq!(receiver.packet(0, true, &payload(1, false, 160)), Some('1'));
        for step in 1..6u16 {
            assert_eq!(
                receiver.packet(u32::from(step) * 160, false, &payload(1, step > 3, step * 160)),
                None
            );
        }
        assert_eq!(receiver.packet(4_000, true, &payload(1, false, 160)), Some('1'));
    }

    #[test]
    fn an_old_packet_of_an_earlier_press_is_no_press() {
        let mut receiver = Receiver::default();
        assert_eq!(receiver.packet(1_000, true, &payload(1, true, 800)), Some('1'));
        assert_eq!(receiver.packet(3_000, true, &payload(2, false, 160)), Some('2'));
        assert_eq!(receiver.packet(1_000, false, &payload(1, true, 800)), None);
        assert!(receiver.is_pressed());
    }

    proptest! {
        #[test]
        fn any_payload_is_taken(packets in proptest::collection::vec((any::<u32>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..8)), 0..50)) {
            let mut receiver = Receiver::default();
            for (timestamp, marker, payload) in packets {
                receiver.packet(timestamp, marker, &payload);
            }
        }
    }
}
