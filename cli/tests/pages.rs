//! The pages for those who begin lead to files that there are.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use std::{fs, path::Path};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns the targets of a page's links that are files, by their paths from the root of the repository.
fn linked(page: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(page)).unwrap();
    let folder = page.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.map(|target| format!("{folder}{}", target.split('#').next().unwrap())).collect()
}

#[test]
fn links_lead_to_files() {
    for (page, least) in [("llms.txt", 8), ("docs/AGENTS.md", 1), ("docs/YOUR-FIRST-GAME.md", 3)] {
        let linked = linked(page);
        assert!(linked.len() >= least, "{page}: {linked:?}");
        for target in linked {
            assert!(repository().join(&target).is_file(), "{page} leads to {target}, which is no file");
        }
    }
}

#[test]
fn the_page_for_agents_has_at_most_200_lines() {
    let lines = fs::read_to_string(repository().join("docs/AGENTS.md")).unwrap().lines().count();
    assert!(lines <= 200, "{lines} lines");
}
