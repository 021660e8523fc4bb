//! Finds out which files of a crate import from which others. It reads the text without a compiler, which is exact enough for
//! this repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The files of a crate, and the paths that each uses.
pub struct Crate {
    /// The name by which the crate's own code may call it.
    name: String,
    files: Vec<File>,
}

/// A module with a file of its own.
struct File {
    /// The path from the crate's root, for example `["net", "transport", "reader"]`. The root's own path is empty.
    path: Vec<String>,
    shown: String,
    /// In the order of the `mod` lines.
    children: Vec<String>,
    /// The names that `use` items bring in, with their paths.
    names: BTreeMap<String, Vec<String>>,
    uses: Vec<Use>,
}

/// A path that a file names, in an import or in code.
struct Use {
    path: Vec<String>,
    line: usize,
    in_tests: bool,
}

/// One file that uses another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: usize,
    to: usize,
    line: usize,
    in_tests: bool,
}

impl Crate {
    /// Reads the crate with this name and root file, and every module that its `mod` lines lead to.
    pub fn read(name: &str, root: &Path) -> Self {
        let mut files = Vec::new();
        read_module(root, Vec::new(), root.parent().expect("a root has a folder"), &mut files);
        Self { name: name.to_owned(), files }
    }

    /// Returns the modules that the root declares, in their order.
    pub fn rooms(&self) -> &[String] {
        &self.files[0].children
    }

    /// Returns a sentence for every import from a file that is declared below the importing one.
    ///
    /// A `mod.rs` and the files of its folder are one module, and may use each other. Test code is held to the order of the
    /// root's list alone.
    pub fn upward(&self) -> Vec<String> {
        let mut found: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        for edge in self.edges() {
            if let Some((list, own, other)) = self.siblings(edge.from, edge.to)
                && own < other
                && (list == 0 || !edge.in_tests)
            {
                found.entry((edge.from, edge.to)).or_default().push(edge.line);
            }
        }
        let upward = found.into_iter().map(|((from, to), lines)| {
            let (list, own, other) = self.siblings(from, to).expect("found above");
            let (list, from, to) = (&self.files[list], &self.files[from].shown, &self.files[to].shown);
            let (own, other) = (&list.children[own], &list.children[other]);
            format!("{from} uses {to} (lines {lines:?}), but `mod {other}` is below `mod {own}` in {}", list.shown)
        });
        upward.collect()
    }

    /// Returns the file whose `mod` lines order two others, and the positions of both. `None` if one file is inside the other.
    fn siblings(&self, from: usize, to: usize) -> Option<(usize, usize, usize)> {
        let (from, to) = (&self.files[from].path, &self.files[to].path);
        let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let list = self.find(&from[..shared])?;
        let place = |path: &[String]| self.files[list].children.iter().position(|child| Some(child) == path.get(shared));
        Some((list, place(from)?, place(to)?))
    }

    fn edges(&self) -> BTreeSet<Edge> {
        let mut edges = BTreeSet::new();
        for (from, file) in self.files.iter().enumerate() {
            for used in &file.uses {
                if let Some(to) = self.resolve(from, &used.path, 0).filter(|to| *to != from) {
                    edges.insert(Edge { from, to, line: used.line, in_tests: used.in_tests });
                }
            }
        }
        edges
    }

    fn find(&self, path: &[String]) -> Option<usize> {
        self.files.iter().position(|file| file.path == path)
    }

