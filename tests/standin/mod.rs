//! The stand-in service: a small HTTP server that plays the Responses API on the loopback interface.
//!
//! It answers for both backends, the subscription's at `/backend-api/codex` and the public API at
//! `/v1`; it checks a request the way the real ones do, and it can pace, cut, stall and refuse.
//! The tests run it inside their own process through [`Server`]; `main.rs` makes it a program.
//! The path of a request: `http` reads it, `arrivals` records it, `route` finds its answer, `token`,
//! `check` and `shape` may refuse it, `script` chooses the reply, `events` makes its events and
//! `send` writes the bytes.
//! `mcp` is a server of another protocol, over standard input and output.
//! On the same port is the OAuth `issuer`, which mints the tokens that the backends accept.

#![allow(
    dead_code,
    reason = "the tests and the program each use a part of this"
)]

mod arrivals;
mod bound;
mod browse;
mod bulk;
mod catalogue;
mod check;
mod compaction;
mod events;
mod http;
mod id;
mod issuer;
mod json;
mod log;
mod mask;
pub(crate) mod mcp;
mod models;
mod prompt;
mod reply;
mod route;
mod scenario;
mod script;
mod send;
mod shape;
mod stream;
#[cfg(test)]
mod tests;
mod token;
mod wham;
mod wire;

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

pub(crate) use http::Recorded;
#[allow(
    unused_imports,
    reason = "the program and the tests use different names"
)]
pub(crate) use {
    bound::Bounds,
    browse::browse,
    issuer::{CLIENT_ID, Decision, Issuer, Tokens},
    models::with_window,
    reply::{Framing, Newline, Reply},
    scenario::{Round, Scenarios},
    script::Script,
    stream::{Ends, FinalOutput, Item, Split},
    token::{jwt, now_unix},
};

use arrivals::Arrivals;
use log::Log;
use wire::Wire;

/// A running stand-in. It stops, and closes every connection, when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// State shared by the acceptor and the threads of all connections.
struct Shared {
    script: Script,
    /// Set once, before the sockets are shut down: no thread may wait any longer.
    stopping: AtomicBool,
    started: Instant,
    arrivals: Arrivals,
    models: models::List,
    log: Mutex<Log>,
    ids: id::Ids,
    bulk: bulk::Cache,
    issuer: Issuer,
}

impl Server {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If no port is available: a test cannot continue without one.
    pub(crate) fn start(script: impl Into<Script>) -> Self {
        Self::bind(script, 0, None).expect("a free port on 127.0.0.1")
    }

    /// Starts on the given port of 127.0.0.1, where 0 is any free one. With a log file, every
    /// request and every reply is appended to it as a line of JSON.
    pub(crate) fn bind(
        script: impl Into<Script>,
        port: u16,
        log_file: Option<&Path>,
    ) -> io::Result<Self> {
        let log = Log::new(log_file)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let mut script = script.into();
        let shared = Arc::new(Shared {
            models: models::List::new(script.first_models()),
            script,
            stopping: AtomicBool::new(false),
            started: Instant::now(),
            arrivals: Arrivals::default(),
            log: Mutex::new(log),
            ids: id::Ids::default(),
            bulk: bulk::Cache::default(),
            issuer: Issuer::new(address.port()),
        });
        let acceptor = thread::Builder::new().name("standin".into()).spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        })?;
        Ok(Self {
            address,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// The address without a path: `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base address of the subscription's backend.
    pub(crate) fn subscription_url(&self) -> String {
        format!("http://{}{}", self.address, route::SUBSCRIPTION)
    }

    /// The base address of the public API.
    pub(crate) fn api_url(&self) -> String {
        format!("http://{}{}", self.address, route::API)
    }

    /// The issuer, whose base address is [`url`](Self::url).
    pub(crate) fn issuer(&self) -> &Issuer {
        &self.shared.issuer
    }

    /// Every complete request, in order of arrival, including refused ones. Requests for the list of
    /// models are in [`lists`](Self::lists): clients send them during a run, whenever
    /// they like.
    pub(crate) fn requests(&self) -> Vec<Arc<Recorded>> {
        self.shared.arrivals.requests(false)
    }

    /// Every complete request for the list of models of either backend.
    pub(crate) fn lists(&self) -> Vec<Arc<Recorded>> {
        self.shared.arrivals.requests(true)
    }

    /// Number of accepted connections, except those on which only the list of models
    /// was requested.
    pub(crate) fn connections(&self) -> usize {
        self.shared.arrivals.connections()
    }

    /// Replaces the list of models, under a new `ETag`: `"standin-models-2"`, then 3.
    /// [`Script::models`] says what it may contain.
    pub(crate) fn relist(&self, models: serde_json::Value) {
        self.shared.models.replace(models);
    }

    /// Adds a reply to the end of the queue.
    pub(crate) fn push(&self, reply: Reply) {
        self.shared.script.push(reply);
    }

    /// The log for people: a test prints it when it fails.
    pub(crate) fn log(&self) -> String {
        lock(&self.shared.log).text().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The acceptor waits for a connection, so it gets one.
        let woken = TcpStream::connect(self.address);
        if let (Ok(_), Some(acceptor)) = (woken, self.acceptor.take()) {
            let _ = acceptor.join();
        }
    }
}

/// Accepts connections until the server stops, then closes those that are open and waits for their
/// threads. It keeps a second handle of each socket for that.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut open: Vec<(TcpStream, JoinHandle<()>)> = Vec::new();
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        open.retain(|(_, thread)| !thread.is_finished());
        let Ok(stream) = stream else { continue };
        let Ok(handle) = stream.try_clone() else {
            continue;
        };
        let number = shared.arrivals.connection();
        let spawned = thread::Builder::new()
            .name(format!("standin connection {number}"))
            .spawn({
                let shared = Arc::clone(shared);
                move || {
                    serve(&shared, stream, number);
                    shared.arrivals.ended(number);
                }
            });
        if let Ok(thread) = spawned {
            open.push((handle, thread));
        }
    }
    for (socket, _) in &open {
        let _ = socket.shutdown(Shutdown::Both);
    }
    for (_, thread) in open {
        if thread.join().is_err() {
            lock(&shared.log).note("a connection's thread panicked");
        }
    }
}

/// Answers the requests of one connection, one after another, until either side closes it.
fn serve(shared: &Shared, stream: TcpStream, number: usize) {
    let Ok(mut wire) = Wire::new(stream, &shared.stopping) else {
        return;
    };
    loop {
        let parsed = match http::read(&mut wire) {
            Ok(Some(parsed)) => parsed,
            Ok(None) => break,
            Err(error) => {
                lock(&shared.log).note(&format!("connection {number}: {error}"));
                if error.kind() == io::ErrorKind::InvalidData {
                    let reply = Reply::status(400, &[], "");
                    send::send(&wire, &reply, error.to_string().as_bytes(), false);
                }
                break;
            }
        };
        let request = Arc::new(Recorded {
            at: shared.started.elapsed(),
            connection: number,
            ..parsed.request
        });
        shared.arrivals.request(Arc::clone(&request));
        lock(&shared.log).request(&request);

        if wire.wait(shared.issuer.wait_before(&request)).is_err() {
            lock(&shared.log).note(&format!("connection {number}: left before it was answered"));
            break;
        }
        let (reply, body) = route::answer(shared, &request);
        let sent = send::send(&wire, &reply, &body, parsed.reusable);
        lock(&shared.log).reply(shared.started.elapsed(), &request, &reply, &sent);
        if !sent.reusable {
            break;
        }
    }
    wire.close();
}

/// Locks, ignoring poisoning: a test that fails still needs its log.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
