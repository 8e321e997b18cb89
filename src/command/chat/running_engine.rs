//! The engine on its thread.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use super::engine::{Continued, Engine};
use super::engine_command::EngineCommand;
use crate::agent::Control;
use crate::exhausted::at_start;

/// The engine on its thread. It is ended with this value.
pub(super) struct RunningEngine {
    pub(super) commands: Sender<EngineCommand>,
    control: Control,
    thread: Option<JoinHandle<Option<Continued>>>,
}

impl RunningEngine {
    pub(super) fn start(engine: Engine) -> io::Result<Self> {
        let (commands, received) = mpsc::channel();
        let control = engine.control.clone();
        let thread = thread::Builder::new().spawn(move || engine.run(&received));
        Ok(Self {
            commands,
            control,
            thread: Some(thread.map_err(at_start)?),
        })
    }

    /// Stops the running turn and closes the conversation. Nobody takes reports any more.
    pub(super) fn end(&mut self) -> Option<Continued> {
        self.control.stop_turn();
        let _ = self.commands.send(EngineCommand::Close);
        self.thread.take()?.join().ok()?
    }
}

impl Drop for RunningEngine {
    fn drop(&mut self) {
        self.end();
    }
}
