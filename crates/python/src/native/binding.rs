//! What the routes of a plan have of Python: found once, when an application is compiled.

use andon_plan::{Call, CallKind, Injected, NativeRoute, Object, Program};
use pyo3::{
    exceptions::PyValueError,
    intern,
    prelude::*,
    types::{PyString, PyTuple, PyType},
};

use super::{
    application::{CallObjects, RouteObjects},
    chain::Chain,
    framework::Framework,
    guards::Guards,
};

/// Finds the Python objects of routes.
pub(super) struct Binding<'a, 'py> {
    pub(super) py: Python<'py>,
    pub(super) objects: &'a [Py<PyAny>],
    pub(super) plan_texts: &'a [Box<str>],
    pub(super) texts: &'a [Py<PyString>],
    pub(super) framework: &'a Framework,
}

impl Binding<'_, '_> {
    pub(super) fn route(&self, route: &NativeRoute) -> PyResult<RouteObjects> {
        let streams = route.response.stream.is_some();
        if route.program.endpoint().kind.is_generator() != streams {
            let is = if streams { "no" } else { "a" };
            return Err(PyValueError::new_err(format!("the endpoint `{}` is {is} generator", route.endpoint)));
        }
        let names = route.path_names.iter().map(|text| &*self.plan_texts[*text as usize]);
        let endpoint = route.program.endpoint();
        let calls = route.program.calls.iter().map(|call| self.call(call, std::ptr::eq(call, endpoint)));
        let calls = calls.collect::<PyResult<Box<[_]>>>()?;
        // Forms are parsed on the event loop.
        let is_form = route.body.is_some_and(|body| body.form.is_some());
        let threaded = !is_form && has_threaded_dependencies(&route.program, &calls);
        Ok(RouteObjects {
            guards: guards_of(self.py, self.objects, route.guards)?,
            threaded: threaded && endpoint.kind == CallKind::Function,
            offloadable: threaded && endpoint.kind == CallKind::Coroutine && !endpoint.suspends,
            chain: Chain::of(&route.program, &calls),
            calls,
            path: without_convertors(&route.path, names),
        })
    }

    fn call(&self, call: &Call, is_endpoint: bool) -> PyResult<CallObjects> {
        let function = self.objects[call.call as usize].bind(self.py);
        let function = match call.kind {
            // What it yields is its answer, not the value of a context manager.
            _ if is_endpoint => function.clone(),
            CallKind::Coroutine | CallKind::Function | CallKind::AsyncGenerator => function.clone(),
            CallKind::Generator => self.framework.context_manager.bind(self.py).call1((function,))?,
        };
        let keywords = call.keywords.iter().map(|text| &self.texts[*text as usize]);
        let scopes = call.injections.iter().find_map(|injection| match &injection.what {
            Injected::SecurityScopes(scopes) => Some(scopes.clone()),
            _ => None,
        });
        let fields = call.steps.iter().map(|step| self.objects[step.field as usize].bind(self.py));
        let plain =
            self.framework.are_plain.bind(self.py).call1((PyTuple::new(self.py, fields.collect::<Vec<_>>())?,))?;
        Ok(CallObjects {
            plain_parameters: call.form.is_none() && plain.is_truthy()?,
            function: function.unbind(),
            keywords: PyTuple::new(self.py, keywords)?.unbind(),
            never_waits: is_security(&self.objects[call.call as usize].bind(self.py).get_type())?,
            scopes: scopes.unwrap_or_default(),
        })
    }
}

/// Those of a list of this number; none if there is no list.
pub(super) fn guards_of(py: Python<'_>, objects: &[Py<PyAny>], list: Option<Object>) -> PyResult<Guards> {
    list.map_or_else(|| Ok(Guards::default()), |list| Guards::of_list(objects[list as usize].bind(py)))
}

/// Whether all that the endpoint depends on can run on the thread on which the endpoint does.
fn has_threaded_dependencies(program: &Program, objects: &[CallObjects]) -> bool {
    let threaded = |(call, objects): (&Call, &CallObjects)| match call.kind {
        _ if call.concurrency.is_some() => false,
        CallKind::Function | CallKind::Generator => true,
        CallKind::Coroutine => objects.never_waits,
        CallKind::AsyncGenerator => false,
    };
    // The last call is the endpoint.
    program.calls.iter().zip(objects).take(objects.len() - 1).all(threaded)
}

/// Whether it is one of FastAPI's own classes of security schemes, whose code looks at the request and nothing else.
fn is_security(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let module = class.getattr(intern!(class.py(), "__module__"))?;
    Ok(module.extract::<String>().is_ok_and(|module| module.starts_with("fastapi.security.")))
}

/// `/items/{item_id:int}` as `/items/{item_id}`: Starlette's `path_format`. `names`: of the parameters, in their order.
fn without_convertors<'a>(path: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut format = String::with_capacity(path.len());
    let mut rest = path;
    for name in names {
        let plain = format!("{{{name}}}");
        let converted = format!("{{{name}:");
        let at = [&plain, &converted].into_iter().filter_map(|text| rest.find(text.as_str())).min();
        let Some((before, parameter)) = at.map(|at| rest.split_at(at)) else { continue };
        format.extend([before, &plain]);
        rest = parameter.split_once('}').map_or("", |(_, following)| following);
    }
    format.push_str(rest);
    format
}

#[cfg(test)]
mod tests {
    use super::without_convertors;

    #[test]
    fn convertors_are_left_out_of_paths_and_other_braces_kept() {
        for (path, names, expected) in [
            ("/items", &[][..], "/items"),
            ("/items/{item_id:int}/{name}", &["item_id", "name"], "/items/{item_id}/{name}"),
            ("/{a-b}/{a}{b:path}!", &["a", "b"], "/{a-b}/{a}{b}!"),
        ] {
            assert_eq!(without_convertors(path, names.iter().copied()), expected);
        }
    }
}
