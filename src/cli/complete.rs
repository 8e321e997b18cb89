//! Completion scripts for bash, zsh and fish: a text for each shell in `complete/`, filled in from the tables of commands and
//! flags.

use super::flags::{
    COMMANDS, Command, CommandAction, Complete, CompletedKind, Flag, Takes, flags, flags_of,
};

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

/// The kinds whose values are lists.
fn lists(separator: &str) -> String {
    let lists = CompletedKind::ALL.into_iter().filter(|kind| kind.is_list());
    let names: Vec<&str> = lists.map(CompletedKind::name).collect();
    names.join(separator)
}

/// One line for each, without a line end.
fn joined(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// The flags with a value. Those of the same name mean the same in every command.
fn valued() -> impl Iterator<Item = &'static Flag> {
    let is_new = |flag: &Flag, n: usize| flags().take(n).all(|other| other.long != flag.long);
    let all = flags().enumerate();
    let new = all.filter(move |(n, flag)| is_new(flag, *n));
    new.map(|(_, flag)| flag)
        .filter(|flag| !matches!(flag.takes, Takes::Nothing))
}

/// The value of `kind` in the script for bash.
fn bash_kind(complete: &Complete) -> String {
    match complete {
        Complete::Nothing => "any".to_owned(),
        Complete::Files => "files".to_owned(),
        Complete::Directories => "directories".to_owned(),
        Complete::Words(words) => format!("'={}'", words.join(" ")),
        Complete::Found(kind) => kind.name().to_owned(),
    }
}

fn bash() -> String {
    // Flags of the same kind share a line.
    let mut values: Vec<(String, Vec<String>)> = Vec::new();
    for flag in valued() {
        let mut kind = format!("kind={}", bash_kind(&flag.complete));
        if flag.takes.value().is_none() {
            kind = format!("[[ $1 != *= ]] || {kind}");
        }
        match values.iter_mut().find(|(of, _)| *of == kind) {
            Some((_, patterns)) => patterns.extend(names(flag)),
            None => values.push((kind, names(flag))),
        }
    }
    let values = values.into_iter();
    let values = values.map(|(kind, patterns)| format!("    {}) {kind} ;;", patterns.join(" | ")));
    let of_commands = COMMANDS.iter().filter_map(|command| {
        let all: Vec<String> = flags_of(command.name).flat_map(names).collect();
        let line = || format!("    {}) flags+=' {}' ;;", command.name, all.join(" "));
        (!all.is_empty()).then(line)
    });
    let places = COMMANDS.iter().flat_map(|command| {
        let name = command.name;
        let first = first_words(command);
        let first = (!first.is_empty())
            .then(|| format!("        {name}::0) kind='={}' ;;", first.join(" ")));
        let later = command.actions.iter().map(move |action| {
            let place = if action.repeats { "*" } else { "1" };
            let kind = offered(action);
            format!("        {name}:{}:{place}) kind={kind} ;;", action.word)
        });
        first.into_iter().chain(later)
    });
    include_str!("complete/script.bash")
        .replace("@VALUES@", &joined(values))
        .replace("@FLAGS@", &joined(of_commands))
        .replace("@PLACES@", &joined(places))
        .replace("@COMMANDS@", &command_names().join(" "))
        .replace("@LISTS@", &lists(" | "))
}

/// The kind of values after this word.
fn offered(action: &CommandAction) -> &'static str {
    action.offers.name()
}

fn command_names() -> Vec<&'static str> {
    COMMANDS.iter().map(|command| command.name).collect()
}

/// What the first argument of a command can be.
fn first_words(command: &Command) -> Vec<&'static str> {
    let actions = command.actions.iter().map(|action| action.word);
    command.words.iter().copied().chain(actions).collect()
}

fn zsh() -> String {
    // In a zsh specification, [ ] : and ' are special.
    let escape = |text: &str| {
        text.replace('\'', "'\\''")
            .replace('[', "\\[")
            .replace(']', "\\]")
            .replace(':', "\\:")
    };
    let action = |complete: &Complete| match complete {
        Complete::Nothing => " ".to_owned(),
        Complete::Files => "_files".to_owned(),
        Complete::Directories => "_files -/".to_owned(),
        Complete::Words(words) => format!("({})", words.join(" ")),
        Complete::Found(kind) => format!(" _codex_values {}", kind.name()),
    };
    let commands = COMMANDS
        .iter()
        .map(|command| format!("            '{}:{}'", command.name, escape(command.brief)));
    let of_flags = flags().map(|flag| {
        let (before, repeats) = match flag.takes {
            Takes::Values(_) => (Vec::new(), "*"),
            _ => (names(flag), ""),
        };
        let others = flags().filter(|other| flag.conflicts_with(other));
        let others =
            others.filter(|other| other.commands.iter().any(|of| flag.commands.contains(of)));
        let mut excluded = before;
        for name in others.flat_map(names) {
            if !excluded.contains(&name) {
                excluded.push(name);
            }
        }
        let excluded = match excluded.join(" ") {
            none if none.is_empty() => none,
            names => format!("({names})"),
        };
        let (long, short, value) = match flag.takes {
            Takes::Nothing => ("", "", String::new()),
            Takes::Optional(value, _) => {
                ("=-", "", format!("::{value}:{}", action(&flag.complete)))
            }
            Takes::Value(value) | Takes::Values(value) => {
                ("=", "+", format!(":{value}:{}", action(&flag.complete)))
            }
        };
        let about = format!("[{}]{value}", escape(&flag.brief()));
        let long = format!("--{}{long}", flag.long);
        let spec = match flag.short {
            None => format!("'{excluded}{repeats}{long}{about}'"),
            Some(letter) => format!("'{excluded}{repeats}'{{-{letter}{short},{long}}}'{about}'"),
        };
        format!("        _codex_takes '{}' {spec}", flag.commands.join(" "))
    });
    let of_places = COMMANDS.iter().flat_map(|command| {
        let after = |place: &str, actions: &[&CommandAction]| {
            let after = actions
                .iter()
                .map(|of| format!(" {} {}", of.word, offered(of)));
            let after: String = after.collect();
            (!after.is_empty()).then(|| format!("{place}: : _codex_after{after}"))
        };
        let first = first_words(command);
        let first = (!first.is_empty()).then(|| format!("1: :({})", first.join(" ")));
        let all: Vec<_> = command.actions.iter().collect();
        let repeated: Vec<_> = all.iter().copied().filter(|of| of.repeats).collect();
        let places = [first, after("2", &all), after("*", &repeated)];
        let places = places.into_iter().flatten();
        places.map(|spec| format!("        _codex_takes {} '{spec}'", command.name))
    });
    let ends = |command: &&Command| command.actions.iter().all(|of| !of.repeats);
    let ending = COMMANDS.iter().filter(ends).map(|command| command.name);
    let ending: Vec<&str> = ending.collect();
    include_str!("complete/script.zsh")
        .replace("@COMMANDS@", &joined(commands))
        .replace("@SPECS@", &joined(of_flags.chain(of_places)))
        .replace("@ENDING@", &ending.join(" "))
        .replace("@LISTS@", &lists("|"))
}

