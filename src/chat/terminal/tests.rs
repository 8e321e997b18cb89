//! Tests of the terminal, at a pseudo terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::*;
use crate::chat::emulator::Emulator;
use crate::chat::screen::Screen;
use crate::chat::style::Style;

/// A pseudo terminal: the keyboard and screen of it, and its line, opened twice.
struct Pty {
    outside: File,
    shell: OwnedFd,
    emulator: Emulator,
}

fn pty() -> (Pty, OwnedFd) {
    let outside = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo terminal");
    grantpt(&outside).expect("it is ours");
    unlockpt(&outside).expect("it is ours");
    let name = ptsname(&outside, Vec::new()).expect("it has a name");
    let line = || open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("it opens");
    let (shell, line) = (line(), line());
    let mut emulator = Emulator::new(40, 3);
    emulator.feed(b"$ codex chat\r\n");
    let outside = File::from(outside);
    (
        Pty {
            outside,
            shell,
            emulator,
        },
        line,
    )
}

impl Pty {
    /// Takes what was written so far.
    fn read(&mut self) {
        let mut bytes = [0; 4096];
        let mut fds = [PollFd::new(&self.outside, PollFlags::IN)];
        while poll(&mut fds, Some(&Timespec::default())).expect("it polls") > 0 {
            let count = (&self.outside).read(&mut bytes).expect("it is open");
            self.emulator.feed(&bytes[..count]);
        }
        assert_eq!(self.emulator.unknown, [""; 0]);
    }

    fn modes(&self) -> String {
        format!("{:?}", tcgetattr(&self.shell).expect("it is open"))
    }

    fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.shell).expect("it is open");
        !modes
            .local_modes
            .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    fn set(&self, mode: LocalModes, on: bool) {
        let mut modes = tcgetattr(&self.shell).expect("it is open");
        modes.local_modes.set(mode, on);
        tcsetattr(&self.shell, OptionalActions::Now, &modes).expect("it is open");
    }

    fn assert_as_before(&mut self, modes: &str) {
        self.read();
        assert_eq!(self.modes(), modes);
        let emulator = &self.emulator;
        assert!(!emulator.on_alternate_screen() && emulator.has_default_look());
        assert!(
            emulator.mode(7) && emulator.mode(25) && !emulator.mode(2004) && !emulator.mode(2026)
        );
        assert_eq!(emulator.text(), "$ codex chat\n\n\n");
        assert_eq!(emulator.cursor(), Some((1, 0)));
    }
}

fn frame(text: &str) -> Vec<u8> {
    let mut screen = Screen::new(Size {
        columns: 40,
        rows: 3,
    });
    screen.print(1, 2, text, Style::default().bold());
    screen.changes_from(None, true)
}

#[test]
fn the_terminal_is_entered_and_as_it_was_afterwards() {
    let (mut pty, line) = pty();
    pty.set(LocalModes::ECHOCTL, false);
    let modes = pty.modes();
    let terminal = Terminal::on(line).expect("a terminal");
    assert!(pty.is_raw());
    terminal.write(&frame("hello")).expect("it takes it");
    pty.read();
    assert!(pty.emulator.on_alternate_screen() && pty.emulator.mode(2004) && !pty.emulator.mode(7));
    assert_eq!(pty.emulator.text(), "\n  hello\n\n");
    drop(terminal);
    pty.assert_as_before(&modes);
}

#[test]
fn it_is_restored_once_and_then_left_alone() {
    let (mut pty, line) = pty();
    let modes = pty.modes();
    let terminal = Terminal::on(line).expect("a terminal");
    terminal
        .write(b"\x1b[?2026h\x1b[?25l\x1b[2;3H\x1b[0;7mhalf a fr")
        .expect("it takes it");
    let handle = terminal.handle();
    thread::spawn(move || handle.restore())
        .join()
        .expect("no panic");
    pty.assert_as_before(&modes);
    // The shell is there now.
    pty.emulator.feed(b"$ ");
    pty.set(LocalModes::ECHO, false);
    let modes = pty.modes();
    terminal.write(&frame("late")).expect("it is dropped");
    terminal.enter().expect("nothing to do");
    terminal.resume().expect("nothing to do");
    terminal.leave().expect("nothing to do");
    terminal.handle().restore();
    drop(terminal);
    pty.read();
    assert_eq!(pty.modes(), modes);
    assert_eq!(pty.emulator.text(), "$ codex chat\n$\n\n");
}

