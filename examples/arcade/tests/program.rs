//! The program as the system sees it: signals, variables, files, descriptors, and a standard error that takes nothing.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread::{self, sleep},
    time::{Duration, Instant},
};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let parent =
            std::env::temp_dir().join(format!("tickcast-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&parent).unwrap();
        Self(parent.join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// A process of the `arcade` binary, which is killed on drop.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    /// Starts the program, without any variable of the surroundings, and waits until it prints its address.
    fn start(change: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arcade"));
        Self::start_as(&mut command, change)
    }

    fn start_as(command: &mut Command, change: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        command.env_clear().env("TICKCAST_LISTEN", "127.0.0.1:0").stdin(Stdio::null()).stdout(Stdio::piped());
        change(command);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.strip_prefix("Listening on http://")?.to_owned()));
        let program = Self { child, address: address.unwrap_or_default() };
        // Reads on, so that the program never waits for its output to be read.
        thread::spawn(move || lines.count());
        assert!(!program.address.is_empty(), "the program did not print its address");
        program
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
        assert!(sent.success());
    }

    fn end(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    fn is_ready(&self) -> bool {
        get(&self.address, "/readyz").is_some_and(|answer| answer.ends_with("ready\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> Option<String> {
    let mut tcp = TcpStream::connect(address).ok()?;
    tcp.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

#[expect(clippy::disallowed_methods, reason = "a test counts lines by time, and one waits for long")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn a_signal_right_after_ready_ends_the_program_in_order() {
    for name in ["TERM", "INT"] {
        // The address is told after the port answers, so a free port is chosen first.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_arcade"));
        let child = command.env_clear().args(["--listen", &address, "--log", "warn"]).stdout(Stdio::null()).spawn().unwrap();
        let program = Program { child, address };
        while !program.is_ready() {}
        program.signal(name);
        let status = program.end();
        assert_eq!(status.code(), Some(0), "SIG{name}: {status}");
    }
}

#[test]
fn a_signal_ends_a_program_that_waits_for_its_database() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let database = format!("postgres://somebody@{}/none", silent.local_addr().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_arcade"));
    command.env_clear().args(["--listen", "127.0.0.1:0", "--database", &database, "--limit", "database_wait=600"]);
    let mut program = Program { child: command.stdout(Stdio::null()).spawn().unwrap(), address: String::new() };
    silent.set_nonblocking(true).unwrap();
    let _asked = loop {
        match silent.accept() {
            Ok(asked) => break asked,
            Err(_) => assert!(program.child.try_wait().unwrap().is_none(), "the program ended by itself"),
        }
        sleep(Duration::from_millis(5));
    };
    program.signal("TERM");
    let status = program.end();
    assert_eq!(status.code(), Some(0), "{status}");
}

#[test]
fn a_hangup_ends_nothing() {
    let program = Program::start(|command| command);
    for _ in 0..3 {
        program.signal("HUP");
    }
    assert!(program.is_ready());
    program.signal("TERM");
    let status = program.end();
    assert_eq!((status.code(), status.signal()), (Some(0), None));
}

#[test]
fn empty_variables_count_as_not_set() {
    let program = Program::start(|command| {
        command.envs(
            [
                "TICKCAST_LOG",
                "TICKCAST_CONNECTIONS_PER_ADDRESS",
                "TICKCAST_DATA",
                "TICKCAST_DATABASE",
                "TICKCAST_WEBHOOK",
                "TICKCAST_WEBHOOK_SECRET_FILE",
                "TICKCAST_WEBHOOK_CA_FILE",
                "TICKCAST_JWT_SECRET_FILE",
                "TICKCAST_JWT_PUBLIC_KEY",
                "TICKCAST_JWT_JWKS",
                "TICKCAST_JWT_ISSUER",
                "TICKCAST_JWT_AUDIENCE",
                "TICKCAST_MODES",
                "TICKCAST_PAGES",
                "TICKCAST_RULES",
                "TICKCAST_NO_GUESTS",
                "TICKCAST_LIMITS",
            ]
            .map(|name| (name, "")),
        )
    });
    assert!(program.is_ready());
}

#[test]
fn the_data_is_where_it_was_asked_for_and_nobody_elses() {
    let folder = Folder::new("a%20b #1? ü");
    let program = Program::start(|command| command.arg("--data").arg(&folder.0));
    assert!(program.is_ready());
    let mode =
        |path: &Path| fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode();
    assert_eq!(mode(&folder.0) & 0o777, 0o700, "the folder");
    let files: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path()).collect();
    for name in ["tickcast.db", "tickcast.db-wal", "tickcast.db-shm", "guest.key"] {
        assert!(files.contains(&folder.0.join(name)), "{name} is not among {files:?}");
    }
    for file in &files {
        assert_eq!(mode(file) & 0o777, 0o600, "{}", file.display());
    }
    let others: Vec<_> = fs::read_dir(folder.0.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(others, std::slice::from_ref(&folder.0), "no other folder was made");
}

#[test]
fn a_database_that_everybody_could_read_is_closed_to_others() {
    let folder = Folder::new("data");
    fs::create_dir_all(&folder.0).unwrap();
    let database = folder.0.join("tickcast.db");
    File::create(&database).unwrap().set_permissions(fs::Permissions::from_mode(0o644)).unwrap();
    let program = Program::start(|command| command.arg("--data").arg(&folder.0));
    assert!(program.is_ready());
    assert_eq!(fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
#[cfg(target_os = "linux")]
fn a_log_that_cannot_be_written_harms_nobody() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let program = Program::start(|command| command.env("TICKCAST_LOG", "trace").stderr(full));
    for _ in 0..20 {
        assert!(program.is_ready());
    }
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn a_lack_of_descriptors_is_told_at_most_once_a_second_and_passes() {
    let folder = Folder::new("log");
    let log = File::create(&folder.0).unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "ulimit -n 40; exec \"$0\"", env!("CARGO_BIN_EXE_arcade")]);
    let program = Program::start_as(&mut shell, |command| command.stderr(log));
    let told = || fs::read_to_string(&folder.0).unwrap().matches("cannot accept connections").count();
    let (begun, mut idle) = (now(), Vec::new());
    while told() == 0 {
        idle.extend(TcpStream::connect(&program.address));
        sleep(Duration::from_millis(2));
        assert!(idle.len() < 5000, "the lack of descriptors is never told");
    }
    sleep(Duration::from_millis(1500));
    let (lines, seconds) = (told(), begun.elapsed().as_secs_f64());
    assert!(lines as f64 <= seconds + 1.0, "{lines} lines in {seconds} s");
    drop(idle);
    assert!(program.is_ready(), "accepts again");
}

/// A client's way in by WebSocket: its entry into the namespace `/`, and Engine.IO's close packet behind it. Their masks are zero.
const IN_AND_OUT: &[u8] = b"\x81\x82\x00\x00\x00\x0040\x81\x81\x00\x00\x00\x001";

#[test]
fn clients_that_go_as_they_enter_are_counted_neither_twice_nor_for_ever() {
    let program = Program::start(|command| command);
    let request = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        program.address
    );
    for _ in 0..500 {
        let mut tcp = TcpStream::connect(&program.address).unwrap();
        tcp.write_all(request.as_bytes()).unwrap();
        assert!(tcp.read(&mut [0; 1024]).unwrap() > 0);
        tcp.write_all(IN_AND_OUT).unwrap();
    }
    let of_root = "tickcast_connections{namespace=\"/\"} 0\n";
    let is_right = || get(&program.address, "/metrics").is_some_and(|metrics| metrics.contains(of_root));
    let end = now() + Duration::from_secs(60);
    while !is_right() {
        assert!(now() < end, "{}", get(&program.address, "/metrics").unwrap_or_default());
        sleep(Duration::from_millis(50));
    }
}

/// Starts the program, and returns what it answers for the module of arena, and how often it says that there is none.
fn module_of_arena(change: impl FnOnce(&mut Command) -> &mut Command) -> (String, usize) {
    let folder = Folder::new("log");
    let log = File::create(&folder.0).unwrap();
    let program = Program::start(|command| change(command).stderr(log));
    let served = get(&program.address, "/rules/arena.wasm").unwrap();
    let told = fs::read_to_string(&folder.0).unwrap();
    (served, told.matches("clients have no module of the rules of arena to predict with: ").count())
}

#[test]
fn a_missing_module_of_rules_is_told_in_one_line() {
    let (served, told) = module_of_arena(|command| command);
    // A release build may have it.
    let has_one = served.starts_with("HTTP/1.1 200 ");
    assert!(has_one || served.starts_with("HTTP/1.1 404 "), "{served}");
    assert_eq!(told, usize::from(!has_one));
}

#[test]
fn modules_of_rules_come_from_a_folder() {
    let folder = Folder::new("rules");
    let refusal = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arcade"));
        let output = command.env_clear().args(["--listen", "127.0.0.1:0", "--rules"]).arg(&folder.0).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let path = folder.0.display();
    assert_eq!(refusal(), format!("Error: cannot read the folder {path} of --rules: No such file or directory (os error 2)\n"));
    fs::write(&folder.0, "").unwrap();
    assert_eq!(refusal(), format!("Error: cannot read the folder {path} of --rules: Not a directory (os error 20)\n"));
    fs::remove_file(&folder.0).unwrap();
    fs::create_dir_all(&folder.0).unwrap();
    assert!(refusal().contains("has no module of a hosted game: the file is named <game>_module.wasm"));
    let module = folder.0.join("arena_module.wasm");
    fs::create_dir_all(&module).unwrap();
    assert_eq!(refusal(), format!("Error: cannot read {}: Is a directory (os error 21)\n", module.display()));
    fs::remove_dir(&module).unwrap();
    fs::write(&module, "\0asm and the rest").unwrap();
    let (served, told) = module_of_arena(|command| command.env("TICKCAST_RULES", &folder.0));
    assert_eq!(told, 0);
    assert!(served.contains("content-type: application/wasm") && served.ends_with("\0asm and the rest"), "{served}");
}

#[test]
fn the_documentation_site_is_served_when_it_was_built() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("documented-{}", std::process::id()));
    let (program, site) = (target.join("debug/arcade"), target.join("site"));
    for folder in [program.parent().unwrap(), &site.join("api")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::hard_link(env!("CARGO_BIN_EXE_arcade"), &program).unwrap();
    // The program looks for it when it starts.
    let without = Program::start_as(&mut Command::new(&program), |command| command);
    assert!(get(&without.address, "/docs/").unwrap().starts_with("HTTP/1.1 404 "));
    for page in ["index.html", "api/index.html"] {
        fs::write(site.join(page), format!("this is {page}")).unwrap();
    }
    let with = Program::start_as(&mut Command::new(&program), |command| command);
    assert!(get(&with.address, "/docs/").unwrap().ends_with("this is index.html"));
    let named = Program::start(|command| command.arg("--pages").arg(format!("/manual={}", site.display())));
    assert!(get(&named.address, "/manual/api/").unwrap().ends_with("this is api/index.html"));
    fs::remove_dir_all(&target).unwrap();
}
