//! An exchange whose request has a native route: its code is stepped here, by its Task or by a thread of the pool.

use std::sync::Arc;

use andon_plan::{BodySize, Captures, NativeRoute};
use andon_wire::{
    Flags, Queue,
    head::{Fields, RequestHead},
};
use parking_lot::Mutex;
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyDict, PyList},
};

use super::{Exchange, Protocol, Resume, Run, Step, thrown};
use crate::{
    awaitable::Until,
    clock, fork,
    http::{Given, Http, Received},
    native::{
        Application, Around, Asked, Drive, Entered, Execution, Face, Incoming, Parts, Place, Progress, Refused, Served,
        Taken, Under, Wire, copy_context, refuse, within_context,
    },
    serving::Serving,
    threads::{Done, Endpoint, Submission, is_pool_thread, submit, submit_request},
};

/// A request that has a native route.
pub(crate) struct NativeRequest {
    answered: Answered,
    head: Box<[u8]>,
    /// Middleware around it.
    around: Option<Around>,
    /// All of it is to run on a thread.
    threaded: bool,
}

/// How it is answered.
enum Answered {
    /// By the route of this number, which takes this of the request.
    ByRoute(Arc<Application>, usize, Box<Incoming>),
    /// So, because no route takes it, or a layer of middleware does not let it through.
    ByRefusal(Refused),
}

/// The native route of a request, and what it brings for it; `None`: the application serves it.
pub(crate) fn find_native(
    py: Python<'_>,
    serving: &Serving,
    (head, fields): (&RequestHead<'_>, &Fields<'_>),
    payload: &[u8],
    flags: Flags,
) -> Option<NativeRequest> {
    let application = serving.native()?;
    if application.calls.spliced {
        // Native routes are in the application's own stack, unless that was changed.
        application.is_current(py);
        return None;
    }
    let whole = serving.python().template.path(head);
    let paths = (&*whole, serving.python().template.root_path());
    let mut captures = Captures::new();
    let served = application.find(py, head.method, paths, &mut captures);
    let (answered, threaded) = match served {
        Served::Natively(taken) => by_route(py, taken, paths, captures, (head, fields), flags)?,
        Served::Refused(response) => (Answered::ByRefusal(Refused::Response(response)), false),
        Served::ByApplication(_) => return None,
    };
    let kept = payload[..payload.len() - fields.body().len()].into();
    let asked = Asked { method: head.method, secure: head.secure, path: &whole, query: head.query };
    match Entered::of(py, &application, &asked, fields.clone()) {
        Entered::Inside(around) => Some(NativeRequest { answered, head: kept, around, threaded }),
        // A limit that is around the middleware might answer in its place.
        Entered::Refused(..) if matches!(&answered, Answered::ByRoute(_, _, incoming) if incoming.limited) => None,
        Entered::Refused(around, refusal) => {
            let answered = Answered::ByRefusal(Refused::Whole(refusal));
            Some(NativeRequest { answered, head: kept, around: Some(around), threaded: false })
        }
        Entered::Unsure => None,
    }
}

/// How a route answers, and whether all of that is to run on a thread; `None`: the application does it. `paths`: the
/// request's, and the server's root path.
fn by_route(
    py: Python<'_>,
    taken: Taken,
    paths: (&str, &str),
    captures: Captures,
    (head, fields): (&RequestHead<'_>, &Fields<'_>),
    flags: Flags,
) -> Option<(Answered, bool)> {
    let Taken { application, number, .. } = &taken;
    let number = *number;
    let (native, objects) = (application.route(number), application.route_objects(number));
    let limited = !is_within_limit(native, fields, flags);
    // A thread cannot wait for the rest of the body.
    let here = (flags.contains(Flags::END) || native.body.is_none()) && !limited;
    let ready = here && application.has_default_limiter(py);
    let offloaded = flags.contains(Flags::THREAD) && !objects.threaded;
    // What cannot be offloaded here, the application does: it was prepared for that.
    if offloaded && !(objects.offloadable && ready) {
        return None;
    }
    let path = taken.path(paths.0, paths.1).routed();
    let parts = Parts { path, captures, query: head.query, fields: fields.clone() };
    let mut incoming = Incoming::gather(native, parts);
    incoming.limited = limited;
    let threaded = ready && (objects.threaded || offloaded);
    incoming.roots = taken.roots;
    Some((Answered::ByRoute(taken.application, number, Box::new(incoming)), threaded))
}

