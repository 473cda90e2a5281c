//! Addresses, certificates and bounds of engines that work for other nodes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// This node's engines for others, and others' for this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where a node with the role `inference` takes other nodes' streams. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// The nodes whose engines this one uses, as `https://host:port`; `http://` only to this machine.
    pub nodes: Vec<String>,
    /// Let callers' words and audio go to other machines unprotected, where the network itself is. Without it plain
    /// addresses that are not of this machine are refused.
    pub plaintext_beyond_this_machine: bool,
    /// Who this node is and whom it believes: both sides show a certificate.
    pub certificates: Certificates,
    /// The bounds of what others may ask.
    pub server: ServerSettings,
    /// The deadlines and bounds of what is asked of others.
    pub client: ClientSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5_070),
            nodes: Vec::new(),
            plaintext_beyond_this_machine: false,
            certificates: Certificates::default(),
            server: ServerSettings::default(),
            client: ClientSettings::default(),
        }
    }
}

/// Files of certificates and keys, in PEM. All three or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Certificates {
    /// Our certificate and those that vouch for it.
    pub certificate_file: Option<PathBuf>,
    /// The key of the certificate.
    pub key_file: Option<PathBuf>,
    /// Certificates of those who vouch for the other nodes.
    pub trust_file: Option<PathBuf>,
    /// How often the files are looked at, in milliseconds. Changed ones are used for the next connection and the next
    /// stream; what can't be used is told and the old ones kept.
    pub reload_ms: u64,
}

impl Default for Certificates {
    fn default() -> Self {
        Self { certificate_file: None, key_file: None, trust_file: None, reload_ms: 10_000 }
    }
}

/// What others may ask of this node. Engines refuse by their own grants, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Connections at once; a further one is closed. A node that uses this one has two.
    pub connections_max: usize,
    /// Callers heard at once; one more is sent to another node.
    pub hearing_max: usize,
    /// Utterances spoken at once; one more is sent to another node.
    pub speaking_max: usize,
    /// Requests for embeddings at once; one more is sent to another node.
    pub comparing_max: usize,
    /// Pauses judged at once; one more is sent to another node.
    pub pausing_max: usize,
    /// The largest message, in bytes.
    pub message_bytes_max: usize,
    /// Phrases that a business's caller may be expected to use.
    pub phrases_max: usize,
    /// Characters of one phrase, or of an utterance.
    pub text_characters_max: usize,
    /// Texts of one request for embeddings.
    pub texts_max: usize,
    /// Words and ends of turns that may wait to be sent to a caller's node; newer partial results take the place
    /// of older ones, and a stream whose others don't fit is ended.
    pub events_waiting_max: usize,
    /// Pieces of an utterance, of 100 ms, that may wait to be sent.
    pub pieces_waiting_max: usize,
    /// How long a stream's first message may take, in milliseconds.
    pub first_ms: u64,
    /// How long a place is kept for a call that is not answered, in milliseconds; then it is anybody's.
    pub kept_ms: u64,
    /// How long an engine may have no room for a caller's audio, in milliseconds; then the stream is ended.
    pub stall_ms: u64,
    /// How often a silent connection is tried, in milliseconds.
    pub ping_ms: u64,
    /// How long the answer may take, in milliseconds; then the connection's streams are ended.
    pub pong_ms: u64,
    /// How long a TLS handshake may take, in milliseconds.
    pub handshake_ms: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            connections_max: 256,
            hearing_max: 1_024,
            speaking_max: 256,
            comparing_max: 64,
            pausing_max: 256,
            message_bytes_max: 256 * 1_024,
            phrases_max: 1_000,
            text_characters_max: 4_000,
            texts_max: 256,
            events_waiting_max: 64,
            pieces_waiting_max: 8,
            first_ms: 1_000,
            kept_ms: 180_000,
            stall_ms: 2_000,
            ping_ms: 2_000,
            pong_ms: 4_000,
            handshake_ms: 5_000,
        }
    }
}

/// How other nodes' engines are used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSettings {
    /// Callers heard at once on other nodes; one more is refused.
    pub hearing_max: usize,
    /// Utterances under way at once on other nodes; one more is refused.
    pub speaking_max: usize,
    /// Requests for embeddings under way at once; one more is refused.
    pub comparing_max: usize,
    /// Pauses that are judged at once; one more is not judged.
    pub pausing_max: usize,
    /// How long a connection may take, in milliseconds.
    pub connect_ms: u64,
    /// How long a node may take to grant or refuse a stream, in milliseconds; then the next one is asked.
    pub open_ms: u64,
    /// How long a finished turn may wait for its words, in milliseconds; then another node hears it again. Less
    /// than `calls.call.hearing.final_ms`, which is the call's own patience.
    pub final_ms: u64,
    /// How long a granted utterance may take to its first sample, and between samples that are needed, in
    /// milliseconds; then another node goes on with it.
    pub audio_ms: u64,
    /// How long a node may take no audio of a caller, in milliseconds; then another node hears it.
    pub stall_ms: u64,
    /// How often a connection is tried on which nothing is received, in milliseconds. A node that stands still is
    /// found within this and `pong_ms`.
    pub ping_ms: u64,
    /// How long the answer may take, in milliseconds.
    pub pong_ms: u64,
    /// How often each node is asked how it is, in milliseconds.
    pub look_ms: u64,
    /// How long it may take to say so, in milliseconds; then it is out.
    pub look_answer_ms: u64,
    /// How long a node that has failed stays out before it is looked at, in milliseconds; doubled for each failure
    /// in a row.
    pub out_ms: u64,
    /// The longest, in milliseconds.
    pub out_max_ms: u64,
    /// Audio of a caller's unanswered turns that is held to be heard again, in seconds. What a turn has beyond is
    /// told as it was heard. Models look back 6 s.
    pub held_seconds: u32,
    /// Audio that a caller's ring holds, in milliseconds; it is emptied every 20 ms.
    pub ring_ms: u32,
    /// Messages of a caller that may wait to be sent; audio that finds no room stays held.
    pub messages_waiting_max: usize,
    /// Audio of an utterance that is fetched before it is played, in milliseconds.
    pub lead_ms: u32,
    /// Times that a caller or an utterance is taken to another node before anything comes of it; then the session
    /// fails.
    pub moves_max: u32,
    /// How long a caller whose node is lost waits for one to come back where no other is left and this node has no
    /// engine of its own, in milliseconds.
    pub wait_ms: u64,
    /// The largest message that is taken from a node, in bytes.
    pub message_bytes_max: usize,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            hearing_max: 4_096,
            speaking_max: 1_024,
            comparing_max: 256,
            pausing_max: 1_024,
            connect_ms: 500,
            open_ms: 500,
            final_ms: 1_500,
            audio_ms: 1_000,
            stall_ms: 1_000,
            ping_ms: 500,
            pong_ms: 1_000,
            look_ms: 1_000,
            look_answer_ms: 700,
            out_ms: 250,
            out_max_ms: 5_000,
            held_seconds: 20,
            ring_ms: 1_000,
            messages_waiting_max: 32,
            lead_ms: 1_000,
            moves_max: 6,
            wait_ms: 1_000,
            message_bytes_max: 1_024 * 1_024,
        }
    }
}
