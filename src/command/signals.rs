//! What signals do that no command has asked for yet: the default of some of them is not what this program promises.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};

use super::stop_requests::{ignored, next, register};
use crate::agent::StopRequest;
use crate::exhausted::at_start;

/// The signals that end a command in an orderly way.
const ENDS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Who hears of signals in the first process.
static HEARER: Mutex<Hearer> = Mutex::new(Hearer::Nobody);

enum Hearer {
    /// They are not caught yet.
    Nobody,
    /// They are caught, and end the process.
    Process,
    /// They are handed on to a command, which reads the other ends.
    Command(Vec<(i32, UnixStream)>),
}

fn hearer() -> MutexGuard<'static, Hearer> {
    HEARER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stream for each signal, which gets a byte when it comes: whoever has them acts on signals from now on.
pub(super) fn take_over() -> io::Result<Vec<(i32, UnixStream)>> {
    let mut signals = Vec::new();
    let mut hearer = hearer();
    if matches!(*hearer, Hearer::Nobody) {
        for signal in ENDS {
            register(signal, &mut signals)?;
        }
        return Ok(signals);
    }
    // None may get lost between two who listen, and none may be heard twice, so they are handed on.
    let mut writers = Vec::new();
    for signal in ENDS {
        let (reader, writer) = UnixStream::pair()?;
        writers.push((signal, writer));
        signals.push((signal, reader));
    }
    *hearer = Hearer::Command(writers);
    Ok(signals)
}

/// Whether this is the first process of its PID name space, as in a container without an init. The system sends such a
/// process no signal whose effect would be the default one (`pid_namespaces(7)`), so it cannot end by a signal.
#[must_use]
pub fn is_first_process() -> bool {
    std::process::id() == 1
}

/// Has a write beyond the limit of a file's size (`RLIMIT_FSIZE`) fail as one on a full disk does, instead of ending the
/// process. The handler does nothing; programs that are started get the default back.
pub fn survive_file_limit() {
    if ignored() & (1 << (SIGXFSZ - 1)) == 0 {
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    }
}

/// As the first process, has signals end it from now on, also before a command listens and where none ever does.
/// `end` ends the process because of this signal. Any other process needs no help.
///
/// # Errors
/// When the system gives no thread or no pipe.
pub fn heed(end: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    if !is_first_process() {
        return Ok(());
    }
    let mut signals = Vec::new();
    for signal in ENDS {
        register(signal, &mut signals)?;
    }
    // No command listens to this one: its default is an end at once.
    register(SIGQUIT, &mut signals)?;
    let heeding = thread::Builder::new().spawn(move || {
        loop {
            let StopRequest::Signal(signal) = next(&signals, None, false) else {
                continue;
            };
            match &mut *hearer() {
                Hearer::Command(writers) if signal != SIGQUIT => {
                    let writer = writers.iter_mut().find(|(of, _)| *of == signal);
                    let _ = writer.map(|(_, writer)| writer.write(&[0]));
                }
                _ => end(signal),
            }
        }
    });
    heeding.map_err(at_start)?;
    *hearer() = Hearer::Process;
    Ok(())
}
