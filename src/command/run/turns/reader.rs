//! The thread that reads standard input while turns run.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::cutter::{CutLine, LineCutter, MAX_LINE_BYTES};
use super::line::{InputImage, InputLine, InputMessage, parse};
use super::queue::{LineRequest, SettingsRequest, ToTurn, TurnQueue};
use crate::agent::{Control, UserMessage};
use crate::exhausted::at_start;
use crate::file::open_regular;
use crate::wire::input::data_url;

/// The maximum size of an image file, in bytes.
const MAX_IMAGE_BYTES: u64 = 20 << 20;

/// The maximum size of all images of a message, in bytes.
const MAX_IMAGES_BYTES: u64 = 50 << 20;

/// The maximum number of characters of a path in a message.
const MAX_QUOTED_CHARACTERS: usize = 200;

/// What the reader and the turns share.
#[derive(Debug, Default)]
pub(super) struct SharedQueue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

/// The queue, and why no more lines will arrive.
#[derive(Debug, Default)]
pub(super) struct QueueState {
    pub(super) queue: TurnQueue,
    /// A stop request has ended the run.
    pub(super) stopped: bool,
    /// Standard input could not be read.
    pub(super) failure: Option<io::Error>,
}

impl SharedQueue {
    pub(super) fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change.
    pub(super) fn wait<'a>(&self, state: MutexGuard<'a, QueueState>) -> MutexGuard<'a, QueueState> {
        let waited = self.changed.wait(state);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut QueueState)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// Reads lines until the end of the input or until `stop` becomes readable.
///
/// # Errors
/// If the system provides no thread.
pub(super) fn start(queue: Arc<SharedQueue>, control: Control, stop: UnixStream) -> io::Result<()> {
    let reading = thread::Builder::new().spawn(move || {
        let mut reader = Reader {
            queue: &queue,
            control,
            line: 0,
        };
        let ended = reader.read(&stop);
        queue.change(|state| match ended {
            Ok(true) => state.queue.end(),
            Ok(false) => state.stopped = true,
            Err(error) => state.failure = Some(error),
        });
    });
    reading.map(drop).map_err(at_start)
}

struct Reader<'a> {
    queue: &'a SharedQueue,
    control: Control,
    /// Number of lines so far.
    line: u64,
}

impl Reader<'_> {
    /// Reads to the end of the input; `false` if a stop request came first.
    fn read(&mut self, stop: &UnixStream) -> io::Result<bool> {
        let stdin = io::stdin();
        let mut cutter = LineCutter::new(MAX_LINE_BYTES);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let mut fds = [
                PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if !fds[0].revents().is_empty() {
                return Ok(false);
            }
            if fds[1].revents().is_empty() {
                continue;
            }
            match rustix::io::read(&stdin, &mut buffer) {
                Ok(0) => break,
                Ok(count) => cutter.feed(&buffer[..count], |line| self.take(line)),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        cutter.finish(|line| self.take(line));
        Ok(true)
    }

    /// The line without a byte order mark at the beginning of the input.
    fn without_mark<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        let mark = "\u{feff}".as_bytes();
        let rest = line.strip_prefix(mark).filter(|_| self.line == 1);
        rest.unwrap_or(line)
    }

    fn take(&mut self, line: CutLine<'_>) {
        self.line += 1;
        let parsed = match line {
            CutLine::Line(line) => parse(self.without_mark(line)).and_then(|parsed| {
                parsed
                    .map(|parsed| with_images(parsed, self.line))
                    .transpose()
            }),
            CutLine::TooLong => Err("it is longer than 16 MiB".to_owned()),
        };
        let failed = match parsed {
            Ok(None) => return,
            Ok(Some(request)) => self.pass_on(request),
            Err(message) => {
                self.queue
                    .change(|state| state.queue.fail(self.line, &message));
                true
            }
        };
        if failed {
            // The running turn reports it.
            self.control.flush_sink();
        }
    }

    /// Passes a request on; returns whether it could not be used. The queue is locked meanwhile, so that no turn begins or ends
    /// between the decision and what follows from it.
    fn pass_on(&self, request: LineRequest) -> bool {
        let mut state = self.queue.lock();
        let unusable = state.queue.unusable();
        let steering = self.control.waiting_steering();
        match state.queue.push(self.line, request, steering) {
            Some(ToTurn::Announce) => self.control.announce_turn(),
            Some(ToTurn::Steer(message)) => self.control.steer(message),
            Some(ToTurn::Interrupt) => drop(self.control.stop_turn()),
            None => {}
        }
        self.queue.changed.notify_all();
        state.queue.unusable() > unusable
    }
}

/// The request of a line, with the contents of its images.
fn with_images(line: InputLine, number: u64) -> Result<LineRequest, String> {
    Ok(match line {
        InputLine::User(message) => LineRequest::User(with_contents(message)?),
        InputLine::Steer(message) => LineRequest::Steer(with_contents(message)?),
        InputLine::Interrupt => LineRequest::Interrupt,
        InputLine::Settings { model, effort } => LineRequest::Settings(SettingsRequest {
            line: number,
            model,
            effort,
        }),
    })
}

/// A message with the contents of its images.
fn with_contents(message: InputMessage) -> Result<UserMessage, String> {
    let mut left = MAX_IMAGES_BYTES;
    let images = message.images.iter().map(|image| {
        let bytes = bytes_of(image)?;
        left = left
            .checked_sub(bytes.len() as u64)
            .ok_or("its images are larger than 50 MiB in total")?;
        let shown = match image {
            InputImage::File(path) => quoted_path(path),
            InputImage::Base64(_) => "in the line".to_owned(),
        };
        data_url(&bytes)
            .ok_or_else(|| format!("the image {shown} is not a PNG, JPEG, GIF or WebP image"))
    });
    Ok(UserMessage {
        images: images.collect::<Result<_, String>>()?,
        text: message.text,
    })
}

/// A path in a message, which has its end if it is long.
fn quoted_path(path: &str) -> String {
    match path.char_indices().rev().nth(MAX_QUOTED_CHARACTERS) {
        Some((at, _)) => format!("...{}", &path[at..]),
        None => path.to_owned(),
    }
}

fn bytes_of(image: &InputImage) -> Result<Vec<u8>, String> {
    match image {
        InputImage::File(path) => read_image(Path::new(path))
            .map_err(|error| format!("cannot read the image {}: {error}", quoted_path(path))),
        InputImage::Base64(data) => BASE64_STANDARD
            .decode(data)
            .map_err(|_| "its image is not valid base64".to_owned()),
    }
}

fn read_image(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open_regular(path, OFlags::RDONLY)?;
    if file.metadata()?.len() > MAX_IMAGE_BYTES {
        return Err(io::Error::other("it is larger than 20 MiB"));
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes)?;
    Ok(bytes)
}
