//! MCP servers under test. The server is this test program itself, so that it needs nothing else and is never out of
//! date: it runs one test, which serves on its standard input and on descriptor 3, away from what the test harness prints.
//! `standin::mcp` has the words for behaviours.

use std::fs::OpenOptions;
use std::io;

use serde_json::{Value, json};

use crate::standin::mcp;

/// The variable that makes [`serves`] a server.
const WORDS: &str = "STANDIN_MCP";

/// `$0` is this program, `$1` the words.
const SCRIPT: &str = "STANDIN_MCP=$1 exec \"$0\" --exact servers::serves --nocapture --test-threads 1 3>&1 >/dev/null";

/// The program and arguments of a server with this behaviour.
pub(crate) fn arguments(words: &str) -> [String; 5] {
    let program = std::env::current_exe().expect("this program");
    let program = program.to_str().expect("a path of UTF-8");
    ["sh", "-c", SCRIPT, program, words].map(str::to_owned)
}

/// The same as a command line, for `--mcp`.
pub(crate) fn command(words: &str) -> String {
    arguments(words).map(|word| format!("'{word}'")).join(" ")
}

/// The same as an entry of `mcp.json`, to which more keys can be added.
#[allow(dead_code, reason = "tests of `mcp.json` will use it")]
pub(crate) fn entry(words: &str) -> Value {
    let [program, arguments @ ..] = arguments(words);
    json!({"command": program, "args": arguments})
}

#[test]
fn serves() {
    let Ok(words) = std::env::var(WORDS) else {
        return;
    };
    let output = OpenOptions::new().write(true).open("/dev/fd/3");
    mcp::serve(&words, io::stdin().lock(), output.expect("it is open")).expect("a behaviour");
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn it_writes_nothing_but_messages() {
        let mut command = Command::new("sh");
        command.args(["-c", &super::command("honest")]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("it starts");
        let mut input = server.stdin.take().expect("a pipe");
        writeln!(
            input,
            "{}",
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})
        )
        .expect("it reads");
        drop(input);
        let output = server.wait_with_output().expect("it ends");
        let message: Value = serde_json::from_slice(&output.stdout).expect("one message");
        assert_eq!(message, json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
        assert!(output.status.success());
    }
}
