//! Builds the rules of arena as the WebAssembly module by which clients predict, and lists what the binary embeds of it.
//!
//! `TICKCAST_MODULES` says when: with `1` in every build, and a failure is an error; with `0` never. Otherwise it is built in release
//! builds where the target is installed. A first build takes about a minute.
//!
//! A cargo of its own builds it, in a folder of its own: the one that runs this script holds the lock of the other folder. Both share
//! the job server.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{run, warn, watch};

const CHOICE: &str = "TICKCAST_MODULES";
/// The compiler for the target, where it is not the one that builds the server.
const COMPILER: &str = "TICKCAST_WASM_RUSTC";
/// The compiler's flags for the target.
const FLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";
const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "arena-module";
const MODULE: &str = "arena_module.wasm";

/// The sources of the module, relative to the workspace's root. Cargo finds out what of the library it needs.
const SOURCES: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "assets/maps",
    "examples/arena/Cargo.toml",
    "examples/arena/src",
    "examples/modules/arena",
];

/// Writes what the first argument names, compressed, into what the second names.
const COMPRESS: &str = "const { readFileSync, writeFileSync } = require('node:fs');
const [from, to] = process.argv.slice(1);
writeFileSync(to, require('node:zlib').brotliCompressSync(readFileSync(from)));";

/// Why the binary embeds no module.
enum Missing {
    /// Nobody wants it in this build.
    Unwanted(&'static str),
    /// The target is not installed.
    Target,
    /// The build failed, with this message.
    Failed(String),
}

/// Writes `modules.rs`.
pub fn embed(root: &Path, out: &Path) -> io::Result<()> {
    for variable in [CHOICE, COMPILER, FLAGS] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let choice = env::var(CHOICE).unwrap_or_default();
    let made = is_wanted(&choice).and_then(|()| build(root, out));
    let embedded = match made {
        Ok(module) => {
            let brotli = compress(&module, &out.join("arena.wasm.br"));
            let brotli = brotli.map_or_else(|| "None".to_owned(), |file| format!("Some(include_bytes!({file:?}))"));
            format!("Ok((include_bytes!({module:?}), {brotli}))")
        }
        Err(missing) => {
            missing.tell(choice == "1");
            if let Missing::Failed(_) = missing {
                // This path never exists, so cargo reruns this script at every build until one succeeds.
                println!("cargo::rerun-if-changed={}", out.join("never").display());
            }
            format!("Err({:?})", missing.reason())
        }
    };
    fs::write(out.join("modules.rs"), format!("const ARENA_RULES: Result<(&[u8], Option<&[u8]>), &str> = {embedded};\n"))
}

fn is_wanted(choice: &str) -> Result<(), Missing> {
    match choice {
        "0" => Err(Missing::Unwanted("TICKCAST_MODULES=0 was set for the build")),
        "1" => Ok(()),
        // Checks and tests do not need it, and it costs more than they do.
        _ if env::var_os("PROFILE").is_none_or(|profile| profile != "release") => {
            Err(Missing::Unwanted("only release builds have it, and those with TICKCAST_MODULES=1"))
        }
        _ => Ok(()),
    }
}

/// Builds the module, and returns its file.
fn build(root: &Path, out: &Path) -> Result<PathBuf, Missing> {
    let compiler = env::var_os(COMPILER).filter(|path| !path.is_empty()).or_else(|| env::var_os("RUSTC"));
    let compiler = compiler.unwrap_or_else(|| OsString::from("rustc"));
    let library = run(Command::new(&compiler).args(["--print", "target-libdir", "--target", TARGET])).map_err(Missing::Failed)?;
    let library = Path::new(library.trim());
    if !library.is_dir() {
        // The folder that has a folder for each target: it changes when one is installed.
        if let Some(targets) = library.ancestors().nth(2) {
            println!("cargo::rerun-if-changed={}", targets.display());
        }
        return Err(Missing::Target);
    }
    watch(root, &SOURCES);
    let folder = out.join("modules");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        PACKAGE,
        "--profile",
        "module",
        "--target",
        TARGET,
        "--manifest-path",
    ]);
    cargo.arg(root.join("Cargo.toml")).arg("--target-dir").arg(&folder);
    // These are meant for the server: its flags, the folder that some configurations share, and the lints of clippy.
    let flags = env::var(FLAGS).unwrap_or_default();
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.split_whitespace().collect::<Vec<_>>().join("\x1f"));
    cargo.env("CARGO_BUILD_BUILD_DIR", &folder).env("RUSTC", compiler);
    cargo.env_remove("RUSTC_WORKSPACE_WRAPPER").env_remove("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER");
    run(&mut cargo).map_err(Missing::Failed)?;
    Ok(folder.join(TARGET).join("module").join(MODULE))
}

/// Compresses a file with Node, as the page's files are. Without Node, the server only has what it compresses itself.
fn compress(file: &Path, to: &Path) -> Option<PathBuf> {
    match run(Command::new("node").args(["--eval", COMPRESS]).arg(file).arg(to)) {
        Ok(_) => Some(to.to_owned()),
        Err(reason) => {
            warn("the module of arena's rules is not compressed with brotli", &reason);
            None
        }
    }
}

impl Missing {
    /// The reason, in one line.
    fn reason(&self) -> String {
        match self {
            Self::Unwanted(reason) => (*reason).to_owned(),
            Self::Target => format!("run `rustup target add {TARGET}` and build again"),
            Self::Failed(message) => format!("its build failed: {}", message.lines().next().unwrap_or_default()),
        }
    }

    /// Tells what a person may want to do something about.
    fn tell(&self, is_error: bool) {
        let kind = if is_error { "error" } else { "warning" };
        match self {
            Self::Target if is_error => println!("cargo::error=no module of the rules of arena: {}", self.reason()),
            Self::Unwanted(_) | Self::Target => {}
            Self::Failed(message) => {
                message.lines().for_each(|line| println!("cargo::{kind}={line}"));
            }
        }
    }
}
