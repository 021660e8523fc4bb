//! Builds the web page in `assets/` with Node and npm, and lists the files that the binary embeds.
//!
//! If this fails, the server shows a page with the reason instead.

use std::{
    env,
    ffi::OsStr,
    fmt::Write as _,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{run, warn, watch};

/// The sources of the page, relative to the workspace's root.
const SOURCES: [&str; 12] = [
    "assets/package.json",
    "assets/package-lock.json",
    "assets/sdk/package.json",
    "assets/sdk/src",
    "assets/web/package.json",
    "assets/web/build.mjs",
    "assets/web/src",
    "assets/maps",
    "examples/arena/view",
    "examples/scribble/view",
    "examples/swarm/view",
    "examples/tactics/view",
];
const SKIP: &str = "TICKCAST_SKIP_WEB";
const LEAST_NODE: u32 = 20;

/// Writes `pages.rs`.
pub fn embed(root: &Path, out: &Path) -> io::Result<()> {
    let web = out.join("web");
    println!("cargo::rerun-if-env-changed={SKIP}");
    watch(root, &SOURCES);
    if web.exists() {
        fs::remove_dir_all(&web)?;
    }
    fs::create_dir_all(&web)?;
    if let Err(reason) = build(&root.join("assets"), &web, out) {
        if env::var_os(SKIP).is_none() {
            warn("the web page was not built", &reason);
            // This path never exists, so cargo reruns this script at every build until one succeeds.
            println!("cargo::rerun-if-changed={}", out.join("never").display());
        }
        fs::remove_dir_all(&web)?;
        fs::create_dir_all(&web)?;
        fs::write(web.join("index.html"), notice(&reason))?;
    }
    fs::write(out.join("pages.rs"), table(&web)?)
}

/// Bundles the page into `web`. The error is a message for people.
fn build(assets: &Path, web: &Path, out: &Path) -> Result<(), String> {
    if env::var_os(SKIP).is_some_and(|value| value != "0") {
        return Err(format!("{SKIP} is set"));
    }
    let version = run(Command::new("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < LEAST_NODE) {
        return Err(format!("node is {}, which is too old", version.trim()));
    }
    install(assets, out)?;
    run(Command::new("node").arg("web/build.mjs").arg(web).current_dir(assets)).map(drop)
}

/// Installs the packages of `package-lock.json` unless they are installed already.
fn install(assets: &Path, out: &Path) -> Result<(), String> {
    let text = |error: io::Error| format!("the packages could not be locked or read: {error}");
    let lock = File::create(out.ancestors().nth(4).unwrap_or(out).join("arcade-npm.lock")).map_err(text)?;
    // A build of another profile may install into the same folder at the same time. Dropping the file releases the lock.
    lock.lock().map_err(text)?;
    let wanted = fs::read(assets.join("package-lock.json")).map_err(text)?;
    let stamp = assets.join("node_modules/.arcade-lock");
    let installed_by_hand = newer(&assets.join("node_modules/.package-lock.json"), &assets.join("package-lock.json"));
    if installed_by_hand || fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(Command::new(npm).args(["ci", "--include=dev", "--prefer-offline", "--no-audit", "--no-fund"]).current_dir(assets))?;
    fs::write(stamp, wanted).map_err(text)
}

fn newer(a: &Path, b: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|data| data.modified());
    matches!((changed(a), changed(b)), (Ok(a), Ok(b)) if a >= b)
}

/// Returns the files as Rust source: their paths, content types and bytes.
fn table(web: &Path) -> io::Result<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(web)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let client = files.iter().position(|file| file.ends_with("socket.io.js")).map(|at| files.remove(at));
    let mut text = format!("const PAGES: [(&str, &str, &[u8]); {}] = [\n", files.len());
    for file in &files {
        let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let _ = writeln!(text, "    (\"/{name}\", {:?}, include_bytes!({file:?})),", content_type(name));
    }
    text.push_str("];\n");
    let client = client.map_or_else(|| "None".to_owned(), |file| format!("Some(include_bytes!({file:?}))"));
    let _ = writeln!(text, "const CLIENT_BUNDLE: Option<&[u8]> = {client};");
    Ok(text)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Returns the page that is shown when the real one could not be built.
fn notice(reason: &str) -> String {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tickcast</title>
<style>
  body {{ margin: 12vh auto; max-width: 42rem; padding: 0 1.5rem; background: #080b11; color: #e8effa; font: 17px/1.6 system-ui, sans-serif }}
  pre {{ padding: 1rem; overflow: auto; background: #10161f; border-radius: 10px; color: #ffb3ba }}
  code {{ color: #56e0c8 }}
</style>
<h1>The server is running, but its page was not built</h1>
<p>Clients can still connect. To get the page, install <a href="https://nodejs.org" style="color:#56e0c8">Node.js</a> {LEAST_NODE} or
later, which includes npm, and start again with <code>cargo run --release</code>. The reason was:</p>
<pre>{reason}</pre>
</html>
"#
    )
}
