//! What `GZipMiddleware` does to a whole answer (`starlette.middleware.gzip`).
//!
//! Python's own zlib compresses, so the bytes are the same. Bodies that are large enough for a thread go through the
//! middleware's own `send`, which has a limit of its own for these.

use pyo3::{
    intern,
    prelude::*,
    types::{PyBytes, PyInt, PyString, PyTuple},
};

use super::{around::Seen, whole::Whole};
use crate::http::Given;

const CODING: &[u8] = b"gzip";
/// `zlib.DEFLATED`.
const DEFLATED: i32 = 8;
/// `16 + zlib.MAX_WBITS`: with the frame of gzip.
const WINDOW_BITS: i32 = 16 + 15;

/// What the middleware was set to when the request came.
pub(super) struct Settings {
    /// The client takes gzip.
    accepts: bool,
    minimum_size: Py<PyAny>,
    compresslevel: Py<PyAny>,
    thread_minimum_size: Py<PyAny>,
    /// Content types.
    excluded: Py<PyAny>,
}

/// What becomes of the head and the body of an answer.
enum Fate {
    Unchanged,
    /// `Vary` tells that it could be compressed.
    Varies,
    Compressed,
    /// The middleware must see it.
    Unusual,
}

impl Settings {
    pub(super) fn of(live: &Bound<'_, PyAny>, seen: &Seen<'_>) -> PyResult<Self> {
        let py = live.py();
        let setting = |name| live.getattr(name).map(Bound::unbind);
        let accepted = seen.accept_encoding.unwrap_or_default();
        Ok(Self {
            accepts: accepted.windows(CODING.len()).any(|part| part == CODING),
            minimum_size: setting(intern!(py, "minimum_size"))?,
            compresslevel: setting(intern!(py, "compresslevel"))?,
            thread_minimum_size: setting(intern!(py, "thread_minimum_size"))?,
            excluded: setting(intern!(py, "exclude_content_types"))?,
        })
    }

    /// As its `sending` wants them, in `python/andon/native/known_layers.py`.
    pub(super) fn as_tuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let settings =
            (self.accepts, &self.minimum_size, &self.compresslevel, &self.thread_minimum_size, &self.excluded);
        settings.into_pyobject(py)
    }

    /// False: the answer must be sent through the middleware.
    pub(super) fn edit(&self, py: Python<'_>, whole: &mut Whole) -> PyResult<bool> {
        match self.fate(py, whole) {
            Fate::Unusual => return Ok(false),
            Fate::Unchanged => return Ok(true),
            Fate::Varies => whole.add_vary(b"Accept-Encoding"),
            Fate::Compressed => {
                let body = std::mem::replace(&mut whole.body, Given::Written(Vec::new())).into_object(py)?;
                let compressed = self.compress(&body)?;
                whole.add_vary(b"Accept-Encoding");
                if compressed != body.as_bytes() {
                    whole.set(b"content-encoding", CODING.to_vec());
                    whole.set(b"content-length", compressed.len().to_string().into_bytes());
                }
                whole.body = Given::Written(compressed);
            }
        }
        whole.keep(py)?;
        Ok(true)
    }

    fn fate(&self, py: Python<'_>, whole: &Whole) -> Fate {
        if whole.field(b"content-encoding").is_some() || whole.status == 206 {
            return Fate::Unchanged;
        }
        let content_type = whole.field(b"content-type").unwrap_or_default();
        let is_excluded = is_excluded(self.excluded.bind(py), content_type);
        let sizes = integer(py, &self.minimum_size).zip(integer(py, &self.thread_minimum_size));
        let level = integer(py, &self.compresslevel).filter(|level| (-1..=9).contains(level));
        let (Some(is_excluded), Some((minimum, for_threads)), Some(_)) = (is_excluded, sizes, level) else {
            return Fate::Unusual;
        };
        let length = whole.body.len() as i64;
        match () {
            () if is_excluded || length < minimum => Fate::Unchanged,
            () if !self.accepts => Fate::Varies,
            () if length >= for_threads => Fate::Unusual,
            () => Fate::Compressed,
        }
    }

    fn compress(&self, body: &Bound<'_, PyBytes>) -> PyResult<Vec<u8>> {
        let py = body.py();
        let arguments = (&self.compresslevel, DEFLATED, WINDOW_BITS);
        let compressor = py.import(intern!(py, "zlib"))?.call_method1(intern!(py, "compressobj"), arguments)?;
        let first = compressor.call_method1(intern!(py, "compress"), (body,))?;
        let last = compressor.call_method0(intern!(py, "flush"))?;
        Ok([first.cast::<PyBytes>()?.as_bytes(), last.cast::<PyBytes>()?.as_bytes()].concat())
    }
}

/// `None`: it is no plain number.
fn integer(py: Python<'_>, value: &Py<PyAny>) -> Option<i64> {
    value.bind(py).cast_exact::<PyInt>().ok()?.extract().ok()
}

/// Whether answers of a content type are left alone; `None`: the type, or the list of such types, is unusual.
fn is_excluded(excluded: &Bound<'_, PyAny>, content_type: &[u8]) -> Option<bool> {
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    let media_type = std::str::from_utf8(media_type).ok()?.trim_matches(' ').to_ascii_lowercase();
    let is_plain = |text: &str| text.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b';');
    if !is_plain(&media_type) || media_type.starts_with("application/grpc+") {
        return None;
    }
    let main = media_type.split('/').next().unwrap_or_default();
    let mut found = false;
    for each in excluded.cast_exact::<PyTuple>().ok()? {
        let each = each.cast_exact::<PyString>().ok()?;
        let each = each.to_str().ok()?;
        // The middleware writes them in lower case, and without parameters.
        if !is_plain(each) || each.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        found |= each == media_type || each.strip_suffix("/*") == Some(main);
    }
    Some(found)
}
