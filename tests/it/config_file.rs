//! `--config-file`: another settings file instead of `config.json`.

use std::fs;

use crate::home::{CommandOutput, Home, KEY};
use crate::standin::{Item, Reply, Server};
use crate::tools::outputs;

fn dry(home: &Home, args: &[&str]) -> CommandOutput {
    let mut cmd = home.offline().args(["run", "--dry-run", "-v", "hi"]);
    cmd.command.args(args);
    cmd.run()
}

#[test]
fn the_file_is_used_instead_of_the_usual_one() {
    let home = Home::with_key();
    // Not even a mistake in it matters.
    home.configure("{\"effort\": 7");
    fs::create_dir(home.root().join("ci")).expect("a directory");
    fs::write(home.root().join("ci/in.txt"), "Be brief.").expect("a file");
    let file = home.root().join("ci/run.json");
    let text = "{\n  // For CI.\n  \"instructions\": \"in.txt\", \"max-cost\": 0.5}";
    fs::write(&file, text).expect("a file");
    let named = file.display().to_string();
    for named in [&*named, "../ci/run.json"] {
        let ran = dry(&home, &["--config-file", named]);
        ran.exits(0);
        assert!(ran.text().contains("Be brief."), "{}", ran.text());
        ran.says(&format!("codex: max-cost 0.5: from {named}:3:"));
        // A flag of the command line comes first.
        let ran = dry(&home, &["--config-file", named, "--max-cost", "2"]);
        ran.exits(0)
            .says("codex: max-cost 2: from the command line\n");
    }
    // Without a home, too.
    let cmd = home
        .offline()
        .args(["run", "--dry-run", "hi", "--config-file", &named]);
    cmd.without("HOME").run().exits(0);
}

#[test]
fn mistakes_are_reported_with_their_place() {
    let home = Home::with_key();
    let check = |text: &str, words: &str| {
        let file = home.root().join("run.json");
        fs::write(&file, text).expect("a file");
        let file = file.display().to_string();
        let ran = dry(&home, &["--config-file", &file]);
        ran.exits(2).stdout("").says(&words.replace('@', &file));
    };
    check(
        "{\n \"modle\": \"m\"}",
        "unknown field in @:2:2: \"modle\"; did you mean model?",
    );
    check("{\"retries\": []}", "invalid setting in @:1:13: ");
    check(
        "{\"max-cost\": \"much\"}",
        "invalid value for \"max-cost\" in @:1:14: \"much\"",
    );
    check("{", "invalid setting in @:1:");
    // It cannot name another one.
    check(
        "{\"config-file\": \"other.json\"}",
        "unknown field in @:1:2: \"config-file\"",
    );
    home.configure("{\"config-file\": \"other.json\"}");
    dry(&home, &[])
        .exits(2)
        .says("config.json:1:2: \"config-file\"");
    dry(&home, &["--config-file", "none.json"])
        .exits(2)
        .says("cannot read none.json, named by --config-file: ");
}

#[cfg(target_os = "linux")]
#[test]
fn tools_can_neither_change_it_nor_read_what_the_usual_one_keeps() {
    let home = Home::with_key();
    let key = home.root().join("key");
    fs::write(&key, KEY).expect("a file");
    home.configure("{\"api-key-file\": \"~/key\"}");
    let write = "{\"sandbox\": \"workspace-write\"}";
    let within = home.file("run.json", write).display().to_string();
    let outside = home.root().join("run.json");
    fs::write(&outside, write).expect("a file");
    let outside = outside.display().to_string();

    let server = Server::start([]);
    let cmd = home
        .codex(&server)
        .args(["run", "hi", "--config-file", &within]);
    let ran = cmd.run();
    ran.exits(2)
        .stdout("")
        .says("cannot let tools write to ")
        .says("run.json, which is the settings file, named by --config-file\n")
        .says("hint: move it to where tools cannot write, or use -s read-only\n");
    assert!(server.requests().is_empty());
    let cmd = home
        .offline()
        .args(["run", "--dry-run", "hi", "--config-file", &within]);
    cmd.args(["-s", "read-only"]).run().exits(0);

    let arguments = serde_json::json!({"path": key.display().to_string()});
    let server = Server::start([
        Reply::items([Item::call("read", arguments)]),
        Reply::text("done"),
    ]);
    let cmd = home
        .codex(&server)
        .args(["run", "hi", "--config-file", &outside]);
    cmd.run().exits(0);
    let output = outputs(&server).concat();
    assert!(
        !output.contains(KEY) && output.contains("credentials"),
        "{output}"
    );
}
