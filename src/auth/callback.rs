//! The loopback callback of a browser sign-in: two small servers, on 127.0.0.1 and `::1`, because browsers take
//! either for `localhost`. A call that belongs to the sign-in is handed on with its page unanswered, so that
//! the page can tell the truth about what became of it; everything else is answered here.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tiny_http::{Header, Method, Request, Response, Server};

use super::page::Page;
use super::redirect::{RedirectAnswer, of_query};
use crate::exhausted::{Exhausted, at_start, room_for_threads};
use crate::http::{self, Http, is_loopback};
use crate::secret::Secret;

/// The ports that the issuer accepts, in the order in which they are tried.
const PORTS: [u16; 2] = [1455, 1457];

/// How long whoever holds a port may take to let go of it, once asked.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a port is tried again, and how long between two tries.
const BIND_ATTEMPTS: u32 = 10;
const BIND_PAUSE: Duration = Duration::from_millis(200);

/// How many requests are answered at the same time, on each address.
const MAX_CONNECTIONS: usize = 64;

/// How many threads the servers start by themselves (`tiny_http` 0.12): for each of the two addresses one that accepts and
/// four that read, and one more of this module. `tiny_http` panics if it cannot start one.
const SERVER_THREADS: usize = 12;

/// How long the last page gets to reach the browser.
const LAST_PAGE_TIMEOUT: Duration = Duration::from_secs(1);

/// What came.
#[derive(Debug)]
pub enum Arrival {
    /// A call that belongs to the sign-in, and the page that it waits for.
    Said(RedirectAnswer, WaitingBrowser),
    /// Another program asks for the port.
    Cancelled,
}

/// A browser that waits for its page.
pub struct WaitingBrowser(Box<Request>);

impl std::fmt::Debug for WaitingBrowser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting(..)")
    }
}

impl WaitingBrowser {
    /// Shows the page. That is not waited for: who reads it slowly, or not at all, holds up nobody.
    pub fn show(self, page: &Page) {
        let page = page.clone();
        let _ = thread::Builder::new().spawn(move || answer(*self.0, &page));
    }
}

/// A port, with a server on each of its addresses.
pub struct Callback {
    port: u16,
    servers: Vec<Arc<Server>>,
    /// What is shown to whoever comes once everything is decided.
    last: Arc<OnceLock<Page>>,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Where the issuer sends the browser if this port listens.
#[must_use]
pub fn redirect(port: u16) -> String {
    format!("http://localhost:{port}/auth/callback")
}

/// The address to name where nothing listens, and the person is to paste it.
#[must_use]
pub fn paste_redirect() -> String {
    redirect(PORTS[0])
}

impl Callback {
    /// Listens on the first port that can be had, if there is one. `arrived` is called for what comes, on other threads;
    /// `busy` for a port that somebody has, before he is asked to let go.
    ///
    /// # Errors
    /// When the system has no more threads or descriptors.
    pub fn listen(
        http: &Http,
        state: &Secret,
        arrived: impl Fn(Arrival) + Clone + Send + 'static,
        busy: impl Fn(u16),
    ) -> io::Result<Option<Self>> {
        room_for_threads(SERVER_THREADS)?;
        for port in PORTS {
            if let Some(listeners) = take(port, http, &busy)? {
                match Self::serve(port, listeners, state, arrived.clone()) {
                    Err(error) if Exhausted::of(&error).is_none() => {}
                    served => return served.map(Some),
                }
            }
        }
        Ok(None)
    }

