//! One node's connections and methods.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use parking_lot::RwLock;
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::super::wire::{
    EMBED, Embed, Embedded, FromEar, FromVoice, HEAR, JUDGE, Judge, Judged, LOOK, Look, Rooms, SAY, Say,
    ToEar,
};
use super::super::{Settings, security};
use crate::Error;

/// What a stream may send before it is read, in bytes: an utterance that is not played waits at its node.
const VOICE_WINDOW_BYTES: u32 = 32 * 1_024;
/// The same for callers' streams, which carry events.
const EVENTS_WINDOW_BYTES: u32 = 64 * 1_024;

/// A node.
pub(in crate::remote) struct Link {
    channels: RwLock<Channels>,
    message_bytes_max: usize,
}

struct Channels {
    /// Events, embeddings and looks: nothing here waits for a player.
    quick: Channel,
    /// Utterances, which do.
    voices: Channel,
}

/// Messages on their way up.
struct Outbound(mpsc::Receiver<ToEar>);

impl Stream for Outbound {
    type Item = ToEar;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ToEar>> {
        self.0.poll_recv(context)
    }
}

impl Link {
    /// Connects when it is first needed, and again whenever that is. To be called on a runtime.
    pub(in crate::remote) fn new(settings: &Settings, node: &str) -> Result<Self, Error> {
        let channels = RwLock::new(Channels::new(settings, node)?);
        Ok(Self { channels, message_bytes_max: settings.client.message_bytes_max })
    }

    /// Connects anew, with the certificates as they are, for the streams to come; those under way stay where they are.
    /// To be called on a runtime.
    pub(in crate::remote) fn renew(&self, settings: &Settings, node: &str) -> Result<(), Error> {
        let channels = Channels::new(settings, node)?;
        *self.channels.write() = channels;
        Ok(())
    }

    fn quick(&self) -> Grpc<Channel> {
        self.grpc(self.channels.read().quick.clone())
    }

    fn grpc(&self, channel: Channel) -> Grpc<Channel> {
        Grpc::new(channel).max_decoding_message_size(self.message_bytes_max)
    }

    /// Opens a caller's stream; what is sent first says what.
    pub(in crate::remote) async fn hear(
        &self,
        sent: mpsc::Receiver<ToEar>,
    ) -> Result<Streaming<FromEar>, Status> {
        let mut grpc = self.quick();
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(HEAR);
        let opened = grpc.streaming(Request::new(Outbound(sent)), path, ProstCodec::default()).await?;
        Ok(opened.into_inner())
    }

    /// Opens an utterance's stream.
    pub(in crate::remote) async fn say(&self, say: Say) -> Result<Streaming<FromVoice>, Status> {
        let mut grpc = self.grpc(self.channels.read().voices.clone());
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(SAY);
        let opened = grpc.server_streaming(Request::new(say), path, ProstCodec::default()).await?;
        Ok(opened.into_inner())
    }

    /// Embeds.
    pub(in crate::remote) async fn embed(&self, embed: Embed) -> Result<Embedded, Status> {
        let mut grpc = self.quick();
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(EMBED);
        Ok(grpc.unary(Request::new(embed), path, ProstCodec::default()).await?.into_inner())
    }

    /// Has a pause judged.
    pub(in crate::remote) async fn judge(&self, judge: Judge) -> Result<Judged, Status> {
        let mut grpc = self.quick();
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(JUDGE);
        Ok(grpc.unary(Request::new(judge), path, ProstCodec::default()).await?.into_inner())
    }

    /// Asks how the node is.
    pub(in crate::remote) async fn look(&self) -> Result<Rooms, Status> {
        let mut grpc = self.quick();
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(LOOK);
        Ok(grpc.unary(Request::new(Look {}), path, ProstCodec::default()).await?.into_inner())
    }
}

impl Channels {
    fn new(settings: &Settings, node: &str) -> Result<Self, Error> {
        let client = &settings.client;
        let endpoint = security::endpoint(settings, node)?;
        let tuned = |endpoint: Endpoint, window: u32, streams: usize| {
            let all = window.saturating_mul(u32::try_from(streams).unwrap_or(u32::MAX)).min(MOST_WINDOW);
            endpoint
                .tcp_nodelay(true)
                .http2_keep_alive_interval(Duration::from_millis(client.ping_ms))
                .keep_alive_timeout(Duration::from_millis(client.pong_ms))
                .keep_alive_while_idle(true)
                .initial_stream_window_size(window)
                .initial_connection_window_size(all.max(window))
                .connect_lazy()
        };
        Ok(Self {
            quick: tuned(endpoint.clone(), EVENTS_WINDOW_BYTES, client.hearing_max),
            voices: tuned(endpoint, VOICE_WINDOW_BYTES, client.speaking_max),
        })
    }
}

/// The largest window of a connection that HTTP/2 has (RFC 9113 section 6.9.1).
const MOST_WINDOW: u32 = (1 << 31) - 1;

async fn ready(grpc: &mut Grpc<Channel>) -> Result<(), Status> {
    grpc.ready().await.map_err(|why| Status::unavailable(security::deepest(&why)))
}
