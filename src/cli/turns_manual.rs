//! What the man page says about many turns over standard input, with two programs that drive such a run.

use std::fmt::Write as _;

/// The lines of standard input, each with what it does.
const LINES: &[(&str, &str)] = &[
    (
        r#"{"type": "user", "text": TEXT, "images": [FILE, ...]}"#,
        "A turn with this message. \"images\" is optional. The form of Claude Code, with \"message\": {\"content\": ...}, is accepted \
         too.",
    ),
    (
        r#"{"type": "steer", "text": TEXT}"#,
        "Joins the running turn before its next request. If none is running, or it makes no further request, it is a turn of its \
         own.",
    ),
    (
        r#"{"type": "interrupt"}"#,
        "Ends the running turn and its tools. Its turn.failed has the code interrupted, and the conversation keeps what was said. \
         Without a running turn it has no effect.",
    ),
    (
        r#"{"type": "settings", "model": ID, "effort": LEVEL}"#,
        "The model, the effort or both for the turns of the lines after it.",
    ),
];

/// A driver in Python.
const PYTHON: &str = r#"import json, subprocess

codex = subprocess.Popen(["codex", "run", "--input", "jsonl", "--json"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

def ask(text):
    codex.stdin.write(json.dumps({"type": "user", "text": text}) + "\n")
    codex.stdin.flush()
    answer = ""
    for line in codex.stdout:
        event = json.loads(line)
        if event["type"] == "item.completed" and event["item"]["type"] == "agent_message":
            answer = event["item"]["text"]
        elif event["type"] == "turn.completed":
            return answer
        elif event["type"] == "turn.failed":
            raise SystemExit(event["error"]["message"])

print(ask("Which tests are slow?"))
print(ask("Why is the first of them slow?"))
codex.stdin.close()
raise SystemExit(codex.wait())
"#;

/// A driver in the shell.
const SHELL: &str = r#"mkfifo in out
codex run --input jsonl --json < in > out & exec 3> in 4< out
for question in "Which tests are slow?" "Why is the first of them slow?"; do
    printf '{"type": "user", "text": "%s"}\n' "$question" >&3
    while read -r event <&4; do
        printf '%s\n' "$event"
        case $event in *'"type":"turn.completed"'* | *'"type":"turn.failed"'*) break ;; esac
    done
done
exec 3>&-; wait $!
"#;

/// The section of the man page. `escape` escapes a line of text for roff.
pub(super) fn section(escape: impl Fn(&str) -> String) -> String {
    let mut section = String::from(".SH MANY TURNS\n");
    let intro = "With --input jsonl, `codex run` is one process for a whole conversation: each line of standard input is a JSON \
                 object, and each turn is answered by the lines from turn.started to turn.completed or turn.failed. Lines are read \
                 continuously; at most 1,000 lines, or 64 MiB, wait. A line that cannot be used is reported as input_error with \
                 its number, and the run continues. The end of standard input ends the run after the last turn.";
    let _ = writeln!(section, "{}", escape(intro));
    for (line, doc) in LINES {
        let _ = writeln!(section, ".TP\n{}\n{}", escape(line), escape(doc));
    }
    let end = "The exit code is that of the first turn that failed and was not interrupted. A sign-in that has ended, a usage \
               limit and a budget of the run end it at once. If all turns succeed, an unusable line makes it 2.";
    let _ = writeln!(section, ".PP\n{}", escape(end));
    for (language, code) in [("Python", PYTHON), ("the shell", SHELL)] {
        let _ = writeln!(
            section,
            ".PP\nA program in {language} that asks two questions:\n.PP\n.EX"
        );
        for line in code.lines() {
            let _ = writeln!(section, "{}", escape(line));
        }
        section.push_str(".EE\n");
    }
    section
}
