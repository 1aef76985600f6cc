//! Requests that no route takes: answered 404 or 405, as `Router.not_found` and `Route.handle` do inside an application.
//!
//! The answers are made when a plan is compiled, by the handler that FastAPI has for exceptions with a status. They count
//! while this is the handler that the application would find, and while nobody looks at the scope of the request.
//! Otherwise native routes of the router's own raise the exceptions (`python/andon/native/missed.py`).

use andon_plan::Miss;
use pyo3::{intern, prelude::*, types::PyDict};

use super::{
    calls::Calls,
    face::Face,
    framework::Framework,
    layers::Refused,
    stepping::{Drive, run_through},
};

/// The answers of one application.
pub(crate) struct Refusals {
    not_found: Refusal,
    /// By the number of what is allowed.
    not_allowed: Box<[Refusal]>,
}

/// An answer, and the exception that it is made of.
struct Refusal {
    error: Py<PyAny>,
    response: Py<PyAny>,
}

impl Refusals {
    /// `allows`: the values of `Allow`.
    pub(crate) fn new(py: Python<'_>, framework: &Framework, allows: &[Box<str>]) -> PyResult<Self> {
        let not_allowed = allows.iter().map(|allow| Refusal::new(py, framework, 405, Some(allow)));
        Ok(Self {
            not_found: Refusal::new(py, framework, 404, None)?,
            not_allowed: not_allowed.collect::<PyResult<_>>()?,
        })
    }

    /// `None`: it is not always the same.
    pub(crate) fn answer(&self, py: Python<'_>, framework: &Framework, calls: &Calls, miss: Miss) -> Option<Py<PyAny>> {
        match miss {
            Miss::NotFound(_) => self.not_found.answer(py, framework, calls),
            Miss::NotAllowed { allow, .. } => self.not_allowed[allow].answer(py, framework, calls),
            Miss::Redirect(_) | Miss::Application(_) => None,
        }
    }
}

impl Refusal {
    fn new(py: Python<'_>, framework: &Framework, status: u16, allow: Option<&str>) -> PyResult<Self> {
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "status_code"), status)?;
        if let Some(allow) = allow {
            let headers = PyDict::new(py);
            headers.set_item("Allow", allow)?;
            keywords.set_item(intern!(py, "headers"), headers)?;
        }
        let error = framework.http_exception.bind(py).call((), Some(&keywords))?;
        let handling = framework.http_exception_handler.bind(py).call1((py.None(), &error))?;
        Ok(Self { response: run_through(&handling)?, error: error.unbind() })
    }

    fn answer(&self, py: Python<'_>, framework: &Framework, calls: &Calls) -> Option<Py<PyAny>> {
        let handler = calls.handler(self.error.bind(py), framework.http_exception.bind(py)).ok().flatten();
        let own = handler.is_some_and(|handler| handler.is(&framework.http_exception_handler));
        own.then(|| self.response.clone_ref(py))
    }
}

/// The code of a request that is answered so.
pub(crate) fn refuse(face: Face, refused: Refused) -> Drive {
    Drive::of(|baton| async move { face.send_refusal(&baton, refused).await })
}
