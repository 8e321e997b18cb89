//! The reader of imports on small trees: what it must find, and what it must not take for an import.

use crate::imports::Imports;

/// The imports and circles of a tree of files, each a path and a text: `part: part part` for each part that uses another
/// one, then the circles.
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let imports = Imports::of(files.iter().copied());
    let uses = imports.parts.iter().filter(|(_, uses)| !uses.is_empty());
    let mut found: Vec<String> = uses
        .map(|(part, uses)| {
            let uses: Vec<&str> = uses.iter().map(String::as_str).collect();
            format!("{part}: {}", uses.join(" "))
        })
        .collect();
    found.extend(imports.circles());
    assert_eq!(found, expected, "{files:#?}");
}

#[test]
fn parts_are_found_in_every_kind_of_path() {
    let target = [("b.rs", ""), ("c.rs", ""), ("d/mod.rs", ""), ("d/e.rs", "")];
    let of = |text: &str, expected: &[&str]| {
        let mut files = target.to_vec();
        files.push(("a.rs", text));
        check(&files, expected);
    };
    of("use crate::b::X;", &["a: b"]);
    of("use crate::{b::{self, Y}, c};", &["a: b c"]);
    of(
        "use crate::{\n    b::X as Z,\n    d::e::{P, Q},\n};",
        &["a: b d"],
    );
    of("use super::b::X;", &["a: b"]);
    of("pub use crate::b::X;", &["a: b"]);
    of("pub(crate) use crate::b;", &["a: b"]);
    of("fn f() { use crate::c::g; g() }", &["a: c"]);
    of(
        "fn f(x: &crate::b::X<'_>) -> Vec<crate::c::Y> {}",
        &["a: b c"],
    );
    of(
        "fn f() { crate::d::e::run::<u8>('\"', crate::b::MOST) }",
        &["a: b d"],
    );
    of("use std::fs;\nuse serde::b::X;\nfn f() { x.b::<c>() }", &[]);
}

#[test]
fn strings_comments_and_tests_are_not_imports() {
    let of = |text: &str, expected: &[&str]| check(&[("a.rs", text), ("b.rs", "")], expected);
    of("// use crate::b::X;\n/* crate::b */ //! [`crate::b`]", &[]);
    of(
        r#"const A: &str = "use crate::b::X;"; const B: &str = "\"crate::b::X";"#,
        &[],
    );
    of(
        "const A: &str = r#\"\"crate::b::X\"#; const B: &[u8] = br\"crate::b::X\";",
        &[],
    );
    of(
        "const A: char = '\"'; use crate::b::X; const B: char = '\"';",
        &["a: b"],
    );
    of(
        r"const A: char = '\''; const B: char = '\\'; use crate::b::X;",
        &["a: b"],
    );
    of("fn f<'a>(x: &'a str) -> crate::b::X<'a> {}", &["a: b"]);
    of(
        "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::b::X;\n}",
        &[],
    );
    of(
        "#[cfg(test)]\npub(super) mod tests {\n    use crate::b::X;\n}",
        &[],
    );
    of("#[cfg(test)]\nfn f() {}\nuse crate::b::X;", &["a: b"]);
    check(
        &[
            ("a/mod.rs", "#[cfg(test)]\nmod suite;"),
            ("a/suite.rs", "use crate::b::X;"),
            ("b.rs", ""),
        ],
        &[],
    );
}

#[test]
fn circles_of_two_or_more_files_are_found() {
    check(
        &[
            ("a/mod.rs", "mod b;\nmod c;"),
            ("a/b.rs", "use super::c::C;"),
            ("a/c.rs", "use super::b::B;"),
        ],
        &["a/b a/c"],
    );
    check(
        &[
            ("a/mod.rs", "mod b;\nmod c;\nmod d;\nmod e;\nuse b::B;"),
            ("a/b.rs", "fn f() -> super::c::C {}"),
            ("a/c.rs", "use crate::a::d::{self, D};"),
            ("a/d.rs", "use super::b;\nuse super::e::E;"),
            ("a/e.rs", ""),
        ],
        &["a/b a/c a/d"],
    );
    // Two unrelated circles, across parts.
    check(
        &[
            ("a.rs", "use crate::b::X;"),
            ("b.rs", "use crate::a::X;"),
            ("c/mod.rs", "use d::D;\npub struct C;"),
            ("c/d.rs", "use super::C;"),
        ],
        &["a: b", "b: a", "a b", "c c/d"],
    );
}

#[test]
fn a_re_export_counts_as_the_file_that_defines_it() {
    // The child imports from its sibling through the folder.
    check(
        &[
            (
                "a/mod.rs",
                "mod b;\nmod c;\npub use b::B;\npub(crate) use c::C as D;",
            ),
            ("a/b.rs", "use super::D;"),
            ("a/c.rs", ""),
        ],
        &[],
    );
    // In two steps, and back.
    check(
        &[
            ("a/mod.rs", "pub mod b;\npub mod c;\npub use b::{B, E};"),
            ("a/b/mod.rs", "mod e;\npub use e::E;\npub struct B;"),
            ("a/b/e.rs", "use crate::a::c::C;"),
            ("a/c.rs", "use super::E;"),
        ],
        &["a/b/e a/c"],
    );
    // An item that the folder defines is imported from the folder, and a folder that uses its child closes the circle.
    check(
        &[
            (
                "a/mod.rs",
                "mod b;\npub use b::B;\npub struct A;\nfn f() { b::run() }",
            ),
            ("a/b.rs", "use super::A;"),
        ],
        &["a a/b"],
    );
    // An item with the name of a child is not the child.
    check(
        &[
            ("a/mod.rs", "pub mod b;\npub use b::b;"),
            ("a/b.rs", "pub fn b() {}"),
            ("c.rs", "use crate::a::b::b;"),
        ],
        &["c: a"],
    );
}

#[test]
#[should_panic(expected = "re-exports everything")]
fn a_glob_re_export_is_refused() {
    check(
        &[("a/mod.rs", "mod b;\npub use b::*;"), ("a/b.rs", "")],
        &[],
    );
}