    fn serve(
        port: u16,
        listeners: Vec<TcpListener>,
        state: &Secret,
        arrived: impl Fn(Arrival) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let mut callback = Self {
            port,
            servers: Vec::new(),
            last: Arc::default(),
        };
        for listener in listeners {
            let server = Server::from_listener(listener, None).map_err(of_server)?;
            let server = Arc::new(server);
            callback.servers.push(Arc::clone(&server));
            let (state, arrived) = (state.clone(), arrived.clone());
            let last = Arc::clone(&callback.last);
            let serving = thread::Builder::new().spawn(move || {
                let busy = Arc::new(AtomicUsize::new(0));
                for request in server.incoming_requests() {
                    // One that sends half of what it promised holds up itself alone, and a flood no more than this
                    // server.
                    if busy.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
                        busy.fetch_sub(1, Ordering::Relaxed);
                        receive(request, &state, &arrived, last.get().cloned());
                        continue;
                    }
                    let (state, arrived) = (state.clone(), arrived.clone());
                    let (last, busy) = (Arc::clone(&last), Arc::clone(&busy));
                    let _ = thread::Builder::new().spawn(move || {
                        receive(request, &state, &arrived, last.get().cloned());
                        busy.fetch_sub(1, Ordering::Relaxed);
                    });
                }
            });
            serving.map_err(at_start)?;
        }
        Ok(callback)
    }

    /// Where the issuer is to send the browser.
    #[must_use]
    pub fn redirect(&self) -> String {
        redirect(self.port)
    }

    /// Everything is decided: from now on whoever comes is shown this.
    pub fn settle(&self, page: &Page) {
        let _ = self.last.set(page.clone());
    }

    /// Gives the last page a moment to arrive. The connections cannot be told to close.
    pub fn linger(&self) {
        thread::sleep(LAST_PAGE_TIMEOUT);
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // The threads are not waited for: one of them may be writing to somebody who does not read.
        for server in &self.servers {
            server.unblock();
        }
    }
}

/// Takes a port on both addresses; nothing if it cannot be had. Another sign-in that waits there is asked once
/// to let go.
fn take(port: u16, http: &Http, busy: &impl Fn(u16)) -> io::Result<Option<Vec<TcpListener>>> {
    let mut asked = false;
    for _ in 0..=BIND_ATTEMPTS {
        match bind(port) {
            Ok(listeners) => return Ok(Some(listeners)),
            Err((host, error)) if error.kind() == io::ErrorKind::AddrInUse => {
                if !asked {
                    asked = true;
                    busy(port);
                    let _ = http.send(&http::Request {
                        url: &format!("http://{host}:{port}/cancel"),
                        bearer: None,
                        headers: &[],
                        body: None,
                        limit: http::TimeLimit::Whole(CANCEL_TIMEOUT),
                    });
                }
            }
            Err((_, error)) if Exhausted::of(&error).is_some() => return Err(error),
            Err(_) => return Ok(None),
        }
        thread::sleep(BIND_PAUSE);
    }
    Ok(None)
}

/// Why there is no server, with the system's reason where it has one.
fn of_server(error: Box<dyn std::error::Error + Send + Sync>) -> io::Error {
    match error.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(error) => io::Error::other(error),
    }
}

/// Where `::1` is somebody else's, the browser might go there with the code, so then the port is no good at all.
/// Where there is no `::1`, nobody can.
fn bind(port: u16) -> Result<Vec<TcpListener>, (&'static str, io::Error)> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let mut listeners = vec![first.map_err(|error| ("127.0.0.1", error))?];
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        Ok(listener) => listeners.push(listener),
        Err(error)
            if error.kind() == io::ErrorKind::AddrInUse || Exhausted::of(&error).is_some() =>
        {
            return Err(("[::1]", error));
        }
        Err(_) => {}
    }
    Ok(listeners)
}

fn receive(request: Request, state: &Secret, arrived: &impl Fn(Arrival), last: Option<Page>) {
    let asker = Asker::of(&request);
    match (route(request.method(), request.url(), state, &asker), last) {
        (CallbackRoute::Show(page), _) | (CallbackRoute::HandOn(_), Some(page)) => {
            answer(request, &page)
        }
        (CallbackRoute::Cancel, _) => {
            answer(request, &Page::cancelled());
            arrived(Arrival::Cancelled);
        }
        (CallbackRoute::HandOn(said), None) => {
            arrived(Arrival::Said(said, WaitingBrowser(Box::new(request))))
        }
    }
}

/// What is done about a request.
#[derive(Debug, PartialEq, Eq)]
enum CallbackRoute {
    Show(Page),
    Cancel,
    HandOn(RedirectAnswer),
}

