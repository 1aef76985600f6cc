//! The layers around one request: whether all of them let it through, and what they make of its answer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use pyo3::{prelude::*, types::PyDict};

use super::{Met, Noted, whole::Whole};
use crate::native::{application::Application, asgi::Sender};

/// The layers around one request.
pub(crate) struct Around {
    application: Arc<Application>,
    /// What each layer has noted, from the outermost in, as far as the request came.
    noted: Box<[Noted]>,
    /// The first `Origin` of the request.
    origin: Option<Box<[u8]>>,
    /// The `send` that those inside are given, once somebody has asked for it.
    sender: Mutex<Option<Py<Sender>>>,
    /// A whole answer was given.
    begun: AtomicBool,
}

/// What a request asks for, as far as layers look at it.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    /// Its scheme is `https`; otherwise `http`.
    pub(crate) secure: bool,
    /// Decoded, with the root path.
    pub(crate) path: &'a str,
    pub(crate) query: &'a [u8],
}

/// The values of the first header fields that layers ask for.
#[derive(Default)]
pub(super) struct Seen<'f> {
    pub(super) host: Option<&'f [u8]>,
    pub(super) origin: Option<&'f [u8]>,
    pub(super) accept_encoding: Option<&'f [u8]>,
    pub(super) asks_method: Option<&'f [u8]>,
    pub(super) asks_headers: Option<&'f [u8]>,
    pub(super) asks_private_network: bool,
}

/// How far a request comes.
pub(crate) enum Entered {
    /// Through all layers, if there are any.
    Inside(Option<Around>),
    /// To a layer that answers it so, within others.
    Refused(Around, Whole),
    /// To one of which only the application itself knows what it does.
    Unsure,
}

impl<'f> Seen<'f> {
    fn of(fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> Self {
        let mut seen = Self::default();
        for (name, value) in fields {
            let place = match name {
                b"host" => &mut seen.host,
                b"origin" => &mut seen.origin,
                b"accept-encoding" => &mut seen.accept_encoding,
                b"access-control-request-method" => &mut seen.asks_method,
                b"access-control-request-headers" => &mut seen.asks_headers,
                b"access-control-request-private-network" => {
                    seen.asks_private_network = true;
                    continue;
                }
                _ => continue,
            };
            place.get_or_insert(value);
        }
        seen
    }
}

impl Entered {
    /// For a request with these header fields.
    pub(crate) fn of<'f>(
        py: Python<'_>,
        application: &Arc<Application>,
        asked: &Asked<'_>,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
    ) -> Self {
        let layers = &application.calls.layers;
        if layers.is_empty() {
            return Self::Inside(None);
        }
        let seen = Seen::of(fields);
        let mut noted = Vec::with_capacity(layers.len());
        for layer in layers {
            match layer.meet(py, asked, &seen) {
                Ok(Met::Passed(of_layer)) => noted.push(of_layer),
                Ok(Met::Refused(whole)) => return Self::Refused(Around::new(application, noted, &seen), whole),
                // What goes wrong here, goes wrong in the middleware.
                Ok(Met::Unsure) | Err(_) => return Self::Unsure,
            }
        }
        Self::Inside(Some(Around::new(application, noted, &seen)))
    }
}

impl Around {
    fn new(application: &Arc<Application>, noted: Vec<Noted>, seen: &Seen<'_>) -> Self {
        Self {
            application: Arc::clone(application),
            noted: noted.into(),
            origin: seen.origin.map(Box::from),
            sender: Mutex::default(),
            begun: AtomicBool::new(false),
        }
    }

    /// Makes of a whole answer what the layers make of it, from the innermost out.
    ///
    /// What is returned is how many layers, from the outermost in, it has still to be sent through ([`Self::sending`]).
    pub(crate) fn edit(&self, py: Python<'_>, whole: &mut Whole) -> PyResult<usize> {
        if self.has_begun(py) {
            return Ok(self.noted.len());
        }
        self.begun.store(true, Ordering::Relaxed);
        for (index, (layer, noted)) in self.application.calls.layers.iter().zip(&self.noted).enumerate().rev() {
            if !layer.edit(py, noted, self.origin.as_deref(), whole)? {
                return Ok(index + 1);
            }
        }
        Ok(0)
    }

    /// Whether those inside have begun an answer; a layer may keep that to itself.
    pub(crate) fn has_begun(&self, py: Python<'_>) -> bool {
        let sender = self.sender.lock().as_ref().map(|sender| sender.clone_ref(py));
        self.begun.load(Ordering::Relaxed) || sender.is_some_and(|sender| sender.get().has_begun())
    }

    /// The `send` of those inside, around the server's.
    pub(crate) fn send(&self, py: Python<'_>, scope: &Bound<'_, PyDict>, outer: Py<PyAny>) -> PyResult<Py<PyAny>> {
        if let Some(sender) = &*self.sender.lock() {
            return Ok(sender.clone_ref(py).into_any());
        }
        let sender = Py::new(py, Sender::new(self.through(py, scope, outer, self.noted.len())?))?;
        // One for all of them: layers keep in it how far the answer is.
        Ok(self.sender.lock().get_or_insert(sender).clone_ref(py).into_any())
    }

    /// A `send` through so many layers, from the outermost in, around the server's.
    pub(crate) fn sending(
        &self,
        py: Python<'_>,
        scope: &Bound<'_, PyDict>,
        outer: Py<PyAny>,
        count: usize,
    ) -> PyResult<Py<PyAny>> {
        if count == self.noted.len() {
            return self.send(py, scope, outer);
        }
        self.through(py, scope, outer, count)
    }

    fn through(
        &self,
        py: Python<'_>,
        scope: &Bound<'_, PyDict>,
        outer: Py<PyAny>,
        count: usize,
    ) -> PyResult<Py<PyAny>> {
        let mut layers = self.application.calls.layers.iter().zip(&self.noted).take(count);
        layers.try_fold(outer, |send, (layer, noted)| layer.sending(py, scope, send, noted))
    }
}
