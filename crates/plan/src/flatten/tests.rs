//! Programs run by a small interpreter against `solve_dependencies` written down as the recursion that it is.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{Absent, Call, testing::dependant};

fn parameter(source: Source, name: &str, validate: u32) -> Parameter {
    Parameter {
        source,
        name: name.to_owned(),
        aliases: vec![name.to_owned()],
        list: false,
        empty_is_absent: false,
        required: true,
        absent: Absent::None,
        validate_default: false,
        validate,
        field: 0,
        model: None,
        form: None,
    }
}

fn flat(root: &Dependant) -> (Program, Box<[Box<str>]>) {
    let mut texts = Texts::default();
    let program = flatten(root, &["item_id"], &mut texts).unwrap();
    (program, texts.finish())
}

/// Stands for a Python object.
type Value = String;

/// What happened, in order. Validators whose number is a multiple of seven refuse.
#[derive(Debug, Default, PartialEq)]
struct Journal {
    events: Vec<String>,
    errors: Vec<u32>,
}

impl Journal {
    fn validate(&mut self, validate: u32) -> Option<Value> {
        self.events.push(format!("validate {validate}"));
        if validate.is_multiple_of(7) {
            self.errors.push(validate);
            return None;
        }
        Some(format!("valid {validate}"))
    }

    /// No two calls have the same result.
    fn call(&mut self, call: u32, arguments: &[(String, Value)]) -> Value {
        self.events.push(format!("call {call} {arguments:?}"));
        format!("result {call} {}", self.events.len())
    }
}

/// `solve_dependencies`: the arguments of the dependant, or nothing if there were errors.
fn solve(
    dependant: &Dependant,
    cache: &mut BTreeMap<u32, Value>,
    journal: &mut Journal,
) -> Option<Vec<(String, Value)>> {
    let before = journal.errors.len();
    let mut values: Vec<(String, Value)> = Vec::new();
    for dependency in &dependant.dependencies {
        let Some(arguments) = solve(dependency, cache, journal) else { continue };
        let result = match cache.get(&dependency.cache_key) {
            Some(result) if dependency.use_cache => result.clone(),
            _ => journal.call(dependency.call, &arguments),
        };
        if let Some(name) = &dependency.name {
            values.push((name.clone(), result.clone()));
        }
        cache.entry(dependency.cache_key).or_insert(result);
    }
    for parameter in &dependant.parameters {
        values.extend(journal.validate(parameter.validate).map(|value| (parameter.name.clone(), value)));
    }
    if let Some(form) = &dependant.form {
        values.extend(journal.validate(form.fields).map(|value| (form.names[0].clone(), value)));
    }
    let injected = dependant.inject.keywords().into_iter().flatten();
    values.extend(injected.map(|keyword| (keyword.to_owned(), "injected".to_owned())));
    (journal.errors.len() == before).then_some(values)
}

/// What an executor does.
struct Interpreter<'a> {
    program: &'a Program,
    texts: &'a [Box<str>],
    registers: Vec<Option<Value>>,
    shared: Vec<Option<Value>>,
    last_error: Option<u16>,
    journal: Journal,
}

