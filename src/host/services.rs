//! Services that all rooms of a host share.

use std::sync::{Arc, Mutex};

use super::{
    attempts::Attempts,
    board::Board,
    hub::Hub,
    limits::Limits,
    pass::Keys,
    quota::Quotas,
    record::{Record, Recorder},
};
use crate::{identity::Gate, observe::Pace};

/// Services that all rooms of a host share.
pub(super) struct Services {
    pub(super) limits: Limits,
    pub(super) quotas: Arc<Quotas>,
    pub(super) codes: Attempts,
    /// Held while a private room is opened again.
    pub(super) reopening: Mutex<()>,
    pub(super) board: Arc<Board>,
    pub(super) hub: Arc<Hub>,
    pub(super) keys: Keys,
    pub(super) gate: Gate,
    pub(super) recorders: Vec<Arc<dyn Recorder>>,
    pub(super) log: LogPaces,
}

/// The pace of the log lines that clients can cause without end.
#[derive(Default)]
pub(super) struct LogPaces {
    pub(super) opened: Pace,
    pub(super) closed: Pace,
    pub(super) desyncs: Pace,
}

impl Services {
    /// Hands a record to every recorder.
    pub(super) fn record(&self, record: &Record) {
        self.recorders.iter().for_each(|recorder| recorder.record(record));
    }
}
