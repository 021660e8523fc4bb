//! The honest side: bots that play in the arena, a probe that asks `/healthz`, and a look at the server's memory. All of it runs
//! on a thread of its own, which the attackers do not keep busy.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::client::{Client, Common};
use crate::connection::Target;
use crate::run::{SEATING, room_choices};
use crate::server::Server;
use crate::tally::{Count, Counts, Tally, locked};

/// The number of honest bots.
pub(crate) const BOTS: usize = 40;

const ROOMS: usize = 4;

/// The arena's ticks per second.
pub(crate) const HZ: f64 = 30.0;

/// The time between two questions to `/healthz`, and between two looks at the memory.
const PROBE: Duration = Duration::from_millis(50);

/// After this time `/healthz` counts as silent.
const PROBE_PATIENCE: Duration = Duration::from_secs(10);

/// The honest side. Dropping it ends it.
pub(crate) struct Honest {
    tally: Arc<Tally>,
    probe: Arc<Probe>,
    server: Arc<Server>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Measurements of the probe since the window began.
#[derive(Default)]
struct Probe {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    slowest: Duration,
    /// When the question was asked that has no answer yet.
    asked: Option<Instant>,
    most_bytes: f64,
}

/// Measurements of the honest bots in a window of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    /// The 99th percentile of the time between two frames of a bot.
    pub(crate) gap: Duration,
    /// Frames that came, as a share of those that were due.
    pub(crate) frames: f64,
    /// The slowest answer of `/healthz`.
    pub(crate) healthz: Duration,
    /// The most memory of the server, in bytes.
    pub(crate) most_bytes: f64,
    /// Errors of the bots.
    pub(crate) errors: Vec<String>,
}

/// The state at the start of a window.
pub(crate) struct Begun {
    at: Instant,
    counts: Counts,
    errors: std::collections::BTreeMap<String, u64>,
}

impl Honest {
    /// Seats the bots.
    pub(crate) async fn play(server: &Arc<Server>, target: &Target, seed: u64) -> anyhow::Result<Self> {
        let mut honest = Self {
            tally: Arc::new(Tally::new()),
            probe: Arc::default(),
            server: Arc::clone(server),
            stop: Arc::default(),
            thread: None,
        };
        let (tally, probe, stop) = (Arc::clone(&honest.tally), Arc::clone(&honest.probe), Arc::clone(&honest.stop));
        let (target, server) = (target.clone(), Arc::clone(server));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        honest.thread = Some(std::thread::spawn(move || {
            runtime.block_on(async {
                let _bots = bots(&target, &tally, seed);
                let looks = async {
                    while !stop.load(Ordering::Relaxed) {
                        sleep(PROBE).await;
                        let bytes = server.usage().await.rss_bytes.unwrap_or_default();
                        let mut seen = locked(&probe.seen);
                        seen.most_bytes = seen.most_bytes.max(bytes);
                    }
                };
                tokio::select! {
                    () = looks => {}
                    () = ask_healthz(&target, &probe) => {}
                }
            });
        }));
        let seated = async {
            while honest.tally.counts()[Count::Settled] < BOTS as u64 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SEATING, seated).await.context("the bots got no seats in time")?;
        let seats = honest.tally.counts()[Count::Seated];
        if seats < BOTS as u64 {
            bail!("only {seats} of {BOTS} bots got a seat: {:?}", honest.tally.errors());
        }
        Ok(honest)
    }

    pub(crate) fn begin(&self) -> Begun {
        self.tally.forget_gaps();
        let mut seen = locked(&self.probe.seen);
        (seen.slowest, seen.most_bytes) = (Duration::ZERO, 0.0);
        Begun { at: Instant::now(), counts: self.tally.counts(), errors: self.tally.errors() }
    }

    /// Returns the measurements since the window began.
    pub(crate) fn end(&self, begun: &Begun) -> Window {
        let due = begun.at.elapsed().as_secs_f64() * HZ * BOTS as f64;
        let frames = self.tally.counts().since(&begun.counts)[Count::Frames] as f64;
        let gap = self.tally.gaps().value_at_quantile(0.99);
        let seen = locked(&self.probe.seen);
        let open = seen.asked.map_or(Duration::ZERO, |asked| asked.elapsed());
        let errors = self.tally.errors().into_iter().filter_map(|(kind, count)| {
            let more = count - begun.errors.get(&kind).copied().unwrap_or_default();
            (more > 0).then(|| format!("{kind} {more}"))
        });
        Window {
            gap: Duration::from_micros(gap),
            frames: frames / due,
            healthz: seen.slowest.max(open),
            most_bytes: seen.most_bytes,
            errors: errors.collect(),
        }
    }

    /// The server's memory now, in bytes.
    pub(crate) async fn memory(&self) -> f64 {
        self.server.usage().await.rss_bytes.unwrap_or_default()
    }
}

impl Drop for Honest {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It fails if the thread panicked, which it has said.
            let _ = thread.join();
        }
    }
}

/// Lets the bots play for as long as the result is kept. Each has an address of its own, as people have.
fn bots(target: &Target, tally: &Arc<Tally>, seed: u64) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for (number, choice) in room_choices(BOTS, ROOMS).into_iter().enumerate() {
        let common = Common {
            target: target.from(IpAddr::V4(Ipv4Addr::new(127, 50, 0, 1 + number as u8))),
            tally: Arc::clone(tally),
            game: "arena".to_owned(),
            config: Some(json!({"frag_limit": 100, "minutes": 60})),
            strength: None,
            input_hz: None,
            lead: 2,
            seat_within: SEATING,
            connecting: Semaphore::new(1),
        };
        let seed = seed.wrapping_add(number as u64);
        let client = Client { common: Arc::new(common), number, seed, verify: number % 20 == 0, slow: None };
        tasks.spawn(async move {
            // The tally has the fault.
            let _ = client.live(choice).await;
        });
    }
    tasks
}

async fn ask_healthz(target: &Target, probe: &Probe) {
    let mut ticks = interval(PROBE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let host = target.url.trim_start_matches("http://");
    let request = format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        locked(&probe.seen).asked = Some(asked);
        let answer = async {
            let mut tcp = target.tcp().await?;
            tcp.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            tcp.read_to_end(&mut answer).await?;
            std::io::Result::Ok(answer.starts_with(b"HTTP/1.1 200"))
        };
        let is_well = matches!(timeout(PROBE_PATIENCE, answer).await, Ok(Ok(true)));
        let took = if is_well { asked.elapsed() } else { PROBE_PATIENCE };
        let mut seen = locked(&probe.seen);
        seen.asked = None;
        seen.slowest = seen.slowest.max(took);
    }
}
