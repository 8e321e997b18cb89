//! Received requests, and the connections they came on. Clients request the list of models during a
//! run whenever they like, so connections that were only used for that are counted separately.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::http::Recorded;
use super::lock;

/// How long a new connection may take to send its first request before connections are counted.
const PATIENCE: Duration = Duration::from_secs(1);

/// Everything that one server has received.
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

/// What a connection has been used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Unknown,
    Lists,
    Other,
}

impl Arrivals {
    /// Records a connection. Returns its number: 0, 1, 2.
    pub(super) fn connection(&self) -> usize {
        let mut book = lock(&self.book);
        book.connections.push(Purpose::Unknown);
        book.connections.len() - 1
    }

    /// Records a request, on the connection it names.
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

    /// Records the end of a connection. One without requests counts all the same.
    pub(super) fn ended(&self, connection: usize) {
        let purpose = &mut lock(&self.book).connections[connection];
        if *purpose == Purpose::Unknown {
            *purpose = Purpose::Other;
        }
        self.changed.notify_all();
    }

    /// The requests for lists of models, or all others, in order of arrival.
    pub(super) fn requests(&self, lists: bool) -> Vec<Arc<Recorded>> {
        let book = lock(&self.book);
        let wanted = book.requests.iter();
        wanted
            .filter(|request| is_list(request) == lists)
            .cloned()
            .collect()
    }

    /// Number of connections, except those on which only lists were requested. One that has just been
    /// opened may become one of these, so its first request is waited for briefly.
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

    /// Requests, each on the connection before it: `0l` for a list, `1r` for something else.
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
                _ => continue, // opened, and nothing else
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
    fn connections_used_only_for_lists_do_not_count() {
        check("", &[], 0, 0);
        check("0r 0r", &[0], 1, 0);
        check("0l 0l", &[0], 0, 2);
        check("0l 1r", &[], 1, 1);
        check("0l 0r", &[], 1, 1);
        check("0r 0l", &[], 1, 1);
        check("0- 1l", &[0, 1], 1, 1);
    }

    #[test]
    fn a_new_connection_is_waited_for_briefly() {
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
