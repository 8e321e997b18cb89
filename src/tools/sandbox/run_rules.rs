//! The rules of a run: made once for each policy, on a thread while the model thinks, and given to the process of each
//! call, which has nothing to do but to apply them.
//!
//! Their descriptor is a key: a process that holds it can add rules, and so open files to the calls that follow. Therefore
//! rules are finished before their descriptor is given to a process, and never added to afterwards: what has changed
//! makes new ones, and the old ones are dropped. It is closed on exec, and goes, as standard input, to the tool's own
//! process alone, which closes it as soon as it is confined. No process in a sandbox can take it from there: before
//! that, this process is outside of every sandbox, and afterwards in one of its own, and Landlock keeps each sandbox
//! from inspecting (ptrace(2), `/proc/PID/fd`, `pidfd_getfd(2)`) what is not inside it; the same goes for the run.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::error::Error;
use super::file_rules::{Extent, FileRules};
use super::observed::Observed;
use super::policy::SandboxPolicy;
use crate::tools::lock::lock;

/// How many policies have their rules kept. The tools of a run have few.
const MAX_KEPT: usize = 8;

/// The rules of a run.
#[derive(Default)]
pub struct RunRules {
    made: Mutex<Vec<MadeRules>>,
    /// The thread that makes the first ones.
    making: Mutex<Option<JoinHandle<Option<MadeRules>>>>,
    given_up: Arc<AtomicBool>,
}

/// The rules of a policy.
struct MadeRules {
    policy: SandboxPolicy,
    descriptor: OwnedFd,
    observed: Observed,
}

impl MadeRules {
    fn of(policy: &SandboxPolicy, given_up: &AtomicBool) -> Result<Self, Error> {
        let FileRules {
            ruleset, observed, ..
        } = FileRules::of(policy, Extent::Whole, given_up)?;
        let descriptor = Option::<OwnedFd>::from(ruleset).ok_or(Error::Unavailable)?;
        Ok(Self {
            policy: policy.clone(),
            descriptor,
            observed,
        })
    }
}

impl RunRules {
    /// Starts to make the rules of this policy, for calls that may come. If no thread can be started, the first call
    /// makes them.
    pub fn expect(&self, policy: SandboxPolicy) {
        let given_up = Arc::clone(&self.given_up);
        let making = thread::Builder::new().spawn(move || MadeRules::of(&policy, &given_up).ok());
        *lock(&self.making) = making.ok();
    }

    /// A descriptor of the rules of this policy, as they are now. `None` if they cannot be made: the process of the call
    /// then makes its own, or reports why it cannot.
    pub fn of(&self, policy: &SandboxPolicy) -> Option<OwnedFd> {
        let mut made = lock(&self.made);
        if let Some(making) = lock(&self.making).take() {
            made.extend(making.join().ok().flatten());
        }
        if let Some(at) = made.iter().position(|made| made.policy == *policy) {
            if made[at].observed.is_current() {
                return made[at].descriptor.try_clone().ok();
            }
            made.remove(at);
        }
        let new = MadeRules::of(policy, &AtomicBool::new(false)).ok()?;
        let descriptor = new.descriptor.try_clone().ok();
        made.truncate(MAX_KEPT - 1);
        made.insert(0, new);
        descriptor
    }
}

impl Drop for RunRules {
    fn drop(&mut self) {
        // The thread is not awaited: it touches nothing but what it has made.
        self.given_up.store(true, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for RunRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunRules(..)")
    }
}
