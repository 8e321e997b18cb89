//! What a renewal waits for, reported once it takes more than a second.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a renewal may take before it is reported.
pub(super) const NOTICE_DELAY: Duration = Duration::from_secs(1);

/// How long a pause after a failure must be to be reported. It is less, because a pause of about a second lasts a little
/// longer or shorter.
const MIN_PAUSE: Duration = Duration::from_millis(500);

/// A wait of a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenewalWait {
    /// The issuer failed, for this reason, and is asked again after this time.
    Again(String, Duration),
    /// Another process has the lock, in these words.
    Lock(String),
    /// The issuer has not answered yet.
    Answer,
}

impl RenewalWait {
    /// How long it takes, where that is known.
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        match self {
            Self::Again(_, delay) => Some(*delay),
            Self::Lock(_) | Self::Answer => None,
        }
    }
}

impl fmt::Display for RenewalWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Again(why, _) => write!(f, "the issuer of the sign-in fails: {why}"),
            Self::Lock(locked) => write!(f, "{locked}; waiting for it"),
            Self::Answer => {
                f.write_str("renewing the sign-in; the service has not answered for a second")
            }
        }
    }
}

/// What is given every wait.
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn(&RenewalWait) + Send + Sync>);

impl Hook {
    /// This function, which is called from the thread that waits or from one of its own.
    #[must_use]
    pub fn new(hear: impl Fn(&RenewalWait) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    /// Reports a wait.
    pub fn hear(&self, waiting: &RenewalWait) {
        (self.0)(waiting);
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook(..)")
    }
}

/// Reports the waits of one renewal.
pub(super) struct RenewalWatch(Option<Hook>);

impl RenewalWatch {
    pub(super) fn new(hook: Option<Hook>) -> Self {
        Self(hook)
    }

    /// Reports a wait, if it is a long one.
    pub(super) fn report(&self, waiting: &RenewalWait) {
        if waiting.delay().is_some_and(|delay| delay < MIN_PAUSE) {
            return;
        }
        if let Some(hook) = &self.0 {
            hook.hear(waiting);
        }
    }

    /// Reports once that the issuer has not answered, unless what is given back was dropped before.
    pub(super) fn asks(&self) -> RenewalRequest {
        let (over, ended) = mpsc::channel::<()>();
        let thread = self.0.clone().and_then(|hook| {
            let watch = move || {
                if ended.recv_timeout(NOTICE_DELAY) == Err(RecvTimeoutError::Timeout) {
                    hook.hear(&RenewalWait::Answer);
                }
            };
            // Without a thread it is not reported, which is no reason to fail.
            thread::Builder::new().spawn(watch).ok()
        });
        RenewalRequest {
            over: Some(over),
            thread,
        }
    }
}

/// A question to the issuer, until it is answered.
pub(super) struct RenewalRequest {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for RenewalRequest {
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

    fn heard() -> (Hook, mpsc::Receiver<RenewalWait>) {
        let (sender, waits) = mpsc::channel();
        let hook = Hook::new(move |waiting| drop(sender.send(waiting.clone())));
        (hook, waits)
    }

    #[test]
    fn an_answer_that_has_not_come_after_a_second_is_reported_once() {
        let (hook, waits) = heard();
        let watch = RenewalWatch::new(Some(hook));
        let asked = watch.asks();
        assert_eq!(waits.recv(), Ok(RenewalWait::Answer));
        drop(asked);
        drop(watch.asks());
        drop(watch);
        assert!(waits.recv().is_err(), "nothing more");
    }

    #[test]
    fn short_waits_are_not_reported() {
        let (hook, waits) = heard();
        let watch = RenewalWatch::new(Some(hook));
        let again = |millis| RenewalWait::Again("no".to_owned(), Duration::from_millis(millis));
        let locked = RenewalWait::Lock("process 7 holds it".to_owned());
        for waiting in [&again(499), &again(1000), &locked] {
            watch.report(waiting);
        }
        drop(watch);
        assert_eq!(waits.iter().collect::<Vec<_>>(), [again(1000), locked]);
    }
}
