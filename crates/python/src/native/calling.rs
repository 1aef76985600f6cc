//! Dependencies and the endpoint are called, with what their registers hold.

use std::sync::Arc;

use andon_plan::CallKind;
use parking_lot::Mutex;
use pyo3::{
    exceptions::PySystemError,
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::{
    execution::{Execution, Route},
    interpreter::{Value, call_with_keywords, copy_current_context, within_context},
    result::{Answer, Returned},
    stepping::{Place, run_through},
    threads::Way,
};

/// A call that is to be made elsewhere.
struct Prepared {
    function: Py<PyAny>,
    keywords: Py<PyTuple>,
    arguments: Box<[Value]>,
}

impl Prepared {
    fn call(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        call_with_keywords(self.function.bind(py), self.keywords.bind(py), &self.arguments).map(Bound::unbind)
    }

    /// Runs a coroutine function that cannot suspend to its end, with an event loop at hand if it asks for one.
    fn drive(&self, py: Python<'_>, route: Route<'_>) -> PyResult<Py<PyAny>> {
        let arguments = PyDict::new(py);
        for (keyword, argument) in self.keywords.bind(py).iter().zip(&self.arguments) {
            arguments.set_item(keyword, argument)?;
        }
        route.application.framework.drive.call1(py, (&self.function, arguments))
    }
}

impl Execution {
    /// Calls a dependency, or takes the result of an equal one.
    pub(crate) async fn dependency(&mut self, route: Route<'_>, number: u16) -> PyResult<()> {
        let call = &route.native.program.calls[usize::from(number)];
        if self.errors.since(usize::from(call.begin)) {
            return Ok(());
        }
        let taken = call.shared.filter(|shared| shared.take).map(|shared| usize::from(shared.number));
        let value = match taken.and_then(|taken| copy(&self.shared[taken])) {
            Some(value) => value,
            None => self.call_limited(route, number).await?,
        };
        let value = Some(value);
        if let Some(place) = call.shared.map(|shared| &mut self.shared[usize::from(shared.number)])
            && place.is_none()
        {
            *place = copy(&value);
        }
        if let Some(register) = call.result {
            self.registers[usize::from(register)] = value;
        }
        Ok(())
    }

    pub(crate) async fn call(&mut self, route: Route<'_>, number: u16) -> PyResult<Py<PyAny>> {
        match route.native.program.calls[usize::from(number)].kind {
            CallKind::Coroutine => {
                let awaitable = Python::attach(|py| self.call_here(py, route, number))?;
                if self.baton.place() != Place::Loop && route.objects.calls[usize::from(number)].never_waits {
                    return Python::attach(|py| run_through(awaitable.bind(py)));
                }
                self.baton.wait_for(awaitable, None).await
            }
            CallKind::Function => {
                let prepared = Python::attach(|py| self.prepare(py, route, number));
                self.on_thread(route, route.way(number), move |py| prepared.call(py)).await
            }
            CallKind::AsyncGenerator | CallKind::Generator => {
                let opened = Python::attach(|py| self.call_here(py, route, number))?;
                self.open(route, number, opened).await
            }
        }
    }

    /// Calls the endpoint and makes an answer of its result.
    pub(crate) async fn endpoint(&mut self, route: Route<'_>) -> PyResult<Answer> {
        let number = (route.native.program.calls.len() - 1) as u16;
        if let Some(stream) = route.native.response.stream {
            return self.stream(route, stream, number).await;
        }
        let returned = match route.native.program.endpoint().kind {
            CallKind::Function => self.function_endpoint(route, number).await?,
            // It was written for the event loop, and is on a thread because it was asked for there.
            CallKind::Coroutine if self.baton.place() == Place::Thread => {
                let value = Python::attach(|py| self.prepare(py, route, number).drive(py, route))?;
                Returned { value, validated: None }
            }
            // What it depends on was not.
            CallKind::Coroutine if self.incoming.offloaded && !route.native.program.endpoint().suspends => {
                let prepared = Python::attach(|py| self.prepare(py, route, number));
                let (application, number) = (Arc::clone(route.application), route.number);
                let drive = move |py: Python<'_>| prepared.drive(py, Route::of(&application, number));
                Returned { value: self.on_thread(route, Way::default(), drive).await?, validated: None }
            }
            _ => Returned { value: self.call(route, number).await?, validated: None },
        };
        self.baton.end_visit().await;
        Python::attach(|py| self.answer(py, route, returned))
    }

    /// What a `def` endpoint returns is validated on the thread as well, in a context of its own.
    async fn function_endpoint(&mut self, route: Route<'_>, number: u16) -> PyResult<Returned> {
        let (prepared, none) = Python::attach(|py| (self.prepare(py, route, number), py.None()));
        let place = Arc::new(Mutex::new(None));
        let (returned, application, route_number) = (Arc::clone(&place), Arc::clone(route.application), route.number);
        self.on_thread(route, Way::default(), move |py| {
            let context = copy_current_context(py)?;
            let value = prepared.call(py)?;
            let validate = || Returned::validated(py, Route::of(&application, route_number), value);
            *returned.lock() = Some(within_context(&context, validate)?);
            Ok(none)
        })
        .await?;
        let returned = place.lock().take();
        returned.ok_or_else(|| PySystemError::new_err("a call on a thread has left no result"))
    }

    /// Calls on the thread that this is.
    pub(crate) fn call_here(&mut self, py: Python<'_>, route: Route<'_>, number: u16) -> PyResult<Py<PyAny>> {
        let range = &route.native.program.calls[usize::from(number)].arguments;
        let objects = &route.objects.calls[usize::from(number)];
        let arguments = &mut self.registers[usize::from(range.start)..usize::from(range.end)];
        let outcome = call_with_keywords(objects.function.bind(py), objects.keywords.bind(py), arguments);
        arguments.iter_mut().for_each(|argument| *argument = None);
        outcome.map(Bound::unbind)
    }

    /// Takes what a call elsewhere needs.
    fn prepare(&mut self, py: Python<'_>, route: Route<'_>, number: u16) -> Prepared {
        let range = &route.native.program.calls[usize::from(number)].arguments;
        let objects = &route.objects.calls[usize::from(number)];
        let arguments = &mut self.registers[usize::from(range.start)..usize::from(range.end)];
        Prepared {
            function: objects.function.clone_ref(py),
            keywords: objects.keywords.clone_ref(py),
            arguments: arguments.iter_mut().map(Option::take).collect(),
        }
    }
}

fn copy(value: &Value) -> Value {
    value.as_ref().map(|value| Python::attach(|py| value.clone_ref(py)))
}
