//! Runs a real server, and a script for Node or Python that plays on it.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod proxy;

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// The time after which a script that hangs is ended. Far longer than any script takes on a slow machine.
const DEADLINE: Duration = Duration::from_secs(300);
const START: Duration = Duration::from_secs(60);
const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A process of the `arcade` binary, which is killed on drop.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts a server. Panics if it does not print its address in time.
    pub(crate) fn start(listen: &str) -> Self {
        Self::start_with(listen, &[])
    }

    /// Starts a server with more arguments.
    pub(crate) fn start_with(listen: &str, arguments: &[String]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_arcade"))
            .args(["--listen", listen, "--log", "warn"])
            .args(arguments)
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

/// Runs `tests/js/<script>` against a new server, and panics if the script fails.
///
/// A script can stop the server by printing the line `> stop` and start it again on the same port with `> start`. The answer is a
/// line on the script's standard input.
pub(crate) fn play(script: &str) {
    if let Some(node) = needed("Node with npm's packages", node()) {
        run(&mut Command::new(node), &format!("js/{script}"));
    }
}

/// Runs a script that drives Chromium, like [`play`].
pub(crate) fn browse(script: &str) {
    if let Some(mut command) = browser() {
        run(&mut command, &format!("js/{script}"));
    }
}

/// Returns Node with what a script needs that drives Chromium.
fn browser() -> Option<Command> {
    let node = needed("Node with npm's packages", node())?;
    let chromium = needed("Chromium (or $CHROMIUM, the path of one)", chromium())?;
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e");
    fs::create_dir_all(&pictures).unwrap();
    let mut command = Command::new(node);
    command.env("CHROMIUM", chromium).env("PICTURES", pictures);
    Some(command)
}

/// Runs `tests/py/<script>`, like [`play`], with the packages of `tests/py/requirements.txt`.
pub(crate) fn play_python(script: &str) {
    let python = on_path("python3").and_then(|python| environment(&python));
    if let Some(python) = needed("Python 3 with venv and PyPI's packages", python) {
        run(&mut Command::new(python), &format!("py/{script}"));
    }
}

/// Runs `tests/js/<script>` against a server that the test has started.
pub(crate) fn play_with(url: &str, script: &str) {
    if let Some(node) = needed("Node with npm's packages", node()) {
        run_at(&mut Command::new(node), url, script);
    }
}

/// Runs `tests/js/<script>` against a server with TLS, whose certificate nobody else trusts.
pub(crate) fn play_trusting(certificate: &Path, url: &str, script: &str) {
    if let Some(node) = needed("Node with npm's packages", node()) {
        run_at(Command::new(node).env("NODE_EXTRA_CA_CERTS", certificate), url, script);
    }
}

/// Runs a script that drives Chromium against a server that the test has started.
pub(crate) fn browse_with(url: &str, script: &str) {
    if let Some(mut command) = browser() {
        run_at(&mut command, url, script);
    }
}

/// Returns arguments by which a server has the modules of the rules, which are in the folder that `TICKCAST_TEST_MODULES` names.
pub(crate) fn modules() -> Option<[String; 2]> {
    let folder = env::var("TICKCAST_TEST_MODULES").ok().filter(|folder| Path::new(folder).join("arena_module.wasm").is_file());
    let what = "the modules of the rules (their folder, $TICKCAST_TEST_MODULES; CONTRIBUTING.md says how to build them)";
    Some(["--rules".to_owned(), needed(what, folder)?])
}

fn run_at(command: &mut Command, url: &str, script: &str) {
    let script = format!("js/{script}");
    converse(command, &script, url, |order| panic!("{script} asked for {order:?}, but cannot control the server of this test"));
}

fn run(command: &mut Command, script: &str) {
    let mut stage = Stage::new();
    let url = format!("http://{}", stage.address);
    converse(command, script, &url, |order| match order {
        "stop" => stage.stop(),
        "start" => stage.start(),
        other => panic!("{script} asked for {other:?}, but must ask for \"stop\" or \"start\""),
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

/// A server that can be stopped and started again on the same address.
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
        let stdin = self.0.stdin.as_mut().expect("the stream is piped");
        // Writing fails if the script has ended. Its exit status is checked later.
        let _ = stdin.write_all(b"done\n");
    }
}

impl Drop for ScriptRun {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// Kills a process, which may have ended already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Returns the lines that a process prints. The channel disconnects when the process ends.
fn lines(child: &mut Child) -> Receiver<String> {
    let stdout = child.stdout.take().expect("the stream is piped");
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // Keeps reading when the receiver is gone, because a full pipe would block the process.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

/// Returns a tool that a test needs. If it is missing, prints that the test is skipped, or panics on CI.
fn needed<T>(what: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "{what} is missing, and CI=true");
        // `eprintln!` would not do, because the test runner hides its output when a test passes.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED an end-to-end test: {what} is missing\n");
    }
    found
}

/// Returns Node if npm's packages are installed, which building the page does.
fn node() -> Option<PathBuf> {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/node_modules/playwright-core");
    on_path("node").filter(|_| packages.exists())
}

/// Returns the Python of a virtual environment with the packages of `requirements.txt`. It is created again when that file changes.
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
    // Written last, because it marks the environment as complete.
    fs::write(made, wanted).unwrap();
    Some(interpreter)
}

/// Runs a command and returns whether it succeeded.
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
