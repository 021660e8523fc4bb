//! A host's own namespaces and HTTP routes, beside those of the server.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tickcast::{
    axum::{Json as Body, Router, routing::get as on_get},
    host::Host,
    identity::Credentials,
    lobby::UserId,
    net::in_order,
    server::{RunningServer, ServerBuilder},
    socketioxide::{
        SocketIo,
        extract::{AckSender, Data, Event, SocketRef, TryData},
        handler::ConnectHandler,
    },
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    folder::Folder,
    polling::Polling,
    server::{Client, Duel, PARSERS, Parser, create, dropped, get, http, seated, start_with},
};

#[derive(Deserialize)]
struct Order {
    item: String,
    count: u32,
}

/// A shop where whoever the server lets in may order.
fn open_shop(io: &SocketIo, host: &Host) {
    let host = host.clone();
    let admit = async move |socket: SocketRef, Data(credentials): Data<Option<Credentials>>| {
        let admitted = host.identify(credentials.unwrap_or_default()).await?;
        socket.extensions.insert(admitted.identity.user);
        socket.on("order", in_order(order));
        socket.on("weigh", in_order(|Data(goods): Data<Bytes>, ack: AckSender| ack.send(&goods.len()).unwrap()));
        Ok::<_, tickcast::host::Refusal>(())
    };
    io.ns("/shop", (async || {}).with(admit));
}

fn order(socket: SocketRef, Data(order): Data<Order>, ack: AckSender) {
    let user = socket.extensions.get::<UserId>();
    ack.send(&json!({"item": order.item, "price": order.count * 3, "user": user.is_some()})).unwrap();
}

/// A namespace that answers each event with its first argument.
fn open_echo(io: &SocketIo, _: &Host) {
    let admit = async |socket: SocketRef| {
        socket.on("echo", in_order(|TryData(value): TryData<Json>, ack: AckSender| drop(ack.send(&value.unwrap_or_default()))));
        socket.on("panic", in_order(|| panic!("as the test wished")));
        socket.on(
            "two",
            in_order(|Data((one, two)): Data<(Bytes, Bytes)>, ack: AckSender| drop(ack.send(&(one.len(), two.len())))),
        );
        socket.on("größe", in_order(|ack: AckSender| drop(ack.send("größe"))));
        socket.on_fallback(in_order(|Event(name): Event, ack: AckSender| drop(ack.send(&name))));
        Ok::<_, std::convert::Infallible>(())
    };
    io.ns("/echo", (async || {}).with(admit));
}

fn catalogue(host: &Host) -> Router {
    let games: Vec<&str> = host.games().map(|game| game.name()).collect();
    let games = json!({ "games": games });
    let answer = on_get(move || async move { Body(games) }).put(async |Body(new): Body<Json>| Body(new));
    Router::new().route("/", answer).route("/{item}", on_get(async || "3 coins"))
}

fn with_shop(builder: ServerBuilder) -> ServerBuilder {
    builder.namespaces(open_shop).routes("/shop", catalogue)
}

async fn refused(builder: ServerBuilder) -> String {
    builder.game::<Duel>().start("127.0.0.1:0").await.err().unwrap().to_string()
}

async fn plays(server: &RunningServer) {
    let created = create(server, json!({})).await;
    let (mut client, _) = seated(server, created["ticket"].as_str().unwrap()).await;
    client.event_named("/gameplay", "s").await;
}

#[tokio::test]
async fn a_custom_namespace_answers_on_both_endpoints() {
    let server = start_with(with_shop).await;
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        client.enter("/shop", json!({"name": "Ada"})).await.unwrap();
        let answer = client.request("/shop", "order", json!({"item": "hat", "count": 2})).await;
        assert_eq!(answer, json!({"item": "hat", "price": 6, "user": true}), "{parser:?}");
        client.enter("/lobby", json!({"name": "Ada"})).await.unwrap();
        assert_eq!(client.request("/lobby", "games", Json::Null).await["ok"], true, "one connection for both");
        client.send(5, "/shop", Some(77), json!(["weigh"]), Some(Bytes::from_static(&[1, 2, 3]))).await;
        let weighed = loop {
            let packet = client.packet().await.unwrap();
            if packet.id == Some(77) {
                break packet;
            }
        };
        assert_eq!(weighed.data[0], 3, "{parser:?}");
    }
    plays(&server).await;
    server.shutdown().await;
}

