//! What arrived: requests, and the connections they came on. Clients ask for the list of models
//! beside a run whenever they like, so what was only asked for that is kept apart.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::http::Recorded;
use super::lock;

/// How long a connection may take to say what it is for, when somebody wants to know.
const PATIENCE: Duration = Duration::from_secs(1);

/// Everything that arrived at one server.
#[derive(Default)]
pub(super) struct Arrivals {
    book: Mutex<Book>,
    changed: Condvar,
}

#[derive(Default)]
struct Book {
    connections: Vec<Purpose>,
    requests: Vec<Arc<Recorded>>,
}

/// What a connection was used for so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Unknown,
    Lists,
    Other,
}

impl Arrivals {
    /// One more connection. Returns its number: 0, 1, 2.
    pub(super) fn connection(&self) -> usize {
        let mut book = lock(&self.book);
        book.connections.push(Purpose::Unknown);
        book.connections.len() - 1
    }

    /// One more request, on the connection it names.
    pub(super) fn request(&self, request: Arc<Recorded>) {
        let mut book = lock(&self.book);
        let purpose = &mut book.connections[request.connection];
        if !is_list(&request) {
            *purpose = Purpose::Other;
        } else if *purpose == Purpose::Unknown {
            *purpose = Purpose::Lists;
        }
        book.requests.push(request);
        self.changed.notify_all();
    }

    /// Nothing more comes on this connection. One that came to nothing is a connection all the same.
    pub(super) fn ended(&self, connection: usize) {
        let purpose = &mut lock(&self.book).connections[connection];
        if *purpose == Purpose::Unknown {
            *purpose = Purpose::Other;
        }
        self.changed.notify_all();
    }

    /// The requests for lists of models, or all others, in the order of arrival.
    pub(super) fn requests(&self, lists: bool) -> Vec<Arc<Recorded>> {
        let book = lock(&self.book);
        let wanted = book.requests.iter();
        wanted
            .filter(|request| is_list(request) == lists)
            .cloned()
            .collect()
    }

    /// How many connections there were, but for those on which only lists were asked for. One that
    /// has just been opened may become such a one, so its first request is waited for a moment.
    pub(super) fn connections(&self) -> usize {
        let unclear = |book: &mut Book| book.connections.contains(&Purpose::Unknown);
        let waited = self
            .changed
            .wait_timeout_while(lock(&self.book), PATIENCE, unclear);
        let (book, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let counted = book.connections.iter();
        counted
            .filter(|purpose| **purpose != Purpose::Lists)
            .count()
    }
}

fn is_list(request: &Recorded) -> bool {
    request.method == "GET" && request.bare_path().ends_with("/models")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests, each on the connection before it: `0l` asks for a list, `1r` for something else.
    fn check(requests: &str, ended: &[usize], connections: usize, lists: usize) {
        let arrivals = Arrivals::default();
        for request in requests.split_whitespace() {
            let (connection, kind) = request.split_at(1);
            let connection = connection.parse().expect("a number");
            while lock(&arrivals.book).connections.len() <= connection {
                arrivals.connection();
            }
            let request = match kind {
                "l" => Recorded::get("/backend-api/codex/models?client_version=1.2.3"),
                "r" => Recorded::get("/backend-api/wham/usage"),
                _ => continue, // it was opened, and that is all
            };
            arrivals.request(Arc::new(Recorded {
                connection,
                ..request
            }));
        }
        for connection in ended {
            arrivals.ended(*connection);
        }
        assert_eq!(arrivals.connections(), connections, "{requests}");
        assert_eq!(arrivals.requests(true).len(), lists, "{requests}");
        let others = requests.matches('r').count();
        assert_eq!(arrivals.requests(false).len(), others, "{requests}");
    }

    #[test]
    fn what_is_only_asked_for_lists_does_not_count() {
        check("", &[], 0, 0);
        check("0r 0r", &[0], 1, 0);
        check("0l 0l", &[0], 0, 2);
        check("0l 1r", &[], 1, 1);
        check("0l 0r", &[], 1, 1);
        check("0r 0l", &[], 1, 1);
        check("0- 1l", &[0, 1], 1, 1);
    }

    #[test]
    fn a_connection_that_was_just_opened_is_given_a_moment() {
        let arrivals = Arrivals::default();
        arrivals.connection();
        std::thread::scope(|scope| {
            let counted = scope.spawn(|| arrivals.connections());
            arrivals.request(Arc::new(Recorded::get("/v1/models")));
            assert_eq!(counted.join().expect("a number"), 0);
        });
        arrivals.connection();
        assert_eq!(arrivals.connections(), 1, "it says nothing");
    }
}