#[test]
fn it_is_left_to_other_programs() {
    let (mut pty, line) = pty();
    let modes = pty.modes();
    let terminal = Terminal::on(line).expect("a terminal");
    terminal.leave().expect("it is left");
    pty.assert_as_before(&modes);
    terminal.write(&frame("not now")).expect("it is dropped");
    pty.assert_as_before(&modes);
    // An editor that leaves the modes as it likes them.
    pty.set(LocalModes::ICANON, false);
    terminal.enter().expect("it is back");
    assert!(pty.is_raw());
    terminal.leave().expect("it is left");
    pty.assert_as_before(&modes);
    // A shell in which the user changes something for good.
    pty.set(LocalModes::ECHOCTL, false);
    let modes = pty.modes();
    terminal.resume().expect("it is back");
    assert!(pty.is_raw());
    pty.read();
    assert!(pty.emulator.on_alternate_screen());
    // A shell that took over without a word (SIGSTOP), and set its own modes.
    pty.set(
        LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG,
        true,
    );
    pty.set(LocalModes::ECHOCTL, true);
    terminal.enter().expect("it is back");
    assert!(pty.is_raw());
    drop(terminal);
    pty.assert_as_before(&modes);
}

#[test]
fn a_key_is_awaited_on_the_screen_of_another_program() {
    let (mut pty, line) = pty();
    let modes = pty.modes();
    let terminal = Terminal::on(line).expect("a terminal");
    terminal.leave().expect("it is left");
    terminal.await_key().expect("it waits");
    assert!(pty.is_raw());
    pty.read();
    assert!(!pty.emulator.on_alternate_screen());
    terminal.enter().expect("it is back");
    pty.read();
    assert!(pty.emulator.on_alternate_screen());
    terminal.leave().expect("it is left");
    terminal.await_key().expect("it waits");
    // A signal ends the wait.
    terminal.handle().restore();
    pty.assert_as_before(&modes);
    terminal.await_key().expect("nothing to do");
    pty.assert_as_before(&modes);
}

#[test]
fn a_panic_restores_it() {
    let (mut pty, line) = pty();
    let modes = pty.modes();
    let panicked = thread::spawn(move || {
        let terminal = Terminal::on(line).expect("a terminal");
        terminal.write(&frame("half")).expect("it takes it");
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    pty.assert_as_before(&modes);
}

#[test]
fn keys_are_read_as_bytes_and_the_size_is_known() {
    let (mut pty, line) = pty();
    let terminal = Terminal::on(line).expect("a terminal");
    assert_eq!(terminal.size(), UNKNOWN_SIZE);
    let size = Winsize {
        ws_row: 5,
        ws_col: 20,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&pty.outside, size).expect("it takes it");
    assert_eq!((terminal.size().columns, terminal.size().rows), (20, 5));
    let mut buffer = [0; 64];
    let nothing = terminal.read(&mut buffer).expect_err("nothing was typed");
    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    pty.outside
        .write_all(b"\x03\x11\x13\x1a\r\x04\x16")
        .expect("it takes it");
    poll(&mut [PollFd::new(&terminal, PollFlags::IN)], None).expect("it polls");
    let count = terminal.read(&mut buffer).expect("keys");
    assert_eq!(&buffer[..count], b"\x03\x11\x13\x1a\r\x04\x16");
    pty.read();
    drop(pty);
    assert!(!matches!(terminal.read(&mut buffer), Ok(1..)));
    terminal.write(b"x").expect_err("it is gone");
}

#[test]
fn a_terminal_that_takes_nothing_does_not_keep_it_from_being_restored() {
    let (pty, line) = pty();
    let modes = pty.modes();
    let terminal = Terminal::on(line).expect("a terminal");
    let handle = terminal.handle();
    let writing = thread::spawn(move || terminal.write(&vec![b'x'; 1 << 20]));
    // The other thread blocks once nothing is taken any more.
    while poll(
        &mut [PollFd::new(&pty.shell, PollFlags::OUT)],
        Some(&Timespec::default()),
    )
    .expect("it polls")
        > 0
    {
        thread::yield_now();
    }
    handle.restore();
    writing
        .join()
        .expect("no panic")
        .expect("the rest is dropped");
    assert_eq!(pty.modes(), modes);
}

#[test]
fn a_process_without_a_terminal_is_an_error() {
    let error = Terminal::on(open("/dev/null", OFlags::RDWR, Mode::empty()).expect("it opens"));
    assert!(error.is_err());
}
