mod pulling;
mod server;
