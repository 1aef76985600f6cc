//! One request in a middleware: what `BaseHTTPMiddleware.__call__` does, and what it keeps while it does it.

use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::{intern, prelude::*, types::PyDict};

use super::{
    super::stepping::{Baton, Drive},
    call_next::CallNext,
    channel::{Channel, Outlet, new_future, wake},
    layer::NativeDispatch,
    parts::Parts,
    response::{Given, respond},
};

/// A request in a middleware.
pub(crate) struct Around {
    pub(super) parts: Arc<Parts>,
    pub(super) layer: Py<NativeDispatch>,
    pub(super) channel: Arc<Channel>,
    /// The response that `call_next` has returned last.
    pub(super) given: Mutex<Option<Given>>,
    state: Mutex<State>,
}

/// The call of the middleware as an ASGI application.
pub(super) struct Call {
    pub(super) scope: Py<PyDict>,
    pub(super) receive: Py<PyAny>,
    pub(super) send: Py<PyAny>,
}

impl Call {
    fn clone_ref(&self, py: Python<'_>) -> Self {
        Self { scope: self.scope.clone_ref(py), receive: self.receive.clone_ref(py), send: self.send.clone_ref(py) }
    }
}

/// Emptied in the end (by [`Running`]): Python's collector does not see what is in here, and Tasks refer to it.
#[derive(Default)]
struct State {
    /// `None`: it is over.
    call: Option<Call>,
    /// `wrapped_receive` of the middleware's request.
    wrapped_receive: Option<Py<PyAny>>,
    tasks: Vec<Py<PyAny>>,
    /// So many applications inside have not ended.
    running: usize,
    /// Done when none is running any more.
    ended: Option<Py<PyAny>>,
    /// What the application inside has raised.
    error: Option<PyErr>,
    /// `call_next` has raised it.
    raised: bool,
    /// By these, which are no `Exception`s, applications inside have ended.
    broken: Vec<PyErr>,
    /// Futures for which the application inside waits in `receive`.
    received: Vec<Py<PyAny>>,
}

/// As long as its code is there. If that is abandoned half-way, the applications inside are cancelled, too.
struct Running(Arc<Around>);

impl Drop for Running {
    fn drop(&mut self) {
        // Without an interpreter there are no Tasks any more.
        let _ = Python::try_attach(|py| self.0.forget(py));
    }
}

impl Around {
    /// The code of the middleware for a request.
    pub(super) fn drive(py: Python<'_>, layer: Py<NativeDispatch>, call: Call) -> Drive {
        let parts = Arc::clone(&layer.get().parts);
        let state = Mutex::new(State { call: Some(call.clone_ref(py)), ..State::default() });
        let channel = Arc::new(Channel::new(Arc::clone(&parts)));
        let around = Arc::new(Self { parts, layer, channel, given: Mutex::default(), state });
        Drive::of(|baton| async move {
            let running = Running(around);
            running.0.run(&baton, &call).await
        })
    }

    async fn run(self: &Arc<Self>, baton: &Baton, call: &Call) -> PyResult<()> {
        if let Err(error) = self.dispatch(baton, call).await {
            self.end_inner(baton).await?;
            return Python::attach(|py| self.leave_group(py, Some(error)));
        }
        Python::attach(|py| self.channel.finish(py))?;
        if let Err(error) = self.end_calmly(baton).await {
            self.end_inner(baton).await?;
            return Err(error);
        }
        Python::attach(|py| self.leave_group(py, None))?;
        let (error, raised) = {
            let mut state = self.state.lock();
            (state.error.take(), state.raised)
        };
        error.filter(|_| !raised).map_or(Ok(()), Err)
    }

    /// Waits until the applications inside have ended by themselves; the error by which that was interrupted.
    async fn end_calmly(&self, baton: &Baton) -> PyResult<()> {
        self.end_receiving(baton).await?;
        while self.state.lock().running > 0 {
            let future = Python::attach(new_future)?;
            let before = self.state.lock().ended.replace(Python::attach(|py| future.clone_ref(py)));
            drop(before);
            baton.wait_for(future, None).await?;
        }
        Ok(())
    }

    /// Who is inside and waits for a message is told that the client is gone; who waits to send goes on before that.
    async fn end_receiving(&self, baton: &Baton) -> PyResult<()> {
        if self.state.lock().received.is_empty() {
            return Ok(());
        }
        self.parts.checkpoint(baton).await?;
        let received = std::mem::take(&mut self.state.lock().received);
        Python::attach(|py| cancel(py, &received))
    }

    /// Calls the application's function, and sends what it returns.
    async fn dispatch(self: &Arc<Self>, baton: &Baton, call: &Call) -> PyResult<()> {
        let (running, wrapped_receive) = Python::attach(|py| {
            let request = self.parts.cached_request.bind(py).call1((&call.scope, &call.receive, &call.send))?;
            let wrapped_receive = request.getattr(intern!(py, "wrapped_receive"))?.unbind();
            self.state.lock().wrapped_receive = Some(wrapped_receive.clone_ref(py));
            let function = self.layer.get().layer.bind(py).getattr(intern!(py, "dispatch_func"))?;
            let running = function.call1((request, CallNext(Arc::clone(self))))?;
            PyResult::Ok((running.unbind(), wrapped_receive))
        })?;
        let response = baton.wait_for(running, None).await?;
        respond(self, baton, call, response, wrapped_receive).await
    }

    // The applications inside