/// Fewer than wait for a client that does not read.
const EVENTS: i64 = 120;

#[tokio::test]
async fn events_in_order_are_handled_in_the_order_of_sending() {
    let server = start_with(|builder| builder.namespaces(open_echo)).await;
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        client.enter("/echo", json!({})).await.unwrap();
        for id in 0..EVENTS {
            client.send(2, "/echo", Some(id), json!(["echo", id]), None).await;
        }
        let mut answered = Vec::new();
        while answered.len() < EVENTS as usize {
            answered.extend(client.packet().await.unwrap().id);
        }
        assert!(answered.is_sorted(), "{parser:?}: {answered:?}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn an_event_behind_the_answer_to_connect_is_handled() {
    let server = start_with(|builder| builder.namespaces(open_echo)).await;
    for parser in PARSERS {
        for n in 0..100 {
            let mut client = Client::connect(&server, parser).await;
            client.enter("/echo", json!({})).await.unwrap();
            assert_eq!(client.request("/echo", "echo", json!(n)).await, n, "{parser:?}");
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_panic_of_a_handler_ends_nothing() {
    let server = start_with(|builder| builder.namespaces(open_echo)).await;
    let mut client = Client::connect(&server, Parser::Json).await;
    client.enter("/echo", json!({})).await.unwrap();
    client.send(2, "/echo", None, json!(["panic"]), None).await;
    assert_eq!(client.request("/echo", "echo", json!(5)).await, 5);
    server.shutdown().await;
}

/// An event of the default parser with so many attachments of one byte.
async fn send_attachments(client: &mut Client, event: &str, id: i64, count: usize) {
    let places = (0..count).map(|num| json!({"_placeholder": true, "num": num}));
    let data: Json = [json!(event)].into_iter().chain(places).collect();
    client.raw(Message::text(format!("45{count}-/echo,{id}{data}"))).await;
    for _ in 0..count {
        client.raw(Message::binary(vec![7])).await;
    }
}

#[tokio::test]
async fn the_host_sets_how_many_attachments_an_event_may_have() {
    for (limit, allowed) in [(None, 10), (Some(3), 3)] {
        let server = start_with(|builder| {
            let builder = builder.namespaces(open_echo);
            builder.config(|config| config.net.attachments = limit.unwrap_or(config.net.attachments))
        })
        .await;
        let mut client = Client::connect(&server, Parser::Json).await;
        client.enter("/echo", json!({})).await.unwrap();
        send_attachments(&mut client, "two", 1, 2).await;
        assert_eq!(client.packet().await.unwrap().data, json!([1, 1]));
        send_attachments(&mut client, "many", 2, allowed).await;
        assert_eq!(client.packet().await.unwrap().data, json!(["many"]));
        let before = dropped(&server, "protocol").await;
        send_attachments(&mut client, "more", 3, allowed + 1).await;
        client.closed().await;
        assert!(dropped(&server, "protocol").await > before);
        let mut session = Polling::open(server.address(), "socket.io").await;
        session.enter("/echo,").await;
        let before = dropped(&server, "protocol").await;
        session.try_send(&format!("45{}-/echo,[\"more\"]", allowed + 1)).await;
        assert!(dropped(&server, "protocol").await > before);
        server.shutdown().await;
    }
}

#[tokio::test]
async fn the_name_of_an_event_may_have_escapes() {
    let server = start_with(|builder| builder.namespaces(open_echo)).await;
    let names = [
        (r#""gr\u00f6\u00dfe""#, "größe"),
        (r#""\u0065cho""#, ""),
        (r#""\ud83d\ude00""#, "😀"),
        (r#""say \"hi\"""#, "say \u{fffd}hi\u{fffd}"),
        (r#""plain""#, "plain"),
    ];
    let expected = |name: &str| if name.is_empty() { "null".to_owned() } else { json!(name).to_string() };
    let mut client = Client::connect(&server, Parser::Json).await;
    client.enter("/echo", json!({})).await.unwrap();
    for (id, (name, read)) in names.iter().enumerate() {
        client.raw(Message::text(format!("42/echo,{id}[{name}]"))).await;
        assert_eq!(client.packet().await.unwrap().data[0].to_string(), expected(read), "{name}");
    }
    let mut session = Polling::open(server.address(), "socket.io").await;
    session.enter("/echo,").await;
    let packets: Vec<String> = names.iter().enumerate().map(|(id, (name, _))| format!("42/echo,{id}[{name}]")).collect();
    session.send(&packets.join("\u{1e}")).await;
    let mut answers = String::new();
    while answers.matches("43/echo,").count() < names.len() {
        answers += &session.poll().await;
    }
    for (_, read) in names {
        assert!(answers.contains(&format!("[{}]", expected(read))), "{read}: {answers}");
    }
    let mut client = Client::connect(&server, Parser::Msgpack).await;
    client.enter("/echo", json!({})).await.unwrap();
    for name in ["größe", "say \"hi\"", "a\\b\n"] {
        assert_eq!(client.request("/echo", name, json!({})).await, name, "MessagePack has no escapes");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_custom_namespace_can_identify_a_client() {
    let server = start_with(with_shop).await;
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        let refused = client.enter("/shop", json!({"token": "forged"})).await.err().unwrap();
        assert!(refused.starts_with("bad_token: "), "{refused}");
        assert!(client.enter("/shop", json!({"token": 5})).await.is_err(), "{parser:?}");
        assert_eq!(client.enter("/shop", Json::Null).await, Ok(()), "a guest, {parser:?}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_custom_pattern_is_not_an_unknown_namespace() {
    let open = |io: &SocketIo, _: &Host| {
        let greet = async |socket: SocketRef| socket.emit("hello", socket.ns()).unwrap();
        io.dyn_ns("/shop/{id}", greet).unwrap();
        io.dyn_ns("/{any}", greet).unwrap();
    };
    let server = start_with(|builder| builder.namespaces(open)).await;
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        for name in (0..20).flat_map(|n| [format!("/shop/{n}"), format!("/any{n}")]) {
            client.enter(&name, json!({})).await.unwrap();
            assert_eq!(client.event(&name).await.1.data[1], json!(name));
        }
        assert_eq!(client.enter("/shop/5/6", json!({})).await.err().unwrap(), "Invalid namespace");
        client.enter("/lobby", json!({})).await.unwrap();
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_request_never_creates_a_namespace() {
    let endpoints: Arc<Mutex<Vec<SocketIo>>> = Arc::default();
    let keep = endpoints.clone();
    let server = start_with(|builder| builder.namespaces(move |io, _| keep.lock().unwrap().push(io.clone()))).await;
    let count = || endpoints.lock().unwrap().iter().map(|io| io.nsps().len()).sum::<usize>();
    let before = count();
    for parser in PARSERS {
        for n in 0..20 {
            let mut client = Client::connect(&server, parser).await;
            assert_eq!(client.enter(&format!("/nowhere{n}"), json!({})).await.err().unwrap(), "Invalid namespace");
        }
    }
    assert_eq!(count(), before);
    server.shutdown().await;
}

#[tokio::test]
async fn custom_routes_are_served_beside_the_built_in_ones() {
    let every = |_: &Host| Router::new().route("/{*rest}", on_get(async || "something")).fallback(async || "anything");
    let server = start_with(|builder| with_shop(builder).routes("/every", every)).await;
    let (status, front) = get(&server, "/shop").await;
    assert!(status == 200 && front.ends_with(r#"{"games":["duel"]}"#), "{front}");
    assert!(get(&server, "/shop/hat").await.1.ends_with("3 coins"));
    let (status, put) = http(&server, "PUT", "/shop", "content-type: application/json\r\n", "[5]").await;
    assert!(status == 200 && put.ends_with("[5]"), "{put}");
    assert_eq!(get(&server, "/shop/hat/brim").await.0, 404);
    assert!(get(&server, "/every/thing/there/is").await.1.ends_with("something"));
    assert!(get(&server, "/every").await.1.ends_with("anything"));
    assert_eq!(get(&server, "/healthz").await.0, 200);
    assert_eq!(get(&server, "/schema/duel.json").await.0, 200);
    plays(&server).await;
    server.shutdown().await;
}

#[tokio::test]
async fn the_files_of_a_folder_are_served_as_they_are_at_the_moment() {
    let folder = Folder::new();
    let write = |name: &str, text: &str| fs::write(folder.0.join(name), text).unwrap();
    fs::create_dir(folder.0.join("help")).unwrap();
    for name in ["index.html", "app.js", "help/index.html", ".env"] {
        write(name, "from the folder");
    }
    let page = |path: &str| tickcast::net::Page { path: path.to_owned(), content_type: "text/plain", bytes: "built in".into() };
    let server = start_with(|builder| builder.page_folder(&folder.0).pages([page("/app.js")])).await;
    let (status, front) = get(&server, "/").await;
    assert!(status == 200 && front.ends_with("from the folder"), "{front}");
    assert!(front.contains("content-type: text/html; charset=utf-8") && front.contains("cache-control: no-cache"), "{front}");
    assert!(get(&server, "/help/").await.1.ends_with("from the folder"));
    assert!(get(&server, "/app.js").await.1.ends_with("built in"), "pages come first");
    assert_eq!(get(&server, "/style.css").await.0, 404);
    write("style.css", "one");
    let (_, first) = get(&server, "/style.css").await;
    assert!(first.contains("content-type: text/css") && first.ends_with("one"), "{first}");
    write("style.css", "another");
    assert!(get(&server, "/style.css").await.1.ends_with("another"), "a file that has changed is read again");
    server.shutdown().await;
}

#[tokio::test]
async fn a_folder_is_served_below_a_path_with_the_same_headers() {
    let (front, book) = (Folder::new(), Folder::new());
    fs::create_dir(book.0.join("api")).unwrap();
    for (place, name) in [(&front.0, "index.html"), (&book.0, "index.html"), (&book.0, "api/index.html"), (&book.0, "search.js")]
    {
        fs::write(place.join(name), format!("{name} of {}", if *place == front.0 { "the front" } else { "the book" })).unwrap();
    }
    let server = start_with(|builder| builder.page_folder(&front.0).page_folder_at("/docs", &book.0)).await;
    let (status, page) = get(&server, "/docs/").await;
    assert!(status == 200 && page.ends_with("index.html of the book"), "{page}");
    let (_, other) = get(&server, "/").await;
    let headers = |answer: &str| -> Vec<String> {
        let names = answer
            .lines()
            .take_while(|line| !line.is_empty())
            .filter(|line| !line.starts_with("etag") && !line.starts_with("date"));
        names.filter(|line| !line.starts_with("content-length")).map(str::to_owned).collect()
    };
    assert_eq!(headers(&page), headers(&other));
    assert!(other.ends_with("index.html of the front"), "{other}");
    assert!(get(&server, "/docs/search.js").await.1.contains("content-type: text/javascript"));
    for (path, to) in [("/docs", "docs/"), ("/docs?search=tick", "docs/?search=tick"), ("/docs/api", "api/")] {
        let (status, answer) = get(&server, path).await;
        assert!(status == 308 && answer.contains(&format!("location: {to}\r\n")), "{answer}");
    }
    for path in ["/search.js", "/docs/other.html", "/docsearch.js", "/docs/../index.html"] {
        assert_eq!(get(&server, path).await.0, 404, "{path}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn nothing_hidden_and_nothing_outside_of_a_folder_is_served() {
    let folder = Folder::new();
    let inside = folder.0.join("dist");
    fs::create_dir(&inside).unwrap();
    for (place, name) in [(&folder.0, "secret.txt"), (&inside, ".env"), (&inside, "app.js")] {
        fs::write(place.join(name), "text").unwrap();
    }
    let server = start_with(|builder| builder.page_folder(&inside)).await;
    assert_eq!(get(&server, "/app.js").await.0, 200);
    for path in [
        "/.env",
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/./app.js",
        "//app.js",
        "/app.js/",
        "/..\\secret.txt",
        "/",
    ] {
        assert_ne!(get(&server, path).await.0, 200, "{path}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn the_origin_check_covers_additions() {
    let server = start_with(|builder| with_shop(builder).allow_origin("https://play.example.org")).await;
    for path in ["/shop", "/socket.io/?EIO=4&transport=polling"] {
        let foreign = http(&server, "GET", path, "origin: http://evil.test\r\n", "").await;
        assert_eq!(foreign.0, 403, "{path}: {}", foreign.1);
        let (status, listed) = http(&server, "GET", path, "origin: https://play.example.org\r\n", "").await;
        assert!(status == 200 && listed.contains("access-control-allow-origin: https://play.example.org"), "{listed}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn an_addition_that_clashes_is_an_error_at_start() {
    for (path, expected) in [
        ("/metrics", "routes at /metrics clash with /metrics"),
        ("/schema/shop", "routes at /schema/shop clash with /schema"),
        ("/", "routes cannot be put at \"/\": give a path of plain segments, like /shop"),
    ] {
        assert_eq!(refused(tickcast::server().routes(path, catalogue)).await, expected);
    }
    let twice = tickcast::server().routes("/shop", catalogue).routes("/shop", catalogue);
    assert_eq!(refused(twice).await, "routes at /shop clash with /shop");
    let page = || tickcast::net::Page { path: "/index.html".to_owned(), content_type: "text/html", bytes: "page".into() };
    let same = tickcast::server().pages([page()]).pages([page()]);
    assert_eq!(refused(same).await, "two pages have the path /index.html");
    let taken = tickcast::server().namespaces(|io, _| {
        io.ns("/lobby", async || {});
    });
    assert_eq!(refused(taken).await, "the namespace /lobby is the server's own, choose another name");
}

#[tokio::test]
async fn an_unreachable_addition_is_an_error_at_start() {
    for name in ["shop", ""] {
        let unnamed = tickcast::server().namespaces(move |io, _| {
            io.ns(name, async || {});
        });
        assert_eq!(refused(unnamed).await, format!("the namespace \"{name}\" must begin with /, like /shop"));
    }
    let page = |path: &str| tickcast::net::Page { path: path.to_owned(), content_type: "text/html", bytes: "page".into() };
    for (path, expected) in [
        ("b.html", "the page \"b.html\" must have a path that begins with /, like /index.html"),
        ("/metrics", "the page /metrics would never be served: /metrics is the server's own"),
    ] {
        assert_eq!(refused(tickcast::server().pages([page(path)])).await, expected);
    }
    let folder = refused(tickcast::server().page_folder("no-such-folder")).await;
    assert!(folder.starts_with("cannot read the folder no-such-folder of pages: "), "{folder}");
    for (path, expected) in [
        ("docs", "a folder of pages cannot be put at \"docs\": give a path of plain segments, like /docs"),
        ("/docs/", "a folder of pages cannot be put at \"/docs/\": give a path of plain segments, like /docs"),
        ("/schema/docs", "the folder of pages at /schema/docs would never be served: /schema is the server's own"),
    ] {
        assert_eq!(refused(tickcast::server().page_folder_at(path, ".")).await, expected);
    }
    let origin = refused(tickcast::server().allow_origin("play.example.org")).await;
    assert!(origin.starts_with("\"play.example.org\" is not an origin"), "{origin}");
}
