//! A node, tested whole: the wire, the command line, real processes.

mod sip;
