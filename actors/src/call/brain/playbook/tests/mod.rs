mod dialogues;
mod world;
