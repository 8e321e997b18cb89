//! The latest output of a running call, on its way from the threads of the call to the loop. At most one input waits for each
//! call, however much it prints.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::tools::live_output::OutputFollower;

/// The latest output of a call.
#[derive(Debug)]
pub(super) struct LatestOutput {
    /// The id of the call.
    pub(super) call_id: String,
    /// The last part of its output, until it is taken.
    tail: Mutex<Option<String>>,
}

impl LatestOutput {
    /// Follows the call with this id, and sends this value when there is something to take.
    pub(super) fn follower(
        call_id: &str,
        send: impl Fn(Arc<Self>) + Send + Sync + 'static,
    ) -> OutputFollower {
        let latest = Arc::new(Self {
            call_id: call_id.to_owned(),
            tail: Mutex::default(),
        });
        Arc::new(move |tail| {
            let waits = latest.lock().replace(tail).is_some();
            if !waits {
                send(Arc::clone(&latest));
            }
        })
    }

    /// Takes it.
    pub(super) fn take(&self) -> Option<String> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn one_input_waits_and_has_the_latest_output() {
        let (sender, inputs) = channel();
        let follower = LatestOutput::follower("1", move |latest| {
            sender.send(latest).expect("it is taken");
        });
        for n in 0..100 {
            follower(n.to_string());
        }
        let waiting: Vec<Arc<LatestOutput>> = inputs.try_iter().collect();
        let [latest] = &waiting[..] else {
            panic!("{waiting:?}");
        };
        assert_eq!(latest.take().as_deref(), Some("99"));
        assert_eq!(latest.take(), None);
        follower("more".to_owned());
        assert_eq!(inputs.try_iter().count(), 1);
    }
}
