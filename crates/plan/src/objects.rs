//! Which objects a native route names, so that a table that is too short is refused before a request finds out.

use crate::{Absent, Dependant, Native, Object, Parameter};

/// The greatest number of an object that the route names.
pub(crate) fn greatest_object(native: &Native) -> Object {
    let scope = &native.scope;
    let response = &native.response;
    let field = response.field.iter().flat_map(|field| [field.field, field.validate, field.to_json, field.options]);
    let others = [scope.app, scope.router, response.class];
    let found = scope.route.into_iter().chain(scope.endpoint);
    let limits = native.body.and_then(|body| body.form);
    let named = others.into_iter().chain(found).chain(scope.fastapi).chain(native.guards).chain(limits).chain(field);
    named.fold(of_dependant(&native.root), Object::max)
}

fn of_dependant(dependant: &Dependant) -> Object {
    let parameters = dependant.parameters.iter().map(of_parameter);
    let dependencies = dependant.dependencies.iter().map(of_dependant);
    let form = dependant.form.iter().map(|form| form.fields);
    let others = form.chain(dependant.concurrency);
    parameters.chain(dependencies).chain(others).fold(dependant.call, Object::max)
}

fn of_parameter(parameter: &Parameter) -> Object {
    let absent = match parameter.absent {
        Absent::Shared(object) => object,
        Absent::None | Absent::Made => 0,
    };
    [parameter.validate, parameter.field, absent].into_iter().chain(parameter.model).fold(0, Object::max)
}
