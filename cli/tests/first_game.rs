//! Follows `docs/YOUR-FIRST-GAME.md`, so that it stays true.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use std::{
    env, fs,
    io::{BufRead, BufReader, Lines, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use support::{folder, repository, run, target, text, tickcast};

/// The page, with a block for each fence.
struct Page(Vec<Block>);

/// A fenced block: what stands behind the fence, and the lines in it.
struct Block {
    kind: String,
    text: String,
}

impl Page {
    fn read() -> Self {
        let page = fs::read_to_string(repository().join("docs/YOUR-FIRST-GAME.md")).unwrap();
        let fenced = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
        Self(fenced.map(|(kind, text)| Block { kind: kind.to_owned(), text: text.to_owned() }).collect())
    }

    /// Returns the commands, in their order.
    fn commands(&self) -> Vec<&str> {
        self.0.iter().filter(|block| block.kind == "sh").flat_map(|block| block.text.lines()).collect()
    }

    /// Returns the changes, in their order: the file, the text that is in it, and the text to put there.
    fn changes(&self) -> Vec<(&str, &str, &str)> {
        let blocks: Vec<&Block> = self.0.iter().filter(|block| block.kind != "sh").collect();
        let change = |pair: &[&'_ Block]| match pair {
            [was, now] => assert!(was.file("was").is_some() && was.file("was") == now.file("now"), "{}, {}", was.kind, now.kind),
            pair => panic!("a block without another: {}", pair[0].kind),
        };
        blocks.chunks(2).for_each(change);
        blocks.chunks(2).map(|pair| (pair[0].file("was").unwrap(), pair[0].text.as_str(), pair[1].text.as_str())).collect()
    }
}

impl Block {
    /// Returns the file that the block shows, if it is of this kind.
    fn file(&self, kind: &str) -> Option<&str> {
        self.kind.split_once(&format!(" {kind} ")).map(|(_, file)| file)
    }
}

/// Changes a file of the game as the page says.
fn change(game: &Path, (file, was, now): (&str, &str, &str)) {
    let path = game.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(was).count(), 1, "{file} has this not once:\n{was}");
    fs::write(path, text.replace(was, now)).unwrap();
}

