//! A program as text: for snapshots, and for people who want to see what is done for a route.

use std::fmt::{self, Display, Write};

use crate::{Call, Injected, NativeRoute, Operation, Plan, Step, Text};

impl Plan {
    /// All programs as text.
    pub fn listing(&self) -> String {
        let mut text = String::new();
        for route in self.natives() {
            // Writing to a string cannot fail.
            let _ = Listing { plan: self, route }.write(&mut text);
        }
        text
    }
}

struct Listing<'a> {
    plan: &'a Plan,
    route: &'a NativeRoute,
}

impl Listing<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        let program = &self.route.program;
        writeln!(out, "{} {} (tier {})", self.route.path, self.route.endpoint, self.route.tier)?;
        writeln!(out, "  registers {}, shared {}, {:?}", program.registers, program.shared, program.needs)?;
        writeln!(out, "  all_functions {}, can_suspend {}", program.all_functions, program.can_suspend)?;
        for (kind, names) in [("query", &program.query), ("headers", &program.headers), ("cookies", &program.cookies)] {
            if !names.is_empty() {
                writeln!(out, "  {kind}: {}", joined(names.iter()))?;
            }
        }
        for (number, operation) in program.operations.iter().enumerate() {
            self.operation(out, number, *operation)?;
        }
        Ok(())
    }

    fn operation(&self, out: &mut String, number: usize, operation: Operation) -> fmt::Result {
        let calls = &self.route.program.calls;
        let call = |call: u16| &calls[usize::from(call)];
        match operation {
            Operation::Parameters(of) => {
                writeln!(out, "  {number:2} parameters of {of}")?;
                call(of).steps.iter().try_for_each(|step| self.step(out, step))
            }
            Operation::Form(of) => self.form(out, number, of, call(of)),
            Operation::Inject(of) => {
                writeln!(out, "  {number:2} inject into {of}")?;
                call(of).injections.iter().try_for_each(|injection| {
                    writeln!(out, "       r{} = {}", injection.register, self.injected(&injection.what))
                })
            }
            Operation::Call(of) => {
                writeln!(out, "  {number:2} call {of}, unless errors since {}", call(of).begin)?;
                self.call(out, call(of))
            }
            Operation::Endpoint => {
                writeln!(out, "  {number:2} endpoint")?;
                self.call(out, self.route.program.endpoint())
            }
        }
    }

    fn form(&self, out: &mut String, number: usize, of: u16, call: &Call) -> fmt::Result {
        writeln!(out, "  {number:2} form of {of}")?;
        call.form.iter().try_for_each(|form| {
            let values = form.values.iter().map(|(name, register)| format!("r{register} = `{}`", self.text(*name)));
            let embedded = if form.embed { ", embedded" } else { "" };
            writeln!(out, "       {} by #{}{embedded}", joined(values), form.fields)
        })
    }

    fn step(&self, out: &mut String, step: &Step) -> fmt::Result {
        let alias = |alias: &crate::Alias| {
            let number = alias.number.map_or_else(|| "-".to_owned(), |number| number.to_string());
            format!("`{}` ({number})", self.text(alias.text))
        };
        write!(out, "       r{} = {} {}", step.register, step.source.as_str(), joined(step.aliases.iter().map(alias)))?;
        for (flag, name) in [
            (step.simple, "simple"),
            (step.list, "list"),
            (step.required, "required"),
            (step.empty_is_absent, "empty is absent"),
            (step.validate_default, "default validated"),
        ] {
            if flag {
                write!(out, ", {name}")?;
            }
        }
        writeln!(out, ", absent {:?}, validate #{}, model {:?}", step.absent, step.validate, step.model)
    }

    fn call(&self, out: &mut String, call: &Call) -> fmt::Result {
        let registers = call.arguments.clone().zip(&call.keywords);
        let arguments = joined(registers.map(|(register, keyword)| format!("{}=r{register}", self.text(*keyword))));
        let result = call.result.map_or_else(|| "_".to_owned(), |register| format!("r{register}"));
        write!(out, "       {result} = {:?} #{}({arguments})", call.kind, call.call)?;
        if call.suspends {
            write!(out, ", may suspend")?;
        }
        if let Some(concurrency) = call.concurrency {
            write!(out, ", in its turn by #{concurrency}")?;
        }
        if call.function_scope {
            write!(out, ", function scope")?;
        }
        if let Some(shared) = call.shared {
            write!(out, ", shared {}{}", shared.number, if shared.take { "" } else { " but called" })?;
        }
        writeln!(out)
    }

    fn injected(&self, what: &Injected) -> String {
        match what {
            Injected::SecurityScopes(scopes) => {
                format!("SecurityScopes({})", joined(scopes.iter().map(|scope| self.text(*scope))))
            }
            other => format!("{other:?}"),
        }
    }

    fn text(&self, text: Text) -> &str {
        &self.plan.texts()[text as usize]
    }
}

fn joined(items: impl Iterator<Item = impl Display>) -> String {
    let mut text = String::new();
    for (number, item) in items.enumerate() {
        let separator = if number == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{item}");
    }
    text
}
