//! The application's callable, or the code of its native route, is run step by step.

use pyo3::{exceptions::PyStopIteration, intern, prelude::*};

use super::{Exchange, Resume, Run};
use crate::{
    coroutine::{Step, await_iterator, step},
    fork,
};

impl Exchange {
    /// Runs the application to its next suspension. `Ok(None)`: it is over.
    pub(super) fn advance<'py>(slf: &Bound<'py, Self>, resume: Resume<'_, 'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, this) = (slf.py(), slf.get());
        fork::end_here(py, None);
        let begun = this.serving.begin_step(this.slot, this.generation);
        let outcome = match this.take_drive() {
            Some(drive) => this.step_drive(py, drive, resume),
            None => this.step_coroutine(slf, resume),
        };
        fork::end_here(py, outcome.as_ref().err());
        this.used.add_step(this.serving.end_step(py, begun));
        match outcome {
            Ok(Step::Yielded(value)) => Ok(Some(value)),
            Ok(Step::Returned) => this.finish(py, None).map(|()| None),
            Err(error) => {
                let cancelled = this.serving.is_cancelled_error(py, &error);
                this.finish(py, Some(&error))?;
                if cancelled { Err(error) } else { Ok(None) }
            }
        }
    }

    fn step_coroutine<'py>(&self, slf: &Bound<'py, Self>, resume: Resume<'_, 'py>) -> PyResult<Step<'py>> {
        let py = slf.py();
        let Some(coroutine) = self.coroutine(slf)? else {
            return Ok(Step::Returned);
        };
        let Resume::Throw(arguments) = resume else {
            return step(&coroutine);
        };
        match coroutine.call_method1(intern!(py, "throw"), arguments) {
            Ok(value) => Ok(Step::Yielded(value)),
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(Step::Returned),
            Err(error) => Err(error),
        }
    }

    /// The application's coroutine, made now if this is the first step. `None` once it is over.
    fn coroutine<'py>(&self, slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let scope = {
            let mut run = self.run.lock();
            match std::mem::replace(&mut *run, Run::Over) {
                Run::Over | Run::Native(_) => return Ok(None),
                Run::Coroutine(coroutine) => {
                    *run = Run::Coroutine(coroutine.clone_ref(py));
                    return Ok(Some(coroutine.into_bound(py)));
                }
                Run::Scope(scope) => scope,
            }
        };
        let receive = slf.getattr(intern!(py, "receive"))?;
        let send = slf.getattr(intern!(py, "asgi_send"))?;
        let coroutine = await_iterator(self.serving.application(py).call1((scope, receive, send))?)?;
        *self.run.lock() = Run::Coroutine(coroutine.clone().unbind());
        Ok(Some(coroutine))
    }
}
