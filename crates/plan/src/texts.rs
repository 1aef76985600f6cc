//! All keywords and aliases of a plan, each once, so that the executor can make one Python string of each beforehand.

use std::collections::HashMap;

/// The number of a text in [`crate::Plan::texts`].
pub type Text = u32;

/// Texts while they are being collected.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    numbers: HashMap<String, Text>,
    texts: Vec<Box<str>>,
}

impl Texts {
    pub(crate) fn number(&mut self, text: &str) -> Text {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as Text;
        self.texts.push(text.into());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    pub(crate) fn finish(self) -> Box<[Box<str>]> {
        self.texts.into()
    }
}
