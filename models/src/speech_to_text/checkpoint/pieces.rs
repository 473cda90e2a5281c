//! The pieces of a SentencePiece model file, a protocol buffer (`sentencepiece_model.proto`): nothing else of it is
//! needed to read what the recogniser says.

use prost::Message;

use crate::speech_to_text::tokens::Vocabulary;

#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(message, repeated, tag = "1")]
    pieces: Vec<SentencePiece>,
}

#[derive(Clone, PartialEq, Message)]
struct SentencePiece {
    #[prost(string, optional, tag = "1")]
    piece: Option<String>,
}

/// The pieces in the order of their numbers.
pub(super) fn read(file: &[u8]) -> Result<Vocabulary, String> {
    let model = ModelProto::decode(file).map_err(|error| format!("no SentencePiece model: {error}"))?;
    if model.pieces.is_empty() {
        return Err("no SentencePiece model: it has no pieces".into());
    }
    Ok(Vocabulary::new(model.pieces.into_iter().map(|piece| piece.piece.unwrap_or_default()).collect()))
}