#[test]
fn the_page_says_what_there_is() {
    let page = Page::read();
    let within = folder("told");
    let made = ["tickcast new my-game", "cd my-game"];
    let known = ["cargo install --path cli", "rustup target add wasm32-unknown-unknown", "tickcast dev", "cargo test"];
    let commands = page.commands();
    let then = commands.iter().position(|command| *command == made[0]).unwrap();
    assert_eq!(commands[then..][..2], made);
    let output = tickcast(&within, &["new", "my-game"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let game = within.join("my-game");
    let package = fs::read_to_string(game.join("web/package.json")).unwrap();
    for command in commands.iter().filter(|command| !made.contains(command) && !known.contains(command)) {
        let script = command.strip_prefix("npm run ").and_then(|rest| rest.strip_suffix(" --prefix web"));
        let script = script.unwrap_or_else(|| panic!("this test does not know the command {command}"));
        assert!(package.contains(&format!("\"{script}\": ")), "the page has no script {script}");
    }
    assert!(tickcast(&game, &["dev", "--help"]).status.success());
    let text = fs::read_to_string(repository().join("docs/YOUR-FIRST-GAME.md")).unwrap();
    let named = text.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let files: Vec<&str> = named.flat_map(|names| names.split(", ")).map(|name| name.trim_matches('`')).collect();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        assert!(game.join(file).is_file(), "there is no {file}");
    }
    let changes = page.changes();
    assert!(changes.len() > 3, "{} changes", changes.len());
    changes.into_iter().for_each(|next| change(&game, next));
}

/// How often, and after what pause, this looks for what must come. No build takes 20 minutes.
const TRIES: u32 = 12_000;
const PAUSE: Duration = Duration::from_millis(100);

/// `tickcast dev`, which ends with this value.
struct Dev(Child);

impl Dev {
    fn start(game: &Path, listen: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickcast"));
        command.args(["dev", "--", "--listen", listen]).current_dir(game);
        command.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true").env("npm_config_prefer_offline", "true");
        Self(command.spawn().unwrap())
    }

    /// Waits until a file of the running game has some text.
    fn serves(&mut self, address: &str, path: &str, expected: &str) -> String {
        for _ in 0..TRIES {
            let answer = get(address, path).unwrap_or_default();
            if answer.contains(expected) {
                return answer;
            }
            assert_eq!(self.0.try_wait().unwrap(), None, "it has ended");
            sleep(PAUSE);
        }
        panic!("{path} never has {expected}");
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two windows of a browser with the page.
struct Windows(Child, Lines<BufReader<ChildStdout>>);

impl Windows {
    /// Opens them, and waits until they play. `None` if there is no browser, which is a failure in CI.
    fn open(address: &str) -> Option<Self> {
        let predicts = if get(address, "/rules/my-game.wasm").is_some() { "predicts" } else { "waits" };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js/two_windows.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(format!("http://{address}/")).arg(chromium()?).arg(predicts).stdout(Stdio::piped());
        let mut node = command.spawn().unwrap();
        let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "plays in two windows");
        Some(Self(node, lines))
    }

    /// Waits until a window has loaded the page again, and plays.
    fn load_again(mut self) {
        assert_eq!(self.1.next().unwrap().unwrap(), "loaded again");
        assert!(self.0.wait().unwrap().success());
    }
}

fn chromium() -> Option<String> {
    let named = env::var("CHROMIUM").ok().filter(|path| !path.is_empty());
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let paths = env::var_os("PATH").unwrap_or_default();
    let mut files = env::split_paths(&paths).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = named.or_else(|| files.find(|file| file.is_file()).map(|file| file.to_string_lossy().into_owned()));
    assert!(found.is_some() || env::var_os("CI").is_none(), "this test needs Chromium");
    found
}

fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    text(&answer).strip_prefix("HTTP/1.1 200").map(str::to_owned)
}

/// Does everything that the page says, with the real tools. npm takes its packages from its cache, or from the registry.
#[cfg(unix)]
#[test]
#[ignore = "takes minutes on a cold machine; `.ci/made-game` runs it"]
fn the_page_leads_to_a_game_with_a_rule_of_ones_own() {
    let page = Page::read();
    let within = folder("first");
    assert!(tickcast(&within, &["new", "my-game"]).status.success());
    let game = within.join("my-game");
    fs::copy(repository().join("Cargo.lock"), game.join("Cargo.lock")).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut dev = Dev::start(&game, &address);
    dev.serves(&address, "/", "reload.js");
    let first = dev.serves(&address, "/build.txt", "-");
    dev.serves(&address, "/playground.html", "id=\"app\"");
    assert!(!dev.serves(&address, "/schema/my-game.json", "strike").contains("run"));
    let windows = Windows::open(&address);
    for next in page.changes() {
        change(&game, next);
    }
    dev.serves(&address, "/schema/my-game.json", "\"run\"");
    dev.serves(&address, "/app.js", "ShiftLeft");
    assert_ne!(dev.serves(&address, "/build.txt", "-"), first);
    if let Some(windows) = windows {
        windows.load_again();
    }
    assert!(fs::read_to_string(game.join("web/my-game.d.ts")).unwrap().contains("run: boolean"));
    run(&game, "cargo", &["test", "--offline"]);
    run(&game, "npm", &["run", "check", "--prefix", "web"]);
    run(&game, "kill", &["-INT", &dev.0.id().to_string()]);
    assert!(dev.0.wait().unwrap().success());
    assert!(TcpStream::connect(&address).is_err(), "the server ends with it");
    assert!(!game.join("web/dist/build.txt").exists() && game.join("web/dist/index.html").is_file());
    assert!(!fs::read_to_string(game.join("web/dist/index.html")).unwrap().contains("reload.js"));
}
