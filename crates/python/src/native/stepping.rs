//! How the code of a native request, which is a future of Rust, is stepped by what CPython has: a Task on the event loop,
//! or a thread of the pool.
//!
//! A Task steps a coroutine with `__next__` and `throw`; [`Drive::step`] is both. Wherever the code of a request awaits
//! an object of Python ([`Baton::wait_for`]), that object is stepped in turn, and what it yields goes up to the Task
//! unchanged. No waker is needed: who has yielded something will be stepped again by who took it.
//!
//! On a thread nothing can be awaited. Code that has to asks for the event loop first ([`Baton::to_loop`]) and is stepped
//! there from then on. Code on the event loop may ask for a thread for a while ([`Baton::visit`], see [`super::visit`]).

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;
use pyo3::{
    exceptions::{PyRuntimeError, PyStopIteration},
    intern,
    prelude::*,
};

use super::{
    interpreter::while_handling,
    visit::{Away, Meanwhile, Visit},
};
use crate::coroutine::{Advance, advance, await_iterator};

/// Who steps the code of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Place {
    /// A Task on the event loop.
    #[default]
    Loop,
    /// A thread of the pool.
    Thread,
    /// Likewise, while its Task waits on the event loop.
    Visit,
}

/// What passes between the code of a request and who steps it.
#[derive(Default)]
pub(crate) struct Baton(Mutex<Turn>);

#[derive(Default)]
struct Turn {
    place: Place,
    /// What `throw` was given, until the code takes it.
    thrown: Option<PyErr>,
    /// What it waited for last has failed.
    failed: bool,
    /// What the code waits for; `None`: for the event loop.
    yielded: Option<Py<PyAny>>,
    /// It asks for a thread: what it is called as there, and what that is awaited by.
    visit: Option<(Visit, Py<PyAny>)>,
    /// It is on a thread and is to come back as soon as it can.
    called_back: bool,
}

/// What a step came to.
pub(crate) enum Progress {
    /// It waits for this (a future, or `None` for one turn of the loop).
    Yielded(Py<PyAny>),
    /// It cannot go on on a thread.
    WantsLoop,
    /// It is over.
    Ended(PyResult<()>),
}

/// The code of a request.
pub(super) struct Code {
    future: Pin<Box<dyn Future<Output = PyResult<()>> + Send>>,
    baton: Arc<Baton>,
}

impl Code {
    fn poll(&mut self) -> Option<PyResult<()>> {
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    /// Runs it on this thread to where it needs the event loop; the outcome if it is over.
    pub(super) fn visit(&mut self) -> Option<PyResult<()>> {
        self.baton.begin(Place::Visit, None, false);
        self.poll()
    }
}

/// The code of a request, to be stepped.
pub(crate) struct Drive {
    baton: Arc<Baton>,
    /// `None`: it is away, or was.
    code: Option<Code>,
    away: Option<Away>,
}

impl Drive {
    pub(crate) fn new(baton: Arc<Baton>, future: impl Future<Output = PyResult<()>> + Send + 'static) -> Self {
        let code = Code { future: Box::pin(future), baton: Arc::clone(&baton) };
        Self { baton, code: Some(code), away: None }
    }

    /// The code that `code` makes of a new baton.
    pub(crate) fn of<F: Future<Output = PyResult<()>> + Send + 'static>(code: impl FnOnce(Arc<Baton>) -> F) -> Self {
        let baton = Arc::default();
        Self::new(Arc::clone(&baton), code(baton))
    }

    /// Runs the code to where it waits, or to its end. `thrown` is raised where it waits now.
    pub(crate) fn step(&mut self, place: Place, thrown: Option<PyErr>) -> Progress {
        let mut thrown = thrown;
        let mut failed = thrown.is_some();
        loop {
            if let Some(away) = &mut self.away {
                match away.step(thrown.take()) {
                    Ok(Meanwhile::Waits(future)) => {
                        self.baton.0.lock().called_back = away.is_interrupted();
                        return Progress::Yielded(future);
                    }
                    Ok(Meanwhile::Back(code, outcome, raised)) => {
                        self.away = None;
                        if let Some(outcome) = outcome {
                            return Progress::Ended(outcome);
                        }
                        self.code = Some(code);
                        failed = raised.is_some() || self.baton.has_failed();
                        thrown = raised;
                    }
                    Err(error) => return Progress::Ended(Err(error)),
                }
            }
            if let Some(progress) = self.run(place, thrown.take(), failed) {
                return progress;
            }
        }
    }

    /// Runs the code here. `None`: it has gone to a thread.
    fn run(&mut self, place: Place, thrown: Option<PyErr>, failed: bool) -> Option<Progress> {
        let Some(code) = &mut self.code else {
            return Some(Progress::Ended(Err(PyRuntimeError::new_err("it is over already"))));
        };
        self.baton.begin(place, thrown, failed);
        if let Some(outcome) = code.poll() {
            return Some(Progress::Ended(outcome));
        }
        let (yielded, visit) = {
            let mut turn = self.baton.0.lock();
            (turn.yielded.take(), turn.visit.take())
        };
        if let Some((visit, iterator)) = visit {
            self.away = self.code.take().map(|code| Away::new(code, visit, iterator));
            return None;
        }
        Some(yielded.map_or(Progress::WantsLoop, Progress::Yielded))
    }
}

/// Code that is stepped on the event loop only, by whoever awaits the object of Python that has it.
pub(crate) struct Awaited(Mutex<Option<Drive>>);

impl Awaited {
    pub(crate) fn new(drive: Drive) -> Self {
        Self(Mutex::new(Some(drive)))
    }

