//! What accompanies a prompt: images, text files, project instructions; and that a prompt has no special syntax.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::standin::{Item, Reply, Server};

/// An image of each kind, as much as it takes to be recognised.
const PICTURES: [(&str, &[u8]); 5] = [
    ("image/png", b"\x89PNG\r\n\x1a\nrest"),
    ("image/jpeg", b"\xff\xd8\xff\xe0rest"),
    ("image/gif", b"GIF89arest"),
    ("image/gif", b"GIF87arest"),
    ("image/webp", b"RIFF\x10\0\0\0WEBPVP8 "),
];

pub(crate) fn dry(home: &Home, args: &[&str]) -> CommandOutput {
    let mut cmd = home.offline().args(["run", "--dry-run", "--no-tools"]);
    cmd.command.args(args);
    cmd.run()
}

pub(crate) fn body(ran: &CommandOutput) -> Value {
    let shown: Value = serde_json::from_str(&ran.exits(0).text()).expect("JSON");
    shown["body"].clone()
}

/// The parts of the user message.
fn parts(body: &Value) -> Vec<Value> {
    let items = body["input"].as_array().expect("items");
    let message = items
        .iter()
        .find(|item| item["role"] == "user")
        .expect("a message");
    message["content"].as_array().expect("parts").clone()
}

fn said(ran: &CommandOutput) -> String {
    parts(&body(ran))[0]["text"]
        .as_str()
        .expect("a text")
        .to_owned()
}

fn instructions(ran: &CommandOutput) -> String {
    body(ran)["instructions"]
        .as_str()
        .expect("a text")
        .to_owned()
}

