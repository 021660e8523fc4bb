//! The command `soak`, against the server that it starts itself, in its shortest form.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use std::process::{Command, Output};

fn soak(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_loadtest")).arg("soak").args(args).env("RUST_BACKTRACE", "0").output().unwrap();
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

#[test]
fn a_short_soak_prints_a_line_for_each_figure_of_each_stage() {
    // So short a soak has no verdict that would hold on a busy machine.
    let (code, text) = soak(&["--cycles", "40", "--ticks", "1000", "--clients", "9"]);
    assert!(matches!(code, Some(0 | 1)), "{text}");
    for stage in ["cycles", "churn"] {
        for figure in ["resident KiB", "heap KiB", "descriptors", "tasks"] {
            let begins = format!("{stage:<10}{figure}");
            assert!(text.lines().any(|line| line.starts_with(&begins)), "no {figure} of {stage}: {text}");
        }
    }
    assert!(text.lines().any(|line| line.starts_with("one room  heap KiB")), "{text}");
    assert!(text.contains("at rest, before and after: "), "{text}");
}

#[test]
fn a_server_that_leaks_fails_the_soak() {
    let (code, text) = soak(&["--cycles", "40", "--only-cycles", "--leak", "100000"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("FAILED: heap KiB grow in the stage \"cycles\""), "{text}");
}
