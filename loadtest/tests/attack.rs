//! The command `attack`, against the server that it starts itself. Bounds are wide, because the machine may be busy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use std::process::{Command, Output};

fn attack(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_loadtest")).arg("attack").args(args).env("RUST_BACKTRACE", "0").output().unwrap();
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

#[test]
fn each_attack_is_listed_with_what_it_does() {
    let (code, text) = attack(&["--list"]);
    assert_eq!(code, Some(0), "{text}");
    let names: Vec<_> = text.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    assert!(names.len() > 40 && names.contains(&"pongs") && names.contains(&"looping-room"), "{text}");
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "two attacks have one name");
}

#[test]
fn only_a_server_of_this_machine_is_attacked() {
    for address in ["0.0.0.0:0", "192.0.2.1:3000"] {
        let (code, text) = attack(&["--listen", address]);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("not a loopback address"), "{text}");
    }
}

#[test]
fn an_unknown_attack_is_an_error() {
    let (code, text) = attack(&["--only", "kindness"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("there is no attack \"kindness\""), "{text}");
}

/// Linux alone has every address of 127.0.0.0/8.
#[cfg(target_os = "linux")]
#[test]
fn a_server_without_a_limit_falls_short() {
    let only = ["--quick", "--bound", "1000", "--only", "unknown-namespaces", "--only", "event-flood"];
    let (_, held) = attack(&only);
    // How many refusals arrive before the cut depends on the machine.
    assert!(held.contains("nowhere 1") && held.contains("cut after"), "{held}");
    let no_limit = ["requests_per_second=1e9", "request_burst=4000000000", "frames_per_second=1e9", "frame_burst=4000000000"];
    let no_limit = no_limit.into_iter().chain(["bytes_per_second=1e9", "byte_burst=4000000000", "queued_bytes=1000000000"]);
    let (code, short) = attack(&only.into_iter().chain(no_limit.flat_map(|limit| ["--limit", limit])).collect::<Vec<_>>());
    assert_eq!(code, Some(1), "{short}");
    assert!(short.contains("event-flood") && short.contains("FELL SHORT"), "{short}");
}
