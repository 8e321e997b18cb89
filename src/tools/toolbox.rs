//! The tools of a run: which there are, and the way of a call to the one that it names. It is opened before the first
//! request is built, which shows the model what is in it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::git::Repositories;
use super::launch::{Launcher, Unready};
use super::lock::lock;
use super::setup::ToolSetup;
use super::tool::Tool;
use super::topic::{About, Topic};
use crate::exhausted::Exhausted;
use crate::result::{CallResult, Status};
use crate::wire::item::Call;
use crate::wire::request::Function;

/// The tools of one run.
#[derive(Debug)]
pub struct Toolbox {
    tools: Vec<Tool>,
    launcher: Launcher,
    /// What git runs by itself, as it was before the calls.
    repositories: Mutex<Option<Repositories>>,
}

/// A call that has ended.
#[derive(Debug)]
pub struct Called {
    /// Its result.
    pub result: CallResult,
    /// How long it took.
    pub took: Duration,
    /// This machine had no more of what starting it takes: that is no matter of the tool.
    pub exhausted: Option<io::Error>,
}

impl Toolbox {
    /// These tools; nothing is started or made for them.
    #[must_use]
    pub fn new(setup: ToolSetup, tools: Vec<Tool>) -> Self {
        Self {
            tools,
            launcher: Launcher::new(setup),
            repositories: Mutex::default(),
        }
    }

    /// These tools, with all that their calls need.
    ///
    /// # Errors
    /// When their temporary directory cannot be made, or a directory that they may change is another one by now.
    pub fn open(setup: ToolSetup, tools: Vec<Tool>) -> Result<Self, Unready> {
        let toolbox = Self::new(setup, tools);
        if !toolbox.tools.is_empty() {
            toolbox.launcher.prepare()?;
        }
        Ok(toolbox)
    }

    /// What the model is shown of them, in their order.
    #[must_use]
    pub fn functions(&self) -> Vec<Function<'_>> {
        self.tools.iter().map(Tool::function).collect()
    }

    /// The tool of this name.
    fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// Whether this call may change files, so that its place among the other calls matters.
    #[must_use]
    pub fn changes_files(&self, call: &Call) -> bool {
        self.tool(&call.name).is_some_and(|tool| tool.changes_files)
    }

    /// What this call is about, in a few words.
    #[must_use]
    pub fn brief(&self, call: &Call) -> String {
        self.topic(call).brief(&call.arguments)
    }

    /// What this call is about, as things are before it runs.
    #[must_use]
    pub fn about(&self, call: &Call) -> About {
        let directory = &self.launcher.setup().directory;
        self.topic(call).about(&call.arguments, directory)
    }

    fn topic(&self, call: &Call) -> Topic {
        let tool = self.tool(&call.name);
        tool.map_or(Topic::Arguments, |tool| tool.topic)
    }

    /// Runs a call to its end, on the caller's thread. Whatever goes wrong is a result for the model. `number` counts the
    /// calls of the run from 1, in the order of the answers: files that a call leaves for later ones are named by it.
    #[must_use]
    pub fn call(&self, call: &Call, number: usize) -> Called {
        let begun = Instant::now();
        let ended = match self.tool(&call.name) {
            Some(tool) => tool.runner.run(&call.arguments, number, &self.launcher),
            None => Ok(self.unknown(&call.name)),
        };
        let took = begun.elapsed();
        let (result, exhausted) = match ended {
            Ok(result) => (result, None),
            Err(error) => {
                let words = format!("the tool could not be run: {error}");
                let exhausted = Some(error).filter(|error| Exhausted::of(error).is_some());
                (CallResult::new(Status::NotRun, words), exhausted)
            }
        };
        Called {
            result,
            took,
            exhausted,
        }
    }

    fn unknown(&self, name: &str) -> CallResult {
        let names: Vec<&str> = self.tools.iter().map(|tool| &*tool.name).collect();
        let offered = match names[..] {
            [] => "there are no tools".to_owned(),
            _ => format!("the tools are: {}", names.join(", ")),
        };
        CallResult::new(
            Status::UnknownTool,
            format!("there is no tool {name:?}; {offered}"),
        )
    }

    /// Looks at what git runs by itself, before calls that may change it.
    pub fn watch_git(&self) {
        let mut seen = lock(&self.repositories);
        let setup = self.launcher.setup();
        let may_write = setup.policy.as_ref().is_none_or(|policy| policy.write);
        if may_write && seen.is_none() {
            let further = setup.policy.iter().flat_map(|policy| &policy.writable);
            let mut places: Vec<&Path> = further.map(|root| root.path.as_path()).collect();
            places.push(&setup.directory);
            *seen = Some(Repositories::of(&places));
        }
    }

    /// What of it has changed since the last look.
    #[must_use]
    pub fn changed_git(&self) -> Vec<PathBuf> {
        lock(&self.repositories)
            .as_mut()
            .map(Repositories::changed)
            .unwrap_or_default()
    }

    /// Lets calls be started again after [`Toolbox::end`]. None may be running.
    pub fn resume(&self) {
        self.launcher.resume();
    }

    /// Ends all calls: a first stop request lets processes end by themselves for a moment, a second one does not.
    pub fn end(&self) {
        self.launcher.end();
    }

    /// Removes the temporary directory. No call may be running; who still holds these tools does not matter.
    ///
    /// # Errors
    /// When something is left of it, with its path.
    pub fn clean(&self) -> Result<(), (PathBuf, io::Error)> {
        self.launcher.clean()
    }
}
