//! The clocks: how long a connection, a head and silence may take, each with words of its own.

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::home::{Home, Ran};
use crate::standin::{Reply, Server};

fn ask(reply: Reply) -> Ran {
    let server = Server::start([reply]);
    Home::with_key()
        .codex(&server)
        .args([
            "run",
            "--no-tools",
            "--idle-timeout",
            "2s",
            "--retries",
            "0",
            "x",
        ])
        .run()
}

#[test]
fn silence_has_a_limit_and_its_own_words() {
    let silent = Reply::text("x").pause_before_headers(Duration::from_secs(30));
    ask(silent).exits(7).says("has not answered within 2 s");
    ask(Reply::text("x").stall_at(0))
        .exits(8)
        .says("not a byte came for 2 s");
    // Anything that comes counts as life: all of it takes longer than that.
    let slow = Reply::text("one two three four five").event_pause(Duration::from_millis(200));
    ask(slow).exits(0).stdout("one two three four five\n");
}

/// A server that takes the connection and says nothing does not speak TLS.
#[test]
fn a_connection_has_a_limit_and_its_own_words() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("https://{}/v1", listener.local_addr().expect("an address"));
    let ran = Home::with_key()
        .offline()
        .env("OPENAI_BASE_URL", &address)
        .args(["run", "--no-tools", "--retries", "0", "x"])
        .run();
    ran.exits(7).says(": no connection within 15 s");
}

#[test]
fn a_head_that_trickles_in_is_no_answer() {
    let ran = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody comes");
            // Longer than the command waits, whoever is slow.
            for _ in 0..600 {
                let informed = stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n");
                if informed.is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(100));
            }
        });
        Home::with_key()
            .offline()
            .env("OPENAI_BASE_URL", &address)
            .args([
                "run",
                "--no-tools",
                "--retries",
                "0",
                "--idle-timeout",
                "2s",
                "x",
            ])
            .run()
    };
    ran.exits(7).says("has not answered within 2 s");
}
