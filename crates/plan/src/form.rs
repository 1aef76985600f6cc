//! Models whose members are fields of a form, described and compiled.
//!
//! `fastapi.dependencies.utils._extract_form_model` makes a dictionary of a form: each member under the first of its
//! aliases that has a value, and under their own names all fields that no member has asked for.

use serde::{Deserialize, Serialize};

use crate::{Text, texts::Texts};

/// A model, or a union of models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormModel {
    /// In the order of the model; of a union none, for its own validators look for them.
    pub members: Vec<FormMember>,
    /// Where `None` may stand for it: without any of these names in the form it was not sent. `None`: it always was.
    pub supplied_by: Option<Vec<String>>,
    /// Any other name in the form counts for that, too.
    pub supplied_by_any: bool,
}

/// A member of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormMember {
    /// The names under which a form may have it.
    pub aliases: Vec<String>,
    /// Every value, not only the last.
    pub list: bool,
}

/// [`FormModel`], compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormModelStep {
    /// Aliases, and whether every value is taken.
    pub members: Box<[(Box<[Text]>, bool)]>,
    /// See [`FormModel`].
    pub supplied_by: Option<Box<[Text]>>,
    /// Likewise.
    pub supplied_by_any: bool,
}

impl FormModel {
    pub(crate) fn step(&self, texts: &mut Texts) -> FormModelStep {
        let mut numbers = |names: &[String]| names.iter().map(|name| texts.number(name)).collect::<Box<[_]>>();
        FormModelStep {
            members: self.members.iter().map(|member| (numbers(&member.aliases), member.list)).collect(),
            supplied_by: self.supplied_by.as_deref().map(&mut numbers),
            supplied_by_any: self.supplied_by_any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_texts_of_the_plan() {
        let mut texts = Texts::default();
        let model = FormModel {
            members: vec![FormMember { aliases: vec!["name".to_owned(), "title".to_owned()], list: false }],
            supplied_by: Some(vec!["title".to_owned()]),
            supplied_by_any: false,
        };
        let step = model.step(&mut texts);
        let (aliases, list) = &step.members[0];
        assert_eq!((aliases.len(), *list), (2, false));
        assert_eq!(step.supplied_by.as_deref(), Some(&aliases[1..]));
    }
}