impl Interpreter<'_> {
    fn run(&mut self) {
        for (number, operation) in self.program.operations.iter().enumerate() {
            let call = |call: u16| &self.program.calls[usize::from(call)];
            match *operation {
                Operation::Parameters(of) => self.parameters(number as u16, &call(of).steps),
                Operation::Form(of) => self.form(number as u16, call(of)),
                Operation::Inject(of) => {
                    for injection in &call(of).injections {
                        self.registers[usize::from(injection.register)] = Some("injected".to_owned());
                    }
                }
                Operation::Call(of) => self.dependency(call(of)),
                Operation::Endpoint if self.last_error.is_none() => drop(self.call(self.program.endpoint())),
                Operation::Endpoint => {}
            }
        }
    }

    fn parameters(&mut self, number: u16, steps: &[Step]) {
        for step in steps {
            match self.journal.validate(step.validate) {
                Some(value) => self.registers[usize::from(step.register)] = Some(value),
                None => self.last_error = Some(number),
            }
        }
    }

    fn form(&mut self, number: u16, call: &Call) {
        if let Some(form) = &call.form {
            match self.journal.validate(form.fields) {
                Some(value) => self.registers[usize::from(form.values[0].1)] = Some(value),
                None => self.last_error = Some(number),
            }
        }
    }

    fn dependency(&mut self, call: &Call) {
        if self.last_error.is_some_and(|last| last >= call.begin) {
            return;
        }
        let kept = call.shared.filter(|shared| shared.take);
        let result = match kept.and_then(|shared| self.shared[usize::from(shared.number)].clone()) {
            Some(result) => result,
            None => self.call(call),
        };
        if let Some(shared) = call.shared {
            self.shared[usize::from(shared.number)].get_or_insert_with(|| result.clone());
        }
        if let Some(register) = call.result {
            self.registers[usize::from(register)] = Some(result);
        }
    }

    fn call(&mut self, call: &Call) -> Value {
        let keywords = call.keywords.iter().map(|keyword| self.texts[*keyword as usize].to_string());
        let arguments = call.arguments.clone().map(|register| self.registers[usize::from(register)].clone().unwrap());
        let arguments: Vec<_> = keywords.zip(arguments).collect();
        self.journal.call(call.call, &arguments)
    }
}

fn interpret(root: &Dependant) -> Journal {
    let (program, texts) = flat(root);
    let mut interpreter = Interpreter {
        registers: vec![None; usize::from(program.registers)],
        shared: vec![None; usize::from(program.shared)],
        program: &program,
        texts: &texts,
        last_error: None,
        journal: Journal::default(),
    };
    interpreter.run();
    interpreter.journal
}

fn model(root: &Dependant) -> Journal {
    let mut journal = Journal::default();
    if let Some(arguments) = solve(root, &mut BTreeMap::new(), &mut journal) {
        journal.call(root.call, &arguments);
    }
    journal
}

fn parameters() -> impl Strategy<Value = Vec<Parameter>> {
    prop::collection::vec(1_u32..60, 0..3).prop_map(|validators| {
        let numbered = validators.into_iter().enumerate();
        numbered.map(|(number, validate)| parameter(Source::Query, &format!("p{number}"), validate)).collect()
    })
}

fn form() -> impl Strategy<Value = Option<FormFields>> {
    let fields = (1_u32..60).prop_map(|fields| FormFields { fields, names: vec!["form".to_owned()], embed: true });
    prop::option::weighted(0.2, fields)
}

fn leaf() -> impl Strategy<Value = Dependant> {
    let injected = any::<(bool, bool)>().prop_map(|(request, response)| Inject {
        request: request.then(|| "request".to_owned()),
        response: response.then(|| "response".to_owned()),
        ..Inject::default()
    });
    (1_u32..6, any::<(bool, bool)>(), parameters(), form(), injected).prop_map(
        |(call, (named, use_cache), parameters, form, inject)| {
            let name = named.then(|| format!("d{call}"));
            Dependant { name, use_cache, parameters, form, inject, ..dependant(call) }
        },
    )
}

