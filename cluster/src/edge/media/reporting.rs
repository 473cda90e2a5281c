//! RTCP: telling the far side how its packets come, and hearing how ours do.

use std::net::{SocketAddr, UdpSocket};

use super::Settings;
use super::batch::{Batch, DATAGRAMS};
use super::guard::Guard;
use super::outgoing::Outgoing;
use crate::rtp::reception::Reception;
use crate::rtp::rtcp::{self, Report};
use crate::rtp::{Micros, packet};

/// Seconds from NTP's epoch, 1900, to 1970.
const NTP_1970: u64 = 2_208_988_800;

/// Where reports go and come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Port<'a> {
    /// On their own port, the one after the audio's.
    Own(&'a UdpSocket),
    /// On the audio's (RFC 5761).
    Shared(&'a UdpSocket),
}

#[derive(Debug)]
pub(super) struct Reporting {
    name: String,
    interval: Micros,
    next_at: Micros,
    /// The last sender report of the far side, and when it came.
    far_report: Option<(u32, Micros)>,
    round_trip_ms: Option<f32>,
    /// Where the far side's reports come from, once they do.
    far: Option<SocketAddr>,
}

/// Now, in the three clocks of a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clocks {
    pub(super) now: Micros,
    /// In microseconds since 1970.
    pub(super) wall: Micros,
}

impl Clocks {
    /// So many microseconds ago.
    pub(super) fn earlier(self, age: Micros) -> Self {
        Self { now: self.now.saturating_sub(age), wall: self.wall.saturating_sub(age) }
    }

    fn ntp(self) -> u64 {
        let seconds = self.wall / 1_000_000 + NTP_1970;
        (seconds << 32) | (((self.wall % 1_000_000) << 32) / 1_000_000)
    }
}

impl Reporting {
    pub(super) fn new(settings: &Settings, ssrc: u32) -> Self {
        // The name says nothing about the machine or the call.
        let name = format!("{ssrc:08x}@strowger.invalid");
        Self {
            name,
            interval: settings.report_ms * 1_000,
            next_at: 0,
            far_report: None,
            round_trip_ms: None,
            far: None,
        }
    }

    pub(super) fn round_trip_ms(&self) -> Option<f32> {
        self.round_trip_ms
    }

    /// Reads what came from the believed address on the port of reports, where they have one of their own, and reports
    /// if it is time.
    pub(super) fn turn(
        &mut self,
        port: Port<'_>,
        media: SocketAddr,
        clocks: Clocks,
        batch: &mut Batch,
        (outgoing, reception, guard): (&Outgoing, &mut Reception, &mut Guard),
    ) {
        let own = if let Port::Own(socket) = port { Some(socket) } else { None };
        if let Some(socket) = own {
            batch.read(socket, clocks.wall, DATAGRAMS);
        }
        for datagram in batch.datagrams().take(if own.is_some() { usize::MAX } else { 0 }) {
            if datagram.source.ip() == media.ip() {
                let Some(report) = guard.open_report(datagram.bytes) else { continue };
                self.far = Some(datagram.source);
                // The port is looked at once a second; a report counts from when it came, or the round trip would
                // hold the wait.
                self.hear(&report, outgoing.ssrc(), clocks.earlier(datagram.age));
            }
        }
        if self.next_at == 0 {
            self.next_at = clocks.now + self.interval / 2;
        }
        if clocks.now >= self.next_at {
            // Half to one and a half of the interval, so that reports of many calls don't align.
            let spread = u64::from(outgoing.ssrc().wrapping_mul(clocks.now as u32 | 1) >> 16);
            self.next_at = clocks.now + self.interval / 2 + self.interval * spread / 65_536;
            self.send(port, media, clocks, (outgoing, reception, guard), false);
        }
    }

    /// Takes a report, from either port.
    pub(super) fn hear(&mut self, bytes: &[u8], ours: u32, clocks: Clocks) {
        if !packet::is_rtcp(bytes) {
            return;
        }
        let Some(heard) = rtcp::parse(bytes, ours) else { return };
        if let Some(report) = heard.sender_report {
            self.far_report = Some((report, clocks.now));
        }
        if let Some(trip) =
            heard.about_us.and_then(|block| rtcp::round_trip_ms(&block, (clocks.ntp() >> 16) as u32))
        {
            self.round_trip_ms = Some(trip);
        }
    }

    /// Sends a report; the last one says goodbye.
    pub(super) fn send(
        &mut self,
        port: Port<'_>,
        media: SocketAddr,
        clocks: Clocks,
        (outgoing, reception, guard): (&Outgoing, &mut Reception, &mut Guard),
        goodbye: bool,
    ) {
        let mut block = reception.report();
        if let (Some(block), Some((report, at))) = (&mut block, self.far_report) {
            block.last_sender_report = report;
            block.delay_since = (clocks.now.saturating_sub(at) * 65_536 / 1_000_000) as u32;
        }
        let report = Report {
            ssrc: outgoing.ssrc(),
            sender: outgoing.info(clocks.ntp()),
            block,
            name: &self.name,
            goodbye,
        };
        let (socket, to) = match port {
            Port::Shared(socket) => (socket, media),
            Port::Own(socket) => {
                let next_port = SocketAddr::new(media.ip(), media.port().saturating_add(1));
                (socket, self.far.unwrap_or(next_port))
            }
        };
        // A far side that refuses RTCP loses nothing but figures.
        if let Some(datagram) = guard.seal_report(&report.to_bytes()) {
            let _ = socket.send_to(&datagram, to);
        }
    }
}
