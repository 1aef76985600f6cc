//! The `scope` of a request, exactly as uvicorn has it, so that applications cannot tell the difference.

use std::borrow::Cow;

use andon_wire::head::{Address, Fields, HttpVersion, RequestHead};
use pyo3::{
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};

/// The keys of an HTTP request's scope, in their order.
const KEYS: [&str; 14] = [
    "type",
    "asgi",
    "http_version",
    "server",
    "client",
    "scheme",
    "method",
    "root_path",
    "path",
    "raw_path",
    "query_string",
    "headers",
    "state",
    "extensions",
];

/// What every scope of a worker shares.
pub(crate) struct ScopeTemplate {
    /// [`KEYS`] without values: its copy need not grow, key by key, as a new dictionary would.
    http: Py<PyDict>,
    http_asgi: Py<PyDict>,
    websocket_asgi: Py<PyDict>,
    http_extensions: Py<PyDict>,
    websocket_extensions: Py<PyDict>,
    root_path: String,
    /// What the lifespan has put into its `state`; each request gets a shallow copy.
    state: Py<PyDict>,
}

impl ScopeTemplate {
    pub(crate) fn new(py: Python<'_>, root_path: String, state: Py<PyDict>) -> PyResult<Self> {
        let asgi = |spec_version: &str| -> PyResult<Py<PyDict>> {
            let asgi = PyDict::new(py);
            asgi.set_item("version", "3.0")?;
            asgi.set_item("spec_version", spec_version)?;
            Ok(asgi.unbind())
        };
        let extensions = |names: &[&str]| -> PyResult<Py<PyDict>> {
            let extensions = PyDict::new(py);
            names.iter().try_for_each(|name| extensions.set_item(name, PyDict::new(py)))?;
            Ok(extensions.unbind())
        };
        let http = PyDict::new(py);
        KEYS.iter().try_for_each(|key| http.set_item(PyString::intern(py, key), py.None()))?;
        Ok(Self {
            http: http.unbind(),
            http_asgi: asgi("2.3")?,
            websocket_asgi: asgi("2.4")?,
            http_extensions: extensions(&["http.response.pathsend", "http.response.early_hint"])?,
            websocket_extensions: extensions(&["websocket.http.response"])?,
            root_path,
            state,
        })
    }

    /// The scope of a request.
    pub(crate) fn build<'py>(
        &self,
        py: Python<'py>,
        head: &RequestHead<'_>,
        fields: Fields<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let websocket = head.websocket;
        let scope = if websocket { PyDict::new(py) } else { self.http.bind(py).copy()? };
        scope.set_item(intern!(py, "type"), if websocket { intern!(py, "websocket") } else { intern!(py, "http") })?;
        let asgi = if websocket { &self.websocket_asgi } else { &self.http_asgi };
        scope.set_item(intern!(py, "asgi"), asgi.bind(py).copy()?)?;
        scope.set_item(intern!(py, "http_version"), http_version(py, head.version))?;
        scope.set_item(intern!(py, "server"), address(py, head.server)?)?;
        scope.set_item(intern!(py, "client"), address(py, head.client)?)?;
        scope.set_item(intern!(py, "scheme"), scheme(py, websocket, head.secure))?;
        if !websocket {
            scope.set_item(intern!(py, "method"), head.method)?;
        }
        scope.set_item(intern!(py, "root_path"), &self.root_path)?;
        self.put_path(&scope, head)?;
        scope.set_item(intern!(py, "query_string"), PyBytes::new(py, head.query))?;
        if websocket {
            scope.set_item(intern!(py, "subprotocols"), subprotocols(py, fields.clone())?)?;
        }
        scope.set_item(intern!(py, "headers"), headers(py, fields)?)?;
        scope.set_item(intern!(py, "state"), self.state.bind(py).copy()?)?;
        let extensions = if websocket { &self.websocket_extensions } else { &self.http_extensions };
        scope.set_item(intern!(py, "extensions"), extensions.bind(py).copy()?)?;
        Ok(scope)
    }

    pub(crate) fn root_path(&self) -> &str {
        &self.root_path
    }

    /// The decoded path. It begins with the root path, as under uvicorn (and as the ASGI specification has it).
    pub(crate) fn path<'a>(&self, head: &RequestHead<'a>) -> Cow<'a, str> {
        let text = match percent_decode(head.raw_path) {
            Cow::Borrowed(raw) => String::from_utf8_lossy(raw),
            Cow::Owned(decoded) => Cow::Owned(String::from_utf8_lossy(&decoded).into_owned()),
        };
        if self.root_path.is_empty() { text } else { Cow::Owned(format!("{}{text}", self.root_path)) }
    }

    /// `raw_path` begins with the root path as well.
    fn put_path(&self, scope: &Bound<'_, PyDict>, head: &RequestHead<'_>) -> PyResult<()> {
        let py = scope.py();
        scope.set_item(intern!(py, "path"), self.path(head).as_ref())?;
        if self.root_path.is_empty() {
            return scope.set_item(intern!(py, "raw_path"), PyBytes::new(py, head.raw_path));
        }
        let raw = [self.root_path.as_bytes(), head.raw_path].concat();
        scope.set_item(intern!(py, "raw_path"), PyBytes::new(py, &raw))
    }
}

fn http_version(py: Python<'_>, version: HttpVersion) -> &Bound<'_, PyString> {
    match version {
        HttpVersion::Http10 => intern!(py, "1.0"),
        HttpVersion::Http11 => intern!(py, "1.1"),
        HttpVersion::Http2 => intern!(py, "2"),
    }
}

fn scheme(py: Python<'_>, websocket: bool, secure: bool) -> &Bound<'_, PyString> {
    match (websocket, secure) {
        (false, false) => intern!(py, "http"),
        (false, true) => intern!(py, "https"),
        (true, false) => intern!(py, "ws"),
        (true, true) => intern!(py, "wss"),
    }
}

fn address<'py>(py: Python<'py>, address: Address<'_>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    if address.host.is_empty() {
        return Ok(None);
    }
    (address.host, address.port).into_pyobject(py).map(Some)
}

fn headers<'py>(py: Python<'py>, fields: Fields<'_>) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, fields.map(|(name, value)| (PyBytes::new(py, name), PyBytes::new(py, value))))
}

/// The protocols that the client offers, in its order.
fn subprotocols<'py>(py: Python<'py>, fields: Fields<'_>) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (_, value) in fields.filter(|(name, _)| *name == b"sec-websocket-protocol") {
        let value = String::from_utf8_lossy(value);
        for protocol in value.split(',').map(str::trim).filter(|protocol| !protocol.is_empty()) {
            list.append(protocol)?;
        }
    }
    Ok(list)
}

/// RFC 3986 section 2.1, as `urllib.parse.unquote_to_bytes` has it: a bad escape stays as it is.
fn percent_decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'%') {
        return raw.into();
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match after {
            [high, low, ..] if byte == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            decoded.push(high << 4 | low);
            rest = &after[2..];
        } else {
            decoded.push(byte);
            rest = after;
        }
    }
    decoded.into()
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_bad_ones_kept() {
        for (raw, decoded) in [
            (&b"/a%20b"[..], &b"/a b"[..]),
            (b"/%2F%c3%A9", b"//\xc3\xa9"),
            (b"/100%", b"/100%"),
            (b"/%g1%4", b"/%g1%4"),
            (b"/%%41", b"/%A"),
        ] {
            assert_eq!(percent_decode(raw).as_ref(), decoded);
        }
    }
}
