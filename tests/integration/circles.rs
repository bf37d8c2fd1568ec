//! Holds the circles of imports: files of a room that import each other are read together, so they are few.

use std::collections::{BTreeMap, BTreeSet};

use crate::floors::sources;
use crate::rust_paths::{Module, Scanner, module};
use crate::rust_tokens::{tokens, without_tests};

/// Most files of one room that import each other in a circle.
const CIRCLE: usize = 8;

/// The imports between files of one room. Each file is a module. An item that a module only passes on (`pub use`) counts
/// as imported from where it is declared. Tests may import what they like.
struct Imports {
    files: BTreeMap<Module, String>,
    passed_on: BTreeMap<(Module, String), Vec<String>>,
    named: Vec<(Module, Vec<String>)>,
}

impl Imports {
    fn of(sources: &[(String, String)]) -> Self {
        let is_test = |path: &str| path.contains("/tests/") || path.ends_with("/tests.rs");
        let kept: Vec<(Module, &String, &String)> =
            sources.iter().filter(|(path, _)| !is_test(path)).map(|(path, code)| (module(path), path, code)).collect();
        let mut imports = Self {
            files: kept.iter().map(|(file, path, _)| (file.clone(), (*path).clone())).collect(),
            passed_on: BTreeMap::new(),
            named: Vec::new(),
        };
        for (file, _, code) in kept {
            let below = |other: &&Module| other.len() == file.len() + 1 && other.starts_with(&file);
            let children = imports.files.keys().filter(below).filter_map(|other| other.last().cloned()).collect();
            let code = without_tests(&tokens(code));
            for named in Scanner::new(&code, file.clone(), children).scan() {
                if named.passed_on {
                    imports.passed_on.insert((file.clone(), named.name), named.path);
                } else {
                    imports.named.push((file.clone(), named.path));
                }
            }
        }
        imports
    }

    /// The file that declares what a path names.
    fn declared_in(&self, path: &[String]) -> Option<Module> {
        let mut path = path.to_vec();
        // A path passed on in a circle does not compile; the bound is for code that is not ours to compile.
        for _ in 0..CIRCLE {
            let file = (0..=path.len()).rev().map(|n| &path[..n]).find(|part| self.files.contains_key(*part))?.to_vec();
            let Some(next) = path.get(file.len()) else { return Some(file) };
            let Some(elsewhere) = self.passed_on.get(&(file.clone(), next.clone())) else { return Some(file) };
            path = elsewhere.iter().chain(&path[file.len() + 1..]).cloned().collect();
        }
        None
    }

    /// Each file, with the files of the same room that it imports from.
    fn within_rooms(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let mut graph: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (file, path) in &self.named {
            if let Some(other) = self.declared_in(path).filter(|other| other != file && other.first() == file.first()) {
                graph.entry(file.clone()).or_default().insert(other);
            }
        }
        graph
    }

    /// Each set of files that all import each other, directly or through others of the set; the largest first.
    fn circles(&self) -> Vec<Vec<String>> {
        let graph = self.within_rooms();
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            graph.keys().map(|file| (file, reached_from(file, &graph))).collect();
        let mut circles = BTreeSet::new();
        for (file, there) in reached.iter().filter(|(file, there)| there.contains(**file)) {
            let back = there.iter().filter(|other| reached.get(**other).is_some_and(|from| from.contains(file)));
            circles.insert(back.filter_map(|other| self.files.get(*other).cloned()).collect::<Vec<_>>());
        }
        let mut circles: Vec<Vec<String>> = circles.into_iter().collect();
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }
}

/// Every file that one reaches by its imports and theirs.
fn reached_from<'g>(file: &'g Module, graph: &'g BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<&'g Module> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![file]);
    while let Some(file) = next.pop() {
        next.extend(graph.get(file).into_iter().flatten().filter(|other| reached.insert(*other)));
    }
    reached
}

#[test]
fn no_circle_of_imports_within_a_room_is_large() {
    let circles = Imports::of(&sources()).circles();
    assert!(!circles.is_empty(), "a mod.rs and its child are a circle of two: none means that nothing is read");
    let large: Vec<String> = circles
        .iter()
        .filter(|circle| circle.len() > CIRCLE)
        .map(|circle| format!("{} files import each other: {}", circle.len(), circle.join(", ")))
        .collect();
    assert!(large.is_empty(), "at most {CIRCLE} files may import each other\n{}", large.join("\n"));
}

/// The circles of a room of these files.
fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let owned: Vec<(String, String)> =
        files.iter().map(|(path, code)| (format!("src/{path}"), (*code).to_owned())).collect();
    Imports::of(&owned).circles()
}

#[test]
fn files_that_import_each_other_are_a_circle_however_they_do_it() {
    let both = ["src/policy/a.rs", "src/policy/b.rs"].map(str::to_owned).to_vec();
    let mut root = "mod a; mod b;";
    for (a, b) in [
        ("use super::b::B;", "use super::a::A;"),
        ("use crate::policy::b;", "fn f() { super::a::f() }"),
        ("use super::{b::B, c::C};", "use crate::{ident::Login, policy::a};"),
    ] {
        let files = [("policy/mod.rs", root), ("policy/a.rs", a), ("policy/b.rs", b), ("ident.rs", "")];
        assert_eq!(circles(&files), std::slice::from_ref(&both), "{a} {b}");
    }
    // An item that the room passes on is imported from the file that declares it.
    root = "mod a; mod b; pub use a::A; pub(crate) use self::b::{C, B as Other};";
    let files = |a, b| [("policy/mod.rs", root), ("policy/a.rs", a), ("policy/b.rs", b)];
    assert_eq!(circles(&files("use super::Other;", "use crate::policy::A;")), [both]);
    assert_eq!(circles(&files("use super::Other;", "fn f() {}")), [[""; 0]; 0]);
}

#[test]
fn a_folder_that_uses_its_children_and_is_used_by_them_is_a_circle() {
    let children = [("policy/a.rs", "use super::Shared;"), ("policy/b.rs", "use super::Shared;")];
    let with = |root| [vec![("policy/mod.rs", root)], children.to_vec()].concat();
    let [circle] = &circles(&with("struct Shared; fn f() { a::f(); b::f() }"))[..] else { panic!("one circle") };
    assert_eq!(circle.len(), 3);
    // Declared, passed on, used by tests, or visible to: none of these is an import.
    for root in [
        "mod a; mod b; struct Shared;",
        "pub use a::A; pub use self::b::B; struct Shared;",
        "struct Shared; #[cfg(test)] mod tests { use super::a; use super::b; }",
        "pub(in crate::policy) struct Shared; fn a() {}",
    ] {
        assert_eq!(circles(&with(root)), [[""; 0]; 0], "{root}");
    }
}
