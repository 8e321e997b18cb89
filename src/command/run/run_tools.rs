//! The tools of a run: set up before the first request, cleaned up after the last one.

use std::sync::Arc;

use super::super::undo::{UndoGuard, end_tools_on_panic};
use super::error::Error;
use super::server_notes::{notes, warnings};
use super::settings::RunSettings;
use crate::agent::{Control, Stop};
use crate::failure::RunWarning;
use crate::output::{Notice, Sink};
use crate::tools::child::reaper;
use crate::tools::launch::{LaunchError, set_close_on_exec};
use crate::tools::sandbox::confine::{self, SandboxScope};
use crate::tools::toolbox::Toolbox;

/// The tools of a run whose MCP servers may still be starting.
pub(in crate::command) struct StartingTools {
    tools: Toolbox,
    adopted: bool,
}

/// The tools of a run.
pub(in crate::command) struct RunTools {
    pub(super) tools: Arc<Toolbox>,
    /// This process is the subreaper of processes whose tool process was killed.
    adopted: bool,
    _undo: UndoGuard,
}

impl StartingTools {
    /// Sets up the tools, if any are offered, and begins to start the servers.
    pub(in crate::command) fn open(settings: &RunSettings) -> Result<Self, Error> {
        let offers = !settings.offered.is_empty() || !settings.servers.is_empty();
        let adopted = offers && reaper::adopt_orphans();
        if offers {
            set_close_on_exec();
        }
        let (setup, offered) = (settings.tools.clone(), settings.offered.clone());
        let tools = Toolbox::open_with(setup, offered, settings.servers.clone());
        let tools = tools.map_err(|error| match error {
            LaunchError::Temporary(place, error) => Error::Temporary(place, error),
            LaunchError::Place(place, error) => Error::Sandbox(confine::Error::Place(place, error)),
            LaunchError::Signal(error) => Error::Thread(error),
        })?;
        Ok(Self { tools, adopted })
    }

    /// Waits until the servers have started. One that has not and is required is an error; what is worth a line about the
    /// others is reported.
    pub(in crate::command) fn ready(
        mut self,
        control: &Control,
        sink: &mut dyn Sink,
    ) -> Result<RunTools, Error> {
        let started = self.tools.add_servers(&|| control.stopped().is_some());
        if let Some(request) = control.stopped() {
            return Err(Error::Stop(Stop::Ordered(request)));
        }
        let reports = warnings(&started).into_iter().map(RunWarning::Note);
        let reports: Vec<RunWarning> = reports
            .chain(notes(&started).map(RunWarning::Note))
            .collect();
        let mut failed = started.failed.into_iter();
        if let Some(failed) = failed.find(|failed| failed.settings.required) {
            let network = self.tools.allows_network();
            return Err(Error::Server(Box::new(failed), network));
        }
        for warning in &reports {
            let _ = sink.take(Notice::Warning(warning));
        }
        let tools = Arc::new(self.tools);
        Ok(RunTools {
            _undo: end_tools_on_panic(&tools),
            tools,
            adopted: self.adopted,
        })
    }
}

impl RunTools {
    /// Ends what the processes of these tools leave behind too.
    pub(super) fn inherit(&mut self, earlier: &Self) {
        self.adopted |= earlier.adopted;
    }

    /// Ends the servers and the remaining processes and removes the temporary directory. `hurry` leaves the servers no time
    /// to end by themselves.
    pub(super) fn close(&self, hurry: bool, sink: &mut dyn Sink) {
        self.tools.close_servers(hurry);
        for (server, text) in self.tools.servers().last_words() {
            let (server, text) = (&*server, &*text);
            let _ = sink.take(Notice::ServerPrinted { server, text });
        }
        if self.adopted {
            reaper::end_all(SandboxScope::default(), || false);
        }
        if let Err((path, error)) = self.tools.clean() {
            let warning = RunWarning::TemporaryLeft(path, error);
            let _ = sink.take(Notice::Warning(&warning));
        }
    }
}