#[test]
fn images_are_recognised_by_content_and_sent_in_order() {
    use base64::Engine as _;
    let home = Home::with_key();
    let mut args = vec!["look".to_owned()];
    for (n, (_, bytes)) in PICTURES.iter().enumerate() {
        // The file name says nothing.
        let name = format!("{n}.txt");
        home.file(&name, bytes);
        args.extend(["-i".to_owned(), name]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let parts = parts(&body(&dry(&home, &args)));
    assert_eq!(parts[0], json!({"type": "input_text", "text": "look"}));
    assert_eq!(parts.len(), 1 + PICTURES.len());
    for (part, (kind, bytes)) in parts[1..].iter().zip(PICTURES) {
        let data = base64::prelude::BASE64_STANDARD.encode(bytes);
        let url = format!("data:{kind};base64,{data}");
        assert_eq!(
            part,
            &json!({"type": "input_image", "image_url": url, "detail": "original"})
        );
    }
}

/// A sparse file of this size that begins like a PNG.
fn sparse(home: &Home, name: &str, size: u64) {
    let path = home.file(name, PICTURES[0].1);
    let file = File::options().write(true).open(path).expect("a file");
    file.set_len(size).expect("it is ours");
}

#[test]
fn a_file_that_is_not_an_image_or_too_large_is_exit_2() {
    let home = Home::with_key();
    let check = |name: &str, words: &str| {
        let ran = dry(&home, &["-i", name, "look"]);
        ran.exits(2)
            .stdout("")
            .says(name)
            .says("--image")
            .says(words)
            .says("codex: hint: ");
    };
    for (name, content) in [
        ("a.png", &b"no picture"[..]),
        ("b.jpg", b""),
        ("c.webp", b"RIFF1234WAVE"),
        ("d.gif", b"GIF88a"),
        ("e.svg", b"<svg/>"),
    ] {
        home.file(name, content);
        check(name, "it is not a PNG, JPEG, GIF or WebP image");
    }
    check("gone.png", "No such file");
    check(".", "irectory");
    sparse(&home, "large.png", (20 << 20) + 1);
    check("large.png", "it is larger than 20 MiB");
    sparse(&home, "full.png", 20 << 20);
    assert_eq!(
        parts(&body(&dry(&home, &["-i", "full.png", "look"]))).len(),
        2
    );
    let ran = dry(
        &home,
        &["-i", "full.png", "-i", "full.png", "-i", "full.png", "look"],
    );
    ran.exits(2)
        .stdout("")
        .says("the images are larger than 50 MiB in total");
    // Endless files are not read to the end.
    let ran = dry(&home, &["-i", "/dev/zero", "look"]);
    ran.exits(2).says("it is larger than 20 MiB");
}

#[test]
fn a_file_becomes_a_block_labelled_with_its_path() {
    let home = Home::with_key();
    home.file("a.rs", "fn a() {}\n");
    home.file("b \"&\".md", "no line end");
    home.file("empty", "");
    let block = |path: &str, text: &str| format!("<file path=\"{path}\">\n{text}</file>");
    let a = block("a.rs", "fn a() {}\n");
    let b = block("b &quot;&amp;&quot;.md", "no line end\n");
    assert_eq!(
        said(&dry(&home, &["-f", "a.rs", "why?"])),
        format!("why?\n\n{a}")
    );
    let two = dry(&home, &["-f", "b \"&\".md", "why?", "-f", "a.rs"]);
    assert_eq!(said(&two), format!("why?\n\n{b}\n\n{a}"));
    let path = home.work().join("a.rs").display().to_string();
    let absolute = block(&path, "fn a() {}\n");
    assert_eq!(
        said(&dry(&home, &["--file", &path, "why?"])),
        format!("why?\n\n{absolute}")
    );
    assert!(
        said(&dry(&home, &["-f", "empty", "why?"])).starts_with("why?\n\n<file path=\"empty\">\n")
    );

    let cmd = home
        .offline()
        .args(["run", "--dry-run", "--no-tools", "-f", "a.rs", "why?"]);
    let ran = cmd.input("log\n").run();
    assert_eq!(said(&ran), format!("why?\n\n{a}\n\n<stdin>\nlog\n</stdin>"));

    home.file("latin", b"caf\xe9\n");
    let ran = dry(&home, &["-f", "latin", "why?"]);
    ran.exits(2)
        .stdout("")
        .says("latin, named by --file: it is not UTF-8 at byte 3\n")
        .says("codex: hint: ");
    for name in ["gone.txt", "."] {
        dry(&home, &["-f", name, "why?"])
            .exits(2)
            .stdout("")
            .says("cannot read")
            .says("codex: hint: ");
    }
    // A file alone is not a question.
    dry(&home, &["-f", "a.rs", ""])
        .exits(2)
        .stdout("")
        .says("it is empty");
}

#[test]
fn a_prompt_has_no_special_syntax() {
    let home = Home::with_key().env("VAR", "value");
    home.file("file", "content");
    for prompt in [
        "@file",
        "explain @file please",
        "/help",
        "/clear",
        "$VAR and ${VAR}",
        "`id` $(id)",
        "!ls",
        "~/x",
        "#file",
        "{{VAR}}",
        "<file path=\"x\">",
        "a\\nb",
        "%s",
        "*",
    ] {
        assert_eq!(said(&dry(&home, &[prompt])), prompt);
        let cmd = home.offline().args(["run", "--dry-run", "--no-tools", "-"]);
        assert_eq!(said(&cmd.input(prompt).run()), prompt);
    }
}

/// A repository with a directory in a directory, inside one that is not a repository; returns the inner one.
fn project(home: &Home) -> PathBuf {
    let root = home.work().join("project");
    let inner = root.join("a/b");
    fs::create_dir_all(&inner).expect("a directory");
    fs::create_dir(root.join(".git")).expect("a directory");
    for (folder, text) in [
        (home.work(), "of the outside"),
        (root.clone(), "of the root"),
        (root.join("a"), "of a"),
        (inner.clone(), "of b\n"),
    ] {
        fs::write(folder.join("AGENTS.md"), text).expect("a file");
    }
    inner
}

fn from(folder: &Path, text: &str) -> String {
    format!("From {}:\n\n{text}", folder.join("AGENTS.md").display())
}

#[test]
fn project_instructions_are_collected_from_the_root_down() {
    let home = Home::with_key();
    let (inner, root) = (project(&home), home.work().join("project"));
    fs::write(home.work().join("who.txt"), "You are terse.").expect("a file");
    let check = |flags: &[&str], folder: &Path, expected: &[String]| {
        let mut args = vec!["hi", "--instructions", "who.txt"];
        let folder = folder.display().to_string();
        args.extend(["-C", &folder]);
        args.extend(flags);
        let ran = dry(&home, &args);
        let expected = [&["You are terse.".to_owned()], expected]
            .concat()
            .join("\n\n");
        assert_eq!(instructions(&ran), expected, "{folder} {flags:?}");
        ran.stderr("");
    };
    let (of_root, of_a) = (from(&root, "of the root"), from(&root.join("a"), "of a"));
    let of_b = from(&inner, "of b");
    check(&[], &inner, &[of_root.clone(), of_a.clone(), of_b.clone()]);
    check(&[], &root.join("a"), &[of_root.clone(), of_a.clone()]);
    check(&[], &root, std::slice::from_ref(&of_root));
    check(&["--no-agents-md"], &inner, &[]);
    let kind = "And kind.".to_owned();
    let all = [kind, of_root.clone(), of_a.clone(), of_b];
    check(&["--append-instructions", "And kind."], &inner, &all);
    // Without a repository only the directory itself counts.
    check(&[], &home.work(), &[from(&home.work(), "of the outside")]);
    // A worktree has a file instead of the directory.
    fs::write(root.join("a/.git"), "gitdir: elsewhere\n").expect("a file");
    check(&[], &root.join("a"), std::slice::from_ref(&of_a));
    fs::remove_file(root.join("a/.git")).expect("a file");
    // An empty file adds nothing.
    fs::write(inner.join("AGENTS.md"), " \n").expect("a file");
    check(&[], &inner, &[of_root, of_a]);
}

#[test]
fn project_instructions_are_added_to_the_built_in_ones() {
    let home = Home::with_key();
    home.file("AGENTS.md", "Be kind.\n");
    let plain = instructions(&dry(&home, &["--no-agents-md", "hi"]));
    let with = instructions(&dry(&home, &["hi"]));
    assert_eq!(
        with,
        format!("{plain}\n\n{}", from(&home.work(), "Be kind."))
    );
}

#[test]
fn project_instructions_are_limited_to_32_kib_in_total() {
    let home = Home::with_key();
    let (inner, root) = (project(&home), home.work().join("project"));
    let most = 32 << 10;
    let check = |lengths: [usize; 3], kept: [usize; 3], noted: &[(&Path, usize)]| {
        let folders = [root.clone(), root.join("a"), inner.clone()];
        for ((folder, length), letter) in folders.iter().zip(lengths).zip(["x", "y", "z"]) {
            fs::write(folder.join("AGENTS.md"), letter.repeat(length)).expect("a file");
        }
        let ran = dry(&home, &["hi", "-C", &inner.display().to_string()]);
        let text = instructions(&ran);
        // Other words contain these letters too, but not as many.
        let longest = |letter: char| text.split(|c| c != letter).map(str::len).max();
        let found = ['x', 'y', 'z'].map(|letter| longest(letter).filter(|length| *length > 9));
        assert_eq!(
            found.map(Option::unwrap_or_default),
            kept,
            "{lengths:?}: {}",
            ran.stderr
        );
        let note = |(folder, kept): &(&Path, usize)| {
            let file = folder.join("AGENTS.md").display().to_string();
            format!(
                "codex: only {kept} bytes of {file} are used: AGENTS.md files are limited to 32 KiB in total\n"
            )
        };
        let notes: String = noted.iter().map(note).collect();
        ran.stderr(&notes);
    };
    check([most, 0, 0], [most, 0, 0], &[]);
    check([most + 1, 0, 0], [most, 0, 0], &[(&root, most)]);
    check([10_000, 10_000, 12_768], [10_000, 10_000, 12_768], &[]);
    let a = root.join("a");
    check(
        [30_000, 10_000, 100],
        [30_000, 2768, 0],
        &[(&a, 2768), (&inner, 0)],
    );
    check([1 << 20, 0, 0], [most, 0, 0], &[(&root, most)]);
}

#[test]
fn project_instructions_are_cut_at_a_character_and_must_be_utf8() {
    let home = Home::with_key();
    let file = home.file("AGENTS.md", format!("x{}", "\u{e9}".repeat(20_000)));
    let ran = dry(&home, &["hi"]);
    let text = instructions(&ran);
    assert!(text.ends_with('\u{e9}') && !text.contains('\u{fffd}'));
    ran.stderr(&format!(
        "codex: only 32767 bytes of {} are used: AGENTS.md files are limited to 32 KiB in total\n",
        file.display()
    ));

    fs::write(&file, b"Be k\xefnd.").expect("a file");
    let ran = dry(&home, &["hi"]);
    assert!(!instructions(&ran).contains("From "), "{}", ran.text());
    ran.stderr(&format!(
        "codex: {} is ignored: it is not UTF-8 at byte 4\n",
        file.display()
    ));
    // A directory of that name does not count.
    fs::remove_file(&file).expect("a file");
    fs::create_dir(&file).expect("a directory");
    dry(&home, &["hi"]).exits(0).stderr("");
}

#[test]
fn reasoning_summaries_are_shown_on_request() {
    for (flags, reported) in [
        (&[][..], false),
        (&["--summary", "none"], false),
        (&["--summary", "auto"], true),
        (&["--summary", "concise"], true),
        (&["--summary", "detailed"], true),
        (&["--summary", "auto", "-q"], false),
    ] {
        let server = Server::start([Reply::items([
            Item::reasoning("About ducks."),
            Item::text("quack"),
        ])]);
        let mut cmd = Home::with_key()
            .codex(&server)
            .args(["run", "--no-tools", "hi"]);
        cmd.command.args(flags);
        let ran = cmd.run();
        let expected = if reported {
            "codex: thought: About ducks.\n"
        } else {
            ""
        };
        ran.exits(0).stdout("quack\n").stderr(expected);
    }
}
