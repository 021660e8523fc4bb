//! The links of the pages that the documentation of the library shows, `docs/GUIDE.md` and `docs/PROTOCOL.md`. They must lead
//! somewhere on a site for code and in rustdoc alike.

use std::{fs, path::Path};

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// Returns the lines of a page that are prose.
fn prose(page: &str) -> Vec<&str> {
    let mut in_code = false;
    let mut is_prose = |line: &&str| {
        let fence = line.starts_with("```");
        in_code ^= fence;
        !fence && !in_code
    };
    page.lines().filter(|line| is_prose(line)).collect()
}

/// Returns the targets of the links that are written in the text: `[text](target)`.
fn inline<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let targets = |line: &&'a str| -> Vec<&'a str> {
        line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
    };
    lines.iter().flat_map(targets).collect()
}

/// Returns the links that are defined on a line of their own: `[name]: target`.
fn definitions<'a>(lines: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    lines.iter().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect()
}

#[test]
fn links_of_the_guide_lead_somewhere_in_rustdoc_too() {
    let library = read("src/lib.rs");
    for file in ["docs/GUIDE.md", "docs/PROTOCOL.md"] {
        let page = read(file);
        let lines = prose(&page);
        for target in inline(&lines) {
            let known = target.starts_with("https://") || has_heading(&lines, target);
            assert!(known, "{file}: {target} leads nowhere in rustdoc: define the link at the end, and in src/lib.rs");
        }
        for (name, target) in definitions(&lines) {
            assert!(library.contains(&format!("[{name}]: crate::")), "src/lib.rs does not define the link [{name}] of {file}");
            let (other, heading) = target.split_once('#').unwrap_or((target, ""));
            let other = read(&format!("docs/{other}"));
            assert!(heading.is_empty() || has_heading(&prose(&other), &format!("#{heading}")), "{file}: {target} has no heading");
        }
    }
    assert_eq!(definitions(&prose(&read("docs/GUIDE.md"))).len(), 2, "the definitions were not found");
}

/// Returns whether a page has the heading of a link like `#a-page`.
fn has_heading(lines: &[&str], link: &str) -> bool {
    let mut headings = lines.iter().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim());
    let dashed = |heading: &str| heading.to_lowercase().replace(' ', "-").replace(|c: char| !c.is_alphanumeric() && c != '-', "");
    link.strip_prefix('#').is_some_and(|link| headings.any(|heading| dashed(heading) == link))
}
