//! What a panic does, in whichever thread: it is reported like any other failure, and ends the process with exit code 70. Nothing
//! is unwound, so what must not be left behind is undone here. A program that uses the library has its own hook, or none.

use std::panic;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use signal_hook::consts::SIGABRT;
use signal_hook::flag::register_conditional_shutdown;
use signal_hook::low_level::exit;

use super::ending::{LAST_LINE_TIMEOUT, claim_end, report_end};
use super::output_form::ReportingFlags;
use crate::command::{login, stdout, undo};
use crate::failure;
use crate::outcome::Outcome;

/// How long the report of a panic and the cleanup may take. The process ends then, whatever is done by that time.
const PANIC_TIMEOUT: Duration = Duration::from_secs(5);

/// The name of the thread that reports a panic.
const REPORTER: &str = "panic";

/// From now on, a panic is reported as these flags say, and ends the process.
pub(super) fn install(seen: &Arc<ReportingFlags>) {
    let seen = Arc::clone(seen);
    panic::set_hook(Box::new(move |info| {
        // Only the place is reported, because the message may contain data that the program was working on.
        let place = info.location().map_or_else(
            || "somewhere".to_owned(),
            |at| format!("{}:{}", at.file(), at.line()),
        );
        end(place, &seen)
    }));
}

/// Reports a panic and ends the process. The report runs on a thread of its own: this one may hold a lock that it needs.
fn end(place: String, seen: &Arc<ReportingFlags>) -> ! {
    let code = i32::from(Outcome::Bug.exit_code());
    if thread::current().name() == Some(REPORTER) {
        exit(code);
    }
    claim_end();
    // A panic in here aborts the process, which is the same bug.
    let _ = register_conditional_shutdown(SIGABRT, code, Arc::new(AtomicBool::new(true)));
    let reporting = thread::Builder::new().name(REPORTER.to_owned()).spawn({
        let (place, seen) = (place.clone(), Arc::clone(seen));
        move || {
            report(&place, &seen);
            exit(code);
        }
    });
    match reporting {
        // It does not read the clock, which may be what failed.
        Ok(_) => thread::sleep(PANIC_TIMEOUT),
        Err(_) => report(&place, seen),
    }
    exit(code)
}

fn report(place: &str, seen: &ReportingFlags) {
    undo::undo(undo::UndoStage::BeforeReport);
    login::restore_terminal();
    if !seen.has_lines() {
        stdout::write_last("", LAST_LINE_TIMEOUT, false);
    }
    report_end(&failure::bug(place), seen, true);
    undo::undo(undo::UndoStage::AfterReport);
}
