//! Credentials under other names: behind links and mounts, through manifests, and at paths that do not exist yet.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::json;

use crate::home::{Home, KEY};
use crate::needs::{Need, lacks};
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, called, called_in_sequence, outputs};

const SECRET: &str = "rt-kept-elsewhere";

fn login() -> String {
    format!(
        r#"{{"openai-codex":{{"type":"oauth","access":"x","refresh":"{SECRET}","expires":1}}}}"#
    )
}

#[test]
fn a_missing_credentials_directory_cannot_be_replaced_by_a_link() {
    let home = Home::new().env("CODEX_API_KEY", KEY);
    let own = home.root().join(".codex-run");
    for path in [&own, &home.work().join("u")] {
        fs::create_dir_all(path).expect("a directory");
    }
    fs::write(own.join("auth.json"), login() + "\n").expect("a file");
    let official = home.work().join("u/.codex").display().to_string();
    let home = home.env("CODEX_HOME", &official);
    let own = own.display();
    let commands = [
        format!("mv u moved && ln -s {own} u && echo swapped"),
        format!("cat {own}/auth.json; cat u/auth.json"),
    ];
    let outputs = called_in_sequence(&home, &["-s", "workspace-write"], &commands);
    assert!(outputs[0].starts_with("swapped\n"), "{}", outputs[0]);
    assert!(!outputs[1].contains(SECRET), "{}", outputs[1]);
}

#[test]
fn credentials_are_hidden_behind_links_and_mounts() {
    let home = Home::new().env("CODEX_API_KEY", KEY);
    let root = home.root();
    for path in [".codex-run", "dot", "alias", "deep/er/alias"] {
        fs::create_dir_all(root.join(path)).expect("a directory");
    }
    fs::write(root.join("dot/auth.json"), login() + "\n").expect("a file");
    fs::write(root.join(".codex-run/other.json"), login() + "\n").expect("a file");
    symlink(
        root.join("dot/auth.json"),
        root.join(".codex-run/auth.json"),
    )
    .expect("a link");
    let (_, first) = called(
        &home,
        &[],
        vec![bash("cat ../dot/auth.json ../.codex-run/auth.json")],
    );
    assert!(!first[0].contains(SECRET), "{}", first[0]);
    // In a separate namespace, where the home is mounted twice more.
    let server = Server::start([
        Reply::items([bash("cat ../.codex-run/o* ../alias/o* ../deep/er/alias/o*")]),
        Reply::text("done"),
    ]);
    if lacks(&Need::MOUNTS) {
        return;
    }
    let script = "mount --bind ../.codex-run ../alias && mount --bind ../.codex-run ../deep/er/alias && exec \"$0\" \"$@\" || exit 99";
    let cmd = home.codex(&server).args(["run", "go"]);
    let ran = cmd.within("unshare", ["-m", "sh", "-c", script]).run();
    ran.exits(0);
    assert!(
        !outputs(&server)[0].contains(SECRET),
        "{}",
        outputs(&server)[0]
    );
}

#[test]
fn a_linked_home_cannot_be_replaced() {
    let home = Home::with_key();
    fs::create_dir_all(home.root().join("data")).expect("a directory");
    symlink(home.root().join("data"), home.work().join(".codex-run")).expect("a link");
    let work = home.work().display().to_string();
    let cmd = home
        .offline()
        .env("HOME", &work)
        .args(["run", "-s", "workspace-write", "x"]);
    cmd.run().exits(2).says(&format!(
        "cannot let tools write to {work}: {work}/.codex-run contains credentials"
    ));
}

#[test]
fn a_manifest_makes_only_the_tools_directory_readable() {
    let home = Home::with_key();
    let pi = home.root().join(".pi/agent");
    fs::create_dir_all(&pi).expect("a directory");
    fs::write(pi.join("auth.json"), login() + "\n").expect("a file");
    let secret = pi.join("auth.json").display().to_string();
    let manifest = json!({"name": "peek", "description": "d", "parameters": {"type": "object"}, "command": ["cat", secret]});
    fs::write(pi.join("peek.json"), manifest.to_string()).expect("a file");
    let path = pi.join("peek.json").display().to_string();
    let (_, outputs) = called(
        &home,
        &["--tool", &path],
        vec![Item::call("peek", json!({}))],
    );
    assert!(
        !outputs[0].contains(SECRET) && outputs[0].contains("Permission denied"),
        "{}",
        outputs[0]
    );
    // A program in there is reported before the run.
    let program = pi.join("run.sh");
    fs::write(&program, "#!/bin/sh\n").expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let manifest = json!({"name": "peek", "description": "d", "parameters": {"type": "object"}, "command": ["./run.sh"]});
    fs::write(pi.join("peek.json"), manifest.to_string()).expect("a file");
    let ran = home.offline().args(["run", "--tool", &path, "x"]).run();
    ran.exits(2)
        .says("/.pi/agent/run.sh is a credentials directory, which tools cannot read");
}

#[test]
fn a_second_mount_of_a_parent_directory_exposes_nothing() {
    if lacks(&Need::MOUNTS) {
        return;
    }
    let home = Home::new().env("CODEX_API_KEY", KEY);
    let root = home.root().display().to_string();
    for path in ["sys", "bind", "real/u", "hm"] {
        fs::create_dir_all(home.root().join(path)).expect("a directory");
    }
    // The home is a separate file system, below a different one that is bound elsewhere; so is `/`.
    for bound in ["sys", "/"] {
        let script = format!(
            "cd {root}; mount -t tmpfs t sys && mkdir sys/home && mount -t tmpfs h sys/home && mkdir -p sys/home/u/.codex-run sys/home/u/w \
             && echo '{SECRET}' > sys/home/u/.codex-run/auth.jsons && cp sys/home/u/.codex-run/auth.jsons sys/home/u/.codex-run/auth.json.old \
             && mount --bind {bound} bind && cd sys/home/u/w && HOME={root}/sys/home/u exec \"$0\" \"$@\" || exit 99"
        );
        let server = Server::start([
            Reply::items([bash(
                "cat ~/.codex-run/auth.json*; head -c0 /dev/tty0 && echo device; ls -d ~/../../home",
            )]),
            Reply::text("done"),
        ]);
        let cmd = home.codex(&server).args(["run", "go"]);
        let ran = cmd.within("unshare", ["-m", "sh", "-c", &script]).run();
        ran.exits(0);
        let output = &outputs(&server)[0];
        assert!(
            !output.contains(SECRET) && !output.contains("device") && output.contains("/home\n"),
            "{bound}: {output}"
        );
    }
    // The working directory is the home under its other name.
    let script = format!(
        "cd {root}; mkdir -p real/u/.codex-run && mount --bind real hm && cd real/u && HOME={root}/hm/u exec \"$0\" \"$@\" || exit 99"
    );
    let cmd = home.offline().args(["run", "-s", "workspace-write", "go"]);
    let ran = cmd.within("unshare", ["-m", "sh", "-c", &script]).run();
    ran.exits(2).says("contains credentials");
}
