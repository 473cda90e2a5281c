//! Packets in: whose they are, what they carry, and the frame that is heard now.

use actors::types::CallQuality;

use super::batch::Datagram;
use super::decoding::Decoding;
use super::{MediaEvent, Piece, Settings, Stream};
use crate::rtp::comfort_noise::{self, ComfortNoise};
use crate::rtp::jitter_buffer::{JitterBuffer, Placed};
use crate::rtp::latch::Latch;
use crate::rtp::packet::{Header, Packet};
use crate::rtp::reception::{Arrival, Reception};
use crate::rtp::score::mean_opinion_score;
use crate::rtp::telephone_event::Receiver;
use crate::rtp::{FRAME, Micros};

/// The longest packet that is heard in full: 200 ms.
const MOST_SAMPLES: usize = 1_600;

#[derive(Debug)]
pub(super) struct Incoming {
    decoding: Decoding,
    jitter: JitterBuffer,
    pub(super) reception: Reception,
    keys: Receiver,
    /// The far side stopped sending in silence and wants this heard.
    noise: Option<ComfortNoise>,
    heard_any: bool,
    heard_at: Micros,
    timed_out: bool,
    /// Packets that came after their moment.
    pub(super) late: u64,
    concealed_samples: u64,
}

impl Incoming {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            decoding: Decoding::default(),
            jitter: JitterBuffer::new(&settings.jitter_buffer),
            reception: Reception::default(),
            keys: Receiver::default(),
            noise: None,
            heard_any: false,
            heard_at: 0,
            timed_out: false,
            late: 0,
            concealed_samples: 0,
        }
    }

    /// The far side may send from now on, or again: waiting for it starts over.
    pub(super) fn expect(&mut self, now: Micros) {
        self.heard_at = now;
        self.timed_out = false;
    }

    /// The far side is held: what came before is not heard any more.
    pub(super) fn hold(&mut self) {
        self.jitter.restart();
        self.keys.restart();
        self.noise = None;
    }

    /// Takes a datagram. Whether it was a packet of this call's.
    pub(super) fn datagram(
        &mut self,
        datagram: &Datagram<'_>,
        stream: &Stream,
        latch: &mut Latch,
        now: Micros,
        tell: &mut impl FnMut(MediaEvent),
    ) -> bool {
        let Some(Packet { header, payload }) = Packet::parse(datagram.bytes) else { return false };
        if !latch.accepts(datagram.source, &header, now) {
            return false;
        }
        self.heard_at = now;
        self.timed_out = false;
        if !self.heard_any {
            self.heard_any = true;
            tell(MediaEvent::FirstPacket);
        }
        let codec = Decoding::codec(header.payload_type, stream);
        let arrival = codec.map(|_| now.saturating_sub(datagram.age));
        let mut timestamp = self.decoding.timestamp(header.timestamp, stream);
        match self.reception.packet(&Header { timestamp, ..header }, arrival) {
            Arrival::First | Arrival::Astray => {}
            // Nothing of it is new, and one that comes again too late was not lost.
            Arrival::Again => return true,
            Arrival::Restarts => {
                self.jitter.restart();
                self.keys.restart();
                self.decoding.restart();
                timestamp = self.decoding.timestamp(header.timestamp, stream);
            }
        }
        if !stream.direction.receives() {
            return true;
        }
        if let Some(codec) = codec {
            self.noise = None;
            let mut audio = [0; MOST_SAMPLES];
            let count = self.decoding.decode(codec, header.sequence, payload, &mut audio);
            let audio = audio.get(..count).unwrap_or_default();
            let placed = self.jitter.insert(timestamp, audio, datagram.age);
            self.late += u64::from(placed == Placed::Late);
        } else if stream.telephone_event == Some(header.payload_type) {
            let key = self.keys.packet(header.timestamp, header.marker, payload);
            key.into_iter().for_each(|key| tell(MediaEvent::Digit(key)));
        } else if header.payload_type == comfort_noise::PAYLOAD_TYPE {
            match &mut self.noise {
                Some(noise) => noise.follow(payload),
                None => self.noise = Some(ComfortNoise::parse(payload)),
            }
        }
        true
    }

    /// Takes a piece of a line: it is one packet after another.
    pub(super) fn piece(&mut self, piece: &Piece, now: Micros, tell: &mut impl FnMut(MediaEvent)) {
        self.heard_at = now;
        self.timed_out = false;
        if !self.heard_any {
            self.heard_any = true;
            tell(MediaEvent::FirstPacket);
        }
        let sequence = (self.reception.received() & 0xffff) as u16;
        let header = Header { payload_type: 0, marker: false, sequence, timestamp: piece.timestamp, ssrc: 0 };
        self.reception.packet(&header, Some(now));
        let audio = piece.audio.get(..piece.count).unwrap_or_default();
        let placed = self.jitter.insert(piece.timestamp, audio, 0);
        self.late += u64::from(placed == Placed::Late);
    }

    /// The frame that is heard now.
    pub(super) fn frame(&mut self, out: &mut [i16; FRAME]) {
        let frame = self.jitter.read(out);
        match &mut self.noise {
            // What the buffer made up is not missing: the far side said that it would be silent.
            Some(noise) if frame.heard == 0 => noise.fill(out),
            _ => self.concealed_samples += frame.concealed as u64,
        }
    }

    /// Whether the far side has now been silent for too long. Once per silence.
    pub(super) fn has_died(&mut self, now: Micros, dead_media_ms: u64) -> bool {
        let dead = !self.timed_out && now.saturating_sub(self.heard_at) > dead_media_ms * 1_000;
        self.timed_out |= dead;
        dead
    }

    /// What the line was like.
    pub(super) fn quality(&self, packets_sent: u64, round_trip_ms: Option<f32>) -> CallQuality {
        let packets_received = self.reception.received();
        let packets_lost = self.reception.lost() + self.late;
        let loss = packets_lost as f32 / self.reception.expected().max(1) as f32;
        // One packet is 20 ms before it can be sent; the buffer and the network add theirs.
        let delay_ms = 20.0 + self.jitter.delay_ms() as f32 + round_trip_ms.unwrap_or(0.0) / 2.0;
        CallQuality {
            packets_received,
            packets_sent,
            packets_lost,
            jitter_ms: self.reception.jitter_ms(),
            round_trip_ms,
            mos: (packets_received > 0).then(|| mean_opinion_score(loss, delay_ms)),
            concealed_ms: self.concealed_samples / 8,
        }
    }
}
