//! A manifest makes any program a tool: its description for the model, how to start it, and its permissions, which
//! never exceed those of the run. Mistakes are reported with their position.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::builtin::table::find_tool;
use super::sandbox::paths::real;
use super::sandbox::policy::SandboxPolicy;
use crate::jsonc::{Mistake, PositionReader};
use crate::mcp::tool_names::PREFIX;

/// The fields of a manifest.
const FIELDS: &[&str] = &[
    "name",
    "description",
    "parameters",
    "command",
    "timeout",
    "env",
    "network",
    "write",
];

/// A tool defined by the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// The description for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Value,
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Time limit for a call, if lower than the run's.
    pub timeout: Option<Duration>,
    /// Names of additional environment variables to pass on.
    pub env: Vec<String>,
    /// Needs the network, if the run allows it.
    pub network: bool,
    /// Needs write access, if the run allows it.
    pub write: bool,
    /// The directory that becomes readable for the tool although it is hidden: the one in the home directory where
    /// tools are installed.
    pub readable: Option<PathBuf>,
}

/// The context in which a manifest is validated.
pub struct ManifestContext<'a> {
    /// The directory of the manifest.
    pub directory: &'a Path,
    /// Set if that directory is hidden and must be made readable.
    pub readable: Option<&'a Path>,
    /// Parses a duration.
    pub duration: fn(&str) -> Option<Duration>,
    /// Whether a program can be run, by name or path.
    pub is_executable: &'a dyn Fn(&OsStr) -> bool,
    /// Whether a variable is reserved for codex-run. Reserved variables are never passed to tools.
    pub is_reserved: fn(&str) -> bool,
    /// Names of other tools, besides the built-in ones.
    pub taken: &'a [&'a str],
}

impl Manifest {
    /// Parses a manifest.
    ///
    /// # Errors
    /// If it is invalid.
    pub fn parse(text: &str, context: &ManifestContext<'_>) -> Result<Self, Mistake> {
        let reader = PositionReader::new(text);
        let fields = reader.fields(FIELDS)?;
        let field = |name: &str| {
            fields
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| *value)
        };
        let needed = |name: &'static str| {
            field(name).ok_or_else(|| {
                reader.mistake(text.trim_start(), format!("the field {name:?} is missing"))
            })
        };
        let at_name = needed("name")?;
        let name: String = reader.typed(at_name, "a string")?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            return Err(reader.mistake(
                at_name.get(),
                "a name must be 1 to 64 letters, digits, - or _ (a limit of the service)"
                    .to_owned(),
            ));
        }
        if name.starts_with(PREFIX) {
            return Err(reader.mistake(
                at_name.get(),
                format!("a name that begins with {PREFIX} belongs to the tool of an MCP server"),
            ));
        }
        if find_tool(&name).is_some() || context.taken.contains(&&*name) {
            return Err(reader.mistake(
                at_name.get(),
                format!("there is already a tool named {name}"),
            ));
        }
        let at_parameters = needed("parameters")?;
        let parameters: Value = reader.typed(at_parameters, "a JSON Schema")?;
        if parameters["type"] != "object" {
            let what = "parameters must be a JSON Schema with \"type\": \"object\"";
            return Err(reader.mistake(at_parameters.get(), what.to_owned()));
        }
        let fits = |name: &str, fits: fn(&Value) -> bool| parameters.get(name).is_none_or(fits);
        let names = |value: &Value| {
            let names = value.as_array().map(Vec::as_slice).unwrap_or_default();
            value.is_array() && names.iter().all(Value::is_string)
        };
        if !fits("properties", Value::is_object) || !fits("required", names) {
            let what = "in parameters, \"properties\" must be an object and \"required\" an array of names";
            return Err(reader.mistake(at_parameters.get(), what.to_owned()));
        }
        let at_command = needed("command")?;
        let command: Vec<String> = reader.typed(at_command, "an array of strings")?;
        let command = resolve_program(&command, context)
            .map_err(|what| reader.mistake(at_command.get(), what))?;
        let timeout = match field("timeout") {
            None => None,
            Some(at) => {
                let text: String = reader.typed(at, "a string, such as \"30s\"")?;
                let what = "this must be a duration, such as \"300ms\", \"90s\", \"15m\" or \"2h\"";
                Some(
                    (context.duration)(&text)
                        .ok_or_else(|| reader.mistake(at.get(), what.to_owned()))?,
                )
            }
        };
        let env: Vec<String> = match field("env") {
            None => Vec::new(),
            Some(at) => {
                let names: Vec<String> = reader.typed(at, "an array of strings")?;
                if names
                    .iter()
                    .any(|name| name.is_empty() || name.contains(['=', '*']))
                {
                    let what = "these must be full names of variables, without values";
                    return Err(reader.mistake(at.get(), what.to_owned()));
                }
                if let Some(name) = names.iter().find(|name| (context.is_reserved)(name)) {
                    let what =
                        format!("{name} is reserved for codex-run and never passed to tools");
                    return Err(reader.mistake(at.get(), what));
                }
                names
            }
        };
        let flag = |name| field(name).map_or(Ok(false), |at| reader.typed(at, "true or false"));
        Ok(Self {
            name,
            description: reader.typed(needed("description")?, "a string")?,
            parameters,
            command,
            timeout,
            env,
            network: flag("network")?,
            write: flag("write")?,
            readable: context.readable.map(Path::to_owned),
        })
    }

    /// The sandbox policy of its calls, derived from the run's.
    #[must_use]
    pub fn policy(&self, run: &SandboxPolicy) -> SandboxPolicy {
        let mut policy = SandboxPolicy {
            write: run.write && self.write,
            network: run.network && self.network,
            writable: if self.write {
                run.writable.clone()
            } else {
                Vec::new()
            },
            ..run.clone()
        };
        policy.readable.extend(self.readable.clone());
        policy
    }
}

