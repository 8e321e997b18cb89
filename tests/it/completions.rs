//! The completion scripts in real shells, installed under another name, and what they offer of this machine.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::home::{BINARY, Home, KEY};
use crate::needs::{Need, lacks};
use crate::sessions;
use crate::standin::{Reply, Server};

/// Prints what each line of standard input offers, and `--` after each. The arguments are the script and the command.
const BASH: &str = r#"
. "$1"
while IFS= read -r COMP_LINE; do
    # bash takes words apart like this; `complete -p` has the function.
    words=${COMP_LINE//=/ = }
    read -ra COMP_WORDS <<<"${words//:/ : }"
    [[ $COMP_LINE != *' ' ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMPREPLY=()
    set -- $(complete -p "$2") "$2"
    [ "$2" = -F ] && [ $# = 5 ] && "$3"
    set -- - "$5"
    ((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
    printf '%s\n' --
done
"#;

const FISH: &str = r#"
source $argv[1]
while read -l line
    complete -C "$line"
    printf '%s\n' --
end
"#;

/// A zsh completes only on a terminal: this one on the terminal of `zpty`, at its first prompt.
const ZSH: &str = r#"
zmodload zsh/zpty
cat > $ZDOTDIR/lines
script=$1
cat > $ZDOTDIR/.zshrc <<END
fpath=(${(q)script:h} \$fpath)
END
cat >> $ZDOTDIR/.zshrc <<'END'
PS1= PS2= LISTMAX=0
autoload -U compinit && compinit -u -D
compadd() {
    local -a hits
    # With these it only fills arrays.
    if [[ " $* " != *' -'[OAD]' '* ]]; then
        builtin compadd -O hits "$@"
        test_found+=($hits)
    fi
    builtin compadd "$@"
}
zle -C offer list-choices _main_complete
zle-line-init() {
    local line
    local -a test_found
    while IFS= read -r line; do
        test_found=() BUFFER=$line CURSOR=$#line
        zle offer
        print -rl -- $test_found -- >> $ZDOTDIR/offered
    done < $ZDOTDIR/lines
    exit
}
zle -N zle-line-init
END
zpty inner zsh -i
while zpty -r inner line; do :; done
cat $ZDOTDIR/offered
"#;

/// Where a line has the program by its path: the name comes behind it.
const TYPED_PATH: &str = "~/bin/";

/// A shell with the command of this name.
struct Shell {
    need: Option<Need>,
    program: &'static str,
    arguments: &'static [&'static str],
    code: &'static str,
    /// The script below the prefix of an installation.
    script: &'static str,
}

const SHELLS: [Shell; 3] = [
    Shell {
        need: None,
        program: "bash",
        arguments: &["--norc", "-c"],
        code: BASH,
        script: "bash-completion/completions/NAME",
    },
    Shell {
        need: Some(Need::ZSH),
        program: "zsh",
        arguments: &["-f", "-c"],
        code: ZSH,
        script: "zsh/site-functions/_NAME",
    },
    Shell {
        need: Some(Need::FISH),
        program: "fish",
        arguments: &["-c"],
        code: FISH,
        script: "fish/vendor_completions.d/NAME.fish",
    },
];

impl Shell {
    /// What each of these lines offers after the name of the command: the part that is new, in order.
    fn offers(&self, home: &Home, prefix: &Path, name: &str, lines: &[&str]) -> Vec<Vec<String>> {
        let script = prefix.join("share").join(self.script.replace("NAME", name));
        let mut shell = Command::new(self.program);
        shell.args(self.arguments).arg(self.code);
        if self.program == "bash" || self.program == "zsh" {
            shell.arg("-");
        }
        let zdotdir = home.work().join(format!("zsh-{name}"));
        fs::create_dir_all(&zdotdir).expect("a directory");
        let path = format!("{}:/usr/bin:/bin", prefix.join("bin").display());
        let cmd = home.offline();
        let set = cmd.command.get_envs();
        let set = set.filter_map(|(name, value)| Some((name, value?)));
        shell
            .arg(script)
            .arg(name)
            .env_clear()
            .envs(set)
            .env("PATH", path)
            .env("ZDOTDIR", zdotdir)
            .env("TERM", "xterm")
            .current_dir(home.work())
            .stdin(Stdio::null());
        let typed = |line: &&str| match line.strip_prefix(TYPED_PATH) {
            Some(rest) => format!("{TYPED_PATH}{name}{rest}\n"),
            None => format!("{name} {line}\n"),
        };
        let text: String = lines.iter().map(typed).collect();
        let mut cmd = home.offline();
        cmd.command = shell;
        let text = cmd.input(text).run().exits(0).text();
        let offered: Vec<Vec<String>> = text
            .split("--\n")
            .map(|offered| offered.lines().map(new_part).collect())
            .collect();
        assert_eq!(offered.len(), lines.len() + 1, "{}: {text}", self.program);
        offered
    }

    fn check(&self, home: &Home, prefix: &Path, name: &str, cases: &[(&str, &[&str])]) {
        if self.need.as_ref().is_some_and(lacks) {
            return;
        }
        let lines: Vec<&str> = cases.iter().map(|(line, _)| *line).collect();
        let offered = self.offers(home, prefix, name, &lines);
        for ((line, expected), mut offered) in cases.iter().zip(offered) {
            let mut expected: Vec<String> = expected.iter().map(|of| new_part(of)).collect();
            expected.sort();
            offered.sort();
            offered.dedup(); // zsh adds files in several steps
            assert_eq!(offered, expected, "{}: {name} {line}", self.program);
        }
    }
}

/// The end of a word that shells replace: not what is before a `=`, `:` or comma; without a description.
fn new_part(offered: &str) -> String {
    let word = offered.split('\t').next().unwrap_or_default();
    let end = word.rsplit(['=', ':', ',']).next().unwrap_or_default();
    end.trim_end_matches('/').to_owned()
}

/// Installs the command under this name, with another program than the one under test if it is given.
fn install(home: &Home, name: &str, program: Option<&str>) -> PathBuf {
    let prefix = home.work().join(format!("{name} prefix"));
    let given = home.file("program", program.unwrap_or_default());
    fs::set_permissions(&given, fs::Permissions::from_mode(0o755)).expect("a mode");
    let file = program.map_or(BINARY.clone(), |_| given.display().to_string());
    let installed = Command::new("sh")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/dist/install.sh"))
        .arg(format!("PREFIX={}", prefix.display()))
        .args([format!("NAME={name}"), format!("PROGRAM={file}")])
        .output();
    let installed = installed.expect("a shell");
    assert!(installed.status.success(), "{installed:?}");
    prefix
}

const MODELS: &str = r#"{"providers": {"box": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "$BOX_KEY", "models": [
    {"id": "small", "efforts": ["low", "high"]}, {"id": "large:8b"}, {"id": "$(touch${IFS}x)"}]}}}"#;

const DEPLOY: &str = r#"{"name": "deploy", "description": "Deploy it\u001b[2J", "parameters": {"type": "object"}, "command": ["true"]}"#;

/// A home with a conversation, whose id it also returns, and with models, tools and variables of its own.
fn home() -> (Home, String) {
    let home = Home::with_key()
        .env("BOX_KEY", "of-the-box")
        .env("MY_COPY", KEY)
        .env("MY_VARIABLE", "x");
    let server = Server::start([Reply::text("yes")]);
    let words = ["run", "--no-tools", "is it\n\u{1b}[31mred?"];
    home.codex(&server).args(words).run().exits(0);
    let id = sessions::id(&sessions::file(&home));
    fs::write(home.own().join("models.json"), MODELS).expect("a file");
    fs::create_dir(home.own().join("tools")).expect("a directory");
    fs::write(home.own().join("tools/deploy.json"), DEPLOY).expect("a file");
    fs::create_dir(home.work().join("sources")).expect("a directory");
    home.file("source.txt", "");
    (home, id)
}

#[test]
fn values_are_offered_where_they_fit_in_every_shell() {
    let (home, id) = home();
    let prefix = install(&home, "my-codex", None);
    fs::create_dir(home.root().join("bin")).expect("a directory");
    symlink(&*BINARY, home.root().join("bin/my-codex")).expect("a link");
    let id = &[&*id][..];
    let cases: &[(&str, &[&str])] = &[
        ("run -m box/", &["box/small", "8b"]),
        ("run --model=box/s", &["box/small"]),
        ("~/bin/ run -m box/s", &["box/small"]),
        ("run -qm box/s", &["box/small"]),
        ("run --fallback-model box/small,box/", &["8b"]),
        ("chat --models box/small:", &["low", "high"]),
        ("chat --models box/small:low,box/", &["8b"]),
        ("run --tools bash,re", &["read"]),
        ("run --tools=bash,read,d", &["deploy"]),
        ("run --tools bash,read,edit,write,grep,find,ls,deploy,", &[]),
        ("run --env MY_", &["MY_VARIABLE"]),
        ("run --env BOX", &[]),
        ("run --resume ", id),
        ("chat --fork=", id),
        ("exec resume ", id),
        ("exec --json -C sources fork ", id),
        ("exec resume x ", &[]),
        ("exec go ", &[]),
        ("sessions ", &["show", "rm"]),
        ("sessions show ", id),
        ("sessions show x ", &[]),
        ("sessions rm x ", id),
        ("run -e hi", &["high"]),
        ("run --sandbox=wo", &["workspace-write"]),
        ("exec -s re", &["read-only"]),
        ("run --search=", &["live", "cached"]),
        ("run --search ", &[]),
        ("run --color a", &["auto", "always"]),
        ("run --verbosity l", &["low"]),
        ("run --summary c", &["concise"]),
        ("run --input ", &["jsonl"]),
        ("run --fail-on ", &["tool-error"]),
        ("completion z", &["zsh"]),
        ("help exi", &["exit-codes"]),
        ("tool w", &["write"]),
        ("schema ", &["events"]),
        ("login --auth-file source.txt ", &["status"]),
        ("run -C s", &["sources"]),
        ("run --add-dir s", &["sources"]),
        ("run -f s", &["source.txt", "sources"]),
        ("run --config-file s", &["source.txt", "sources"]),
        // No file where none fits.
        ("run s", &[]),
        ("run look at s", &[]),
        ("chat s", &[]),
        ("run --max-turns s", &[]),
        ("logout s", &[]),
        ("run hello --no-to", &["--no-tools"]),
        ("run -- --no-to", &[]),
        ("sess", &["sessions"]),
        ("__c", &[]),
    ];
    for shell in &SHELLS {
        shell.check(&home, &prefix, "my-codex", cases);
    }
}

#[test]
fn another_program_of_that_name_offers_no_values() {
    let (home, _) = home();
    let prefix = install(&home, "codex", Some("#!/bin/sh\necho unexpected\nexit 2\n"));
    let cases: &[(&str, &[&str])] = &[
        ("run -m ", &[]),
        ("run --tools ba", &[]),
        ("sessions rm ", &[]),
        ("run -s re", &["read-only"]),
    ];
    for shell in &SHELLS {
        shell.check(&home, &prefix, "codex", cases);
    }
}

#[test]
fn values_are_listed_without_a_word_about_anything_else() {
    let (home, id) = home();
    let listed = |words: &[&str]| {
        let mut cmd = home.offline();
        cmd.command.arg("__complete").args(words);
        cmd.run().exits(0).stderr("").text()
    };
    assert_eq!(listed(&["sessions"]), format!("{id}\tis it [31mred?\n"));
    let tools = listed(&["tools", "bash,read,edit,write,grep,find,ls,"]);
    assert!(tools.ends_with(",ls,deploy\tDeploy it[2J\n"), "{tools}");
    let names = listed(&["env"]);
    assert!(names.contains("\nMY_VARIABLE\n"), "{names}");
    for kept in ["MY_COPY", "BOX_KEY", "OPENAI_API_KEY", "CODEX_RUN"] {
        assert!(!names.contains(kept), "{names}");
    }
    assert!(listed(&["models"]).contains("\nbox/small\n"));
    for none in [&[][..], &["nonsense"], &["--json"], &["-x", "-y", "z"]] {
        assert_eq!(listed(none), "");
    }
    // What cannot be read is left out.
    fs::write(home.own().join("models.json"), "{").expect("a file");
    fs::write(home.own().join("tools/deploy.json"), "{").expect("a file");
    assert!(!listed(&["models"]).contains("box/"));
    assert!(!listed(&["tools"]).contains("deploy"));
    let lost = home.offline().env("CODEX_RUN_HOME", "/dev/null");
    lost.args(["__complete", "sessions"])
        .run()
        .exits(0)
        .stdout("")
        .stderr("");
}