fn tree() -> impl Strategy<Value = Dependant> {
    leaf().prop_recursive(5, 40, 4, |inner| {
        (leaf(), prop::collection::vec(inner, 0..4)).prop_map(|(mut root, mut dependencies)| {
            for (number, dependency) in dependencies.iter_mut().enumerate() {
                dependency.name = dependency.name.as_ref().map(|name| format!("{name}_{number}"));
            }
            root.dependencies = dependencies;
            root
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_program_does_what_the_recursion_does(root in tree()) {
        prop_assert_eq!(interpret(&root), model(&root));
    }
}

#[test]
fn what_depends_on_an_invalid_parameter_is_not_called_but_the_others_are() {
    let bad =
        Dependant { name: Some("bad".to_owned()), parameters: vec![parameter(Source::Query, "q", 7)], ..dependant(1) };
    let good = Dependant { name: Some("good".to_owned()), ..dependant(2) };
    let root = Dependant { dependencies: vec![bad, good], ..dependant(3) };
    assert_eq!(interpret(&root).events, ["validate 7", "call 2 []"]);
}

#[test]
fn names_are_collected_by_source_and_aliases_have_their_numbers() {
    let mut header = parameter(Source::Header, "x_token", 1);
    header.aliases = vec!["X-Token".to_owned(), "Token".to_owned()];
    let mut of_model = parameter(Source::Query, "filters", 2);
    of_model.model = Some(9);
    let parameters = vec![
        parameter(Source::Path, "item_id", 3),
        parameter(Source::Path, "missing", 4),
        parameter(Source::Query, "q", 5),
        of_model,
        header,
        parameter(Source::Cookie, "session", 6),
        parameter(Source::Body, "item", 8),
    ];
    let (program, texts) = flat(&Dependant { parameters, ..dependant(1) });
    assert_eq!(program.query.iter().collect::<Vec<_>>(), ["q"]);
    assert_eq!(program.headers.iter().collect::<Vec<_>>(), ["token", "x-token"]);
    assert_eq!(program.cookies.iter().collect::<Vec<_>>(), ["session"]);
    let steps = &program.endpoint().steps;
    let numbers: Vec<_> = steps.iter().map(|step| (step.aliases[0].number, step.simple)).collect();
    let expected = [
        (Some(0), true),
        (None, true),
        (Some(0), true),
        (None, false),
        (Some(1), false),
        (Some(0), true),
        (None, false),
    ];
    assert_eq!(numbers, expected);
    assert_eq!(&*texts[steps[4].aliases[0].text as usize], "X-Token");
    assert!(program.needs.models);
}

#[test]
fn only_results_that_can_be_shared_are_kept() {
    let dependencies = [1, 2, 1].map(dependant).to_vec();
    let (program, _) = flat(&Dependant { dependencies, ..dependant(1) });
    let shared: Vec<_> = program.calls.iter().map(|call| call.shared.map(|shared| shared.number)).collect();
    assert_eq!(shared, [Some(0), None, Some(0), None]);
    assert_eq!(program.shared, 1);
}

#[test]
fn threads_and_suspensions_are_known_beforehand() {
    let of = |kind, suspends| Dependant { kind, suspends, ..dependant(1) };
    let program = |first, second| flat(&Dependant { dependencies: vec![first], ..second }).0;
    let function = || of(CallKind::Function, false);
    assert!(program(function(), function()).all_functions);
    assert!(!program(function(), function()).can_suspend);
    assert!(!program(function(), of(CallKind::Coroutine, false)).all_functions);
    assert!(!program(function(), of(CallKind::Coroutine, false)).can_suspend);
    assert!(program(of(CallKind::Coroutine, true), function()).can_suspend);
    assert!(program(of(CallKind::AsyncGenerator, true), function()).needs.generators);
}

#[test]
fn what_is_beyond_the_bounds_is_unfit() {
    let unfit = |root: &Dependant| flatten(root, &[], &mut Texts::default()).err();
    let nested =
        |depth| (1..depth).fold(dependant(1), |inner, _| Dependant { dependencies: vec![inner], ..dependant(1) });
    assert!(flatten(&nested(MAX_DEPTH), &[], &mut Texts::default()).is_ok());
    assert_eq!(unfit(&nested(MAX_DEPTH + 1)), Some(Unfit::Depth));
    assert_eq!(unfit(&Dependant { dependencies: vec![dependant(1); MAX_CALLS], ..dependant(1) }), Some(Unfit::Calls));
    let many = vec![parameter(Source::Query, "q", 1); MAX_REGISTERS + 1];
    assert_eq!(unfit(&Dependant { parameters: many, ..dependant(1) }), Some(Unfit::Registers));
    let nameless = Parameter { aliases: Vec::new(), ..parameter(Source::Query, "q", 1) };
    assert_eq!(unfit(&Dependant { parameters: vec![nameless], ..dependant(1) }), Some(Unfit::NoAlias("q".to_owned())));
    let foreign = parameter(Source::Header, "é", 1);
    assert_eq!(unfit(&Dependant { parameters: vec![foreign], ..dependant(1) }), Some(Unfit::Header("é".to_owned())));
}
