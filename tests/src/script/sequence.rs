//! The script: steps of which each has been found possible.

use serde::{Deserialize, Serialize};

use super::{Asked, Repeat, ScriptError, Step, plain};

/// A list of [`Step`]s that contradict neither themselves nor each other.
///
/// `{"steps": […]}` in JSON, `[[steps]]` in TOML. The empty script answers every request with the
/// default success.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Unchecked")]
pub struct Script {
    steps: Vec<Step>,
}

/// A script as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
struct Unchecked {
    #[serde(default)]
    steps: Vec<Step>,
}

plain::object!(Unchecked, "a script: an object whose `steps` are a list");

impl Script {
    /// Creates a script of steps.
    ///
    /// # Errors
    ///
    /// The first step that contradicts itself, names an unknown fault, or can never be reached.
    pub fn try_new(steps: impl IntoIterator<Item = Step>) -> Result<Self, ScriptError> {
        let steps: Vec<Step> = steps.into_iter().collect();
        for (index, step) in steps.iter().enumerate() {
            step.check().map_err(|wrong| ScriptError::step(index, wrong))?;
            if let Some(before) = steps[..index].iter().position(Step::answers_everything) {
                let reason = format!("not reached, steps[{before}] answers every request forever");
                return Err(ScriptError::step(index, ("when", reason)));
            }
        }
        Ok(Self { steps })
    }

    /// Reads a script in JSON.
    ///
    /// # Errors
    ///
    /// What is not a script, with its line and column, and what [`Script::try_new`] refuses.
    pub fn from_json(text: &str) -> Result<Self, ScriptError> {
        let script: Unchecked =
            serde_json::from_str(text).map_err(|error| ScriptError::text("JSON", &error))?;
        Self::try_from(script)
    }

    /// Reads a script in TOML.
    ///
    /// # Errors
    ///
    /// What is not a script, with the line quoted, and what [`Script::try_new`] refuses.
    pub fn from_toml(text: &str) -> Result<Self, ScriptError> {
        let script: Unchecked =
            toml::from_str(text).map_err(|error| ScriptError::text("TOML", &error))?;
        Self::try_from(script)
    }

    /// Returns the steps in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}

impl TryFrom<Unchecked> for Script {
    type Error = ScriptError;

    fn try_from(script: Unchecked) -> Result<Self, ScriptError> {
        Self::try_new(script.steps)
    }
}

impl Step {
    /// Reads one step in JSON: the value of the head field `x-mock-step`.
    ///
    /// # Errors
    ///
    /// As for [`Script::from_json`]; a step in error is `steps[0]`.
    pub fn from_json(text: &str) -> Result<Self, ScriptError> {
        let step: Self =
            serde_json::from_str(text).map_err(|error| ScriptError::text("JSON", &error))?;
        step.checked()
    }

    /// Returns the step if it is possible.
    pub(crate) fn checked(self) -> Result<Self, ScriptError> {
        self.check().map_err(|wrong| ScriptError::step(0, wrong))?;
        Ok(self)
    }

    /// Returns whether only a stream can show what the step says.
    pub(crate) fn needs_stream(&self) -> bool {
        self.sse_error.is_some() || self.no_done
    }

    pub(crate) fn matches(&self, asked: &Asked<'_>) -> bool {
        (asked.stream || !self.needs_stream()) && self.when.matches(asked)
    }

    fn answers_everything(&self) -> bool {
        self.repeat == Repeat::Forever && self.when.is_any() && !self.needs_stream()
    }
}
