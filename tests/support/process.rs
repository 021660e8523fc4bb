//! Tests that need a process of their own, because they look at state that a process shares.

use std::{
    env,
    process::{Command, Stdio},
};

const CHILD: &str = "TICKCAST_TEST_CHILD";

/// Runs a test once more in a child process, alone.
///
/// Returns `None` in the child, which then does the work. Returns the child's output in the parent, whose work is done. `test` is
/// the full name of the calling test.
///
/// # Panics
///
/// If the test fails in the child, or if there is no test with that name.
pub fn run_in_child(test: &str) -> Option<String> {
    if env::var_os(CHILD).is_some() {
        return None;
    }
    let child = Command::new(env::current_exe().expect("the path of this test binary"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .output()
        .expect("the test binary can be started again");
    let printed = format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success(), "{test} failed in a process of its own:\n{printed}");
    assert!(printed.contains("1 passed"), "no test has the name {test}:\n{printed}");
    Some(printed)
}
