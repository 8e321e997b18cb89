//! The way from the threads of a chat to its loop: events in a bounded channel, and a byte on a stream that the loop polls. A
//! thread that reports faster than the loop takes waits.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};

use crate::chat::event::ChatEvent;

/// How many reports may wait for the loop.
const MAX_WAITING_REPORTS: usize = 256;

/// What a thread reports to the loop.
#[derive(Debug)]
pub(super) enum ChatReport {
    /// Something for the screen.
    Event(Box<ChatEvent>),
    /// A turn found that a thread had panicked.
    Panicked,
}

/// The end of the threads.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    sender: SyncSender<ChatReport>,
    wake: Arc<Wake>,
}

/// The end of the loop.
#[derive(Debug)]
pub(super) struct ReportReceiver {
    receiver: Receiver<ChatReport>,
    /// Becomes readable when there is something to take.
    pub(super) woken: UnixStream,
    wake: Arc<Wake>,
}

#[derive(Debug)]
struct Wake {
    stream: UnixStream,
    /// A byte is on its way, so no other one is needed.
    is_sent: AtomicBool,
}

/// Creates both ends.
pub(super) fn channel() -> io::Result<(Reporter, ReportReceiver)> {
    let (woken, stream) = UnixStream::pair()?;
    woken.set_nonblocking(true)?;
    stream.set_nonblocking(true)?;
    let (sender, receiver) = mpsc::sync_channel(MAX_WAITING_REPORTS);
    let wake = Arc::new(Wake {
        stream,
        is_sent: AtomicBool::new(false),
    });
    let reporter = Reporter {
        sender,
        wake: Arc::clone(&wake),
    };
    let receiver = ReportReceiver {
        receiver,
        woken,
        wake,
    };
    Ok((reporter, receiver))
}

impl Reporter {
    /// Reports an event. It waits while too many others wait, and fails once the loop has ended.
    pub(super) fn event(&self, event: ChatEvent) -> io::Result<()> {
        self.send(ChatReport::Event(Box::new(event)))
    }

    /// Reports a panic.
    pub(super) fn panicked(&self) {
        let _ = self.send(ChatReport::Panicked);
    }

    fn send(&self, report: ChatReport) -> io::Result<()> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.sender.send(report).map_err(gone)?;
        if !self.wake.is_sent.swap(true, Ordering::SeqCst) {
            let _ = (&self.wake.stream).write(&[0]);
        }
        Ok(())
    }
}

impl ReportReceiver {
    /// Takes the reports that wait.
    pub(super) fn take(&mut self) -> Vec<ChatReport> {
        while matches!(self.woken.read(&mut [0; 16]), Ok(1..)) {}
        // From here on a new report sends a byte again.
        self.wake.is_sent.store(false, Ordering::SeqCst);
        self.receiver.try_iter().take(MAX_WAITING_REPORTS).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;
    use crate::chat::event::NoticeLevel;

    #[test]
    fn every_report_wakes_the_loop_or_is_taken_with_one_that_does() {
        let (reporter, mut receiver) = channel().expect("a channel");
        let sending = thread::spawn(move || {
            for n in 0..2000 {
                let event = ChatEvent::Notice(NoticeLevel::Note, n.to_string());
                reporter.event(event).expect("the loop runs");
            }
        });
        let mut taken = 0;
        while taken < 2000 {
            poll(&mut [PollFd::new(&receiver.woken, PollFlags::IN)], None).expect("it polls");
            taken += receiver.take().len();
        }
        sending.join().expect("it does not panic");
    }
}
