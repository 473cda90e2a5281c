//! A stream of a call: the websocket, the line behind it, and the coding between them.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message as Frame};

use super::provider::Provider;
use super::provider::audio::Coding;
use super::provider::framing::{Heard, Message, Started, Unreadable};
use super::rate::Rate;
use super::upgrade::{Connected, Socket};
use super::{Settings, metrics};
use crate::clock;
use crate::edge::media::{LineEnd, Piece, Sent};
use crate::rtp::FRAME;

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// A stream.
pub(super) struct Stream {
    provider: Provider,
    socket: Socket,
    /// Once it has said what it is.
    open: Option<Open>,
    rate: Rate,
    unreadable: u32,
    unreadable_max: u32,
    stall: Duration,
    _place: OwnedSemaphorePermit,
}

struct Open {
    name: String,
    coding: Coding,
    line: LineEnd,
    /// Samples that were heard so far.
    heard: u32,
}

/// What came of reading.
pub(super) enum Read {
    /// The stream has begun; it needs a line.
    Started(Started, Coding),
    /// A key was pressed.
    Digit(char),
    /// Nothing that the call need know.
    Nothing,
    /// It has ended in order.
    Stopped,
    /// It broke, or had to be closed.
    Broken(&'static str),
}

impl Stream {
    pub(super) fn new(provider: Provider, connected: Connected, settings: &Settings) -> Self {
        Self {
            provider,
            socket: connected.socket,
            open: None,
            rate: Rate::new(settings.messages_per_second, settings.messages_burst, clock::monotonic()),
            unreadable: 0,
            unreadable_max: settings.unreadable_max,
            stall: Duration::from_millis(settings.stall_ms),
            _place: connected.place,
        }
    }

    /// The stream has begun on this line.
    pub(super) fn begin(&mut self, name: String, coding: Coding, line: LineEnd) {
        self.open = Some(Open { name, coding, line, heard: 0 });
    }

    /// What the carrier says next, or what it is to be sent next.
    pub(super) async fn next(&mut self) -> Next {
        let to_send = async {
            match &mut self.open {
                Some(open) => open.line.to_send.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            frame = self.socket.next() => Next::Frame(frame),
            sent = to_send => Next::Sent(sent),
        }
    }

    /// Reads a message.
    pub(super) fn read(&mut self, frame: Option<Result<Frame, SocketError>>) -> Read {
        if !self.rate.admit(clock::monotonic()) {
            return Read::Broken("too_many_messages");
        }
        let heard = match frame {
            Some(Ok(Frame::Text(text))) => self.provider.text(&text),
            Some(Ok(Frame::Binary(bytes))) => self.provider.binary(&bytes),
            Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_))) => return Read::Nothing,
            Some(Ok(Frame::Close(_))) => return Read::Broken("closed"),
            Some(Err(SocketError::Capacity(_))) => return Read::Broken("too_large"),
            Some(Err(_)) => return Read::Broken("broken"),
            None => return Read::Broken("cut"),
        };
        match heard {
            Ok(heard) => self.take(heard),
            Err(why) => self.pass_over(why),
        }
    }

    fn pass_over(&mut self, why: Unreadable) -> Read {
        metrics::dropped(self.provider, why.name());
        self.unreadable += 1;
        let ends = self.unreadable > self.unreadable_max || why == Unreadable::Encoding;
        if ends { Read::Broken("unreadable") } else { Read::Nothing }
    }

    fn take(&mut self, heard: Heard) -> Read {
        match (heard, &mut self.open) {
            (Heard::Started(started), None) => match Coding::new(started.encoding) {
                Some(coding) => Read::Started(started, coding),
                None => Read::Broken("unreadable"),
            },
            (Heard::Started(_), Some(_)) => self.pass_over(Unreadable::Form),
            (Heard::Audio { place, payload }, Some(open)) => {
                open.hear(self.provider, place, &payload);
                Read::Nothing
            }
            // Audio before its start is nobody's.
            (Heard::Audio { .. }, None) => self.pass_over(Unreadable::Form),
            (Heard::Digit(key), Some(_)) => Read::Digit(key),
            (Heard::Reached(mark), Some(open)) => {
                open.line.reached(mark);
                Read::Nothing
            }
            (Heard::Digit(_) | Heard::Reached(_), None) | (Heard::Nothing, _) => Read::Nothing,
            (Heard::Stopped, _) => Read::Stopped,
        }
    }

    /// Sends what the line wants sent. False where the carrier does not take it.
    pub(super) async fn send(&mut self, sent: Sent) -> bool {
        let Some(open) = &mut self.open else { return true };
        let message = match sent {
            Sent::Audio(audio) => {
                let payload = open.coding.encode(&audio);
                self.provider.audio(&open.name, open.coding.encoding(), &payload)
            }
            Sent::Mark(mark) => self.provider.mark(&open.name, mark),
            Sent::Clear => self.provider.clear(&open.name),
        };
        let frame = match message {
            Message::Text(text) => Frame::text(text),
            Message::Binary(bytes) => Frame::binary(bytes),
        };
        matches!(timeout(self.stall, self.socket.send(frame)).await, Ok(Ok(())))
    }

    /// Says goodbye, and waits a moment for that to leave.
    pub(super) async fn close(mut self) {
        let goodbye = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        // Who is gone already needs no goodbye.
        let _ = timeout(GOODBYE, self.socket.close(Some(goodbye))).await;
    }
}

impl Open {
    fn hear(&mut self, provider: Provider, place: Option<u32>, payload: &[u8]) {
        let samples = self.coding.decode(payload);
        let count = u32::try_from(samples.len()).unwrap_or(0);
        // Numbered messages that overtake one another are put in order by their numbers: they have one length.
        let at = place.map_or(self.heard, |place| place.wrapping_mul(count));
        self.heard = self.heard.wrapping_add(count);
        let mut timestamp = at;
        for part in samples.chunks(FRAME) {
            let mut audio = [0; FRAME];
            for (to, from) in audio.iter_mut().zip(part) {
                *to = *from;
            }
            if self.line.pieces.push(Piece { timestamp, audio, count: part.len() }).is_err() {
                metrics::dropped(provider, "audio_waiting");
            }
            timestamp = timestamp.wrapping_add(u32::try_from(part.len()).unwrap_or(0));
        }
    }
}

/// What is next on a stream.
#[expect(clippy::large_enum_variant, reason = "audio is half of it; a box would be an allocation per 20 ms")]
pub(super) enum Next {
    /// A message came, or none will.
    Frame(Option<Result<Frame, SocketError>>),
    /// Something is to be sent; none where the line was let go of.
    Sent(Option<Sent>),
}

/// What is next on a stream, if there is one.
pub(super) async fn next(stream: &mut Option<Stream>) -> Next {
    match stream {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}