    /// Returns the file that defines the item of a path. `None` if another crate defines it.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<usize> {
        let file = &self.files[from];
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => 0,
            name if name == self.name => 0,
            "self" => from,
            "super" => self.find(file.path.split_last()?.1)?,
            _ => return self.member(from, path, depth),
        };
        while let Some(("super", more)) = rest.split_first().map(|(first, more)| (first.as_str(), more)) {
            at = self.find(self.files[at].path.split_last()?.1)?;
            rest = more;
        }
        if rest.is_empty() { Some(at) } else { self.member(at, rest, depth).or(Some(at)) }
    }

    /// Follows a path that starts with a name in this file: a module, or what a `use` brought in.
    fn member(&self, at: usize, path: &[String], depth: usize) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        let file = &self.files[at];
        if file.children.contains(first) {
            let child = self.find(&[&file.path[..], std::slice::from_ref(first)].concat())?;
            return if rest.is_empty() { Some(child) } else { self.member(child, rest, depth).or(Some(child)) };
        }
        // An import may have the same name as its crate. Following it further would not end.
        let target = file.names.get(first).filter(|target| depth < 8 && target[0] != *first)?;
        self.resolve(at, &[&target[..], rest].concat(), depth + 1)
    }
}

fn read_module(file: &Path, path: Vec<String>, folder: &Path, files: &mut Vec<File>) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut reader = Reader { tokens: tokens(&text), ..Reader::default() };
    reader.read();
    let shown = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(file).display().to_string();
    let (names, mut uses) = (reader.names, reader.uses);
    // A re-export counts as a use if the file uses the name itself.
    uses.extend(reader.exports.into_iter().filter(|(name, _)| reader.bare.contains(name)).map(|(_, export)| export));
    files.push(File { path: path.clone(), shown, children: reader.children.clone(), names, uses });
    for child in reader.children {
        let (flat, own): (PathBuf, PathBuf) = (folder.join(format!("{child}.rs")), folder.join(&child));
        let file = if flat.exists() { flat } else { own.join("mod.rs") };
        read_module(&file, [&path[..], &[child]].concat(), &own, files);
    }
}

#[derive(Clone, PartialEq)]
enum Token {
    Name(String),
    PathSeparator,
    Mark(char),
}

/// Returns names, `::` and single marks, with their lines. Leaves out comments, strings and characters.
fn tokens(text: &str) -> Vec<(Token, usize)> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if let Some(length) = string(rest).or_else(|| character(rest)) {
            length
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push((Token::Name(rest[..length].to_owned()), line));
            length
        } else if rest.starts_with("::") {
            found.push((Token::PathSeparator, line));
            2
        } else {
            if !first.is_whitespace() && !first.is_ascii_digit() {
                found.push((Token::Mark(first), line));
            }
            first.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

/// Returns the length of the string literal at the start, if there is one.
fn string(text: &str) -> Option<usize> {
    let body = text.strip_prefix(['b', 'c']).unwrap_or(text);
    let head = text.len() - body.len();
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = raw[hashes..].strip_prefix('"')?;
        return Some(head + 1 + hashes + 1 + inside.find(&end)? + end.len());
    }
    let inside = body.strip_prefix('"')?;
    let mut escaped = false;
    let end = inside.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(head + 1 + end + 1)
}

/// Returns the length of the character literal at the start, if there is one. A lifetime has no second quote.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if inside.starts_with('\\') {
        return Some(2 + 1 + inside[2..].find('\'')? + 1);
    }
    let first = inside.chars().next()?;
    inside[first.len_utf8()..].starts_with('\'').then(|| 1 + first.len_utf8() + 1)
}

/// Finds the modules, imports and paths in the tokens of a file.
#[derive(Default)]
struct Reader {
    tokens: Vec<(Token, usize)>,
    at: usize,
    /// Test code goes up to this token.
    tests_to: usize,
    children: Vec<String>,
    names: BTreeMap<String, Vec<String>>,
    uses: Vec<Use>,
    exports: Vec<(String, Use)>,
    /// First names of the paths in code.
    bare: BTreeSet<String>,
}

