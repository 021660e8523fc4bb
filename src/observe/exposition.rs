//! The page of metrics.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::{
    meters::{TICK_LATENESS, TICK_SECONDS, publish_bytes},
    process,
};

/// From 20 microseconds, a small room, to a quarter of a second, a room in trouble.
const BUCKETS: &[f64] = &[0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25];

static EXPOSITION: OnceLock<Exposition> = OnceLock::new();

/// Renders every metric of the process as Prometheus text.
#[derive(Clone)]
pub(crate) struct Exposition(PrometheusHandle);

/// Installs the recorder of metrics, once per process, and returns its page. Meters made earlier record nothing.
///
/// # Errors
///
/// If the buckets of the histograms are malformed.
pub(crate) fn exposition() -> Result<Exposition, BuildError> {
    if let Some(exposition) = EXPOSITION.get() {
        return Ok(exposition.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(TICK_SECONDS.to_owned()), BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(TICK_LATENESS.to_owned()), BUCKETS)?
        .build_recorder();
    let exposition = EXPOSITION.get_or_init(|| {
        let exposition = Exposition(recorder.handle());
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder of metrics is installed: /metrics shows only CPU time and memory of the process");
        }
        exposition
    });
    Ok(exposition.clone())
}

impl Exposition {
    /// Prometheus text, version 0.0.4.
    pub(crate) fn render(&self) -> String {
        publish_bytes();
        let mut page = self.0.render();
        // By hand, because counters of the facade hold whole numbers only.
        for (name, kind, help, value) in [
            ("process_cpu_seconds_total", "counter", "User and system time of the process.", process::cpu_seconds()),
            ("process_resident_memory_bytes", "gauge", "Resident memory of the process.", process::resident_bytes()),
            ("process_open_fds", "gauge", "Open file descriptors of the process.", process::open_descriptors()),
            ("tickcast_tasks", "gauge", "Tasks of the runtime that serves the network.", process::alive_tasks()),
        ] {
            if let Some(value) = value {
                page.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n"));
            }
        }
        page
    }

    /// Folds the samples of the histograms, which would grow without bound if nobody asked for the page.
    pub(crate) fn upkeep(&self) {
        self.0.run_upkeep();
    }
}
