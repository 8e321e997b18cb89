//! Exhausted system resources: which limit was reached, its current value, and how to raise it.

use std::io;

use super::value::Failure;
use crate::exhausted::{Exhausted, SystemLimits};
use crate::outcome::Outcome;

impl Failure {
    /// Replaces outcome and hint if the error means that this machine is out of a resource.
    pub(crate) fn because_of(self, error: &io::Error) -> Self {
        self.for_want_of(Exhausted::of(error))
    }

    /// Replaces outcome and hint if a resource is exhausted.
    pub(crate) fn for_want_of(mut self, exhausted: Option<Exhausted>) -> Self {
        let Some(exhausted) = exhausted else {
            return self;
        };
        self.outcome = Outcome::Io;
        self.hint(hint(exhausted, &SystemLimits::now()))
    }
}

/// A command that cannot start or continue because of an exhausted resource.
pub(crate) fn of_exhausted(what: &str, exhausted: Exhausted) -> Failure {
    Failure::new(Outcome::Io, format!("{what}: {exhausted}")).for_want_of(Some(exhausted))
}

fn hint(exhausted: Exhausted, limits: &SystemLimits) -> String {
    let known = |limit: &Option<u64>| {
        limit.map_or_else(
            || "current value unknown".to_owned(),
            |limit| format!("currently {limit}"),
        )
    };
    match exhausted {
        Exhausted::Descriptors => format!(
            "raise RLIMIT_NOFILE ({}) with `ulimit -n`",
            known(&limits.files)
        ),
        Exhausted::SystemDescriptors => {
            "close some programs, or raise the system-wide limit (sysctl fs.file-max)".to_owned()
        }
        Exhausted::Threads => {
            let group = match &limits.tasks {
                Some(limit) => format!("pids.max of the control group (currently {limit})"),
                None => "the container's process limit".to_owned(),
            };
            format!(
                "raise RLIMIT_NPROC ({}) with `ulimit -u`, or {group}",
                known(&limits.processes)
            )
        }
        Exhausted::Memory => "free some memory, or raise RLIMIT_AS with `ulimit -v`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_the_limit_that_was_reached() {
        let limits = SystemLimits {
            files: Some(16),
            processes: Some(7),
            tasks: Some("9".to_owned()),
        };
        let check = |exhausted, limits: &SystemLimits, words: &[&str], others: &[&str]| {
            let hint = hint(exhausted, limits);
            assert!(words.iter().all(|word| hint.contains(word)), "{hint}");
            assert!(!others.iter().any(|word| hint.contains(word)), "{hint}");
        };
        let files = ["RLIMIT_NOFILE (currently 16)", "`ulimit -n`"];
        check(Exhausted::Descriptors, &limits, &files, &["NPROC", "pids"]);
        let threads = ["RLIMIT_NPROC (currently 7)", "`ulimit -u`", "pids.max", "9"];
        check(Exhausted::Threads, &limits, &threads, &["NOFILE"]);
        let none = SystemLimits::default();
        check(Exhausted::Threads, &none, &["container", "unknown"], &[]);
        check(
            Exhausted::SystemDescriptors,
            &none,
            &["fs.file-max"],
            &["ulimit"],
        );
    }

    #[test]
    fn only_a_limit_changes_what_a_failure_is() {
        let failure = || Failure::usage("cannot read x").hint("look");
        let other = failure().because_of(&io::ErrorKind::NotFound.into());
        assert_eq!(
            (other.outcome(), &*other.words()),
            (Outcome::Usage, "cannot read x\nhint: look")
        );
        let error = rustix::io::Errno::MFILE.into();
        let limit = failure().because_of(&error);
        assert_eq!(limit.outcome(), Outcome::Io);
        assert!(limit.words().contains("RLIMIT_NOFILE"), "{}", limit.words());
    }
}
