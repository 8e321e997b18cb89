//! Completion scripts for bash, zsh and fish.

use std::fmt::Write as _;

use super::flags::{COMMANDS, Complete, Flag, flags_of};

/// The script for this shell: bash, zsh or fish.
pub(super) fn script(shell: &str) -> String {
    match shell {
        "zsh" => zsh(),
        "fish" => fish(),
        _ => bash(),
    }
}

/// The long and short names of a flag.
fn names(flag: &Flag) -> Vec<String> {
    let mut names = vec![format!("--{}", flag.long)];
    names.extend(flag.short.map(|short| format!("-{short}")));
    names
}

fn bash() -> String {
    let commands: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let mut text = format!(
        "# bash completion for codex\n\n# Paths, one per line, because they may contain spaces.\n_codex_paths() {{\n    compopt -o filenames 2>/dev/null\n    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n}}\n\n_codex() {{\n    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}\n    \
         COMPREPLY=()\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        \
         COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$cur\"))\n        return\n    fi\n    case ${{COMP_WORDS[1]}} in\n",
        commands.join(" ")
    );
    for command in COMMANDS {
        let _ = writeln!(text, "    {})", command.name);
        let valued: Vec<&Flag> = flags_of(command.name)
            .filter(|flag| flag.takes.value().is_some())
            .collect();
        if !valued.is_empty() {
            text.push_str("        case $prev in\n");
            for flag in valued {
                let reply = match flag.complete {
                    Complete::Nothing => "return".to_owned(),
                    Complete::Files => "_codex_paths -f; return".to_owned(),
                    Complete::Directories => "_codex_paths -d; return".to_owned(),
                    Complete::Words(words) => {
                        format!(
                            "COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")); return",
                            words.join(" ")
                        )
                    }
                };
                let _ = writeln!(text, "        {}) {reply} ;;", names(flag).join(" | "));
            }
            text.push_str("        esac\n");
        }
        let mut words: Vec<String> = flags_of(command.name).flat_map(names).collect();
        words.push("--help".to_owned());
        words.extend(command.words.iter().map(|word| (*word).to_owned()));
        let _ = writeln!(
            text,
            "        COMPREPLY=($(compgen -W \"{}\" -- \"$cur\"))\n        ;;",
            words.join(" ")
        );
    }
    text.push_str("    esac\n}\ncomplete -o default -F _codex codex\n");
    text
}

fn zsh() -> String {
    // In a zsh specification, [ ] : and ' are special.
    let escape = |text: &str| {
        text.replace('\'', "'\\''")
            .replace('[', "\\[")
            .replace(']', "\\]")
            .replace(':', "\\:")
    };
    let mut text = "#compdef codex\n\n_codex() {\n    local line state\n    _arguments -C '1: :->command' '*:: :->rest'\n    \
                    case $state in\n    command)\n        local -a commands=(\n"
        .to_owned();
    for command in COMMANDS {
        let _ = writeln!(
            text,
            "            '{}:{}'",
            command.name,
            escape(command.brief)
        );
    }
    text.push_str("        )\n        _describe command commands\n        ;;\n    rest)\n        case $line[1] in\n");
    for command in COMMANDS {
        let _ = writeln!(text, "        {})\n            _arguments \\", command.name);
        for flag in flags_of(command.name) {
            let value = match (flag.takes.value(), &flag.complete) {
                (None, _) => String::new(),
                (Some(value), Complete::Nothing) => format!(":{value}: "),
                (Some(value), Complete::Files) => format!(":{value}:_files"),
                (Some(value), Complete::Directories) => format!(":{value}:_files -/"),
                (Some(value), Complete::Words(words)) => {
                    format!(":{value}:({})", words.join(" "))
                }
            };
            for name in names(flag) {
                let _ = writeln!(
                    text,
                    "                '{name}[{}]{value}' \\",
                    escape(&flag.brief())
                );
            }
        }
        let rest = match command.words {
            [] => "'*: :_files'".to_owned(),
            words => format!("'1: :({})'", words.join(" ")),
        };
        let _ = writeln!(
            text,
            "                '--help[full help for this command]' \\\n                {rest}"
        );
        text.push_str("            ;;\n");
    }
    text.push_str("        esac\n        ;;\n    esac\n}\n\nif [ \"$funcstack[1]\" = _codex ]; then\n    _codex \"$@\"\nelse\n    compdef _codex codex\nfi\n");
    text
}

fn fish() -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut text = "# fish completion for codex\n\ncomplete -c codex -f\n".to_owned();
    for command in COMMANDS {
        let (name, brief) = (command.name, escape(command.brief));
        let _ = writeln!(
            text,
            "complete -c codex -n __fish_use_subcommand -a {name} -d '{brief}'"
        );
        let seen = format!("complete -c codex -n '__fish_seen_subcommand_from {name}'");
        if !command.words.is_empty() {
            let _ = writeln!(text, "{seen} -a '{}'", command.words.join(" "));
        }
        for flag in flags_of(name) {
            let short = flag
                .short
                .map(|short| format!(" -s {short}"))
                .unwrap_or_default();
            let value = match (flag.takes.value(), &flag.complete) {
                (None, _) => String::new(),
                (_, Complete::Nothing) => " -x".to_owned(),
                (_, Complete::Files) => " -r -F".to_owned(),
                (_, Complete::Directories) => " -x -a '(__fish_complete_directories)'".to_owned(),
                (_, Complete::Words(words)) => format!(" -x -a '{}'", words.join(" ")),
            };
            let _ = writeln!(
                text,
                "{seen} -l {}{short}{value} -d '{}'",
                flag.long,
                escape(&flag.brief())
            );
        }
    }
    text
}
