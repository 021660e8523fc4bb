//! Blocking calls on threads that may serve the network.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::{
    runtime::{Handle, RuntimeFlavor, worker_index},
    task::block_in_place,
};

/// Calls `act`, which may block. On a worker of a runtime with several, the worker's other tasks go on elsewhere.
///
/// It blocks the thread on any other, and in a `LocalSet`, whose tasks cannot move.
pub(super) fn aside<R>(act: impl FnOnce() -> R) -> R {
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    // Outside of workers `block_in_place` gains nothing, and panics in a `LocalSet`.
    let is_worker = matches!(flavor, Ok(RuntimeFlavor::MultiThread)) && worker_index().is_some();
    if is_worker { block(act) } else { act() }
}

/// Does that on what looks like a worker. It is none if a runtime of one thread has entered the handle of another, which Tokio tells
/// by a panic alone.
fn block<R>(act: impl FnOnce() -> R) -> R {
    let mut act = Some(act);
    let result = catch_unwind(AssertUnwindSafe(|| block_in_place(|| (act.take().expect("called once"))())));
    match (result, act) {
        (Ok(result), _) => result,
        (Err(_), Some(act)) => act(),
        (Err(panic), None) => resume_unwind(panic),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::{
        runtime::Builder,
        task::{LocalSet, spawn_local},
    };

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_of_a_worker_go_on() {
        let (sender, receiver) = mpsc::channel();
        let blocks = tokio::spawn(async move {
            tokio::spawn(async move { sender.send(5) });
            aside(|| receiver.recv())
        });
        assert_eq!(blocks.await.unwrap(), Ok(5));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_local_set_may_block() {
        let local = LocalSet::new();
        assert_eq!(local.run_until(async { spawn_local(async { aside(|| 5) }).await }).await.unwrap(), 5);
    }

    #[tokio::test]
    async fn a_runtime_of_one_thread_may_block() {
        assert_eq!(aside(|| aside(|| 5)), 5);
    }

    #[test]
    fn a_runtime_of_one_thread_may_block_within_the_handle_of_another() {
        let [one, many] =
            [Builder::new_current_thread(), Builder::new_multi_thread()].map(|mut runtime| runtime.build().unwrap());
        let blocks = one.block_on(async {
            let _entered = many.enter();
            aside(|| 5)
        });
        assert_eq!(blocks, 5);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_panic_of_the_call_is_passed_on() {
        let panics = tokio::spawn(async { aside(|| panic!("as planned")) });
        assert_eq!(panics.await.unwrap_err().into_panic().downcast_ref(), Some(&"as planned"));
    }
}
