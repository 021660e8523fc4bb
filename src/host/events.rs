//! Where the host tells a connection what concerns its user.

/// Takes events of one kind for one connection.
pub trait EventSink<E>: Send + Sync {
    /// Queues an event without waiting. A sink that is full drops it.
    fn send(&self, event: &E);
}
