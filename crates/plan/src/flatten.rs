//! Makes a [`Program`] of a tree of dependants. Called by [`crate::Plan`] for each native route.

use std::collections::{BTreeSet, HashMap};

use crate::{
    Alias, Call, CallKind, Dependant, FormFields, FormStep, Inject, Injected, Injection, Names, Needs, Operation,
    Parameter, Program, Shared, Source, Step, Text, texts::Texts,
};

/// Deepest nesting of dependencies. What is read from JSON cannot be much deeper: serde_json stops at 128 levels, of
/// which each dependant takes two.
pub const MAX_DEPTH: usize = 48;

/// Most dependants of one route, each counted as often as it is solved.
pub const MAX_CALLS: usize = 4096;

/// Most arguments of all calls of one route.
pub const MAX_REGISTERS: usize = 16_384;

/// Why a route is not compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("its dependencies are nested more than {MAX_DEPTH} deep")]
    Depth,
    #[error("more than {MAX_CALLS} dependencies are solved for it")]
    Calls,
    #[error("its calls have more than {MAX_REGISTERS} arguments")]
    Registers,
    #[error("the parameter `{0}` has no name in the request")]
    NoAlias(String),
    #[error("the header name `{0}` is not ASCII")]
    Header(String),
}

/// The program for what `root` describes; `path` are the names of the path's parameters.
pub(crate) fn flatten(root: &Dependant, path: &[&str], texts: &mut Texts) -> Result<Program, Unfit> {
    let mut survey = Survey::default();
    survey.visit(root, 1)?;
    let shared = survey.shared();
    let mut flattening = Flattening {
        path,
        query: Names::new(survey.query),
        headers: Names::new(survey.headers.iter().map(String::as_str).collect()),
        cookies: Names::new(survey.cookies),
        shared: &shared,
        texts,
        operations: Vec::new(),
        calls: Vec::with_capacity(survey.calls),
        registers: 0,
    };
    flattening.visit(root, None);
    Ok(flattening.finish(survey.needs))
}

/// What a tree asks for, and whether it is within the bounds.
#[derive(Default)]
struct Survey<'a> {
    query: BTreeSet<&'a str>,
    headers: BTreeSet<String>,
    cookies: BTreeSet<&'a str>,
    /// How often each cache key occurs; the endpoint's does not count.
    keys: HashMap<u32, u32>,
    needs: Needs,
    calls: usize,
    registers: usize,
}

impl<'a> Survey<'a> {
    fn visit(&mut self, dependant: &'a Dependant, depth: usize) -> Result<(), Unfit> {
        self.calls += 1;
        // An upper bound: no two of them have one keyword.
        let injected = dependant.inject.keywords().into_iter().flatten().count();
        let form = dependant.form.as_ref().map_or(0, |form| form.names.len());
        self.registers += dependant.dependencies.len() + dependant.parameters.len() + form + injected;
        match () {
            () if depth > MAX_DEPTH => return Err(Unfit::Depth),
            () if self.calls > MAX_CALLS => return Err(Unfit::Calls),
            () if self.registers > MAX_REGISTERS => return Err(Unfit::Registers),
            () => {}
        }
        if depth > 1 {
            *self.keys.entry(dependant.cache_key).or_default() += 1;
        }
        self.needs.add(dependant);
        self.needs.generators |= depth > 1 && dependant.kind.is_generator();
        dependant.parameters.iter().try_for_each(|parameter| self.parameter(parameter))?;
        dependant.dependencies.iter().try_for_each(|dependency| self.visit(dependency, depth + 1))
    }

    fn parameter(&mut self, parameter: &'a Parameter) -> Result<(), Unfit> {
        if parameter.aliases.is_empty() {
            return Err(Unfit::NoAlias(parameter.name.clone()));
        }
        if parameter.model.is_some() {
            return Ok(());
        }
        let aliases = parameter.aliases.iter().map(String::as_str);
        match parameter.source {
            Source::Query => self.query.extend(aliases),
            Source::Cookie => self.cookies.extend(aliases),
            Source::Header => {
                if let Some(alias) = parameter.aliases.iter().find(|alias| !alias.is_ascii()) {
                    return Err(Unfit::Header(alias.clone()));
                }
                self.headers.extend(aliases.map(str::to_ascii_lowercase));
            }
            Source::Path | Source::Body | Source::Form => {}
        }
        Ok(())
    }

