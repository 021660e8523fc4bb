//! Serves plain HTTP: health, metrics, schemas, the browser client, and the pages and routes that a host adds.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use tokio::task::spawn_blocking;

#[cfg(feature = "metrics")]
use crate::observe::Exposition;
use crate::{
    game::GameDef,
    host::Host,
    net::{
        additions::{Additions, Page},
        http::{
            file::File,
            folder::Folder,
            origin::{Origins, check_origin},
        },
        limits::NetLimits,
        namespaces::endpoints::Endpoints,
        transport::polling::bound_polling,
    },
    observe::{self, DropReason},
};

const CLIENT_PATH: &str = "/socket.io/socket.io.js";
const TEXT: &str = "text/plain; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Everything that is served beside Socket.IO.
pub(crate) struct Site {
    pub(crate) pages: Vec<Page>,
    pub(crate) client_bundle: Option<Bytes>,
    pub(crate) origins: Origins,
    pub(crate) additions: Additions,
    #[cfg(feature = "metrics")]
    pub(crate) exposition: Exposition,
}

struct Served {
    host: Host,
    #[cfg(feature = "metrics")]
    exposition: Exposition,
    schemas: HashMap<String, File>,
    rules: HashMap<String, Rules>,
    pages: HashMap<String, File>,
    folders: Vec<Folder>,
    client_bundle: Option<File>,
}

/// The module by which clients predict a game.
struct Rules {
    file: File,
    hash: String,
}

impl Site {
    /// Returns the router for all requests. The checks that every request must pass come first.
    pub(crate) fn router(self, host: Host, endpoints: &Endpoints, limits: &NetLimits) -> Router {
        let served = Arc::new(Served {
            schemas: host.games().flat_map(schemas).collect(),
            rules: host.games().filter_map(rules_of).collect(),
            pages: files(self.pages),
            folders: self.additions.folders().iter().cloned().map(|(at, root)| Folder::new(at, root)).collect(),
            client_bundle: self.client_bundle.map(|bundle| File::new(CLIENT_PATH, JAVASCRIPT, bundle)),
            #[cfg(feature = "metrics")]
            exposition: self.exposition,
            host: host.clone(),
        });
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/schema/{file}", get(schema))
            .route("/rules/{file}", get(rules))
            .fallback(page);
        #[cfg(feature = "metrics")]
        let router = router.route("/metrics", get(metrics));
        let router = router.with_state(served.clone());
        let router = self.additions.add_routes(router, &host);
        let timeout = limits.header_timeout;
        let polling_limits = limits.clone();
        endpoints
            .before(router)
            .layer(from_fn(move |request: Request, next: Next| bound_polling(polling_limits.clone(), request, next)))
            .layer(from_fn_with_state(served, client_bundle))
            .layer(from_fn(move |request: Request, next: Next| bound_body(timeout, request, next)))
            .layer(from_fn_with_state(self.origins, check_origin))
    }
}

fn schemas(game: &GameDef) -> [(String, File); 2] {
    let json = serde_json::to_vec(&**game.schema()).expect("a schema is text and numbers");
    let types = game.schema().to_d_ts();
    [(".json", "application/json", Bytes::from(json)), (".d.ts", TEXT, types.into())].map(|(suffix, content_type, bytes)| {
        let name = format!("{}{suffix}", game.name());
        (name.clone(), File::new(&name, content_type, bytes))
    })
}

fn rules_of(game: &GameDef) -> Option<(String, Rules)> {
    let name = format!("{}.wasm", game.name());
    let module = game.rules()?;
    let ready = module.compressed().map(|bytes| ("br", bytes.clone())).into_iter().collect();
    let file = File::encoded(&name, "application/wasm", module.bytes().clone(), ready);
    Some((name, Rules { file, hash: module.hash().to_owned() }))
}