    /// What the code waits for; `None`: it is over. `thrown` is raised where it waits now.
    pub(crate) fn step(&self, thrown: Option<PyErr>) -> PyResult<Option<Py<PyAny>>> {
        // Not stepped under the lock: the code may run anything, this object's own methods included.
        let drive = self.0.lock().take();
        let mut drive = drive.ok_or_else(|| PyRuntimeError::new_err("cannot reuse already awaited coroutine"))?;
        match drive.step(Place::Loop, thrown) {
            Progress::Yielded(value) => {
                *self.0.lock() = Some(drive);
                Ok(Some(value))
            }
            Progress::Ended(outcome) => outcome.map(|()| None),
            Progress::WantsLoop => Err(PyRuntimeError::new_err("it is on the event loop already")),
        }
    }

    /// The code will not be stepped any more.
    pub(crate) fn close(&self) {
        let abandoned = self.0.lock().take();
        drop(abandoned);
    }
}

impl Baton {
    /// The code is going to run here.
    fn begin(&self, place: Place, thrown: Option<PyErr>, failed: bool) {
        let mut turn = self.0.lock();
        turn.place = place;
        turn.thrown = thrown;
        turn.failed = failed;
        turn.called_back = false;
    }

    /// Goes on on a thread. `awaitable`: of the call there. An error: it was not made.
    pub(super) async fn visit(&self, visit: Visit, awaitable: Py<PyAny>) -> PyResult<()> {
        let iterator = Python::attach(|py| await_iterator(awaitable.into_bound(py)).map(Bound::unbind))?;
        self.0.lock().visit = Some((visit, iterator));
        let mut asked = false;
        let gone = || {
            let mut turn = self.0.lock();
            match turn.place {
                Place::Loop => Err(turn.thrown.take().unwrap_or_else(|| PyRuntimeError::new_err("there is no thread"))),
                Place::Thread | Place::Visit => Ok(()),
            }
        };
        std::future::poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(gone()) } else { Poll::Pending })
            .await
    }

    /// Whether the code is to leave the thread as soon as it can.
    pub(super) fn is_called_back(&self) -> bool {
        self.0.lock().called_back
    }

    /// What is to be raised where the code is now.
    pub(super) fn take_thrown(&self) -> Option<PyErr> {
        self.0.lock().thrown.take()
    }

    /// Ends a visit, if there is one.
    pub(super) async fn end_visit(&self) {
        if self.place() == Place::Visit {
            self.to_loop().await;
        }
    }

    /// Where the code runs now.
    pub(crate) fn place(&self) -> Place {
        self.0.lock().place
    }

    /// Whether what the code waited for last has failed, so that it goes on in `throw`: what is raised before it waits
    /// again gets what is handled around it as its context.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.lock().failed
    }

    /// Says so of a call for which the code would have waited on the event loop.
    pub(crate) fn tell_failed(&self, failed: bool) {
        self.0.lock().failed = failed;
    }

    /// Goes on on the event loop, whoever steps the code now.
    pub(crate) fn to_loop(&self) -> impl Future<Output = ()> + '_ {
        std::future::poll_fn(|_| match self.place() {
            Place::Loop => Poll::Ready(()),
            Place::Thread | Place::Visit => Poll::Pending,
        })
    }

    /// Awaits an object of Python on the event loop, as `await` does. `handling`: an exception that counts as being handled meanwhile.
    pub(crate) async fn wait_for(&self, awaitable: Py<PyAny>, handling: Option<&PyErr>) -> PyResult<Py<PyAny>> {
        self.to_loop().await;
        let iterator = Python::attach(|py| await_iterator(awaitable.into_bound(py)).map(Bound::unbind))?;
        self.wait_on(&iterator, handling).await
    }

    /// Likewise, of what is its own iterator, where the code is on the event loop.
    pub(super) async fn wait_on(&self, iterator: &Py<PyAny>, handling: Option<&PyErr>) -> PyResult<Py<PyAny>> {
        std::future::poll_fn(|_| self.advance(iterator, handling)).await
    }

    fn advance(&self, iterator: &Py<PyAny>, handling: Option<&PyErr>) -> Poll<PyResult<Py<PyAny>>> {
        Python::attach(|py| {
            let iterator = iterator.bind(py);
            let thrown = self.0.lock().thrown.take();
            let step = || match thrown {
                Some(error) => throw(iterator, error),
                None => advance(iterator),
            };
            let outcome = match handling {
                Some(error) => while_handling(py, error, step),
                None => step(),
            };
            match outcome {
                Ok(Advance::Yielded(value)) => {
                    self.0.lock().yielded = Some(value.unbind());
                    Poll::Pending
                }
                Ok(Advance::Returned(value)) => Poll::Ready(Ok(value.unbind())),
                Err(error) => Poll::Ready(Err(error)),
            }
        })
    }
}

/// The result of a coroutine that never waits, wherever it runs.
pub(crate) fn run_through(coroutine: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    match advance(coroutine)? {
        Advance::Returned(value) => Ok(value.unbind()),
        Advance::Yielded(_) => Err(PyRuntimeError::new_err("code waits that was known never to wait")),
    }
}

/// Raises `error` where `iterator` waits. What is no generator has nowhere to raise it, so that it goes up at once.
pub(super) fn throw<'py>(iterator: &Bound<'py, PyAny>, error: PyErr) -> PyResult<Advance<'py>> {
    let py = iterator.py();
    let Ok(throw) = iterator.getattr(intern!(py, "throw")) else {
        return Err(error);
    };
    match throw.call1((error.into_value(py),)) {
        Ok(value) => Ok(Advance::Yielded(value)),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            Ok(Advance::Returned(error.value(py).getattr(intern!(py, "value"))?))
        }
        Err(error) => Err(error),
    }
}
