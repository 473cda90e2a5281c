mod dialogues;
mod meanings;
mod properties;
pub(super) mod world;
