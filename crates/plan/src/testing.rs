//! Parts of descriptions for tests.

use crate::description::{CallKind, Dependant, Inject};

/// A dependant without anything.
pub(crate) fn dependant(call: u32) -> Dependant {
    Dependant {
        call,
        kind: CallKind::Coroutine,
        suspends: false,
        name: None,
        cache_key: call,
        use_cache: true,
        concurrency: None,
        function_scope: false,
        dependencies: Vec::new(),
        parameters: Vec::new(),
        form: None,
        inject: Inject::default(),
    }
}
