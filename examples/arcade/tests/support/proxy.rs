//! nginx and Caddy in front of a server of its own, with the configurations of `docs/OPERATIONS.md`.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::{START, Server, end, needed, now, on_path};

/// The addresses and files that the page has, which a test must replace.
const UPSTREAM: &str = "127.0.0.1:3000";
const HOST: &str = "play.example.org";

/// A proxy, and how it is configured.
pub(crate) struct Setup {
    program: &'static str,
    /// The name of the block on the page.
    block: &'static str,
    server: Vec<String>,
    /// Whether lines that the page has for WebSockets are left out.
    no_upgrades: bool,
}

/// A proxy that runs, in front of a server. Both end when this is dropped.
pub(crate) struct Proxy {
    child: Child,
    port: u16,
    folder: PathBuf,
    _server: Server,
}

impl Setup {
    pub(crate) fn nginx(block: &'static str) -> Self {
        Self { program: "nginx", block, server: Vec::new(), no_upgrades: false }
    }

    pub(crate) fn caddy(block: &'static str) -> Self {
        Self { program: "caddy", block, server: Vec::new(), no_upgrades: false }
    }

    /// Forgets the lines for WebSockets, as people do.
    pub(crate) fn without_upgrades(mut self) -> Self {
        self.no_upgrades = true;
        self
    }

    /// Sets a limit of the server.
    pub(crate) fn limit(mut self, limit: &str) -> Self {
        self.server.extend(["--limit".to_owned(), limit.to_owned()]);
        self
    }

    fn configuration(&self, folder: &Path, upstream: &str, port: u16) -> String {
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let (certificate, key) = (certificate.display(), key.display());
        if self.program == "caddy" {
            let site = format!("https://127.0.0.1:{port} {{\n    tls {certificate} {key}");
            let block = block(self.block).replace(&format!("{HOST} {{"), &site).replace(UPSTREAM, upstream);
            return format!("{{\n    admin off\n    auto_https off\n    storage file_system {}\n}}\n{block}", folder.display());
        }
        let mut site = block("nginx-root");
        if self.block != "nginx-root" {
            // The locations of a prefix stand in place of those of the root.
            let (before, _) = site.split_once("    location / {").unwrap();
            site = format!("{before}{}\n}}\n", block(self.block));
        }
        let site = site
            .replace(UPSTREAM, upstream)
            .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port} ssl;"))
            .replace(&format!("/etc/ssl/{HOST}.pem"), &certificate.to_string())
            .replace(&format!("/etc/ssl/{HOST}.key"), &key.to_string());
        let is_kept = |line: &&str| {
            let is_for_upgrades = ["proxy_http_version", "Upgrade $", "Connection $"].iter().any(|part| line.contains(part));
            !(self.no_upgrades && is_for_upgrades)
        };
        let site: String = site.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
        let folder = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("    {kind}_temp_path {folder}/{kind};\n"))
            .concat();
        format!(
            "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log stderr warn;\nevents {{}}\n\
             http {{\n    access_log off;\n{temporary}{site}}}\n"
        )
    }
}

impl Proxy {
    /// Starts a server and a proxy in front of it. `None` if the proxy is not installed, and this is not CI.
    pub(crate) fn start(setup: Setup) -> Option<Self> {
        let package = format!("{} (from Debian's package of that name) or openssl", setup.program);
        let found = find(setup.program).and_then(|program| on_path("openssl").map(|openssl| (program, openssl)));
        let (program, openssl) = needed(&package, found)?;
        let mut arguments = vec!["--trusted-proxies".to_owned(), "127.0.0.1".to_owned()];
        arguments.extend(setup.server.iter().cloned());
        let server = Server::start_with("127.0.0.1:0", &arguments);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(format!("proxy-{port}"));
        fs::create_dir_all(&folder).unwrap();
        certify(&openssl, &folder);
        let configuration = folder.join("configuration");
        fs::write(&configuration, setup.configuration(&folder, &server.address, port)).unwrap();
        let mut command = Command::new(program);
        match setup.program {
            "caddy" => command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&configuration),
            _ => command.arg("-p").arg(&folder).arg("-c").arg(&configuration),
        };
        let log = File::create(folder.join("log")).unwrap();
        let child = command.stdin(Stdio::null()).stderr(log).stdout(Stdio::null()).env("HOME", &folder).spawn().unwrap();
        let mut proxy = Self { child, port, folder, _server: server };
        proxy.await_port();
        Some(proxy)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }

    /// Returns the file of the certificate, which clients must be told to trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    /// Waits until the proxy accepts connections. Panics with what it said if it ends before.
    fn await_port(&mut self) {
        let begun = now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            let said = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "the proxy ended with {ended:?}: {}", said());
            assert!(begun.elapsed() < START, "the proxy does not listen: {}", said());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        end(&mut self.child);
        // The next test overwrites the files that a failed test leaves.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Finds a program, also where only root looks for it.
fn find(program: &str) -> Option<PathBuf> {
    on_path(program).or_else(|| Some(Path::new("/usr/sbin").join(program)).filter(|file| file.is_file()))
}

/// Makes a certificate for this machine that signs itself.
fn certify(openssl: &Path, folder: &Path) {
    let made = Command::new(openssl)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout"])
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
}

/// Returns a block of the page for operators, by the name in the comment before it.
fn block(name: &str) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/OPERATIONS.md")).unwrap();
    let (_, rest) = page.split_once(&format!("<!-- {name} -->\n```")).unwrap_or_else(|| panic!("no block {name}"));
    let (_, rest) = rest.split_once('\n').unwrap();
    rest.split_once("\n```").unwrap().0.to_owned() + "\n"
}
