//! Media.

use crate::rtp::codec::{Codec, Decoder};
use crate::rtp::comfort_noise::ComfortNoise;
use crate::rtp::jitter_buffer::{JitterBuffer, Settings};
use crate::rtp::packet::{Header, Packet, is_rtcp};
use crate::rtp::protection::{Key, Opening, Sealing, Suite};
use crate::rtp::reception::{Arrival, Reception};
use crate::rtp::telephone_event::Receiver;
use crate::rtp::timestamps::Timestamps;
use crate::rtp::{FRAME, rtcp};

/// The longest packet that is heard in full, as on the media threads: 200 ms.
const MOST_SAMPLES: usize = 1_600;
const OURS: u32 = 0x0102_0304;

/// A stream: each packet has its length before it, one byte; the audio is heard to its end.
pub(super) fn packets(bytes: &[u8]) {
    let Some(mut hearing) = Hearing::new() else { return };
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first() {
        let (packet, after) = after.split_at(usize::from(*length).min(after.len()));
        hearing.packet(packet);
        rest = after;
    }
}

struct Hearing {
    decoders: Vec<Decoder>,
    jitter: JitterBuffer,
    reception: Reception,
    keys: Receiver,
    timestamps: Timestamps,
    now: u64,
}

impl Hearing {
    fn new() -> Option<Self> {
        let codecs = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];
        Some(Self {
            decoders: codecs.into_iter().map(Decoder::new).collect::<Option<_>>()?,
            jitter: JitterBuffer::new(&Settings::default()),
            reception: Reception::default(),
            keys: Receiver::default(),
            timestamps: Timestamps::default(),
            now: 0,
        })
    }

    fn packet(&mut self, bytes: &[u8]) {
        let mut frame = [0; FRAME];
        let played = self.jitter.read(&mut frame);
        assert!(played.heard + played.concealed <= FRAME, "{played:?}");
        self.now += 20_000;
        let Some(Packet { header, payload }) = Packet::parse(bytes) else { return };
        assert!(payload.len() + 12 <= bytes.len(), "more came out than went in");
        let timestamp = self.timestamps.narrow(header.timestamp, 1 + u32::from(header.marker) * 5);
        let arrival = self.reception.packet(&Header { timestamp, ..header }, Some(self.now));
        assert!(self.reception.received() <= self.reception.expected(), "more came than was sent");
        if arrival == Arrival::Restarts {
            self.jitter.restart();
            self.keys.restart();
        }
        let _ = (self.reception.lost(), self.reception.jitter_ms(), self.reception.report());
        if let Some(decoder) = self.decoders.get_mut(usize::from(header.payload_type & 7)) {
            let mut audio = [0; MOST_SAMPLES];
            let count = decoder.decode(payload, &mut audio);
            assert!(count <= MOST_SAMPLES, "{count} samples");
            let audio = audio.get(..count).unwrap_or_default();
            self.jitter.insert(timestamp, audio, u64::from(header.sequence) * 10);
        } else if header.payload_type == 101 {
            let _ = self.keys.packet(header.timestamp, header.marker, payload);
        } else {
            ComfortNoise::parse(payload).fill(&mut frame);
        }
        let _ = self.jitter.delay_ms();
    }
}

/// What the far side says of our stream.
pub(super) fn reports(bytes: &[u8]) {
    let Some(heard) = rtcp::parse(bytes, OURS) else { return };
    if let Some(block) = heard.about_us {
        assert_eq!(block.ssrc, OURS, "somebody else's figures");
        let trip = rtcp::round_trip_ms(&block, 0x8000_0000);
        assert!(trip.is_none_or(|trip| (0.0..=10_000.0).contains(&trip)), "{trip:?}");
    }
}

/// Sealed packets: nothing that was made up is opened, what we sealed is opened once.
pub(super) fn protected(bytes: &[u8]) {
    let suites = [Suite::AesCm128Sha1With80, Suite::AesCm128Sha1With32, Suite::AesGcm128, Suite::AesGcm256];
    let lengths = [30, 30, 28, 44];
    let Some((first, bytes)) = bytes.split_first() else { return };
    let which = usize::from(*first) % suites.len();
    let (Some(suite), Some(length)) = (suites.get(which), lengths.get(which)) else { return };
    let key = Key { suite: *suite, master: vec![0x5a; *length] };
    let Ok(mut opening) = Opening::new(&key) else { return };
    assert!(opening.open(bytes).is_err(), "a packet without a key was believed");
    assert!(opening.open_report(bytes).is_err(), "a report without a key was believed");
    let mut sealing = Sealing::default();
    if sealing.use_key(&key).is_err() {
        return;
    }
    if is_rtcp(bytes) {
        if let Ok(sealed) = sealing.seal_report(bytes) {
            let _ = opening.open_report(&sealed);
            assert!(opening.open_report(&sealed).is_err(), "a report was believed twice");
        }
    } else if let Some(packet) = Packet::parse(bytes)
        // We write headers without lists and extensions, and seal nothing else.
        && let Ok(sealed) = sealing.seal(&[&packet.header.to_bytes()[..], packet.payload].concat())
    {
        let _ = opening.open(&sealed);
        assert!(opening.open(&sealed).is_err(), "a packet was believed twice");
    }
}
