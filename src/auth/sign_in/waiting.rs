//! What a renewal waits for, reported once it takes more than a second.

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a renewal may take before it is reported.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// A wait of a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The issuer failed, for this reason, and is asked again after this time.
    Again(String, Duration),
    /// Somebody else is renewing it.
    Lock,
    /// The issuer has not answered yet.
    Answer,
}

impl Waiting {
    /// How long it takes, where that is known.
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        match self {
            Self::Again(_, delay) => Some(*delay),
            Self::Lock | Self::Answer => None,
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Again(why, _) => write!(f, "the issuer of the sign-in fails: {why}"),
            Self::Lock => f.write_str("another process is renewing the sign-in; waiting for it"),
            Self::Answer => {
                f.write_str("renewing the sign-in; the service has not answered for a second")
            }
        }
    }
}

/// What is given every wait.
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn(&Waiting) + Send + Sync>);

impl Hook {
    /// This function, which is called from the thread that waits or from one of its own.
    #[must_use]
    pub fn new(hear: impl Fn(&Waiting) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    /// Reports a wait.
    pub fn hear(&self, waiting: &Waiting) {
        (self.0)(waiting);
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook(..)")
    }
}

/// Watches one renewal. It reports once what goes on after a second, unless a wait was reported before.
pub(super) struct Watch {
    hook: Option<Hook>,
    /// What goes on, until it was reported.
    phase: Arc<Mutex<Option<Waiting>>>,
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(hook: Option<Hook>) -> Self {
        let phase = Arc::new(Mutex::new(Some(Waiting::Answer)));
        let (over, ended) = mpsc::channel::<()>();
        let thread = hook.clone().and_then(|hook| {
            let phase = Arc::clone(&phase);
            let watch = move || {
                if ended.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
                    let waiting = phase.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some(waiting) = waiting {
                        hook.hear(&waiting);
                    }
                }
            };
            // Without a thread it is not reported, which is no reason to fail.
            thread::Builder::new().spawn(watch).ok()
        });
        Self {
            hook,
            phase,
            over: Some(over),
            thread,
        }
    }

    /// Notes what goes on from now.
    pub(super) fn set(&self, waiting: Waiting) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if phase.is_some() {
            *phase = Some(waiting);
        }
    }

    /// Reports a wait at once, if it is a long one.
    pub(super) fn report(&self, waiting: &Waiting) {
        if waiting.delay().is_some_and(|delay| delay < SOON) {
            return;
        }
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(hook) = &self.hook {
            hook.hear(waiting);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard() -> (Hook, mpsc::Receiver<Waiting>) {
        let (sender, waits) = mpsc::channel();
        let hook = Hook::new(move |waiting| drop(sender.send(waiting.clone())));
        (hook, waits)
    }

    #[test]
    fn what_goes_on_after_a_second_is_reported_once() {
        let (hook, waits) = heard();
        let watch = Watch::start(Some(hook));
        watch.set(Waiting::Lock);
        assert_eq!(waits.recv(), Ok(Waiting::Lock));
        watch.set(Waiting::Answer);
        drop(watch);
        assert!(waits.recv().is_err(), "nothing more");
    }

    #[test]
    fn a_wait_that_was_reported_is_not_reported_again() {
        let (hook, waits) = heard();
        let watch = Watch::start(Some(hook));
        let again = |millis| Waiting::Again("no".to_owned(), Duration::from_millis(millis));
        watch.report(&again(999));
        watch.report(&again(1000));
        drop(watch);
        assert_eq!(waits.iter().collect::<Vec<_>>(), [again(1000)]);
    }
}
