//! `strowger`: a node, and the command line that talks to it.

use std::process::ExitCode;

use clap::Parser;
use cluster::command::Cli;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cluster::command::main(Cli::parse())
}
