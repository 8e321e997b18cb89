//! A tool of a server: its calls go to the server, one at a time unless it takes several.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use serde_json::value::RawValue;

use super::client::{CallEnd, ServerCall, ServerClient};
use crate::mcp::call_answer::{CallAnswer, Picture};
use crate::mcp::listed_tool::ListedTool;
use crate::mcp::server_settings::ServerSettings;
use crate::result::{CallResult, ServerContent, Status};
use crate::tools::MAX_OUTPUT_BYTES;
use crate::tools::arguments::check;
use crate::tools::builtin::read::MAX_IMAGE_BYTES;
use crate::tools::child::capture::Capture;
use crate::tools::launch::Launcher;
use crate::tools::tool::{CallContext, Runner, Tool, ToolOrigin};
use crate::tools::topic::Topic;
use crate::wire::input::data_url;

/// A server that was started.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) settings: ServerSettings,
    pub(super) client: Arc<dyn ServerClient>,
    /// It may write files.
    may_write: bool,
    turn: Mutex<CallTurn>,
    changed: Condvar,
}

/// The order of the calls of a server.
#[derive(Debug, Default)]
struct CallTurn {
    is_taken: bool,
    is_interrupted: bool,
}

impl Server {
    pub(super) fn new(
        settings: ServerSettings,
        client: Arc<dyn ServerClient>,
        may_write: bool,
    ) -> Self {
        Self {
            settings,
            client,
            may_write,
            turn: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Ends the calls that run or wait.
    pub(super) fn interrupt(&self) {
        self.turn().is_interrupted = true;
        self.changed.notify_all();
        self.client.interrupt();
    }

    /// Allows calls again.
    pub(super) fn resume(&self) {
        self.turn().is_interrupted = false;
        self.client.resume();
    }

    fn turn(&self) -> std::sync::MutexGuard<'_, CallTurn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call, once those before it have ended.
    fn call(&self, call: ServerCall<'_>) -> CallEnd {
        if self.settings.parallel {
            return self.client.call(call);
        }
        let mut turn = self.turn();
        while turn.is_taken && !turn.is_interrupted {
            turn = self
                .changed
                .wait(turn)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if turn.is_interrupted {
            return CallEnd::Interrupted;
        }
        turn.is_taken = true;
        drop(turn);
        let _taken = TakenTurn(self);
        self.client.call(call)
    }
}

/// The turn of a call, which ends with it.
struct TakenTurn<'a>(&'a Server);

impl Drop for TakenTurn<'_> {
    fn drop(&mut self) {
        self.0.turn().is_taken = false;
        self.0.changed.notify_one();
    }
}

/// Creates the tool that is offered under this name.
pub(super) fn tool(server: &Arc<Server>, name: String, listed: &ListedTool) -> Tool {
    Tool {
        name,
        description: listed.description.clone(),
        parameters: listed.parameters.to_string(),
        changes_files: server.may_write,
        topic: Topic::Arguments,
        runner: Arc::new(ServerTool {
            server: Arc::clone(server),
            tool: listed.name.clone(),
            parameters: listed.parameters.clone(),
        }),
    }
}

/// Runs the calls of a tool.
#[derive(Debug)]
struct ServerTool {
    server: Arc<Server>,
    /// The tool, as the server spells it.
    tool: String,
    parameters: Value,
}

impl Runner for ServerTool {
    fn run(&self, arguments: &str, call: CallContext<'_>) -> io::Result<CallResult> {
        let arguments = match arguments.trim() {
            "" => "{}",
            arguments => arguments,
        };
        if let Err(wrong) = check(&self.parameters, arguments) {
            return Ok(CallResult::new(Status::BadArguments, wrong));
        }
        let settings = &self.server.settings;
        let limit = call.launcher.setup().timeout;
        let limit = settings.timeout.map_or(limit, |own| own.min(limit));
        let arguments: &RawValue = serde_json::from_str(arguments).map_err(io::Error::from)?;
        let end = self.server.call(ServerCall {
            tool: &self.tool,
            arguments,
            limit,
        });
        Ok(match end {
            CallEnd::Answered(answer) => result_of(answer, call.number, call.launcher)?,
            CallEnd::TimedOut => CallResult::new(Status::TimedOut { limit }, ""),
            CallEnd::Interrupted => CallResult::new(Status::Stopped, ""),
            CallEnd::Lost(why) => {
                let name = &settings.name;
                CallResult::failed(format!("the MCP server {name} gave no answer: {why}"))
            }
        })
    }

    fn origin(&self) -> Option<ToolOrigin<'_>> {
        Some(ToolOrigin {
            server: &self.server.settings.name,
            tool: &self.tool,
        })
    }
}

