//! The tools of a run: set up before the first request, cleaned up after the last one.

use std::sync::Arc;

use super::super::undo::{UndoGuard, end_tools_on_panic};
use super::error::Error;
use crate::failure::RunWarning;
use crate::output::{Notice, Sink};
use crate::tools::child::reaper;
use crate::tools::launch::{LaunchError, set_close_on_exec};
use crate::tools::sandbox::confine::{self, SandboxScope};
use crate::tools::setup::ToolSetup;
use crate::tools::tool::Tool;
use crate::tools::toolbox::Toolbox;

/// The tools of a run.
pub(super) struct RunTools {
    pub(super) tools: Arc<Toolbox>,
    /// This process is the subreaper of processes whose tool process was killed.
    adopted: bool,
    _undo: UndoGuard,
}

impl RunTools {
    /// Sets up the tools, if any are offered.
    pub(super) fn open(setup: ToolSetup, tools: Vec<Tool>) -> Result<Self, Error> {
        let offers = !tools.is_empty();
        let adopted = offers && reaper::adopt_orphans();
        if offers {
            set_close_on_exec();
        }
        let tools = Toolbox::open(setup, tools).map_err(|error| match error {
            LaunchError::Temporary(place, error) => Error::Temporary(place, error),
            LaunchError::Place(place, error) => Error::Sandbox(confine::Error::Place(place, error)),
            LaunchError::Signal(error) => Error::Thread(error),
        })?;
        let tools = Arc::new(tools);
        Ok(Self {
            _undo: end_tools_on_panic(&tools),
            tools,
            adopted,
        })
    }

    /// Ends what the processes of these tools leave behind too.
    pub(super) fn inherit(&mut self, earlier: &Self) {
        self.adopted |= earlier.adopted;
    }

    /// Ends the remaining processes and removes the temporary directory.
    pub(super) fn close(&self, sink: &mut dyn Sink) {
        if self.adopted {
            reaper::end_all(SandboxScope::default(), || false);
        }
        if let Err((path, error)) = self.tools.clean() {
            let warning = RunWarning::TemporaryLeft(path, error);
            let _ = sink.take(Notice::Warning(&warning));
        }
    }
}
