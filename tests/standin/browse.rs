//! A minimal browser that always presses Allow: it requests an address, follows redirects, and
//! returns the result. It connects only to this machine.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Maximum number of redirects.
const REDIRECTS: usize = 5;

/// Timeout for any byte.
const PATIENCE: Duration = Duration::from_secs(60);

/// The names of this machine.
const HERE: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The final status. The error is a sentence.
pub(crate) fn browse(url: &str) -> Result<u16, String> {
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTS {
        let (host, target) = parts(&url)?;
        let (status, location) =
            get(&host, &target).map_err(|error| format!("{host} does not answer: {error}"))?;
        match location {
            Some(location) if (300..400).contains(&status) => {
                url = if location.starts_with('/') && !location.starts_with("//") {
                    format!("http://{host}{location}")
                } else {
                    location
                };
            }
            _ => return Ok(status),
        }
    }
    Err(format!("more than {REDIRECTS} redirects"))
}

/// The host with its port, and the path with its query.
fn parts(url: &str) -> Result<(String, String), String> {
    let rest = url.strip_prefix("http://").ok_or("only http is spoken")?;
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(end);
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, "80"),
    };
    if !HERE.contains(&name) || port.parse::<u16>().is_err() {
        return Err(format!("{host:?} is not this machine"));
    }
    let slash = if target.starts_with('/') { "" } else { "/" };
    Ok((format!("{name}:{port}"), format!("{slash}{target}")))
}

/// The status of one response, and its redirect.
fn get(host: &str, target: &str) -> io::Result<(u16, Option<String>)> {
    let mut socket = TcpStream::connect(host)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let request = format!(
        "GET {target} HTTP/1.1\r\nhost: {host}\r\nuser-agent: standin\r\naccept: */*\r\n\
         connection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let mut location = None;
    let mut length = u64::MAX;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "location" => location = Some(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().unwrap_or(u64::MAX),
            _ => {}
        }
    }
    // The body is not used, but it is read, as a browser would.
    let _ = io::copy(&mut reader.take(length), &mut io::sink());
    Ok((status, location))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standin::{Reply, Script, Server};

    #[test]
    fn it_follows_redirects_up_to_a_limit() {
        let to = |location: &str| Reply::status(302, &[("location", location)], "");
        let end = Server::start(Script::default().fix("GET", "/end", Reply::status(200, &[], "")));
        let script = Script::default()
            .fix("GET", "/start", to("/next"))
            .fix("GET", "/next", to(&format!("{}/end?a=1", end.url())))
            .fix("GET", "/loop", to("/loop"))
            .fix("GET", "/away", to("http://example.com/"));
        let server = Server::start(script);
        let from = |path: &str| browse(&format!("{}{path}", server.url()));
        assert_eq!(from("/start"), Ok(200));
        assert_eq!(end.requests()[0].path, "/end?a=1");
        assert_eq!(from("/nowhere"), Ok(404));
        assert!(from("/away").is_err());
        let before = server.requests().len();
        assert!(from("/loop").is_err());
        assert_eq!(server.requests().len() - before, REDIRECTS + 1);
    }

    #[test]
    fn it_connects_only_to_this_machine() {
        let here = parts("http://localhost:1455/auth/callback?code=1#x").expect("it is here");
        assert_eq!(
            here,
            ("localhost:1455".into(), "/auth/callback?code=1".into())
        );
        let root = parts("http://127.0.0.1?a=/b").expect("it is here");
        assert_eq!(root, ("127.0.0.1:80".into(), "/?a=/b".into()));
        for url in [
            "https://127.0.0.1/",
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1@example.com/",
            "http://localhost:x/",
            "//127.0.0.1/",
        ] {
            assert!(parts(url).is_err(), "{url}");
        }
    }
}
