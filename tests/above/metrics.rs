//! The page of metrics. Its tests have a process of their own where they need one that has counted nothing yet.

use std::collections::BTreeMap;

use crate::{
    process::run_in_child,
    server::{create, get, seated, start},
};

/// A metric of the page: its help text, its type, and its samples with their labels.
#[derive(Default)]
struct Family {
    help: String,
    kind: String,
    samples: BTreeMap<String, String>,
}

/// Reads the page as Prometheus does.
fn families(page: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let body = page.split_once("\r\n\r\n").unwrap().1;
    for line in body.lines().filter(|line| !line.is_empty()) {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let name = sample.split('{').next().unwrap();
            let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
            let family = of_histogram.filter(|name| families.contains_key(*name)).unwrap_or(name).to_owned();
            families.entry(family).or_default().samples.insert(sample.to_owned(), value.to_owned());
        }
    }
    families
}

#[tokio::test]
async fn every_metric_has_a_help_text_and_a_type() {
    let server = start().await;
    let created = create(&server, serde_json::json!({})).await;
    let (mut client, _) = seated(&server, created["ticket"].as_str().unwrap()).await;
    client.event_named("/gameplay", "s").await;
    let families = families(&get(&server, "/metrics").await.1);
    assert!(families.len() >= 18, "{:?}", families.keys());
    for (name, Family { help, kind, samples }) in &families {
        assert!(help.ends_with('.') && help.len() > 10, "{name} has no help text: {help:?}");
        assert!(["counter", "gauge", "histogram"].contains(&&**kind), "{name} is a {kind:?}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        assert!(!samples.is_empty(), "{name} has no samples");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn every_counter_is_there_at_zero_from_the_start() {
    if run_in_child("metrics::every_counter_is_there_at_zero_from_the_start").is_some() {
        return;
    }
    let server = start().await;
    let families = families(&get(&server, "/metrics").await.1);
    let table = include_str!("../../src/observe/mod.rs");
    for (name, family) in &families {
        assert!(table.contains(&format!("`{name}`")), "{name} has no row in the table of `observe`");
        // The test's own request has been read, and its process has taken time.
        let at_zero = family.kind == "counter" && name != "tickcast_bytes_total" && name != "process_cpu_seconds_total";
        for (sample, value) in family.samples.iter().filter(|_| at_zero) {
            assert_eq!(value, "0", "{sample}");
        }
    }
    for name in table
        .lines()
        .filter(|line| ["//! | `tickcast_", "//! | `process_"].iter().any(|start| line.starts_with(start)))
        .flat_map(|line| line.split('|').nth(1))
    {
        for name in name.split(", ").map(|name| name.trim().trim_matches('`')) {
            assert!(families.contains_key(name), "{name} is absent until it is first used");
        }
    }
    let drops = &families["tickcast_drops_total"].samples;
    for reason in drops.keys().filter_map(|sample| sample.split('"').nth(1)) {
        assert!(table.contains(&format!("//! | `{reason}` | ")), "{reason} has no row in the table of `observe`");
    }
    let refused = &families["tickcast_refused_total"].samples;
    assert_eq!(refused.len(), tickcast::protocol::ErrorCode::ALL.len());
    assert!(families["tickcast_connections"].samples.contains_key("tickcast_connections{namespace=\"/lobby\"}"));
    server.shutdown().await;
}
