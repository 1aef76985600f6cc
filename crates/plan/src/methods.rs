//! Methods as bits, so that "is it one of the route's methods" is one operation. Used by [`crate::Router`].

/// Most different methods in one application.
pub const MAX_METHODS: usize = 63;

/// A set of methods; a single method is a set as well.
pub(crate) type MethodSet = u64;

/// A method that no route names.
const OTHER: MethodSet = 1 << MAX_METHODS;

/// An application has more than [`MAX_METHODS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the application has more than {MAX_METHODS} different methods")]
pub(crate) struct TooManyMethods;

/// The methods that an application's routes name.
#[derive(Debug, Default)]
pub(crate) struct Methods {
    names: Vec<Box<str>>,
}

impl Methods {
    /// These methods; every method if there are none.
    pub(crate) fn set(&mut self, methods: &[String]) -> Result<MethodSet, TooManyMethods> {
        if methods.is_empty() {
            return Ok(MethodSet::MAX);
        }
        methods.iter().try_fold(0, |set, method| Ok(set | self.add(method)?))
    }

    fn add(&mut self, method: &str) -> Result<MethodSet, TooManyMethods> {
        match self.get(method) {
            OTHER if self.names.len() == MAX_METHODS => Err(TooManyMethods),
            OTHER => {
                self.names.push(method.into());
                Ok(1 << (self.names.len() - 1))
            }
            known => Ok(known),
        }
    }

    pub(crate) fn get(&self, method: &str) -> MethodSet {
        self.names.iter().position(|name| **name == *method).map_or(OTHER, |number| 1 << number)
    }
}
