//! The repository's own rules, as tests: what a reviewer would otherwise have to notice.

mod layering;
mod personal_data;
mod purity;
mod sizes;
mod source;
mod top_level;