/// The result of a call with this answer. The whole of a long text goes to a file.
fn result_of(mut answer: CallAnswer, number: usize, launcher: &Launcher) -> io::Result<CallResult> {
    let mut images = Vec::new();
    for picture in std::mem::take(&mut answer.pictures) {
        if let Some(url) = shown(&picture) {
            images.push(url);
        } else {
            let bytes = picture.data.len() * 3 / 4;
            answer.line(&format!("[image, {bytes} bytes: not shown]"));
        }
    }
    let directory = launcher.temporary().map_err(|(_, error)| error)?;
    let name = format!("output-{number}.txt");
    let mut capture = Capture::new(directory, name, MAX_OUTPUT_BYTES);
    capture.add(answer.text.as_bytes());
    let printed = capture.printed();
    let status = if answer.is_error {
        Status::Failed
    } else {
        Status::Done
    };
    Ok(CallResult {
        cuts: printed.cut.into_iter().collect(),
        images,
        server_content: Some(Box::new(ServerContent {
            content: answer.content,
            structured: answer.structured,
        })),
        ..CallResult::new(status, printed.text)
    })
}

/// A picture as a data URL, if it is one that `read` would show.
fn shown(picture: &Picture) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(picture.data.trim_ascii()).ok()?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|size| size <= MAX_IMAGE_BYTES);
    fits.then(|| data_url(&bytes))?
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::tools::server::client::ServerOffer;
    use crate::tools::server::start_error::StartError;

    /// Counts the calls that run at the same time, and ends them when `together` of them do or it is interrupted.
    #[derive(Debug, Default)]
    struct Counting {
        together: usize,
        running: Mutex<usize>,
        changed: Condvar,
        most: AtomicUsize,
        interrupted: Mutex<bool>,
    }

    impl ServerClient for Counting {
        fn start(&self) {}

        fn offer(&self, _: Instant) -> Option<Result<ServerOffer, StartError>> {
            None
        }

        fn call(&self, _: ServerCall<'_>) -> CallEnd {
            let mut running = self.running.lock().expect("no panic");
            *running += 1;
            self.most.fetch_max(*running, Ordering::SeqCst);
            self.changed.notify_all();
            let waits = |running: &mut usize| {
                let is_over = *self.interrupted.lock().expect("no panic");
                self.most.load(Ordering::SeqCst) < self.together && !is_over && *running > 0
            };
            let mut running = self.changed.wait_while(running, waits).expect("no panic");
            *running -= 1;
            CallEnd::TimedOut
        }

        fn interrupt(&self) {
            *self.interrupted.lock().expect("no panic") = true;
            let _running = self.running.lock().expect("no panic");
            self.changed.notify_all();
        }

        fn resume(&self) {}

        fn close(&self, _: bool) {}

        fn wait(&self) {}
    }

    fn server(parallel: bool, together: usize) -> (Server, Arc<Counting>) {
        let client = Arc::new(Counting {
            together,
            ..Counting::default()
        });
        let settings = ServerSettings {
            parallel,
            ..ServerSettings::of_command("s".to_owned(), Vec::new())
        };
        (Server::new(settings, client.clone(), false), client)
    }

    fn call(server: &Server) -> CallEnd {
        let arguments: &RawValue = serde_json::from_str("{}").expect("JSON");
        server.call(ServerCall {
            tool: "t",
            arguments,
            limit: Duration::MAX,
        })
    }

    #[test]
    fn a_server_gets_one_call_at_a_time_unless_it_takes_several() {
        for (parallel, together) in [(false, 1), (true, 4)] {
            let (server, client) = server(parallel, together);
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| call(&server));
                }
            });
            assert_eq!(client.most.load(Ordering::SeqCst), together);
        }
    }

    #[test]
    fn an_interrupt_ends_the_calls_that_run_and_those_that_wait() {
        let (server, client) = server(false, 2);
        thread::scope(|scope| {
            let calls = [(); 3].map(|()| scope.spawn(|| call(&server)));
            let mut running = client.running.lock().expect("no panic");
            while *running == 0 {
                running = client.changed.wait(running).expect("no panic");
            }
            drop(running);
            server.interrupt();
            let ends = calls.map(|call| call.join().expect("no panic"));
            let interrupted = ends.iter().filter(|end| **end == CallEnd::Interrupted);
            assert_eq!(interrupted.count(), 2);
        });
        assert_eq!(call(&server), CallEnd::Interrupted);
        server.resume();
        *client.interrupted.lock().expect("no panic") = true;
        assert_eq!(call(&server), CallEnd::TimedOut);
    }
}