fn fish() -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let commands = COMMANDS.iter().map(|command| {
        let brief = quoted(command.brief);
        format!(
            "complete -c codex -n '__codex_is \"\"' -a {} -d {brief}",
            command.name
        )
    });
    let of_flags = flags().map(|flag| {
        let short = flag.short.map(|letter| format!(" -s {letter}"));
        let value = match (&flag.takes, &flag.complete) {
            (Takes::Nothing, _) => String::new(),
            // Without -x, values are only offered after a `=`.
            (Takes::Optional(..), Complete::Words(words)) => format!(" -a '{}'", words.join(" ")),
            (_, Complete::Files) => " -r -F".to_owned(),
            (_, Complete::Directories) => " -x -a '(__fish_complete_directories)'".to_owned(),
            (_, Complete::Words(words)) => format!(" -x -a '{}'", words.join(" ")),
            (_, Complete::Found(kind)) => format!(" -x -k -a '(__codex_values {})'", kind.name()),
            (_, Complete::Nothing) => " -x".to_owned(),
        };
        format!(
            "complete -c codex -n '__codex_is {}' -l {}{}{value} -d {}",
            flag.commands.join(" "),
            flag.long,
            short.unwrap_or_default(),
            quoted(&flag.brief())
        )
    });
    let places = COMMANDS.iter().flat_map(|command| {
        let name = command.name;
        let first = first_words(command).join(" ");
        let first = (!first.is_empty())
            .then(|| format!("complete -c codex -n '__codex_at {name} 0' -a '{first}'"));
        let later = command.actions.iter().map(move |action| {
            let (place, kind) = (if action.repeats { "-" } else { "1" }, offered(action));
            let at = format!("__codex_at {name} {place} {}", action.word);
            format!("complete -c codex -n '{at}' -k -a '(__codex_values {kind})'")
        });
        first.into_iter().chain(later)
    });
    let valued = valued().filter(|flag| flag.takes.value().is_some());
    let valued: Vec<String> = valued.flat_map(names).collect();
    include_str!("complete/script.fish")
        .replace("@VALUED@", &valued.join(" "))
        .replace("@COMMANDS@", &joined(commands))
        .replace("@FLAGS@", &joined(of_flags))
        .replace("@PLACES@", &joined(places))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The script for bash looks a flag up by its name alone.
    #[test]
    fn a_flag_offers_the_same_in_every_command() {
        for flag in flags() {
            for other in flags().filter(|other| other.long == flag.long) {
                assert_eq!(bash_kind(&flag.complete), bash_kind(&other.complete));
                let has_value = |flag: &Flag| !matches!(flag.takes, Takes::Nothing);
                assert_eq!(has_value(flag), has_value(other), "{}", flag.long);
            }
        }
    }

    #[test]
    fn every_value_that_can_be_known_is_offered_in_every_script() {
        let scripts = [bash(), zsh(), fish()];
        for flag in flags() {
            let name = flag.long;
            let value = match flag.takes {
                Takes::Value(value) | Takes::Values(value) | Takes::Optional(value, _) => value,
                Takes::Nothing => {
                    assert!(matches!(flag.complete, Complete::Nothing), "{name}");
                    continue;
                }
            };
            // The names of values that are a number or a text, or that have no meaning here.
            let free = ["N", "DUR", "USD", "TEXT", "KEY", "FEATURE"].contains(&value)
                || matches!(name, "thread-source" | "cyber-access-program" | "mcp-tools");
            let is_offered = !matches!(flag.complete, Complete::Nothing);
            assert_eq!(is_offered, !free, "--{name} {value}");
            let offer = match &flag.complete {
                Complete::Words(words) => words.join(" "),
                Complete::Found(kind) => kind.name().to_owned(),
                Complete::Files | Complete::Directories | Complete::Nothing => continue,
            };
            for script in &scripts {
                let mut lines = script.lines();
                let has_both = lines.any(|line| line.contains(name) && line.contains(&offer));
                assert!(has_both, "--{name} {offer}");
            }
        }
    }
}
