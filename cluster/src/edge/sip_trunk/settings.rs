//! The bounds of the trunk.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::Error;
use crate::sip::dialog::{Offers, Timing};
use crate::sip::sdp::{Codec, KeyManagement, Protection};

/// Addresses and bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where datagrams are received, or "off". Port 0 takes any free one.
    #[serde(with = "super::switch")]
    pub udp: Option<SocketAddr>,
    /// Where connections are accepted, or "off". Port 0 takes the port of UDP where that is free.
    #[serde(with = "super::switch")]
    pub tcp: Option<SocketAddr>,
    /// Where TLS connections are accepted, or "off". It needs the files of `[sip.secure]`.
    #[serde(with = "super::switch")]
    pub tls: Option<SocketAddr>,
    /// Where websockets are accepted (RFC 7118), or "off". For a proxy in front that has the certificate.
    #[serde(with = "super::switch")]
    pub ws: Option<SocketAddr>,
    /// Where websockets by TLS are accepted, or "off". It needs the files of `[sip.secure]`.
    #[serde(with = "super::switch")]
    pub wss: Option<SocketAddr>,
    /// The address that messages show, where it is not the bound one (behind one-to-one NAT).
    pub public_address: Option<IpAddr>,
    /// Tasks that share the calls; 0 for one per core, at most 16.
    pub shards: usize,
    /// The kernel's receive buffer of the datagram socket, in bytes; the kernel may give less.
    pub receive_buffer_bytes: usize,
    /// Datagrams read in one system call.
    pub datagrams_per_read: usize,
    /// Messages that may wait for a shard; a further datagram is dropped and counted.
    pub messages_waiting_max: usize,
    /// Commands and events that may wait for a shard.
    pub events_waiting_max: usize,
    /// Transactions at once, over all shards; a further request gets 503.
    pub transactions_max: usize,
    /// Calls at once, over all shards; a further INVITE gets 503.
    pub dialogs_max: usize,
    /// Messages per second that one source address may send in the long run; more are dropped and counted.
    pub messages_per_second_per_source: u32,
    /// Messages that one source address may send at once.
    pub messages_burst_per_source: u32,
    /// Source addresses that are remembered for that.
    pub sources_max: usize,
    /// The largest body of a request, in bytes; a larger one gets 513.
    pub body_bytes_max: usize,
    /// Connections at once; a further one is closed.
    pub connections_max: usize,
    /// Connections that one source address may have made to us at once; a further one is closed.
    pub connections_per_source_max: usize,
    /// How long a connection may be silent, in milliseconds, before it is closed.
    pub connection_idle_ms: u64,
    /// How long a connection may take to be made, to send its first message, or to send the rest of a message,
    /// in milliseconds.
    pub connection_stall_ms: u64,
    /// Messages that may wait to be sent on one connection; a further one is dropped and counted.
    pub connection_waiting_max: usize,
    /// The Retry-After of our 503s, in seconds.
    pub retry_after_s: u32,
    /// Whether P-Asserted-Identity (RFC 3325) is believed. Only where every sender is a trusted carrier.
    pub trust_asserted_identity: bool,
    /// How long the reception may take to say whether it takes a call, in milliseconds.
    pub offer_ms: u64,
    /// How long a closed media session may take to tell its quality, in milliseconds.
    pub media_close_ms: u64,
    /// Who stands in for the far side's host in the target of a transfer to a number.
    pub transfer_host: Option<String>,
    /// Whether the far side of a call may put somebody else in its place (REFER): whoever it names is called by way of
    /// the far side itself, never by another.
    pub take_transfers: bool,
    /// Whether a call that we make goes where whoever is called says that they are (3xx), by the same way. What a
    /// business may call is asked for the first number alone, so this is for exchanges that are one's own.
    pub follow_redirects: bool,
    /// The trunk that numbers are called by, where the receptionist calls somebody; the first with an account where
    /// none is named.
    pub outgoing_trunk: Option<String>,
    /// The codecs that are spoken, in the order of our own offers: "pcmu", "pcma", "g722", "opus". Of those that the
    /// far side offers, the one that costs least is taken.
    pub codecs: Vec<Codec>,
    /// When audio is protected by SRTP: "accepted" where the far side offers it, "offered" in our own offers too,
    /// "required" always. What was offered so is not agreed on without.
    pub srtp: Protection,
    /// By what the keys of our own offers are agreed on: "sdes" in the session description (RFC 4568), "dtls" by a
    /// handshake on the audio's own port (RFC 5763), for which `media.dtls` has to be on. Whoever speaks SIP by
    /// websocket is offered what a browser takes: that, and checks of the way.
    pub srtp_keys: KeyManagement,
    /// When audio is offered in calls that we make: "early" by us, in the INVITE; "delayed" by whoever is called, in the
    /// answer or in a provisional one that we confirm, and nobody else's audio is heard before that.
    pub offers: Offers,
    /// T4, how long a message may stay in the network, in milliseconds (RFC 3261 section 17.1.2.2).
    pub t4_ms: u64,
    /// How long things take in a dialog; T1 and T2 are the transactions' too.
    pub timing: Timing,
    /// Certificates, and the bounds of TLS.
    pub secure: super::Secure,
    /// Who is passed over, and how much is taken.
    pub guard: super::Guarding,
    /// Whom we believe about the numbers that callers show.
    pub attesting: super::Believing,
    /// How often the way from a provider that we register at is kept open, in milliseconds; 0 for never. NAT forgets
    /// a way by UDP within 30 s to a few minutes.
    pub keep_alive_ms: u64,
    /// How long registrations take, and when a call or registration goes to a provider's next server.
    pub registering: crate::sip::registration::Timing,
    /// Who is asked for the addresses of providers, and for how long.
    pub names: super::Looking,
    /// The carriers and exchanges that may call: `[[sip.trunk]]`. Where there is none, everybody may.
    pub trunk: Vec<super::Carrier>,
}