/// Who asks, as far as the headers say.
#[derive(Debug, Default)]
struct Asker {
    /// Where the request was sent to.
    host: Option<String>,
    /// A page in a browser caused the request: the browser says which, or that it was not the person at the keyboard.
    is_page: bool,
}

impl Asker {
    fn of(request: &Request) -> Self {
        let header = |name: &'static str| {
            let found = request.headers().iter().find(|one| one.field.equiv(name));
            found.map(|found| found.value.as_str())
        };
        // A person who types the address is no site (Fetch Metadata, section 2.3).
        let is_site = header("sec-fetch-site").is_some_and(|site| site != "none");
        Self {
            host: header("host").map(str::to_owned),
            is_page: is_site || header("origin").is_some() || header("referer").is_some(),
        }
    }

    /// Whether it may end the sign-in: another sign-in on this machine, which calls the loopback address by a name of
    /// its own. A page that is open in the browser may not, and neither may one whose host was made to lead here.
    fn may_cancel(&self) -> bool {
        let here = self.host.as_deref().is_none_or(|host| {
            let name = match host.rsplit_once(':') {
                Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
                _ => host,
            };
            is_loopback(name)
        });
        here && !self.is_page
    }
}

fn route(method: &Method, url: &str, state: &Secret, asker: &Asker) -> CallbackRoute {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    match (method, path) {
        (Method::Get, "/auth/callback") => match of_query(query, state) {
            RedirectAnswer::WrongState => CallbackRoute::Show(Page::stray()),
            said => CallbackRoute::HandOn(said),
        },
        (Method::Get, "/cancel") if asker.may_cancel() => CallbackRoute::Cancel,
        (_, "/cancel") => CallbackRoute::Show(Page::refused()),
        _ => CallbackRoute::Show(Page::none()),
    }
}

fn answer(request: Request, page: &Page) {
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    let mut response = Response::from_string(page.html()).with_status_code(page.status);
    for (name, value) in headers {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    let _ = request.respond(response);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_sign_in_is_handed_on() {
        let state = Secret::new("st".to_owned());
        let check = |method: &Method, url: &str, expected: CallbackRoute| {
            let found = route(method, url, &state, &Asker::default());
            assert_eq!(found, expected, "{url}");
        };
        let code = RedirectAnswer::Code(Secret::new("ac".to_owned()));
        let get = &Method::Get;
        check(
            get,
            "/auth/callback?code=ac&state=st",
            CallbackRoute::HandOn(code),
        );
        check(
            get,
            "/auth/callback?state=st",
            CallbackRoute::HandOn(RedirectAnswer::Nothing),
        );
        check(
            get,
            "/auth/callback?code=ac&state=x",
            CallbackRoute::Show(Page::stray()),
        );
        check(get, "/auth/callback", CallbackRoute::Show(Page::stray()));
        check(get, "/cancel", CallbackRoute::Cancel);
        check(
            &Method::Post,
            "/cancel",
            CallbackRoute::Show(Page::refused()),
        );
        check(get, "/favicon.ico", CallbackRoute::Show(Page::none()));
        check(get, "/", CallbackRoute::Show(Page::none()));
    }

    #[test]
    fn a_page_cannot_end_the_sign_in() {
        let state = Secret::new("st".to_owned());
        let check = |host: Option<&str>, is_page: bool, expected: bool| {
            let asker = Asker {
                host: host.map(str::to_owned),
                is_page,
            };
            let found = route(&Method::Get, "/cancel", &state, &asker);
            assert_eq!(found == CallbackRoute::Cancel, expected, "{asker:?}");
        };
        for host in [
            "127.0.0.1:1455",
            "localhost:1457",
            "LocalHost",
            "[::1]:1455",
            "[::1]",
            "127.0.0.1",
        ] {
            check(Some(host), false, true);
            check(Some(host), true, false);
        }
        // HTTP/1.0 has no such header.
        check(None, false, true);
        for host in [
            "evil.example:1455",
            "localhost.evil.example",
            "10.0.0.1",
            "",
        ] {
            check(Some(host), false, false);
        }
    }
}
