//! What a process costs, as the kernel counts it.

mod process;

pub use process::{Cost, cost_of};
