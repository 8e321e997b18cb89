//! Signal handling outside a command, for signals whose default action is not what this program documents.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};

use super::stop_requests::{ignored, next, register};
use crate::agent::StopRequest;
use crate::exhausted::at_start;

/// Signals that end a command with cleanup.
const ENDS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Who handles signals when this is the first process of a PID namespace.
static HANDLER: Mutex<Handler> = Mutex::new(Handler::Unset);

enum Handler {
    /// They are not caught.
    Unset,
    /// They end the process.
    Process,
    /// They are forwarded to a command, which reads the other ends.
    Command(Vec<(i32, UnixStream)>),
}

fn handler() -> MutexGuard<'static, Handler> {
    HANDLER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns one stream for each signal, which receives a byte when the signal arrives. The caller now handles these signals.
pub(super) fn take_over() -> io::Result<Vec<(i32, UnixStream)>> {
    let mut signals = Vec::new();
    let mut handler = handler();
    if matches!(*handler, Handler::Unset) {
        for signal in ENDS {
            register(signal, &mut signals)?;
        }
        return Ok(signals);
    }
    // Forward them: no signal may be lost or handled twice while the handler changes.
    let mut writers = Vec::new();
    for signal in ENDS {
        let (reader, writer) = UnixStream::pair()?;
        writers.push((signal, writer));
        signals.push((signal, reader));
    }
    *handler = Handler::Command(writers);
    Ok(signals)
}

/// Whether this is the first process of its PID namespace, as in a container without an init. The kernel does not deliver
/// signals with the default action to such a process (`pid_namespaces(7)`), so no signal would end it.
#[must_use]
pub fn is_first_process() -> bool {
    std::process::id() == 1
}

/// Makes a write beyond the file size limit (`RLIMIT_FSIZE`) fail with an error, as on a full disk, instead of ending the
/// process. The handler does nothing; child processes get the default action back.
pub fn survive_file_limit() {
    if ignored() & (1 << (SIGXFSZ - 1)) == 0 {
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    }
}

/// If this is the first process, makes signals end it even while no command handles them. `end` ends the process because of
/// this signal. Other processes do not need this.
///
/// # Errors
/// If no thread or pipe can be created.
pub fn end_first_process_on_signal(end: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    if !is_first_process() {
        return Ok(());
    }
    let mut signals = Vec::new();
    for signal in ENDS {
        register(signal, &mut signals)?;
    }
    // Commands do not handle this one: it ends the process immediately.
    register(SIGQUIT, &mut signals)?;
    let handling = thread::Builder::new().spawn(move || {
        loop {
            let StopRequest::Signal(signal) = next(&signals, None, false) else {
                continue;
            };
            match &mut *handler() {
                Handler::Command(writers) if signal != SIGQUIT => {
                    let writer = writers.iter_mut().find(|(of, _)| *of == signal);
                    let _ = writer.map(|(_, writer)| writer.write(&[0]));
                }
                _ => end(signal),
            }
        }
    });
    handling.map_err(at_start)?;
    *handler() = Handler::Process;
    Ok(())
}
