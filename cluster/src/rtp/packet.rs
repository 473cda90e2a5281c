//! RTP packets (RFC 3550 section 5.1).

/// Bytes of a header without contributing sources and extension.
pub const HEADER_BYTES: usize = 12;

/// The fields of a header that a telephone call uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Header {
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// The marker: first packet after silence, or first of a telephone event.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp, in samples.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

impl Header {
    /// The header on the wire: version 2, no padding, no extension, no contributing sources.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [c0, c1, c2, c3] = self.ssrc.to_be_bytes();
        let kind = (self.payload_type & 0x7f) | if self.marker { 0x80 } else { 0 };
        [0x80, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]
    }
}

/// A packet in the buffer it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its header.
    pub header: Header,
    /// What it carries, without padding.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet. `None` for anything that is not well-formed RTP version 2, RTCP on the same port
    /// included (RFC 5761 section 4: packet types 192 to 223).
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (fixed, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
        if first >> 6 != 2 || is_rtcp(bytes) {
            return None;
        }
        let mut payload = rest.get(usize::from(first & 0x0f) * 4..)?;
        if first & 0x10 != 0 {
            let ([_, _, l0, l1], after) = payload.split_first_chunk::<4>()?;
            payload = after.get(usize::from(u16::from_be_bytes([*l0, *l1])) * 4..)?;
        }
        if first & 0x20 != 0 {
            let padding = usize::from(*payload.last()?);
            if padding == 0 {
                return None;
            }
            payload = payload.get(..payload.len().checked_sub(padding)?)?;
        }
        let header = Header {
            payload_type: second & 0x7f,
            marker: second & 0x80 != 0,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        };
        Some(Self { header, payload })
    }
}

/// Whether these bytes are RTCP rather than RTP (RFC 5761 section 4).
#[must_use]
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, 192..=223, ..] if first >> 6 == 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER_BYTES <= bytes.len());
            }
        }

        #[test]
        fn a_header_survives_the_wire(payload_type in 0u8..64, marker: bool, sequence: u16, timestamp: u32, ssrc: u32) {
            let header = Header { payload_type, marker, sequence, timestamp, ssrc };
            let mut bytes = header.to_bytes().to_vec();
            bytes.extend([1, 2, 3]);
            prop_assert_eq!(Packet::parse(&bytes), Some(Packet { header, payload: &[1, 2, 3] }));
        }
    }

    #[test]
    fn sources_extension_and_padding_are_passed_over() {
        let mut bytes = Header { sequence: 7, ..Header::default() }.to_bytes().to_vec();
        bytes[0] = 0x80 | 0x20 | 0x10 | 2;
        bytes.extend([0; 8]);
        bytes.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        bytes.extend([5, 6, 0, 0, 3]);
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.payload, [5, 6]);
        assert_eq!(packet.header.sequence, 7);
    }

    #[test]
    fn rtcp_is_no_rtp() {
        let mut bytes = [0u8; 28];
        (bytes[0], bytes[1]) = (0x80, 200);
        assert!(is_rtcp(&bytes));
        assert_eq!(Packet::parse(&bytes), None);
    }
}
