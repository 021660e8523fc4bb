//! The figures that the server tells about itself.

use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use tickcast::game::Game;
use tokio::time::{Instant, sleep};

use super::series::{Figure, Series};
use super::soak_server::Steady;
use crate::server::{Server, metric};

/// The time between two looks at a server that is to come to rest.
const LOOK: Duration = Duration::from_millis(50);

/// How long a server may take to come to rest. A session that enters no namespace lives for 10 s.
const COMES_TO_REST: Duration = Duration::from_secs(40);

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Reading {
    pub(crate) resident: f64,
    pub(crate) heap: f64,
    pub(crate) descriptors: f64,
    pub(crate) tasks: f64,
    connections: f64,
    sessions: f64,
    rooms: f64,
    seats: f64,
    /// The steps of the rooms that live for the whole soak.
    pub(crate) ticks: f64,
}

impl Reading {
    pub(crate) async fn take(server: &Server) -> anyhow::Result<Self> {
        // The metrics come first: the server may still count the connection of a request right before them.
        let metrics = server.metrics().await.context("/metrics does not answer")?;
        let heap = server.page("/heap").await.context("/heap does not answer")?.parse()?;
        let read = |name: &str, label: &str| metric(&metrics, name, label).with_context(|| format!("/metrics has no {name}"));
        Ok(Self {
            resident: read("process_resident_memory_bytes", "")?,
            heap,
            descriptors: read("process_open_fds", "")?,
            tasks: read("tickcast_tasks", "")?,
            connections: read("tickcast_streams", "")?,
            sessions: read("tickcast_sessions", "")?,
            rooms: read("tickcast_rooms", "")?,
            seats: read("tickcast_seats", "")?,
            ticks: read("tickcast_tick_seconds_count", &format!("game=\"{}\"", Steady::NAME))?,
        })
    }

    /// Waits until the server has nobody and nothing to do.
    pub(crate) async fn at_rest(server: &Server) -> anyhow::Result<Self> {
        let end = Instant::now() + COMES_TO_REST;
        loop {
            let reading = Self::take(server).await?;
            // One connection asks for the metrics.
            if reading.sessions + reading.rooms + reading.seats == 0.0 && reading.connections <= 1.0 {
                return Ok(reading);
            }
            if Instant::now() > end {
                bail!("the server does not come to rest: {reading:?}");
            }
            sleep(LOOK).await;
        }
    }
}

/// The figures of a stage, one series each.
pub(crate) fn series(stage: &'static str) -> [Series; 4] {
    [Figure::ResidentBytes, Figure::HeapBytes, Figure::Descriptors, Figure::Tasks].map(|figure| Series::new(stage, figure))
}

/// Adds a reading to the figures of a stage.
pub(crate) fn record(series: &mut [Series; 4], work: f64, reading: &Reading) {
    for series in series {
        let value = match series.figure {
            Figure::ResidentBytes => reading.resident,
            Figure::HeapBytes => reading.heap,
            Figure::Descriptors => reading.descriptors,
            Figure::Tasks => reading.tasks,
        };
        series.push(work, value);
    }
}