    /// Numbers for the results that somebody could share.
    fn shared(&self) -> HashMap<u32, u16> {
        let mut keys: Vec<u32> = self.keys.iter().filter(|(_, count)| **count > 1).map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.into_iter().zip(0..).collect()
    }
}

impl Needs {
    fn add(&mut self, dependant: &Dependant) {
        let inject = &dependant.inject;
        self.request |= inject.request.is_some() || inject.connection.is_some();
        self.response |= inject.response.is_some();
        self.background_tasks |= inject.background_tasks.is_some();
        self.models |= dependant.parameters.iter().any(|parameter| parameter.model.is_some());
    }
}

struct Flattening<'a> {
    path: &'a [&'a str],
    query: Names,
    headers: Names,
    cookies: Names,
    shared: &'a HashMap<u32, u16>,
    texts: &'a mut Texts,
    operations: Vec<Operation>,
    calls: Vec<Call>,
    registers: u16,
}

impl Flattening<'_> {
    /// Adds what a dependant depends on and then itself. Its arguments get their registers first, so that the results of
    /// its dependencies have a place.
    fn visit(&mut self, dependant: &Dependant, result: Option<u16>) {
        let begin = self.operations.len() as u16;
        let arguments = Arguments::new(dependant, self.registers);
        self.registers = arguments.end();
        for dependency in &dependant.dependencies {
            self.visit(dependency, dependency.name.as_deref().map(|name| arguments.register(name)));
        }
        let call = self.call(dependant, result, begin, &arguments);
        let number = self.calls.len() as u16;
        if !call.steps.is_empty() {
            self.operations.push(Operation::Parameters(number));
        }
        if call.form.is_some() {
            self.operations.push(Operation::Form(number));
        }
        if !call.injections.is_empty() {
            self.operations.push(Operation::Inject(number));
        }
        self.operations.push(Operation::Call(number));
        self.calls.push(call);
    }

    fn call(&mut self, dependant: &Dependant, result: Option<u16>, begin: u16, arguments: &Arguments<'_>) -> Call {
        Call {
            call: dependant.call,
            kind: dependant.kind,
            suspends: dependant.suspends,
            concurrency: dependant.concurrency,
            function_scope: dependant.function_scope,
            begin,
            arguments: arguments.first..arguments.end(),
            keywords: arguments.keywords.iter().map(|keyword| self.texts.number(keyword)).collect(),
            result,
            shared: self
                .shared
                .get(&dependant.cache_key)
                .map(|number| Shared { number: *number, take: dependant.use_cache }),
            steps: dependant.parameters.iter().map(|parameter| self.step(parameter, arguments)).collect(),
            form: dependant.form.as_ref().map(|form| self.form(form, arguments)),
            injections: self.injections(&dependant.inject, arguments),
        }
    }

    fn form(&mut self, form: &FormFields, arguments: &Arguments<'_>) -> FormStep {
        let values = form.names.iter().map(|name| (self.texts.number(name), arguments.register(name)));
        FormStep { fields: form.fields, embed: form.embed, values: values.collect() }
    }

    fn step(&mut self, parameter: &Parameter, arguments: &Arguments<'_>) -> Step {
        let single = parameter.aliases.len() == 1 && !parameter.list && parameter.model.is_none();
        Step {
            source: parameter.source,
            simple: single && !matches!(parameter.source, Source::Body | Source::Form),
            list: parameter.list,
            required: parameter.required,
            empty_is_absent: parameter.empty_is_absent,
            validate_default: parameter.validate_default,
            absent: parameter.absent,
            register: arguments.register(&parameter.name),
            aliases: parameter.aliases.iter().map(|alias| self.alias(parameter, alias)).collect(),
            validate: parameter.validate,
            field: parameter.field,
            model: parameter.model,
            form: parameter.form.as_ref().map(|model| model.step(self.texts)),
        }
    }

    fn alias(&mut self, parameter: &Parameter, alias: &str) -> Alias {
        let number = match parameter.source {
            _ if parameter.model.is_some() => None,
            Source::Path => self.path.iter().position(|name| *name == alias).map(|number| number as u16),
            Source::Query => self.query.find(alias.as_bytes()),
            Source::Header => self.headers.find(alias.to_ascii_lowercase().as_bytes()),
            Source::Cookie => self.cookies.find(alias.as_bytes()),
            Source::Body | Source::Form => None,
        };
        Alias { text: self.texts.number(alias), number }
    }

    fn injections(&mut self, inject: &Inject, arguments: &Arguments<'_>) -> Box<[Injection]> {
        let scopes: Option<Box<[Text]>> = inject
            .security_scopes
            .as_ref()
            .map(|(_, scopes)| scopes.iter().map(|scope| self.texts.number(scope)).collect());
        let kinds = [
            Injected::Connection,
            Injected::Request,
            Injected::BackgroundTasks,
            Injected::Response,
            Injected::SecurityScopes(scopes.unwrap_or_default()),
        ];
        let injections = inject
            .keywords()
            .into_iter()
            .zip(kinds)
            .filter_map(|(keyword, what)| Some(Injection { register: arguments.register(keyword?), what }));
        injections.collect()
    }

    fn finish(mut self, needs: Needs) -> Program {
        if let (Some(operation), Some(endpoint)) = (self.operations.last_mut(), self.calls.last_mut()) {
            *operation = Operation::Endpoint;
            endpoint.shared = None;
        }
        let may_suspend = |call: &Call| match call.kind {
            _ if call.concurrency.is_some() => true,
            CallKind::Coroutine => call.suspends,
            CallKind::AsyncGenerator => true,
            CallKind::Function | CallKind::Generator => false,
        };
        Program {
            all_functions: self.calls.iter().all(|call| call.kind == CallKind::Function && call.concurrency.is_none()),
            can_suspend: self.calls.iter().any(may_suspend),
            operations: self.operations.into(),
            calls: self.calls.into(),
            registers: self.registers,
            shared: self.shared.len() as u16,
            query: self.query,
            headers: self.headers,
            cookies: self.cookies,
            needs,
        }
    }
}

