//! `mcp.json`, and the files of `--mcp`: servers in the shape that other clients use too. Errors have a line and column.

use std::time::Duration;

use serde_json::value::RawValue;

use super::command_line::is_server_name;
use super::server_settings::{ServerSettings, SettingValue, Transport};
use crate::jsonc::{Mistake, PositionReader, plain};

const FILE: &[&str] = &["mcpServers"];
const SERVER: &[&str] = &[
    "type", "command", "args", "env", "cwd", "url", "headers", "timeout", "tools", "network",
    "write", "parallel", "required",
];

/// What the context of a file knows.
pub struct FileContext<'a> {
    /// The file's name in messages.
    pub file: &'a str,
    /// Parses a duration.
    pub duration: fn(&str) -> Option<Duration>,
    /// Whether a variable is reserved for codex-run.
    pub is_reserved: fn(&str) -> bool,
}

/// Parses a file, which may have comments.
///
/// # Errors
/// If it is invalid.
pub fn parse(text: &str, context: &FileContext<'_>) -> Result<Vec<ServerSettings>, Mistake> {
    let text = plain(text);
    let reader = PositionReader::new(&text);
    let mut servers = Vec::new();
    for (_, all) in reader.fields(FILE)? {
        for (name, raw) in reader.object(all, None)? {
            if !is_server_name(&name) {
                let what = format!(
                    "{name:?}: a server's name is 1 to 64 lower-case letters, digits, - and _"
                );
                return Err(reader.mistake(raw.get(), what));
            }
            servers.push(server(&reader, name, raw, context)?);
        }
    }
    Ok(servers)
}

fn server(
    reader: &PositionReader<'_>,
    name: String,
    raw: &RawValue,
    context: &FileContext<'_>,
) -> Result<ServerSettings, Mistake> {
    let place = reader.mistake(raw.get(), String::new());
    let mut found = ServerSettings {
        place: format!("{}:{}:{}", context.file, place.line, place.column),
        network: false,
        write: false,
        ..ServerSettings::of_command(name, Vec::new())
    };
    let (mut kind, mut command, mut url): (Option<String>, Option<String>, Option<String>) =
        (None, None, None);
    let (mut args, mut env, mut cwd, mut headers) = (Vec::new(), Vec::new(), None, Vec::new());
    for (key, raw) in reader.object(raw, Some(SERVER))? {
        let text = || reader.typed::<String>(raw, "a string");
        let flag = || reader.typed::<bool>(raw, "true or false");
        let list = || reader.typed::<Vec<String>>(raw, "an array of strings");
        let wrong = |what: String| Err(reader.mistake(raw.get(), what));
        match &*key {
            "type" => kind = Some(text()?),
            "command" => command = Some(text()?).filter(|program| !program.is_empty()),
            "args" => args = list()?,
            "env" => {
                env = values(reader, raw)?;
                for (name, value) in &env {
                    if name.is_empty() || name.contains(['=', '\0']) {
                        return wrong(format!("{name:?} is not the name of a variable"));
                    }
                    let names = [Some(&**name), value.variable()];
                    if let Some(name) = names
                        .into_iter()
                        .flatten()
                        .find(|name| (context.is_reserved)(name))
                    {
                        return wrong(format!(
                            "{name} is reserved for codex-run and never passed to tools"
                        ));
                    }
                }
            }
            "cwd" => cwd = Some(text()?),
            "url" => url = Some(text()?),
            "headers" => headers = values(reader, raw)?,
            "timeout" => {
                let text: String = reader.typed(raw, "a string, such as \"30s\"")?;
                found.timeout = match (context.duration)(&text) {
                    Some(timeout) => Some(timeout),
                    None => {
                        return wrong("this must be a duration, such as \"300ms\", \"90s\", \"15m\" or \"2h\"".to_owned());
                    }
                };
            }
            "tools" => found.tools = Some(list()?),
            "network" => found.network = flag()?,
            "write" => found.write = flag()?,
            "parallel" => found.parallel = flag()?,
            _ => found.required = flag()?,
        }
    }
    let wrong = |what: &str| Err(reader.mistake(raw.get(), what.to_owned()));
    found.transport = match (kind.as_deref(), command, url) {
        (None | Some("stdio"), Some(program), None) if headers.is_empty() => Transport::Stdio {
            command: [program].into_iter().chain(args).collect(),
            env,
            cwd,
        },
        (None | Some("http" | "streamable-http"), None, Some(url))
            if args.is_empty() && env.is_empty() && cwd.is_none() =>
        {
            Transport::Http { url, headers }
        }
        (None | Some("stdio" | "http" | "streamable-http"), ..) => {
            return wrong("a server has a command, with args, env and cwd, or a url, with headers");
        }
        (Some(_), ..) => return wrong("the type of a server is \"stdio\" or \"http\""),
    };
    Ok(found)
}