    /// What they are called with; `None`: it is over.
    pub(super) fn call(&self, py: Python<'_>) -> Option<Call> {
        self.state.lock().call.as_ref().map(|call| call.clone_ref(py))
    }

    pub(super) fn wrapped_receive(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.lock().wrapped_receive.as_ref().map(|receive| receive.clone_ref(py))
    }

    /// One begins.
    pub(super) fn inner_begins(&self) {
        self.state.lock().running += 1;
    }

    /// Keeps the Task of one.
    pub(super) fn keep(&self, task: Py<PyAny>) {
        self.state.lock().tasks.push(task);
    }

    /// One of them waits for this before it receives a message.
    pub(super) fn waits_for(&self, future: Py<PyAny>) {
        self.state.lock().received.push(future);
    }

    /// It waits for that no more.
    pub(super) fn waited_for(&self, future: &Py<PyAny>) {
        let found = {
            let received = &mut self.state.lock().received;
            received.iter().position(|known| known.is(future)).map(|place| received.swap_remove(place))
        };
        drop(found);
    }

    /// One has ended, by this exception if there is one.
    pub(super) fn inner_ended(&self, py: Python<'_>, outlet: &Outlet, error: Option<PyErr>) -> PyResult<()> {
        let failed = error.is_some();
        let (before, ended) = {
            let mut state = self.state.lock();
            // It may be forgotten already: nobody waits for it if the request was abandoned.
            state.running = state.running.saturating_sub(1);
            let before = if failed { std::mem::replace(&mut state.error, error) } else { None };
            (before, if state.running == 0 { state.ended.take() } else { None })
        };
        drop(before);
        if failed || !outlet.has_left_early() {
            self.channel.close(py)?;
        }
        wake(py, ended)
    }

    /// One ends by what is no `Exception`, which only the end of all this brings to light.
    pub(super) fn inner_broke(&self, error: PyErr) {
        self.state.lock().broken.push(error);
    }

    /// What the application inside has raised, for `call_next` to raise it.
    pub(super) fn take_error(&self, py: Python<'_>) -> Option<PyErr> {
        let mut state = self.state.lock();
        let error = state.error.as_ref().map(|error| error.clone_ref(py));
        state.raised |= error.is_some();
        error
    }

    /// Cancels their Tasks and waits until they have ended.
    async fn end_inner(&self, baton: &Baton) -> PyResult<()> {
        if self.state.lock().running == 0 {
            return Ok(());
        }
        let ending = Python::attach(|py| {
            let tasks: Vec<_> = self.state.lock().tasks.iter().map(|task| task.clone_ref(py)).collect();
            self.parts.end.call1(py, (tasks,))
        })?;
        baton.wait_for(ending, None).await.map(drop)
    }

    /// Lets go of all that it keeps.
    fn forget(&self, py: Python<'_>) {
        let kept = std::mem::take(&mut *self.state.lock());
        let given = self.given.lock().take();
        self.channel.abandon();
        if kept.running > 0
            && let Err(error) = cancel(py, &kept.tasks)
        {
            error.write_unraisable(py, None);
        }
        drop((kept, given));
    }

    /// The end of the task group that Starlette has around all this (`create_collapsing_task_group`): what comes of an
    /// error in it, and of those that ended applications inside.
    fn leave_group(&self, py: Python<'_>, error: Option<PyErr>) -> PyResult<()> {
        let broken = std::mem::take(&mut self.state.lock().broken);
        let (cancelled, own) = match error {
            Some(error) if self.parts.is_cancelled(py, &error) => (Some(error), None),
            own => (None, own),
        };
        let errors: Vec<_> = own.iter().chain(&broken).collect();
        match errors[..] {
            [] => cancelled.map_or(Ok(()), Err),
            [error] => Err(self.collapsed(py, error.clone_ref(py))),
            _ => {
                let group = PyErr::from_value(self.parts.group(py, &errors)?.into_bound(py));
                if let Some(own) = own {
                    set_context(py, &group, own.into_value(py).into_any());
                }
                Err(group)
            }
        }
    }

    /// The one exception of a group, raised again.
    fn collapsed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        match self.parts.group(py, &[&error]) {
            Ok(group) => {
                let suppressed = error.value(py).getattr(intern!(py, "__suppress_context__"));
                let counts = suppressed.is_ok_and(|suppressed| !suppressed.is_truthy().unwrap_or(true));
                raised_from_itself(py, &error, counts, group);
                error
            }
            Err(unexpected) => unexpected,
        }
    }
}

fn cancel(py: Python<'_>, waiting: &[Py<PyAny>]) -> PyResult<()> {
    waiting.iter().try_for_each(|each| each.call_method0(py, intern!(py, "cancel")).map(drop))
}

/// `raise error from error.__cause__ or error.__context__` (if that `counts`), while `handled` is handled.
pub(super) fn raised_from_itself(py: Python<'_>, error: &PyErr, counts: bool, handled: Py<PyAny>) {
    let value = error.value(py);
    let of = |name| value.getattr(name).ok().filter(|found| !found.is_none());
    let context = || of(intern!(py, "__context__")).filter(|_| counts);
    let cause = of(intern!(py, "__cause__")).or_else(context);
    error.set_cause(py, cause.map(PyErr::from_value));
    set_context(py, error, handled);
}

/// Says that `error` was raised while `handled` was handled.
pub(super) fn set_context(py: Python<'_>, error: &PyErr, handled: Py<PyAny>) {
    // It fails for what is no exception only.
    let _ = error.value(py).setattr(intern!(py, "__context__"), handled);
}