/// Kinds of objects that the framework injects.
const INJECTIONS: usize = 5;

impl Inject {
    /// In the order in which the framework puts them among the arguments.
    fn keywords(&self) -> [Option<&str>; INJECTIONS] {
        let scopes = self.security_scopes.as_ref().map(|(keyword, _)| keyword.as_str());
        let [connection, request, tasks, response] =
            [&self.connection, &self.request, &self.background_tasks, &self.response].map(Option::as_deref);
        [connection, request, tasks, response, scopes]
    }
}

/// The keywords of a call and their registers.
struct Arguments<'a> {
    first: u16,
    keywords: Vec<&'a str>,
}

impl<'a> Arguments<'a> {
    /// As a dictionary would have them: each once, where it came first.
    fn new(dependant: &'a Dependant, first: u16) -> Self {
        let dependencies = dependant.dependencies.iter().filter_map(|dependency| dependency.name.as_deref());
        let parameters = dependant.parameters.iter().map(|parameter| parameter.name.as_str());
        let form = dependant.form.iter().flat_map(|form| form.names.iter().map(String::as_str));
        let injected = dependant.inject.keywords().into_iter().flatten();
        let mut keywords: Vec<&str> = Vec::new();
        for keyword in dependencies.chain(parameters).chain(form).chain(injected) {
            if !keywords.contains(&keyword) {
                keywords.push(keyword);
            }
        }
        Self { first, keywords }
    }

    fn end(&self) -> u16 {
        self.first + self.keywords.len() as u16
    }

    /// Of a keyword that is there.
    fn register(&self, keyword: &str) -> u16 {
        let position = self.keywords.iter().position(|known| *known == keyword);
        self.first + position.unwrap_or_default() as u16
    }
}

#[cfg(test)]
mod tests;
