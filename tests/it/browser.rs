//! A browser sign-in under test, and the ports of its callback. They are shared by the whole machine, so tests that use
//! them take turns.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ChildStderr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::fs::FlockOperation;

use crate::home::{Cmd, CommandOutput, Running, finish, until};

/// A turn to use the ports of the callback.
pub(crate) struct Turn {
    _here: MutexGuard<'static, ()>,
    /// Tests of other checkouts on this machine wait for their turn too.
    _elsewhere: Option<File>,
}

/// Only one test at a time may use the ports of the callback.
pub(crate) fn ports() -> Turn {
    static TURN: Mutex<()> = Mutex::new(());
    let here = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let elsewhere = File::create(std::env::temp_dir().join("codex-run-test-ports")).ok();
    if let Some(file) = &elsewhere {
        let _ = rustix::fs::flock(file, FlockOperation::LockExclusive);
    }
    until("the ports of the callback are free", || {
        [1455, 1457]
            .iter()
            .all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
    });
    Turn {
        _here: here,
        _elsewhere: elsewhere,
    }
}

/// A sign-in that is waiting for its browser.
pub(crate) struct SignIn {
    pub(crate) running: Running,
    stderr: BufReader<ChildStderr>,
    pub(crate) said: String,
    pub(crate) address: String,
}

impl SignIn {
    /// Starts one and reads its address.
    pub(crate) fn begin(cmd: Cmd) -> Self {
        let mut running = cmd.start();
        let stderr = running.stderr.take().expect("a pipe");
        let mut sign_in = Self {
            running,
            stderr: BufReader::new(stderr),
            said: String::new(),
            address: String::new(),
        };
        let line = sign_in.line("/oauth/authorize?");
        line.trim().clone_into(&mut sign_in.address);
        sign_in.line("press Enter:");
        sign_in
    }

    /// Reads up to the line that contains these words.
    pub(crate) fn line(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            let count = self.stderr.read_line(&mut line).expect("text");
            assert!(count > 0, "it ended without {words:?}: {}", self.said);
            self.said.push_str(&line);
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        let stdin = self.running.stdin.as_mut().expect("a pipe");
        stdin.write_all(text.as_bytes()).expect("it reads");
    }

    /// Whether the browser is redirected to this port.
    #[track_caller]
    pub(crate) fn redirects_to(&self, port: u16) {
        let redirect = format!("localhost%3A{port}%2F");
        assert!(self.address.contains(&redirect), "{}", self.address);
    }

    pub(crate) fn state(&self) -> String {
        let (_, rest) = self.address.split_once("&state=").expect("a state");
        rest.split('&').next().unwrap_or_default().to_owned()
    }

    /// Waits for its end. The output read before is part of its output.
    pub(crate) fn end(mut self) -> CommandOutput {
        drop(self.running.stdin.take());
        let rest = thread::spawn(move || {
            let mut rest = String::new();
            let _ = self.stderr.read_to_string(&mut rest);
            rest
        });
        let mut ran = finish(self.running, "codex login".to_owned());
        ran.stderr = self.said + &rest.join().expect("it does not panic");
        ran
    }
}

/// The response of the callback: its status and all of its text.
pub(crate) fn call(port: u16, target: &str) -> (u16, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a listener");
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), answer)
}

/// The issuer's response to a request for this address.
pub(crate) fn code(address: &str) -> String {
    let (port, target) = address
        .strip_prefix("http://127.0.0.1:")
        .and_then(|a| a.split_once('/'))
        .expect("an address");
    let (status, answer) = call(port.parse().expect("a port"), &format!("/{target}"));
    assert_eq!(status, 302, "{answer}");
    let (_, rest) = answer.split_once("code=").expect("a code");
    rest.split(['&', '\r'])
        .next()
        .unwrap_or_default()
        .to_owned()
}
