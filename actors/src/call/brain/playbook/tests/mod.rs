mod dialogues;
mod properties;
pub(super) mod world;
