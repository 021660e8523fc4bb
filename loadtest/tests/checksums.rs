//! The command `checksums`, with modules that are no games. The gate runs it with the real one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, process};

/// A module with `begin(i32, i64)` and `run(i32) -> i64`, up to the code.
const HEAD: &[u8] =
    b"\0asm\x01\0\0\0\x01\x0b\x02\x60\x02\x7f\x7e\0\x60\x01\x7f\x01\x7e\x03\x03\x02\0\x01\x07\x0f\x02\x05begin\0\0\x03run\0\x01";
/// `begin` does nothing, and `run` returns 0.
const ZERO: &[u8] = b"\x0a\x09\x02\x02\0\x0b\x04\0\x42\0\x0b";
/// `begin` does nothing, and `run` traps.
const TRAP: &[u8] = b"\x0a\x08\x02\x02\0\x0b\x03\0\0\x0b";

/// Runs the command with a module of this code. `None` if Node is missing, and this is not CI.
fn checksums(name: &str, code: &[u8]) -> Option<(Option<i32>, String)> {
    if Command::new("node").arg("--version").output().is_err() {
        assert!(env::var_os("CI").is_none(), "CI has Node");
        eprintln!("skipped: this test needs Node");
        return None;
    }
    let module: PathBuf = env::temp_dir().join(format!("tickcast-checksums-{}-{name}.wasm", process::id()));
    fs::write(&module, [HEAD, code].concat()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    let run = command.args(["checksums", "--game", "maths", "--ticks", "1001", "--module"]).arg(&module).output().unwrap();
    fs::remove_file(module).unwrap();
    Some((run.status.code(), String::from_utf8(run.stdout).unwrap()))
}

#[test]
fn a_module_that_goes_another_way_is_found_out() {
    let Some((code, text)) = checksums("zero", ZERO) else { return };
    assert!(text.contains("maths          1000        0  DIFFERENT since a tick after 0\n"), "{text}");
    assert_eq!(code, Some(1));
}

#[test]
fn a_module_that_traps_is_found_out() {
    let Some((code, text)) = checksums("trap", TRAP) else { return };
    assert!(text.contains("the module STOPPED after tick 0\n"), "{text}");
    assert_eq!(code, Some(1));
}
