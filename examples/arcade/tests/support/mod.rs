//! A real server, and a script for Node or Python that plays on it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// Far more than any script takes on a slow machine; what hangs ends all the same.
const DEADLINE: Duration = Duration::from_secs(300);
const START: Duration = Duration::from_secs(60);
const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The `arcade` binary on a port of its own; it ends when it is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Panics if the server does not say in time where it listens.
    fn start(listen: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_arcade"))
            .args(["--listen", listen, "--log", "warn"])
            .env_remove("TICKCAST_LISTEN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines(&mut child);
        let address = loop {
            match lines.recv_timeout(START) {
                Ok(line) => {
                    if let Some(address) = line.strip_prefix("Listening on http://") {
                        break address.to_owned();
                    }
                }
                Err(error) => {
                    end(&mut child);
                    panic!("the server does not listen on {listen}: {error}");
                }
            }
        };
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Runs `tests/js/<script>` against a server of its own, and fails if it does. A script can end the server with the line
/// `> stop` and have it back on the same port with `> start`; the answer is a line on its standard input.
pub(crate) fn play(script: &str) {
    if let Some(node) = needed("Node with npm's packages", node()) {
        run(&mut Command::new(node), &format!("js/{script}"));
    }
}

/// The same for a script that drives Chromium.
pub(crate) fn browse(script: &str) {
    let Some(node) = needed("Node with npm's packages", node()) else { return };
    let Some(chromium) = needed("Chromium (or $CHROMIUM, the path of one)", chromium()) else { return };
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e");
    fs::create_dir_all(&pictures).unwrap();
    run(Command::new(node).env("CHROMIUM", chromium).env("PICTURES", pictures), &format!("js/{script}"));
}

/// The same for a script in `tests/py`, with the packages that `requirements.txt` there names.
pub(crate) fn play_python(script: &str) {
    let python = on_path("python3").and_then(|python| environment(&python));
    if let Some(python) = needed("Python 3 with venv and PyPI's packages", python) {
        run(&mut Command::new(python), &format!("py/{script}"));
    }
}

/// Runs `tests/js/<script>` against a server of the test's own.
pub(crate) fn play_with(url: &str, script: &str) {
    if let Some(node) = needed("Node with npm's packages", node()) {
        let script = format!("js/{script}");
        converse(&mut Command::new(node), &script, url, |order| {
            panic!("{script} wants {order:?} of a server that is not its own")
        });
    }
}

fn run(command: &mut Command, script: &str) {
    let mut stage = Stage::new();
    let url = format!("http://{}", stage.address);
    converse(command, script, &url, |order| match order {
        "stop" => stage.stop(),
        "start" => stage.start(),
        other => panic!("{script} wants {other:?}, whatever that is"),
    });
}

fn converse(command: &mut Command, script: &str, url: &str, mut heed: impl FnMut(&str)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
    let child = command.arg(path).arg(url).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut script_run = ScriptRun(child);
    let lines = lines(&mut script_run.0);
    let begun = now();
    loop {
        match lines.recv_timeout(DEADLINE.saturating_sub(begun.elapsed())) {
            Ok(line) => {
                println!("{script}: {line}");
                if let Some(order) = line.strip_prefix("> ") {
                    heed(order);
                    script_run.answer();
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("{script} takes longer than {} s", DEADLINE.as_secs()),
        }
    }
    let status = script_run.0.wait().unwrap();
    assert!(status.success(), "{script} failed: {status}");
}

/// An address with a server, while there is one.
struct Stage {
    address: String,
    server: Option<Server>,
}

impl Stage {
    fn new() -> Self {
        let server = Server::start("127.0.0.1:0");
        Self { address: server.address.clone(), server: Some(server) }
    }

    fn stop(&mut self) {
        self.server = None;
    }

    fn start(&mut self) {
        self.server = Some(Server::start(&self.address));
    }
}

struct ScriptRun(Child);

impl ScriptRun {
    fn answer(&mut self) {
        let stdin = self.0.stdin.as_mut().expect("it is piped");
        // A script that has ended hears nothing; its status tells.
        let _ = stdin.write_all(b"done\n");
    }
}

impl Drop for ScriptRun {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// Ends a process that may have ended.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// What a process prints, line by line; disconnected at its end.
fn lines(child: &mut Child) -> Receiver<String> {
    let stdout = child.stdout.take().expect("it is piped");
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // Reads on when nobody listens: a full pipe would hold up the process.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

/// What a test cannot do without. Where it is missing the test is skipped, loudly; on CI it must be there.
fn needed<T>(what: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "{what} is missing, and CI=true");
        // Not through `eprintln!`, which the test runner keeps to itself when a test passes.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED an end-to-end test: {what} is missing\n");
    }
    found
}

/// The packages are there when the page was built.
fn node() -> Option<PathBuf> {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/node_modules/playwright-core");
    on_path("node").filter(|_| packages.exists())
}

/// A virtual environment of these tests' own with what `requirements.txt` names; made once, and again when that changes.
fn environment(python: &Path) -> Option<PathBuf> {
    let needs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/py/requirements.txt");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e-python");
    let (interpreter, made) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let wanted = fs::read(&needs).unwrap();
    if fs::read(&made).is_ok_and(|has| has == wanted) && succeeds(Command::new(&interpreter).arg("--version")) {
        return Some(interpreter);
    }
    let venv = succeeds(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder));
    let mut pip = Command::new(&interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&needs);
    if !venv || !succeeds(&mut pip) {
        return None;
    }
    // Written last: an environment without it is not whole.
    fs::write(made, wanted).unwrap();
    Some(interpreter)
}

/// Runs a command to its end.
fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn chromium() -> Option<PathBuf> {
    let told = env::var_os("CHROMIUM").map(PathBuf::from);
    told.or_else(|| CHROMIUM.iter().find_map(|name| on_path(name)))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

#[expect(clippy::disallowed_methods, reason = "a test of real processes has a real deadline")]
fn now() -> Instant {
    Instant::now()
}