impl Default for Settings {
    fn default() -> Self {
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), crate::sip::destination::PORT);
        Self {
            udp: Some(any),
            tcp: Some(any),
            tls: None,
            ws: None,
            wss: None,
            public_address: None,
            shards: 0,
            receive_buffer_bytes: 4 * 1_024 * 1_024,
            datagrams_per_read: 32,
            messages_waiting_max: 4_096,
            events_waiting_max: 16_384,
            transactions_max: 60_000,
            dialogs_max: 5_000,
            messages_per_second_per_source: 10_000,
            messages_burst_per_source: 20_000,
            sources_max: 10_000,
            body_bytes_max: 60 * 1_024,
            connections_max: 1_000,
            connections_per_source_max: 200,
            connection_idle_ms: 600_000,
            connection_stall_ms: 10_000,
            connection_waiting_max: 256,
            retry_after_s: 5,
            trust_asserted_identity: false,
            offer_ms: 5_000,
            media_close_ms: 2_000,
            transfer_host: None,
            take_transfers: true,
            follow_redirects: false,
            outgoing_trunk: None,
            codecs: Codec::ALL.to_vec(),
            srtp: Protection::default(),
            srtp_keys: KeyManagement::default(),
            offers: Offers::default(),
            t4_ms: 5_000,
            timing: Timing::default(),
            secure: super::Secure::default(),
            guard: super::Guarding::default(),
            attesting: super::Believing::default(),
            keep_alive_ms: 25_000,
            registering: crate::sip::registration::Timing::default(),
            names: super::Looking::default(),
            trunk: Vec::new(),
        }
    }
}

impl Settings {
    /// What is wrong with these settings, if anything.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first setting that can't be used.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |setting, mend| Err(Error::Setting { setting, mend });
        if [self.udp, self.tcp, self.tls, self.ws, self.wss].iter().all(Option::is_none) {
            return wrong(
                "sip.udp, sip.tcp, sip.tls, sip.ws and sip.wss",
                "at least one of them must be an address",
            );
        }
        if !(1..=1_024).contains(&self.datagrams_per_read) {
            return wrong("sip.datagrams_per_read", "between 1 and 1,024");
        }
        for (setting, value) in [
            ("sip.messages_waiting_max", self.messages_waiting_max),
            ("sip.events_waiting_max", self.events_waiting_max),
            ("sip.connection_waiting_max", self.connection_waiting_max),
            ("sip.secure.handshakes_max", self.secure.handshakes_max),
        ] {
            if value == 0 {
                return wrong(setting, "at least 1");
            }
        }
        if self.names.again_ms < 1_000 {
            return wrong("sip.names.again_ms", "at least 1000");
        }
        if self.guard.digest_algorithms.is_empty() {
            return wrong("sip.guard.digest_algorithms", "at least one of SHA-256 and MD5");
        }
        if self
            .guard
            .realm
            .chars()
            .any(|character| character.is_control() || character == '"' || character == '\\')
        {
            return wrong("sip.guard.realm", "without quotes, backslashes and control characters");
        }
        if self.timing.t1_ms == 0 || self.timing.t2_ms < self.timing.t1_ms {
            return wrong("sip.timing", "t1_ms at least 1 and t2_ms not below it");
        }
        Ok(())
    }

    pub(super) fn shard_count(&self) -> usize {
        match self.shards {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(16),
            shards => shards.min(64),
        }
    }
}
