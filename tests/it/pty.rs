//! A pseudo-terminal: what is typed into it, and everything that was written to it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

/// A pseudo-terminal, whose screen is everything that was written to it.
pub(crate) struct Terminal {
    keyboard: File,
    path: PathBuf,
    screen: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
    /// Keeps it from hanging up.
    held: OwnedFd,
}

impl Terminal {
    pub(crate) fn open() -> Self {
        let (keyboard, path) = keyboard();
        let mut output = keyboard.try_clone().expect("a second descriptor");
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let reading = thread::spawn({
            let screen = Arc::clone(&screen);
            move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = output.read(&mut buffer) {
                    let mut screen = screen.lock().expect("no thread panics");
                    screen.extend_from_slice(&buffer[..count]);
                }
            }
        });
        let held = line(&path);
        Self {
            keyboard,
            path,
            screen,
            reading,
            held,
        }
    }

    /// The end for a command.
    pub(crate) fn line(&self) -> OwnedFd {
        line(&self.path)
    }

    /// The path of that end.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn types(&self, keys: &str) {
        (&self.keyboard)
            .write_all(keys.as_bytes())
            .expect("it is open");
    }

    /// Everything that was written to it so far, from this byte on.
    pub(crate) fn written(&self, from: usize) -> Vec<u8> {
        self.screen.lock().expect("nobody panics")[from..].to_vec()
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize {
            ws_col: columns,
            ws_row: rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.keyboard, size).expect("it is open");
    }

    /// What `stty -g` shows.
    pub(crate) fn modes(&self) -> String {
        format!("{:?}", tcgetattr(&self.held).expect("it is open"))
    }

    pub(crate) fn shows(&self, words: &str) -> bool {
        self.times(words) > 0
    }

    /// How often these words were written to it.
    pub(crate) fn times(&self, words: &str) -> usize {
        let screen = self.screen.lock().expect("no thread panics");
        String::from_utf8_lossy(&screen).matches(words).count()
    }

    /// Everything that was written to it. No other process has it open any more.
    pub(crate) fn screen(self) -> String {
        drop(self.held);
        self.reading.join().expect("it does not panic");
        let screen = self.screen.lock().expect("no thread panics");
        String::from_utf8_lossy(&screen).into_owned()
    }
}

/// The keyboard of a new pseudo-terminal, which hangs up when that is dropped, and the path of the end for a command.
pub(crate) fn keyboard() -> (File, PathBuf) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let main = openpt(flags).expect("a pseudo terminal");
    grantpt(&main).expect("it is ours");
    unlockpt(&main).expect("it is ours");
    let path = ptsname(&main, Vec::new()).expect("it has a name");
    let path = PathBuf::from(path.into_string().expect("ASCII"));
    (File::from(main), path)
}

pub(crate) fn line(path: &PathBuf) -> OwnedFd {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).expect("the other end")
}