/// Resolves the program if it is given as a path.
fn resolve_program(
    command: &[String],
    context: &ManifestContext<'_>,
) -> Result<Vec<OsString>, String> {
    let [program, rest @ ..] = command else {
        return Err("the command is empty".to_owned());
    };
    let program: OsString = if program.contains('/') {
        // A program may look at the name it was started by, so a link to it is kept. Links in the directories are
        // kept too, since it matters where they are located.
        let path = real(context.directory).join(program);
        path.components().collect::<PathBuf>().into()
    } else {
        program.into()
    };
    if !(context.is_executable)(&program) {
        let path = Path::new(&program);
        let program = program.display();
        return Err(if path.is_file() {
            format!("{program} is not executable: run chmod +x on it")
        } else {
            format!("there is no program {program}")
        });
    }
    Ok([program]
        .into_iter()
        .chain(rest.iter().map(OsString::from))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::sandbox::paths::Root;

    fn parse(text: &str) -> Result<Manifest, Mistake> {
        let context = ManifestContext {
            directory: Path::new("/"),
            readable: None,
            duration: |text| Some(Duration::from_secs(text.strip_suffix('s')?.parse().ok()?)),
            is_executable: &|name| name == "true",
            is_reserved: |name| name == "OUR_KEY",
            taken: &["other"],
        };
        Manifest::parse(text, &context)
    }

    const GOOD: &str = r#"{"name": "lookup", "description": "d",
 "parameters": {"type": "object"},
 "command": ["true", "x"], "timeout": "30s", "env": ["TICKETS_URL"], "network": true, "write": false}"#;

    #[test]
    fn a_manifest_has_no_more_permissions_than_the_run() {
        let manifest = parse(GOOD).expect("it is right");
        assert_eq!(manifest.command, ["true", "x"]);
        assert_eq!(
            (manifest.timeout, &*manifest.env[0]),
            (Some(Duration::from_secs(30)), "TICKETS_URL")
        );
        for (write, network) in [(false, false), (true, true)] {
            let run = SandboxPolicy {
                write,
                network,
                writable: vec![Root {
                    path: "/w".into(),
                    identity: (0, 0),
                }],
                hidden: vec!["/h".into()],
                ..SandboxPolicy::default()
            };
            let policy = manifest.policy(&run);
            assert_eq!((policy.write, policy.network), (false, network));
            assert_eq!((policy.writable.len(), &policy.hidden), (0, &run.hidden));
        }
    }

    #[test]
    fn an_error_is_reported_with_its_position() {
        let check = |from: &str, to: &str, expected: &str| {
            let text = GOOD.replacen(from, to, 1);
            let parsed = parse(&text).map_err(|mistake| mistake.to_string());
            assert_eq!(parsed, Err(expected.to_owned()), "{text}");
        };
        check("\"lookup\"", "7", "1:10: this must be a string");
        check(
            "lookup",
            "look up",
            "1:10: a name must be 1 to 64 letters, digits, - or _ (a limit of the service)",
        );
        check(
            "\"object\"",
            "\"array\"",
            "2:16: parameters must be a JSON Schema with \"type\": \"object\"",
        );
        check(
            "lookup",
            "mcp__a__b",
            "1:10: a name that begins with mcp__ belongs to the tool of an MCP server",
        );
        check("[\"true\", \"x\"]", "[]", "3:13: the command is empty");
        check("true\"", "./gone\"", "3:13: there is no program /gone");
        check("lookup", "bash", "1:10: there is already a tool named bash");
        check(
            "lookup",
            "other",
            "1:10: there is already a tool named other",
        );
        check(
            "TICKETS_URL",
            "OUR_KEY",
            "3:53: OUR_KEY is reserved for codex-run and never passed to tools",
        );
        let in_full = "3:53: these must be full names of variables, without values";
        for name in ["TICKETS_*", "TICKETS_URL=x", ""] {
            check("TICKETS_URL", name, in_full);
        }
        check(
            "\"30s\"",
            "\"soon\"",
            "3:39: this must be a duration, such as \"300ms\", \"90s\", \"15m\" or \"2h\"",
        );
        check("network", "netwrok", "3:70: unknown field \"netwrok\"");
        check(
            "\"write\"",
            "\"network\"",
            "3:98: duplicate field \"network\"",
        );
        check(
            "\"description\": \"d\",",
            "",
            "1:1: the field \"description\" is missing",
        );
        check("false}", "false", "3:100: EOF while parsing an object");
        let known = parse(&GOOD.replace("write", "wirte")).map_err(|mistake| mistake.known);
        assert_eq!(
            known,
            Err(Some((
                "wirte".to_owned(),
                FIELDS.iter().map(|&name| name.to_owned()).collect()
            )))
        );
    }
}
