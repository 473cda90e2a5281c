//! Logs and metrics. The only place that installs a tracing subscriber or a metrics recorder.
//!
//! What is logged and counted is declared beside the code that does it; here it is only collected.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use crate::{edge, gateway};

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which lines: a level, or directives such as `info,cluster::sip=debug`.
    pub filter: String,
    /// "human" for people, "json" for programs: one object per line.
    pub format: Format,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One readable line, coloured on a terminal.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: Format::Human }
    }
}

/// Why telemetry could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter can't be read.
    #[error("log.filter can't be read: {why}; write a level such as \"info\" or \"info,cluster::sip=debug\"")]
    Filter {
        /// Why.
        why: String,
    },
    /// The buckets of a histogram are empty.
    #[error("the metrics recorder could not be built: {why}")]
    Recorder {
        /// Why.
        why: String,
    },
    /// Somebody else installed one in this process.
    #[error("telemetry is installed already in this process; install it once")]
    Installed,
}

/// Buckets of durations in seconds, for families that declare none: from a packet's length to a long wait.
const SECONDS: &[f64] =
    &[0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0];

/// Installs the log subscriber, writing to standard error.
///
/// # Errors
/// An unreadable filter; a subscriber that is there already.
pub fn install_log(settings: &Settings) -> Result<(), Error> {
    let filter =
        EnvFilter::try_new(&settings.filter).map_err(|error| Error::Filter { why: error.to_string() })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match settings.format {
        Format::Human => builder.try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|_| Error::Installed)
}

/// What is counted in this process. A cheap handle.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// All metrics in the Prometheus text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds what was recorded into its histograms; to be run every few seconds, or memory grows.
    pub fn keep_up(&self) {
        self.0.run_upkeep();
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Metrics")
    }
}

/// Installs the metrics recorder and describes every metric.
///
/// # Errors
/// A recorder that is there already.
pub fn install_metrics() -> Result<Metrics, Error> {
    let recorder = builder()?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| Error::Installed)?;
    describe_all();
    Ok(Metrics(handle))
}

fn builder() -> Result<PrometheusBuilder, Error> {
    let builder = PrometheusBuilder::new();
    set(builder, Matcher::Suffix("_seconds".to_owned()), SECONDS)
}

fn set(builder: PrometheusBuilder, matcher: Matcher, buckets: &[f64]) -> Result<PrometheusBuilder, Error> {
    builder
        .set_buckets_for_metric(matcher, buckets)
        .map_err(|error| Error::Recorder { why: error.to_string() })
}

/// Describes every metric of every part.
fn describe_all() {
    actors::metrics::describe();
    actors::storage::metrics::describe();
    actors::storage::search::metrics::describe();
    edge::carriers::metrics::describe();
    edge::media::metrics::describe();
    edge::sip_trunk::metrics::describe();
    gateway::metrics::describe();
    models::metrics::describe();
}