/// Prepares the pages. One that is a compressed form of another is served in its place.
fn files(pages: Vec<Page>) -> HashMap<String, File> {
    let paths: HashSet<String> = pages.iter().map(|page| page.path.clone()).collect();
    let (forms, plain): (Vec<Page>, Vec<Page>) =
        pages.into_iter().partition(|page| File::encoding(&page.path).is_some_and(|(_, path)| paths.contains(path)));
    let mut encoded: HashMap<String, Vec<(&'static str, Bytes)>> = HashMap::new();
    for form in forms {
        if let Some((encoding, path)) = File::encoding(&form.path) {
            encoded.entry(path.to_owned()).or_default().push((encoding, form.bytes));
        }
    }
    let prepare = |page: Page| {
        let ready = encoded.remove(&page.path).unwrap_or_default();
        (page.path.clone(), File::encoded(&page.path, page.content_type, page.bytes, ready))
    };
    plain.into_iter().map(prepare).collect()
}

async fn ready(State(served): State<Arc<Served>>) -> Response {
    match served.host.check_open() {
        Ok(()) => "ready\n".into_response(),
        Err(refusal) => (StatusCode::SERVICE_UNAVAILABLE, format!("{refusal}\n")).into_response(),
    }
}

#[cfg(feature = "metrics")]
async fn metrics(State(served): State<Arc<Served>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], served.exposition.render()).into_response()
}

async fn schema(State(served): State<Arc<Served>>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    match served.schemas.get(&file) {
        Some(file) => file.answer(&headers),
        None => not_found("there is no such schema; ask for /schema/<game>.json or /schema/<game>.d.ts of a hosted game\n"),
    }
}

/// Serves a module. A client that names the version of its match gets no other: with other rules it would predict wrongly.
async fn rules(State(served): State<Arc<Served>>, Path(file): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(Rules { file, hash }) = served.rules.get(&file) else {
        return not_found("there are no such rules; ask for /rules/<game>.wasm of a hosted game that has a module\n");
    };
    let version = uri.query().unwrap_or_default().split('&').find_map(|part| part.strip_prefix("v="));
    match version {
        None => file.answer(&headers),
        Some(version) if version == hash => file.answer_for_good(&headers),
        // Servers of both versions may answer while an operator replaces one by the other, so nobody may keep this.
        Some(_) => {
            ([(header::CACHE_CONTROL, "no-store")], not_found("this server has another version of the rules\n")).into_response()
        }
    }
}

async fn page(State(served): State<Arc<Served>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if let Some(refusal) = refuse_method(&method) {
        return refusal;
    }
    let path = uri.path();
    let path = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    if let Some(page) = served.pages.get(&path) {
        return page.answer(&headers);
    }
    match from_folder(served, path).await {
        Some(Found::File(page)) => page.answer(&headers),
        Some(Found::Folder) => to_folder(&uri),
        None => not_found("there is nothing here\n"),
    }
}

/// What a folder of pages has at a path.
enum Found {
    File(Arc<File>),
    Folder,
}

/// Looks for a path in the folders of pages, in their order.
async fn from_folder(served: Arc<Served>, path: String) -> Option<Found> {
    if served.folders.is_empty() {
        return None;
    }
    // The disk must not hold up those who play.
    let found = spawn_blocking(move || {
        let file = served.folders.iter().find_map(|folder| folder.file(&path)).map(Found::File);
        file.or_else(|| served.folders.iter().any(|folder| folder.is_folder(&path)).then_some(Found::Folder))
    });
    found.await.unwrap_or_default()
}

/// Leads to the page of a folder: links in it count from the `/` at the end. The address is relative, because a proxy may have put a path
/// in front.
fn to_folder(uri: &Uri) -> Response {
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    let query = uri.query().map_or(String::new(), |query| format!("?{query}"));
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("{name}/{query}"))]).into_response()
}

/// Serves the browser client in front of socketioxide, which takes every path below its own.
async fn client_bundle(State(served): State<Arc<Served>>, request: Request, next: Next) -> Response {
    if request.uri().path() != CLIENT_PATH {
        return next.run(request).await;
    }
    if let Some(refusal) = refuse_method(request.method()) {
        return refusal;
    }
    match &served.client_bundle {
        Some(bundle) => bundle.answer(request.headers()),
        None => not_found("this server has no copy of the Socket.IO client; take it from npm: socket.io-client\n"),
    }
}

/// Refuses every method but those that read.
fn refuse_method(method: &Method) -> Option<Response> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    (!reads).then(|| (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response())
}

/// Bounds the time for a request's body: a slow body holds its connection no longer than a slow header.
async fn bound_body(timeout: Duration, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            observe::dropped(DropReason::SlowRequest);
            (StatusCode::REQUEST_TIMEOUT, [(header::CONNECTION, "close")]).into_response()
        }
    }
}

fn not_found(text: &'static str) -> Response {
    (StatusCode::NOT_FOUND, text).into_response()
}