/// Whether it is certain that the body is not larger than its route allows, and than all around it allows.
fn is_within_limit(native: &NativeRoute, fields: &Fields<'_>, flags: Flags) -> bool {
    if native.limits.is_empty() {
        return true;
    }
    let mut size = BodySize { whole: flags.contains(Flags::END).then(|| fields.body().len()), ..BodySize::default() };
    for (name, value) in fields.clone() {
        match name {
            b"content-length" if size.content_length.is_none() => size.content_length = Some(value),
            b"transfer-encoding" => size.chunked = true,
            _ => {}
        }
    }
    native.limits.iter().all(|limit| size.is_within(limit.size))
}

impl NativeRequest {
    /// The exchange of this request, ready to be started.
    pub(crate) fn exchange<'py>(
        self,
        py: Python<'py>,
        serving: &Arc<Serving>,
        (slot, generation): (u32, u32),
        flags: Flags,
        http: Http,
    ) -> PyResult<Bound<'py, Exchange>> {
        let endpoint = self.endpoint(py);
        let exchange = Exchange::of(
            Arc::clone(serving),
            (slot, generation),
            flags,
            Run::Native(None),
            Protocol::Http(Mutex::new(http)),
        );
        let exchange = Bound::new(py, Exchange { endpoint, ..exchange })?;
        let face = Face::Wire(Wire { exchange: exchange.clone().unbind(), head: self.head, around: self.around });
        let drive = match self.answered {
            Answered::ByRoute(application, number, incoming) => {
                Execution::new(application.route(number), Under::Server, face, *incoming)
                    .into_drive(application, number)
            }
            Answered::ByRefusal(refused) => refuse(face, refused),
        };
        *exchange.get().run.lock() = Run::Native(Some(Box::new(drive)));
        Ok(exchange)
    }

    fn endpoint(&self, py: Python<'_>) -> Option<Endpoint> {
        let Answered::ByRoute(application, number, _) = &self.answered else { return None };
        let object = application.route(*number).scope.endpoint?;
        Some(Endpoint(application.object(py, object).as_ptr() as usize))
    }

    /// Whether the code is to run on a thread from its beginning on.
    pub(crate) fn is_threaded(&self) -> bool {
        self.threaded
    }
}

impl Exchange {
    // Its code

    pub(super) fn take_drive(&self) -> Option<Box<Drive>> {
        match &mut *self.run.lock() {
            Run::Native(drive) => drive.take(),
            _ => None,
        }
    }

    fn put_drive(&self, drive: Box<Drive>) {
        if let Run::Native(place) = &mut *self.run.lock() {
            *place = Some(drive);
        }
    }

