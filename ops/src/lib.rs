//! Running Strowger: the scripts `run`, `test` and `check` beside this folder, the reference configuration, and
//! the repository's own rules, which are ordinary tests in `ops/tests`.
//!
//! There is no operators' command line here yet; the node's binary, `strowger`, has the commands that exist.
