//! Handlers of a host's own namespaces that keep the order of events.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use socketioxide::{
    adapter::LocalAdapter,
    handler::{FromMessage, FromMessageParts, MessageHandler, Value},
    socket::Socket,
};

/// A function that handles an event. Closures and functions with up to six arguments that socketioxide can extract are such.
pub trait EventHandler<T>: Send + Sync + 'static {
    /// Handles one event. Does nothing if an argument cannot be extracted.
    fn handle(&self, socket: Arc<Socket<LocalAdapter>>, data: Value, ack: Option<i64>);
}

/// Makes a function the handler of an event, for [`Socket::on`](socketioxide::socket::Socket::on).
///
/// Events of one client that are handled so are handled in the order in which the client sent them, one after the other.
/// socketioxide runs asynchronous handlers in tasks of their own, which may overtake each other.
///
/// The function runs in the task that reads the client's connection, so it must not block. What has to wait can go through a
/// channel to a task of your own. A handler must not register or remove handlers of its own socket: that call would never return.
///
/// A panic in the function is logged, and the event is not answered.
///
/// # Examples
///
/// ```no_run
/// use tickcast::{
///     net::in_order,
///     socketioxide::{
///         extract::{AckSender, Data, SocketRef},
///         handler::ConnectHandler,
///     },
/// };
///
/// # fn main() -> anyhow::Result<()> {
/// // Registered before the client is told that it is connected, so that no event comes too early.
/// let admit = async |socket: SocketRef| {
///     socket.on("add", in_order(|Data(numbers): Data<Vec<i64>>, ack: AckSender| {
///         let _ = ack.send(&numbers.iter().sum::<i64>());
///     }));
///     Ok::<_, std::convert::Infallible>(())
/// };
/// tickcast::server().namespaces(move |io, _host| io.ns("/sums", (async || {}).with(admit))).run()
/// # }
/// ```
pub fn in_order<T: Send + Sync + 'static>(handler: impl EventHandler<T>) -> impl MessageHandler<LocalAdapter, InOrder<T>> {
    Ordered(handler)
}

/// Tells handlers of [`in_order`] from socketioxide's own.
pub struct InOrder<T>(std::marker::PhantomData<T>);

struct Ordered<H>(H);

impl<H: EventHandler<T>, T: Send + Sync + 'static> MessageHandler<LocalAdapter, InOrder<T>> for Ordered<H> {
    fn call(&self, socket: Arc<Socket<LocalAdapter>>, data: Value, ack: Option<i64>) {
        // A panic would end the task that reads the connection, and leave the connection open.
        if catch_unwind(AssertUnwindSafe(|| self.0.handle(socket, data, ack))).is_err() {
            tracing::error!("the handler of an event panicked");
        }
    }
}

impl<F: Fn() + Send + Sync + 'static> EventHandler<()> for F {
    fn handle(&self, _: Arc<Socket<LocalAdapter>>, _: Value, _: Option<i64>) {
        self();
    }
}

/// Implements [`EventHandler`] for functions whose last argument may consume the event's data.
macro_rules! handle_with {
    ([$($part:ident),*], $last:ident) => {
        #[allow(non_snake_case, unused_mut, reason = "one body for every count of arguments")]
        impl<F, M, $($part,)* $last> EventHandler<(M, $($part,)* $last,)> for F
        where
            F: Fn($($part,)* $last) + Send + Sync + 'static,
            $($part: FromMessageParts<LocalAdapter>,)*
            $last: FromMessage<LocalAdapter, M>,
        {
            fn handle(&self, socket: Arc<Socket<LocalAdapter>>, mut data: Value, ack: Option<i64>) {
                $(
                    let $part = match $part::from_message_parts(&socket, &mut data, &ack) {
                        Ok(part) => part,
                        Err(error) => return tracing::debug!(%error, "an event's argument is not what its handler takes"),
                    };
                )*
                match $last::from_message(socket, data, ack) {
                    Ok(last) => self($($part,)* last),
                    Err(error) => tracing::debug!(%error, "an event's argument is not what its handler takes"),
                }
            }
        }
    };
}

handle_with!([], L);
handle_with!([A], L);
handle_with!([A, B], L);
handle_with!([A, B, C], L);
handle_with!([A, B, C, D], L);
handle_with!([A, B, C, D, E], L);
