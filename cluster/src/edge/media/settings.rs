//! The bounds of the media edge.

use std::net::{IpAddr, Ipv4Addr};

use models::voice_activity;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::rtp::noise_suppression::Suppression;
use crate::rtp::{echo, jitter_buffer, level, telephone_event};

/// Bounds and addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address that sockets are bound to.
    pub address: IpAddr,
    /// The address that session descriptions show, where it is not the bound one (behind one-to-one NAT).
    pub public_address: Option<IpAddr>,
    /// The first port of the range. RTP takes the even ports, RTCP the odd one after each.
    pub first_port: u16,
    /// The last port of the range. A node serves at most half as many calls as the range has ports.
    pub last_port: u16,
    /// How long a port rests after a call, in milliseconds, so that a late packet of one call is not heard in
    /// the next.
    pub quarantine_ms: u64,
    /// Threads that serve all sessions; 0 for one less than there are cores, and at least one.
    pub threads: usize,
    /// Commands that may wait in one session.
    pub commands: usize,
    /// Utterances that may wait in one session; a further one is reported as ended, not played.
    pub utterances: usize,
    /// The kernel's receive buffer per socket, in bytes.
    pub receive_buffer_bytes: usize,
    /// How long the far side may send nothing while it should, in milliseconds; and, while it is held, no check where it
    /// was making any (RFC 7675).
    pub dead_media_ms: u64,
    /// How long after a session description packets from another address than the described one may prove
    /// themselves, in milliseconds.
    pub latch_window_ms: u64,
    /// The differentiated-services code point of our packets (RFC 4594: 46, expedited forwarding, for voice).
    pub code_point: u8,
    /// The mean time between our RTCP reports, in milliseconds (RFC 3550 section 6.2: 5 s at least).
    pub report_ms: u64,
    /// Where a connection carries the audio (a carrier's websocket): how far ahead of its playing it is sent, in
    /// milliseconds. More bridges a worse network; that much may still be heard after an interruption where the
    /// far side is slow to forget.
    pub line_lead_ms: u64,
    /// Pieces of 20 ms that may wait for a session; a further one is dropped.
    pub line_pieces: usize,
    /// Messages that may wait for a connection; beyond that, audio is dropped and counted.
    pub line_waiting_max: usize,
    /// How long after its time the far side may tell that it has played something, in milliseconds; then it counts
    /// as played.
    pub line_mark_ms: u64,
    /// Whether keys are agreed on by DTLS (RFC 5764) with a far side that offers it, or is to be offered it.
    pub dtls: bool,
    /// How long a handshake about keys may take from when both descriptions are known, in milliseconds; then the call
    /// ends and says why.
    pub handshake_ms: u64,
    /// Whether our silence is sent as comfort noise (RFC 3389) to a far side that knows it: a packet now and then
    /// instead of fifty a second.
    pub comfort_noise: bool,
    /// How long nothing is said before a waiting caller hears something, in milliseconds.
    pub waiting_ms: u64,
    /// Whether noise is taken out of what callers say before it is recognised: "off" or "hearing". It takes
    /// several times as much of a processor as the rest of a call's audio.
    pub noise_suppression: Suppression,
    /// When what comes is an echo of our own voice, which is to interrupt nobody.
    pub echo: echo::Settings,
    /// How long packets may wait to be played.
    pub jitter_buffer: jitter_buffer::Settings,
    /// How we press keys.
    pub keys: telephone_event::Settings,
    /// How loud callers are.
    pub level: level::Settings,
    /// When a caller counts as speaking.
    pub voice_activity: voice_activity::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            public_address: None,
            first_port: 10_000,
            last_port: 19_999,
            quarantine_ms: 30_000,
            threads: 0,
            commands: 64,
            utterances: 64,
            receive_buffer_bytes: 64 * 1_024,
            dead_media_ms: 30_000,
            latch_window_ms: 10_000,
            code_point: 46,
            report_ms: 5_000,
            line_lead_ms: 100,
            line_pieces: 100,
            line_waiting_max: 128,
            line_mark_ms: 2_000,
            dtls: true,
            handshake_ms: 10_000,
            comfort_noise: false,
            waiting_ms: 1_200,
            noise_suppression: Suppression::default(),
            echo: echo::Settings::default(),
            jitter_buffer: jitter_buffer::Settings::default(),
            keys: telephone_event::Settings::default(),
            level: level::Settings::default(),
            voice_activity: voice_activity::Settings::default(),
        }
    }
}

impl Settings {
    /// What is wrong with these settings, if anything.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first setting that can't be used.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |setting, value: String, mend| Err(Error::Setting { setting, value, mend });
        if self.first_port < 1_024 || self.last_port <= self.first_port {
            let range = format!("{} to {}", self.first_port, self.last_port);
            return wrong(
                "media.first_port to media.last_port",
                range,
                "a range above 1023 of at least two ports",
            );
        }
        if self.code_point > 63 {
            return wrong("media.code_point", self.code_point.to_string(), "between 0 and 63");
        }
        if self.report_ms < 1_000 {
            return wrong("media.report_ms", self.report_ms.to_string(), "at least 1000");
        }
        if !(1_000..=60_000).contains(&self.handshake_ms) {
            let value = self.handshake_ms.to_string();
            return wrong("media.handshake_ms", value, "between 1000 and 60000");
        }
        if self.commands < 8 {
            return wrong("media.commands", self.commands.to_string(), "at least 8");
        }
        Ok(())
    }

    /// The threads to start.
    #[must_use]
    pub fn thread_count(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1)),
            threads => threads.min(64),
        }
    }
}
