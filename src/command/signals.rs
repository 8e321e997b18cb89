//! Signal handling outside a command, for signals whose default action is not what this program documents.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU, SIGXFSZ,
};

use super::stop_requests::{ignored, next, register};
use crate::agent::StopRequest;
use crate::exhausted::at_start;

/// Signals that end a command with cleanup.
const ENDS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Signals that end a process by default. A command that draws on its terminal also ends with cleanup for these.
pub(super) const ENDS_OF_SCREEN: [i32; 8] = [
    SIGQUIT, SIGABRT, SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGXCPU,
];

/// Signals that the first process of a PID namespace catches from the start. Most commands do not handle SIGQUIT: it ends them
/// immediately.
const ENDS_OF_FIRST: [i32; 4] = [SIGHUP, SIGINT, SIGTERM, SIGQUIT];

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

/// Returns one stream for each signal, which receives a byte when the signal arrives. The caller now handles these signals:
/// those that end a command, and these further ones.
pub(super) fn take_over(further: &[i32]) -> io::Result<Vec<(i32, UnixStream)>> {
    let mut signals = Vec::new();
    let mut handler = handler();
    let all = ENDS.iter().chain(further).copied();
    if matches!(*handler, Handler::Unset) {
        for signal in all {
            register(signal, &mut signals)?;
        }
        return Ok(signals);
    }
    // Forward them: no signal may be lost or handled twice while the handler changes.
    let mut writers = Vec::new();
    for signal in all {
        if !ENDS_OF_FIRST.contains(&signal) {
            register(signal, &mut signals)?;
            continue;
        }
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
    for signal in ENDS_OF_FIRST {
        register(signal, &mut signals)?;
    }
    let handling = thread::Builder::new().spawn(move || {
        loop {
            let StopRequest::Signal(signal) = next(&signals, None, false) else {
                continue;
            };
            let mut handler = handler();
            let writer = match &mut *handler {
                Handler::Command(writers) => writers.iter_mut().find(|(of, _)| *of == signal),
                Handler::Unset | Handler::Process => None,
            };
            match writer {
                Some((_, writer)) => drop(writer.write(&[0])),
                None => end(signal),
            }
        }
    });
    handling.map_err(at_start)?;
    *handler() = Handler::Process;
    Ok(())
}
