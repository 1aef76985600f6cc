//! A file as the body of an answer (the `http.response.pathsend` extension of ASGI).
//!
//! The application names the file, so its path is trusted as far as the application is; it must be absolute, as the
//! extension says.

use std::{
    fmt, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::{
    fs::File,
    io::{AsyncRead, ReadBuf},
};

/// Bytes read at once.
const CHUNK: usize = 128 * 1024;

enum State {
    Opening(Pin<Box<dyn Future<Output = io::Result<File>> + Send>>),
    Open(File),
}

/// A file that is read from its start to its end.
pub(crate) struct FileStream {
    state: State,
    path: PathBuf,
}

impl FileStream {
    /// The file at `path`, which is opened with the first poll or by [`open`](Self::open).
    pub(crate) fn new(path: &[u8]) -> Self {
        let path = Path::new(std::ffi::OsStr::from_bytes(path)).to_path_buf();
        let opening = Box::pin(open(path.clone()));
        Self { state: State::Opening(opening), path }
    }

    /// Opens the file now, so that its absence can still be answered.
    pub(crate) async fn open(mut self) -> io::Result<Self> {
        if let State::Opening(opening) = self.state {
            self.state = State::Open(opening.await?);
        }
        Ok(self)
    }

    /// The next chunk; `None` at the end of the file.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            match &mut self.state {
                State::Opening(opening) => self.state = State::Open(ready!(opening.as_mut().poll(context))?),
                State::Open(file) => {
                    // tokio reads into a buffer of its own, on another thread, and copies from there.
                    let mut chunk = vec![0; CHUNK];
                    let mut buffer = ReadBuf::new(&mut chunk);
                    ready!(Pin::new(file).poll_read(context, &mut buffer))?;
                    let length = buffer.filled().len();
                    chunk.truncate(length);
                    return Poll::Ready(Ok((length > 0).then(|| chunk.into())));
                }
            }
        }
    }
}

impl fmt::Debug for FileStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FileStream").field("path", &self.path).finish_non_exhaustive()
    }
}

async fn open(path: PathBuf) -> io::Result<File> {
    if !path.is_absolute() {
        return Err(io::Error::other(format!("the path `{}` is not absolute", path.display())));
    }
    File::open(&path).await.map_err(|error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display())))
}
