//! A pipe that is read as its writer writes: a reader can ask whether something waits.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The most bytes of one read.
const CHUNK: usize = 64 << 10;

/// How long a writer may take for its next bytes before it counts as idle.
const GRACE: Duration = Duration::from_millis(25);

/// Reads ahead of [`LiveRead`] and knows whether something was read.
#[derive(Clone)]
pub(super) struct Live {
    state: Arc<Mutex<State>>,
}

struct State {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    given: usize,
    /// An error that is told with the next read.
    error: Option<io::Error>,
    ended: bool,
}

impl Live {
    /// Reads `raw` on a thread of its own, at most two chunks ahead.
    pub(super) fn new(raw: Box<dyn Read + Send>) -> io::Result<(Self, LiveRead)> {
        let (sender, chunks) = sync_channel(1);
        std::thread::Builder::new().name("albertine-pipe".into()).spawn(move || pump(raw, &sender))?;
        let state = State { chunks, chunk: Vec::new(), given: 0, error: None, ended: false };
        let live = Self { state: Arc::new(Mutex::new(state)) };
        Ok((live.clone(), LiveRead { live }))
    }

    /// Whether nothing comes within `patience`; the end of the pipe is something.
    pub(super) fn is_idle_for(&self, patience: Duration) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.given < state.chunk.len() || state.ended || state.error.is_some() {
            return false;
        }
        match state.chunks.recv_timeout(patience) {
            Ok(chunk) => state.take(chunk),
            Err(RecvTimeoutError::Disconnected) => state.ended = true,
            Err(RecvTimeoutError::Timeout) => return true,
        }
        false
    }

    /// Whether the writer has nothing to say at the moment.
    pub(super) fn is_idle(&self) -> bool {
        self.is_idle_for(GRACE)
    }
}

impl State {
    fn take(&mut self, chunk: io::Result<Vec<u8>>) {
        match chunk {
            Ok(chunk) => (self.chunk, self.given) = (chunk, 0),
            Err(error) => self.error = Some(error),
        }
    }
}

fn pump(mut raw: Box<dyn Read + Send>, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = match raw.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => {
                chunk.truncate(count);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if sender.send(read).is_err() || failed {
            return;
        }
    }
}

/// The bytes of the pipe.
pub(super) struct LiveRead {
    live: Live,
}

impl Read for LiveRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.live.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.given == state.chunk.len() && !state.ended {
            if let Some(error) = state.error.take() {
                return Err(error);
            }
            match state.chunks.recv() {
                Ok(chunk) => state.take(chunk),
                Err(_) => state.ended = true,
            }
        }
        let count = buffer.len().min(state.chunk.len() - state.given);
        let given = state.given;
        buffer[..count].copy_from_slice(&state.chunk[given..given + count]);
        state.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_pipe_is_idle_while_its_writer_says_nothing() {
        let (reader, mut writer) = io::pipe().unwrap();
        let (live, mut read) = Live::new(Box::new(reader)).unwrap();
        assert!(live.is_idle());
        io::Write::write_all(&mut writer, b"ab").unwrap();
        assert!(!live.is_idle_for(Duration::from_secs(10)));
        let mut buffer = [0; 8];
        assert_eq!(read.read(&mut buffer).unwrap(), 2);
        assert!(live.is_idle());
        drop(writer);
        assert!(!live.is_idle_for(Duration::from_secs(10)), "the end is not waited for");
        assert_eq!(read.read(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn a_fault_comes_after_the_bytes_before_it() {
        struct Breaks(bool);
        impl Read for Breaks {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::Error::other("gone"));
                }
                buffer[0] = b'x';
                Ok(1)
            }
        }
        let (_, mut read) = Live::new(Box::new(Breaks(false))).unwrap();
        let mut text = Vec::new();
        assert_eq!(read.read_to_end(&mut text).unwrap_err().to_string(), "gone");
        assert_eq!(text, b"x");
    }
}
