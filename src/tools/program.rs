//! A user's program as a tool, as defined by its manifest: it gets no more than the manifest asks for and the run
//! allows.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::arguments::check;
use super::launch::Launch;
use super::manifest::Manifest;
use super::python::is_code_for_python;
use super::sandbox::writable_reach::WritableReach;
use super::setup::ToolSetup;
use super::tool::{CallContext, Runner, Tool};
use super::tool_request::ToolRequest;
use super::topic::Topic;
use crate::result::{CallResult, Status};

/// Creates the tool from its manifest.
#[must_use]
pub fn tool(manifest: Manifest) -> Tool {
    Tool {
        name: manifest.name.clone(),
        description: manifest.description.clone(),
        parameters: manifest.parameters.to_string(),
        changes_files: manifest.write,
        topic: Topic::Arguments,
        runner: Arc::new(Program(manifest)),
    }
}

/// Runs the program.
#[derive(Debug)]
struct Program(Manifest);

impl Runner for Program {
    fn run(&self, arguments: &str, call: CallContext<'_>) -> io::Result<CallResult> {
        let Self(manifest) = self;
        if let Err(wrong) = check(&manifest.parameters, arguments) {
            return Ok(CallResult::new(Status::BadArguments, wrong));
        }
        let setup = call.launcher.setup();
        if let Some(refused) = refusal(manifest, setup) {
            return Ok(refused);
        }
        let policy = setup.policy.as_ref();
        let launch = Launch {
            request: ToolRequest {
                name: manifest.name.clone(),
                number: call.number,
                timeout: manifest.timeout.unwrap_or(Duration::MAX).min(setup.timeout),
                live: call.follower.is_some(),
                serves: false,
                inherits_rules: false,
                policy: policy.map(|policy| manifest.policy(policy)),
                program: Some(manifest.command.clone()),
            },
            own_variables: &[],
            variables: &manifest.env,
            is_code_for_python: is_code_for_python(&manifest.command),
        };
        let follower = call.follower;
        call.launcher.run(launch, arguments.as_bytes(), follower)
    }

    fn manifest(&self) -> Option<&Manifest> {
        Some(&self.0)
    }
}

/// Refuses to run the program if part of its command is now a file that tools can change, while the program gets
/// environment variables that other tools do not.
fn refusal(manifest: &Manifest, setup: &ToolSetup) -> Option<CallResult> {
    let policy = setup.policy.as_ref();
    let policy = policy.filter(|policy| policy.write && !manifest.env.is_empty())?;
    let words = manifest.command.get(1..)?;
    let file = WritableReach::of(policy).file_of(words, &setup.directory)?;
    let text = format!(
        "the tool could not be run: {} is part of its command and can be changed by tools, and this tool is passed {}",
        file.display(),
        manifest.env.join(" and ")
    );
    Some(CallResult::new(Status::NotRun, text))
}
