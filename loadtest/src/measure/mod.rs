//! What a process costs, as the kernel counts it, and how fast the machine is.

mod pace;
mod process;
mod threads;

pub use pace::{Pace, pace};
pub use process::{Cost, cost_of};
pub use threads::{ByThread, threads_of};
