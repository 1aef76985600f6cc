//! The code of a request on a thread for a while: for neighbouring calls of `def` functions, between which it does not
//! return to the event loop.
//!
//! Its Task waits on the event loop meanwhile. If that is cancelled, the call that runs is waited for, no other is made,
//! and the cancellation takes effect where the code goes on. A visit that has not begun is called off.

use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::{intern, prelude::*};

use super::{
    stepping::{Code, throw},
    threads::Thunk,
};
use crate::coroutine::{Advance, advance, await_iterator};

/// A visit, from when it is asked for.
#[derive(Clone, Default)]
pub(crate) struct Visit(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    stage: Stage,
    /// Done when the code is back, if the Task does not wait for the call any more.
    landing: Option<Py<PyAny>>,
}

/// Where the code is.
#[derive(Default)]
enum Stage {
    /// On the event loop.
    #[default]
    Home,
    /// It waits for a thread.
    Waiting(Code),
    /// On the thread.
    There,
    /// It waits for the event loop; the outcome if it is over.
    Back(Code, Option<PyResult<()>>),
}

impl Visit {
    /// What is to be called on the thread.
    pub(super) fn thunk<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let visit = self.clone();
        Ok(Bound::new(py, Thunk::of(move |py| visit.run(py)))?.into_any())
    }

    /// Runs the code on this thread to where it needs the event loop.
    fn run(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let stage = std::mem::replace(&mut self.0.lock().stage, Stage::There);
        let Stage::Waiting(mut code) = stage else {
            // It was called off.
            self.0.lock().stage = stage;
            return Ok(py.None());
        };
        let outcome = code.visit();
        let landing = {
            let mut state = self.0.lock();
            state.stage = Stage::Back(code, outcome);
            state.landing.take()
        };
        if let Some(landing) = landing {
            land(py, landing)?;
        }
        Ok(py.None())
    }

    /// The code, unless it is on the thread.
    fn take(&self) -> Option<(Code, Option<PyResult<()>>)> {
        let mut state = self.0.lock();
        match std::mem::take(&mut state.stage) {
            Stage::Waiting(code) => Some((code, None)),
            Stage::Back(code, outcome) => Some((code, outcome)),
            elsewhere => {
                state.stage = elsewhere;
                None
            }
        }
    }
}

/// The code is away on a visit, for which its Task waits.
pub(super) struct Away {
    visit: Visit,
    iterator: Py<PyAny>,
    /// What was raised meanwhile.
    thrown: Option<PyErr>,
}

/// What waiting for it came to.
pub(super) enum Meanwhile {
    Waits(Py<PyAny>),
    /// It is back; the outcome if it is over, and what is to be raised where it goes on.
    Back(Code, Option<PyResult<()>>, Option<PyErr>),
}

impl Away {
    /// Lets the code go. `iterator`: of what the call on the thread is awaited by.
    pub(super) fn new(code: Code, visit: Visit, iterator: Py<PyAny>) -> Self {
        visit.0.lock().stage = Stage::Waiting(code);
        Self { visit, iterator, thrown: None }
    }

    /// Waits on. `thrown` was raised where the Task waits.
    pub(super) fn step(&mut self, thrown: Option<PyErr>) -> PyResult<Meanwhile> {
        let mut thrown = thrown;
        loop {
            let outcome = Python::attach(|py| match thrown.take() {
                None => advance(self.iterator.bind(py)).map(Waited::of),
                Some(error) => throw(self.iterator.bind(py), error).map(Waited::of),
            });
            match outcome {
                Ok(Waited::For(future)) => return Ok(Meanwhile::Waits(future)),
                Ok(Waited::Enough) => {}
                Err(error) => self.thrown = Some(error),
            }
            if let Some((code, outcome)) = self.visit.take() {
                return Ok(Meanwhile::Back(code, outcome, self.thrown.take()));
            }
            self.iterator = Python::attach(|py| self.new_landing(py))?;
        }
    }

    /// What is to be awaited until the code is back.
    fn new_landing(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let running = py.import(intern!(py, "asyncio"))?.call_method0(intern!(py, "get_running_loop"))?;
        let future = running.call_method0(intern!(py, "create_future"))?;
        let is_back = {
            let mut state = self.visit.0.lock();
            state.landing = Some(future.clone().unbind());
            matches!(state.stage, Stage::Back(..))
        };
        if is_back {
            future.call_method1(intern!(py, "set_result"), (py.None(),))?;
        }
        await_iterator(future).map(Bound::unbind)
    }

    /// The code is told to come back as soon as it can.
    pub(super) fn is_interrupted(&self) -> bool {
        self.thrown.is_some()
    }
}

enum Waited {
    For(Py<PyAny>),
    Enough,
}

impl Waited {
    fn of(advance: Advance<'_>) -> Self {
        match advance {
            Advance::Yielded(future) => Waited::For(future.unbind()),
            Advance::Returned(_) => Waited::Enough,
        }
    }
}

/// Tells the event loop, from a thread, that the code is back.
fn land(py: Python<'_>, landing: Py<PyAny>) -> PyResult<()> {
    let event_loop = landing.call_method0(py, intern!(py, "get_loop"))?;
    let landed = Thunk::of(move |py| {
        let landing = landing.bind(py);
        if !landing.call_method0(intern!(py, "done"))?.is_truthy()? {
            landing.call_method1(intern!(py, "set_result"), (py.None(),))?;
        }
        Ok(py.None())
    });
    event_loop.call_method1(py, intern!(py, "call_soon_threadsafe"), (Py::new(py, landed)?,)).map(drop)
}