/// Names with values, which may name variables.
fn values(
    reader: &PositionReader<'_>,
    raw: &RawValue,
) -> Result<Vec<(String, SettingValue)>, Mistake> {
    let fields = reader.object(raw, None)?.into_iter();
    fields
        .map(|(name, field)| {
            let value = SettingValue::parse(reader.typed(field, "a string")?);
            match &value {
                // Other clients replace a part of the value.
                SettingValue::Text(text) if text.contains("${") || text.starts_with("Bearer $") => {
                    Err(reader.mistake(
                        field.get(),
                        "a variable must be the whole value, as in \"$NAME\"".to_owned(),
                    ))
                }
                _ => Ok((name, value)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<ServerSettings>, String> {
        let context = FileContext {
            file: "mcp.json",
            duration: |text| Some(Duration::from_secs(text.strip_suffix('s')?.parse().ok()?)),
            is_reserved: |name| name == "OUR_KEY",
        };
        parse(text, &context).map_err(|mistake| mistake.to_string())
    }

    const GOOD: &str = r#"{"mcpServers": { // those of this machine
 "git": {"command": "mcp-server-git", "args": ["-v"], "env": {"TZ": "$TZ", "A": "b"}, "cwd": ".", "timeout": "30s",
  "tools": ["git_*"], "network": false, "write": true, "parallel": true, "required": false},
 "wiki": {"url": "https://x", "headers": {"Authorization": "$WIKI_TOKEN"}, "network": true},
}}"#;

    #[test]
    fn a_file_declares_servers_in_their_order() {
        let servers = read(GOOD).expect("it is right");
        let text = |text: &str| text.to_owned();
        assert_eq!(
            servers,
            [
                ServerSettings {
                    name: text("git"),
                    place: text("mcp.json:2:9"),
                    transport: Transport::Stdio {
                        command: vec![text("mcp-server-git"), text("-v")],
                        env: vec![
                            (text("TZ"), SettingValue::Variable(text("TZ"))),
                            (text("A"), SettingValue::Text(text("b")))
                        ],
                        cwd: Some(text(".")),
                    },
                    timeout: Some(Duration::from_secs(30)),
                    tools: Some(vec![text("git_*")]),
                    network: false,
                    write: true,
                    parallel: true,
                    required: false,
                },
                ServerSettings {
                    name: text("wiki"),
                    place: text("mcp.json:4:10"),
                    transport: Transport::Http {
                        url: text("https://x"),
                        headers: vec![(
                            text("Authorization"),
                            SettingValue::Variable(text("WIKI_TOKEN"))
                        )],
                    },
                    network: true,
                    write: false,
                    ..ServerSettings::of_command(String::new(), Vec::new())
                },
            ]
        );
        assert_eq!(read("{\"mcpServers\": {}}"), Ok(Vec::new()));
        assert!(read(r#"{"mcpServers": {"a": {"type": "stdio", "command": "x"}}}"#).is_ok());
    }

    #[test]
    fn an_error_is_reported_with_its_position() {
        let check = |from: &str, to: &str, expected: &str| {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD);
            assert_eq!(read(&text), Err(expected.to_owned()), "{text}");
        };
        check("mcpServers", "servers", "1:2: unknown field \"servers\"");
        check(
            "\"git\"",
            "\"Git\"",
            "2:9: \"Git\": a server's name is 1 to 64 lower-case letters, digits, - and _",
        );
        check(
            "\"30s\"",
            "30",
            "2:110: this must be a string, such as \"30s\"",
        );
        check(
            "\"30s\"",
            "\"soon\"",
            "2:110: this must be a duration, such as \"300ms\", \"90s\", \"15m\" or \"2h\"",
        );
        check("\"-v\"", "7", "2:47: this must be an array of strings");
        check("\"$TZ\"", "7", "2:69: this must be a string");
        let whole = "a variable must be the whole value, as in \"$NAME\"";
        check("$TZ", "x${TZ}", &format!("2:69: {whole}"));
        check("$WIKI_TOKEN", "Bearer $T", &format!("4:60: {whole}"));
        check(
            "$TZ",
            "$OUR_KEY",
            "2:62: OUR_KEY is reserved for codex-run and never passed to tools",
        );
        check(
            "\"A\"",
            "\"OUR_KEY\"",
            "2:62: OUR_KEY is reserved for codex-run and never passed to tools",
        );
        check(
            "\"A\"",
            "\"A=B\"",
            "2:62: \"A=B\" is not the name of a variable",
        );
        check(
            "\"parallel\"",
            "\"paralel\"",
            "3:56: unknown field \"paralel\"",
        );
        check(
            "\"required\": false",
            "\"write\": false",
            "3:83: duplicate field \"write\"",
        );
        check("\"wiki\"", "\"git\"", "4:9: duplicate field \"git\"");
        let both = "4:10: a server has a command, with args, env and cwd, or a url, with headers";
        check("\"url\"", "\"command\"", both);
        check("\"https://x\"", "\"https://x\", \"args\": [\"a\"]", both);
        check("\"https://x\"", "\"https://x\", \"type\": \"stdio\"", both);
        check("\"url\": \"https://x\", ", "", both);
        check(
            "\"https://x\"",
            "\"https://x\", \"type\": \"sse\"",
            "4:10: the type of a server is \"stdio\" or \"http\"",
        );
        check(",\n}}", "", "4:91: EOF while parsing an object");
        assert_eq!(read(""), Err("1:1: the file is empty".to_owned()));
    }
}
