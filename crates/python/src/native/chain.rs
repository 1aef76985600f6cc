//! Which calls of a route on threads are neighbours: between them is nothing that belongs to the event loop.
//!
//! That is: no code of the application but what runs on threads anyway, and nothing that waits. Validation by pydantic alone
//! and objects of the framework are the same on any thread, and no context is changed by them.

use andon_plan::{Call, CallKind, Operation, Program};

use super::application::CallObjects;

/// The neighbours of a route.
pub(crate) struct Chain {
    /// By number of the operation: it can be done where the code is, wherever that is.
    pub(crate) stays: Box<[bool]>,
    /// By number of the call: it is on a thread, and so is another one after it.
    pub(crate) followed: Box<[bool]>,
}

impl Chain {
    pub(super) fn of(program: &Program, objects: &[CallObjects]) -> Self {
        let stays: Box<[_]> = program.operations.iter().map(|operation| stays(program, objects, *operation)).collect();
        let mut followed = vec![false; program.calls.len()];
        for (position, operation) in program.operations.iter().enumerate() {
            if let Operation::Call(number) = *operation
                && is_on_thread(&program.calls[usize::from(number)])
            {
                let after = program.operations.iter().zip(&stays).skip(position + 1);
                let mut reached = after.take_while(|(_, stays)| **stays);
                followed[usize::from(number)] = reached.any(|(operation, _)| calls_on_thread(program, *operation));
            }
        }
        Self { stays, followed: followed.into() }
    }
}

fn stays(program: &Program, objects: &[CallObjects], operation: Operation) -> bool {
    match operation {
        Operation::Parameters(call) => objects[usize::from(call)].plain_parameters,
        Operation::Inject(_) => true,
        Operation::Form(_) => false,
        Operation::Call(number) => {
            let call = &program.calls[usize::from(number)];
            is_on_thread(call) || (objects[usize::from(number)].never_waits && call.concurrency.is_none())
        }
        Operation::Endpoint => calls_on_thread(program, operation),
    }
}

fn calls_on_thread(program: &Program, operation: Operation) -> bool {
    match operation {
        Operation::Call(number) => is_on_thread(&program.calls[usize::from(number)]),
        Operation::Endpoint => program.endpoint().kind == CallKind::Function && is_on_thread(program.endpoint()),
        _ => false,
    }
}

fn is_on_thread(call: &Call) -> bool {
    matches!(call.kind, CallKind::Function | CallKind::Generator) && call.concurrency.is_none()
}
