//! Builds what the binary embeds: the web page, and the module by which clients predict arena.
//!
//! The server is useful without either. If a part fails, the build continues, and the server says what is missing.

mod modules;
mod web;

use std::{
    env,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts"));
    // Asked when it runs: the folder may have been copied with what was built in it.
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR for build scripts"));
    let root = package.join("../..").canonicalize()?;
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed=PATH");
    web::embed(&root, &out)?;
    modules::embed(&root, &out)
}

/// Lets cargo run this script again when one of these files or folders changes.
fn watch(root: &Path, sources: &[&str]) {
    for source in sources {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
}

/// Warns of something that is missing, with the first line of the reason.
fn warn(what: &str, reason: &str) {
    println!("cargo::warning={what}: {}", reason.lines().next().unwrap_or_default());
}

/// Runs a program and returns its output. The error is a message for people.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{name} was not found"),
        _ => format!("{name} could not be run: {error}"),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} {} failed\n{}", arguments.join(" "), said.trim()))
}