    /// Runs the code on the event loop to where it waits.
    pub(super) fn step_drive<'py>(
        &self,
        py: Python<'py>,
        mut drive: Box<Drive>,
        resume: Resume<'_, 'py>,
    ) -> PyResult<Step<'py>> {
        let error = match resume {
            Resume::Next => None,
            Resume::Throw(arguments) => Some(thrown(arguments)?),
        };
        match drive.step(Place::Loop, error) {
            Progress::Yielded(value) => {
                self.put_drive(drive);
                Ok(Step::Yielded(value.into_bound(py)))
            }
            Progress::Ended(outcome) => outcome.map(|()| Step::Returned),
            Progress::WantsLoop => Err(PyRuntimeError::new_err("it is on the event loop already")),
        }
    }

    /// Goes on on the event loop after a thread.
    pub(crate) fn leave_to_loop(slf: &Bound<'_, Self>) -> PyResult<()> {
        if slf.get().is_over() { slf.get().wake(slf.py(), Until::Message) } else { Self::start_task(slf) }
    }

    /// Makes a Task that runs the application, or the code from where it is.
    pub(crate) fn start_task(slf: &Bound<'_, Self>) -> PyResult<()> {
        let task = slf.get().serving.python().starter.start(slf.clone().into_any())?;
        slf.get().keep_task(task);
        Ok(())
    }

    /// Has the code run on a thread, from its beginning.
    pub(crate) fn start_on_thread(slf: &Bound<'_, Self>) -> PyResult<()> {
        let serving = &slf.get().serving;
        let context = copy_context(serving.python().starter.context(slf.py()))?;
        submit_request(serving, slf, context)
    }

    /// Runs the code on this thread of the pool, to its end or to where it needs the event loop.
    pub(crate) fn run_on_thread(slf: &Bound<'_, Self>, context: &Bound<'_, PyAny>) -> PyResult<Progress> {
        let Some(mut drive) = slf.get().take_drive() else {
            return Ok(Progress::Ended(Ok(())));
        };
        *slf.get().on_thread_since.lock() = Some(clock::monotonic());
        let progress = within_context(context, || Ok(drive.step(Place::Thread, None)))?;
        if let Progress::Ended(outcome) = &progress {
            fork::end_here(slf.py(), outcome.as_ref().err());
        } else {
            fork::end_where_more_is_wanted(slf.py());
        }
        *slf.get().on_thread_since.lock() = None;
        if matches!(progress, Progress::WantsLoop) {
            slf.get().put_drive(drive);
        }
        Ok(progress)
    }

    /// A thread has done what it could. What is returned is for the event loop.
    pub(crate) fn leave_thread(slf: &Bound<'_, Self>, progress: Progress) -> PyResult<Option<Done>> {
        let (py, this) = (slf.py(), slf.get());
        match progress {
            Progress::Ended(Ok(())) => this.finish(py, None)?,
            Progress::Ended(Err(error)) => this.finish(py, Some(&error))?,
            Progress::WantsLoop | Progress::Yielded(_) => return Ok(Some(Done::Request(slf.clone().unbind()))),
        }
        let waited_for = !this.waiters.lock().is_empty();
        Ok(waited_for.then(|| Done::Request(slf.clone().unbind())))
    }

    // What its code asks for

    /// The scope as a server makes it.
    pub(crate) fn scope_of<'py>(&self, py: Python<'py>, head: &[u8]) -> PyResult<Bound<'py, PyDict>> {
        let (head, fields) = RequestHead::parse(head).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        self.serving.python().template.build(py, &head, fields)
    }

    /// The server's root path.
    pub(crate) fn root_path(&self) -> &str {
        self.serving.python().template.root_path()
    }

    /// The next piece of the request's body.
    pub(crate) fn next_piece(&self, py: Python<'_>) -> PyResult<Received> {
        let Protocol::Http(http) = &self.protocol else {
            return Ok(Received::Disconnect);
        };
        let (received, credit) = http.lock().receive();
        self.grant(py, credit)?;
        Ok(received)
    }

    /// Whether an answer was begun.
    pub(crate) fn has_begun(&self) -> bool {
        matches!(&self.protocol, Protocol::Http(http) if http.lock().has_begun())
    }

    /// Gives a whole answer. `later`: it is written with what is put next.
    pub(crate) fn give(&self, py: Python<'_>, head: Vec<u8>, body: Given, later: bool) -> PyResult<()> {
        let Protocol::Http(http) = &self.protocol else {
            return Ok(());
        };
        self.explain(py)?;
        let append = |out: &mut Queue| http.lock().give(head, body, out);
        if later {
            return self.serving.put_later(append);
        }
        self.serving.put(py, append)??;
        if is_pool_thread() { Ok(()) } else { self.wake(py, Until::Message) }
    }

    /// Has a function called on a thread; what is returned is to be awaited.
    pub(crate) fn submit<'py>(
        &self,
        slf: &Py<Self>,
        function: &Bound<'py, PyAny>,
        urgent: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = function.py();
        let submission = Submission { scope: py.None(), urgent, exchange: Some(slf.clone_ref(py)) };
        submit(&self.serving, PyList::new(py, [function])?, submission)
    }
}
