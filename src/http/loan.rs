//! Borrows a connection from ureq, which gives no other way to it, for as long as the data of a response lasts.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::buffers::ConnectionBuffers;

/// How a connection gets from ureq to the reader of a response and back: the reader asks, and reads a byte through ureq, which
/// makes ureq use that connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Loan(Arc<Mutex<LoanState>>);

#[derive(Debug, Default)]
enum LoanState {
    #[default]
    Nothing,
    /// By this thread: others may use other connections.
    Requested(ThreadId),
    /// On its way to the reader.
    Lent(Box<dyn Transport>),
    /// On its way back.
    Returned(Box<dyn Transport>),
}

impl Loan {
    fn state(&self) -> MutexGuard<'_, LoanState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Borrows the connection that `read` uses, which tries to read from it.
    pub(super) fn borrow(
        &self,
        read: impl FnOnce() -> io::Result<usize>,
    ) -> Option<Box<dyn Transport>> {
        *self.state() = LoanState::Requested(thread::current().id());
        let _ = read();
        match std::mem::take(&mut *self.state()) {
            LoanState::Lent(transport) => Some(transport),
            _ => None,
        }
    }

    /// Gives the connection back, to be used in the next read.
    pub(super) fn give_back(&self, transport: Box<dyn Transport>) {
        *self.state() = LoanState::Returned(transport);
    }
}

/// A connection that ureq can lend.
#[derive(Debug)]
pub(super) struct Lendable {
    /// Nothing while it is lent.
    transport: Option<Box<dyn Transport>>,
    loan: Loan,
    /// What ureq reads while it is lent.
    nothing: ConnectionBuffers,
}

impl Lendable {
    pub(super) fn new(transport: Box<dyn Transport>, loan: Loan) -> Self {
        Self {
            transport: Some(transport),
            loan,
            nothing: ConnectionBuffers::default(),
        }
    }

    /// Lends the connection, or takes it back.
    fn settle(&mut self) {
        let mut state = self.loan.state();
        match (&mut *state, self.transport.take()) {
            (LoanState::Requested(by), Some(transport)) if *by == thread::current().id() => {
                *state = LoanState::Lent(transport);
            }
            (LoanState::Returned(_), None) => {
                if let LoanState::Returned(transport) = std::mem::take(&mut *state) {
                    self.transport = Some(transport);
                }
            }
            (_, transport) => self.transport = transport,
        }
    }

    fn held(&mut self) -> Result<&mut Box<dyn Transport>, ureq::Error> {
        self.transport
            .as_mut()
            .ok_or_else(|| ureq::Error::Io(io::Error::other(IsLent)))
    }
}

impl Transport for Lendable {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.settle();
        match &mut self.transport {
            Some(transport) => transport.buffers(),
            None => &mut self.nothing,
        }
    }

    fn transmit_output(&mut self, amount: usize, limit: NextTimeout) -> Result<(), ureq::Error> {
        self.held()?.transmit_output(amount, limit)
    }

    fn await_input(&mut self, limit: NextTimeout) -> Result<bool, ureq::Error> {
        self.held()?.await_input(limit)
    }

    fn is_open(&mut self) -> bool {
        self.held().is_ok_and(Transport::is_open)
    }

    fn is_tls(&self) -> bool {
        let transport = self.transport.as_ref();
        transport.is_some_and(Transport::is_tls)
    }
}

/// The error of a read from a connection that is lent.
#[derive(Debug)]
struct IsLent;

impl fmt::Display for IsLent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is lent")
    }
}

impl StdError for IsLent {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection that has nothing to read.
    #[derive(Debug, Default)]
    struct Quiet(ConnectionBuffers);

    impl Transport for Quiet {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.0
        }

        fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), ureq::Error> {
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
            Ok(false)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    #[test]
    fn a_connection_is_lent_during_a_read_and_comes_back_in_another() {
        let loan = Loan::default();
        let mut connection = Lendable::new(Box::<Quiet>::default(), loan.clone());
        let read = |connection: &mut Lendable| {
            // As ureq does.
            let _ = connection.buffers().can_use_input();
            connection.maybe_await_input(NextTimeout::default())
        };
        assert!(matches!(read(&mut connection), Ok(false)));
        let lent = loan.borrow(|| {
            read(&mut connection)
                .map(usize::from)
                .map_err(ureq::Error::into_io)
        });
        let lent = lent.expect("it is lent");
        assert!(read(&mut connection).is_err() && !connection.is_open());
        loan.give_back(lent);
        assert!(matches!(read(&mut connection), Ok(false)));
        assert!(connection.is_open());
    }
}
