//! What is wrong, noted with its place.

use std::borrow::Cow;

use super::{
    Profile,
    pass::Pass,
    path::{Path, Step},
    table::{Check, Field},
};
use crate::{
    json::JsonType,
    violation::{Expected, Rule, Violation},
};

impl Pass<'_, '_> {
    pub(super) fn wrong_type(&mut self, kind: JsonType, check: &Check) {
        let profile = self.profile;
        let types =
            || check.names(profile).map_or_else(|| check.expected_types(profile), Expected::Names);
        self.report(self.scanner.at(), Rule::Type, Some(kind), types);
    }

    /// Reports what is wrong with the value that the path leads to.
    pub(super) fn report(
        &mut self,
        offset: usize,
        rule: Rule,
        found: Option<JsonType>,
        expected: impl FnOnce() -> Expected,
    ) {
        let path = &self.path;
        self.draft.add(offset, || Violation {
            pointer: path.pointer(&[]),
            offset,
            rule,
            found,
            expected: expected(),
        });
    }

    /// Reports what is wrong with a member of the object that the path leads to.
    pub(super) fn report_below(
        &mut self,
        name: &str,
        offset: usize,
        rule: Rule,
        found: Option<JsonType>,
        expected: Expected,
    ) {
        let path = &self.path;
        let pointer = || path.pointer(&[Step::Name(name)]);
        self.draft.add(offset, || Violation { pointer: pointer(), offset, rule, found, expected });
    }

    /// Reports that the object that the path leads to lacks a member of its table.
    pub(super) fn report_missing(&mut self, field: &Field, offset: usize) {
        let (path, profile) = (&self.path, self.profile);
        self.draft.add(offset, || Violation {
            pointer: path.pointer(&[Step::Name(field.name)]),
            offset,
            rule: Rule::Required,
            found: None,
            expected: field.check.names(profile).map_or(Expected::Nothing, Expected::Names),
        });
    }

    /// Reports what is wrong at a place that the path does not lead to.
    pub(super) fn report_at(
        &mut self,
        place: &[Step<'_>],
        offset: usize,
        rule: Rule,
        found: Option<JsonType>,
    ) {
        let pointer = || Path::new().pointer(place);
        let expected = Expected::Nothing;
        self.draft.add(offset, || Violation { pointer: pointer(), offset, rule, found, expected });
    }
}

impl Check {
    /// Returns the types that can pass.
    pub(super) fn expected_types(&self, profile: &Profile) -> Expected {
        let mut types = Vec::new();
        self.types(!profile.parts.is_empty(), &mut types);
        Expected::Types(types)
    }

    /// Returns the texts to choose from, where there are such.
    fn names(&self, profile: &Profile) -> Option<Vec<Cow<'static, str>>> {
        match self {
            Self::OneOf(names) => Some(names.iter().map(|name| (*name).into()).collect()),
            Self::Role => Some(profile.roles.iter().map(|role| role.name().into()).collect()),
            Self::PartType => Some(profile.parts.iter().map(|part| part.name().into()).collect()),
            _ => None,
        }
    }
}