impl Reader {
    fn read(&mut self) {
        while self.at < self.tokens.len() {
            if self.starts(&["#", "[", "cfg", "(", "test", ")", "]"]) {
                self.tests_to = self.tests_to.max(self.end_of_item(self.at + 7));
                self.at += 7;
            } else if self.starts(&["use"]) {
                let exported = self.is_exported();
                self.at += 1;
                self.import(Vec::new(), exported);
            } else if self.starts(&["mod"]) && self.mark(self.at + 2) == Some(';') {
                if self.at >= self.tests_to {
                    self.children.extend(self.name(self.at + 1));
                }
                self.at += 3;
            } else if let Some(name) = self.name(self.at) {
                self.path(name);
            } else {
                self.at += 1;
            }
        }
    }

    fn name(&self, at: usize) -> Option<String> {
        if let (Token::Name(name), _) = self.tokens.get(at)? { Some(name.clone()) } else { None }
    }

    fn mark(&self, at: usize) -> Option<char> {
        if let (Token::Mark(mark), _) = self.tokens.get(at)? { Some(*mark) } else { None }
    }

    fn separated(&self, at: usize) -> bool {
        matches!(self.tokens.get(at), Some((Token::PathSeparator, _)))
    }

    fn starts(&self, with: &[&str]) -> bool {
        with.iter().enumerate().all(|(n, wanted)| match self.tokens.get(self.at + n) {
            Some((Token::Name(name), _)) => name == wanted,
            Some((Token::Mark(mark), _)) => mark.to_string() == **wanted,
            _ => false,
        })
    }

    /// Whether `pub` or `pub(..)` stands before this token.
    fn is_exported(&self) -> bool {
        let before = |n: usize| self.at.checked_sub(n).and_then(|at| self.name(at));
        before(1).as_deref() == Some("pub") || before(4).as_deref() == Some("pub") && self.mark(self.at - 1) == Some(')')
    }

    /// Returns the position after the item that starts here: after its `;`, or after its block.
    fn end_of_item(&self, from: usize) -> usize {
        let mut depth = 0;
        for at in from..self.tokens.len() {
            match self.mark(at) {
                Some('{' | '(' | '[') => depth += 1,
                Some('}') if depth == 1 => return at + 1,
                Some('}' | ')' | ']') => depth -= 1,
                Some(';') if depth == 0 => return at + 1,
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// Reads the tree of a `use` item from here on. `path` is its prefix.
    fn import(&mut self, mut path: Vec<String>, exported: bool) {
        let line = self.tokens[self.at].1;
        loop {
            if self.mark(self.at) == Some('{') {
                self.at += 1;
                while self.mark(self.at) != Some('}') {
                    self.import(path.clone(), exported);
                    self.at += usize::from(self.mark(self.at) == Some(','));
                }
                self.at += 1;
                return;
            }
            path.extend(self.name(self.at).filter(|name| name != "self" || path.is_empty()));
            self.at += 1;
            if !self.separated(self.at) {
                break;
            }
            self.at += 1;
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if self.starts(&["as"]) {
            name = self.name(self.at + 1).unwrap_or_default();
            self.at += 2;
        }
        let used = Use { path: path.clone(), line, in_tests: self.at < self.tests_to };
        if !used.in_tests {
            self.names.insert(name.clone(), path);
        }
        if exported {
            self.exports.push((name, used));
        } else {
            self.uses.push(used);
        }
    }

    /// Reads a path in code from its first name on.
    fn path(&mut self, first: String) {
        let line = self.tokens[self.at].1;
        // Fields, methods and the rest of a path do not start a path.
        let is_member = self.at > 0 && (self.mark(self.at - 1) == Some('.') || self.separated(self.at - 1));
        let mut path = vec![first];
        self.at += 1;
        while self.separated(self.at) {
            let Some(name) = self.name(self.at + 1) else { break };
            path.push(name);
            self.at += 2;
        }
        if is_member {
            return;
        }
        self.bare.insert(path[0].clone());
        if path.len() > 1 {
            self.uses.push(Use { path, line, in_tests: self.at <= self.tests_to });
        }
    }
}
