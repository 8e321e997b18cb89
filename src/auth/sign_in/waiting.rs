//! Reports what a renewal is waiting for once it has waited more than a second.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Delay before a wait for the issuer's response is reported.
pub(super) const NOTICE_DELAY: Duration = Duration::from_secs(1);

/// Shortest back-off that is reported. It is below a second because a nominal one-second pause may run a little
/// short.
const MIN_PAUSE: Duration = Duration::from_millis(500);

/// Something a renewal waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenewalWait {
    /// The issuer failed for this reason; the request is retried after this time.
    Again(String, Duration),
    /// Another process holds the lock; the text is the error message.
    Lock(String),
    /// The issuer has not responded yet.
    Answer,
}

impl RenewalWait {
    /// Returns the length of the wait, if it is known.
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
            Self::Again(why, _) => write!(f, "the sign-in service failed: {why}"),
            Self::Lock(locked) => write!(f, "{locked}; waiting for it"),
            Self::Answer => {
                f.write_str("renewing the sign-in; the service has not responded for a second")
            }
        }
    }
}

/// A callback that receives each wait.
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn(&RenewalWait) + Send + Sync>);

impl Hook {
    /// Wraps a function. It is called on the waiting thread or on a helper thread.
    #[must_use]
    pub fn new(report: impl Fn(&RenewalWait) + Send + Sync + 'static) -> Self {
        Self(Arc::new(report))
    }

    /// Calls the function.
    pub fn report(&self, waiting: &RenewalWait) {
        (self.0)(waiting);
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook(..)")
    }
}

/// Reports the waits of a single renewal.
pub(super) struct RenewalWatch(Option<Hook>);

impl RenewalWatch {
    pub(super) fn new(hook: Option<Hook>) -> Self {
        Self(hook)
    }

    /// Reports a wait unless it is a short back-off.
    pub(super) fn report(&self, waiting: &RenewalWait) {
        if waiting.delay().is_some_and(|delay| delay < MIN_PAUSE) {
            return;
        }
        if let Some(hook) = &self.0 {
            hook.report(waiting);
        }
    }

    /// Starts a timer that reports a slow response once, unless the returned guard is dropped first.
    pub(super) fn start_request(&self) -> RenewalRequest {
        let (over, ended) = mpsc::channel::<()>();
        let thread = self.0.clone().and_then(|hook| {
            let watch = move || {
                if ended.recv_timeout(NOTICE_DELAY) == Err(RecvTimeoutError::Timeout) {
                    hook.report(&RenewalWait::Answer);
                }
            };
            // Without a thread there is no report, but that is not an error.
            thread::Builder::new().spawn(watch).ok()
        });
        RenewalRequest {
            over: Some(over),
            thread,
        }
    }
}

/// Guard for a request to the issuer in progress.
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

    fn recording_hook() -> (Hook, mpsc::Receiver<RenewalWait>) {
        let (sender, waits) = mpsc::channel();
        let hook = Hook::new(move |waiting| drop(sender.send(waiting.clone())));
        (hook, waits)
    }

    #[test]
    fn a_response_slower_than_a_second_is_reported_once() {
        let (hook, waits) = recording_hook();
        let watch = RenewalWatch::new(Some(hook));
        let request = watch.start_request();
        assert_eq!(waits.recv(), Ok(RenewalWait::Answer));
        drop(request);
        drop(watch.start_request());
        drop(watch);
        assert!(waits.recv().is_err(), "nothing more");
    }

    #[test]
    fn short_waits_are_not_reported() {
        let (hook, waits) = recording_hook();
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
