//! Which method a request means.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, ServerStreamingService, StreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::desk::Desk;
use super::{comparing, hearing, judging, speaking};
use crate::remote::wire::{
    EMBED, Embed, Embedded, FromEar, FromVoice, HEAR, JUDGE, Judge, Judged, LOOK, Look, Rooms, SAY, SERVICE,
    Say, ToEar,
};

/// The service.
#[derive(Clone)]
pub(super) struct Inference {
    desk: Arc<Desk>,
}

impl Inference {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }
}

impl NamedService for Inference {
    const NAME: &'static str = SERVICE;
}

impl Service<http::Request<Body>> for Inference {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let desk = Arc::clone(&self.desk);
        let most = desk.settings.message_bytes_max;
        Box::pin(async move {
            Ok(match request.uri().path() {
                HEAR => {
                    let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(most);
                    grpc.streaming(Hear(desk), request).await
                }
                SAY => {
                    let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(most);
                    grpc.server_streaming(Speak(desk), request).await
                }
                EMBED => {
                    let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(most);
                    grpc.unary(Compare(desk), request).await
                }
                JUDGE => {
                    let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(most);
                    grpc.unary(Weigh(desk), request).await
                }
                LOOK => {
                    let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(most);
                    grpc.unary(Tell(desk), request).await
                }
                _ => Status::unimplemented("there is no such method").into_http(),
            })
        })
    }
}

type Answered<T> = BoxFuture<Response<T>, Status>;
type Outgoing<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

struct Hear(Arc<Desk>);

impl StreamingService<ToEar> for Hear {
    type Response = FromEar;
    type ResponseStream = Outgoing<FromEar>;
    type Future = Answered<Self::ResponseStream>;

    fn call(&mut self, request: Request<Streaming<ToEar>>) -> Self::Future {
        let desk = Arc::clone(&self.0);
        Box::pin(
            async move { Ok(Response::new(Box::pin(hearing::hear(desk, request.into_inner()).await?) as _)) },
        )
    }
}

struct Speak(Arc<Desk>);

impl ServerStreamingService<Say> for Speak {
    type Response = FromVoice;
    type ResponseStream = Outgoing<FromVoice>;
    type Future = Answered<Self::ResponseStream>;

    fn call(&mut self, request: Request<Say>) -> Self::Future {
        let desk = Arc::clone(&self.0);
        Box::pin(async move { Ok(Response::new(Box::pin(speaking::say(desk, request.into_inner())?) as _)) })
    }
}

struct Compare(Arc<Desk>);

impl UnaryService<Embed> for Compare {
    type Response = Embedded;
    type Future = Answered<Embedded>;

    fn call(&mut self, request: Request<Embed>) -> Self::Future {
        let desk = Arc::clone(&self.0);
        Box::pin(async move { comparing::embed(&desk, request.into_inner()).await.map(Response::new) })
    }
}

struct Weigh(Arc<Desk>);

impl UnaryService<Judge> for Weigh {
    type Response = Judged;
    type Future = Answered<Judged>;

    fn call(&mut self, request: Request<Judge>) -> Self::Future {
        let desk = Arc::clone(&self.0);
        Box::pin(async move { judging::judge(&desk, request.into_inner()).await.map(Response::new) })
    }
}

struct Tell(Arc<Desk>);

impl UnaryService<Look> for Tell {
    type Response = Rooms;
    type Future = Answered<Rooms>;

    fn call(&mut self, _: Request<Look>) -> Self::Future {
        let rooms = self.0.rooms();
        Box::pin(async move { Ok(Response::new(rooms)) })
    }
}
