//! Settings of a management: by code, or by variables of the environment.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::RiddleError;
use super::stage::Stage;

/// How solutions are counted until all solvers have given theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SolutionCounting {
    /// Each solver that has answered counts.
    #[default]
    Agent,
    /// Each distinct solution counts. Solvers that agree leave the count short, so that the stage
    /// ends with its deadline.
    Distinct,
}

/// Settings of a management. The defaults are those of [`RiddleSettings::default`].
///
/// ```
/// use ddg_agentic::riddles::RiddleSettings;
///
/// let settings = RiddleSettings::default().require_full_extract(true).max_trials(3);
/// assert!(settings.require_full_extract && !settings.require_full_solve);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RiddleSettings {
    /// Whether solvers are asked once, when all extractions are there, instead of after each
    /// (default: false).
    pub require_full_extract: bool,
    /// Whether gatekeepers get the solutions of all solvers at once, instead of each as it comes
    /// (default: false).
    pub require_full_solve: bool,
    /// The number of trials after which a riddle is unsolved (default: 5).
    pub max_trials: u32,
    /// The number of hops after which a riddle is unsolved (default: 100).
    pub max_contacts: u32,
    /// How solutions are counted if `require_full_solve` is set (default: by agent).
    pub counting: SolutionCounting,
    /// How long an agent may take for an extraction (default: 300 s).
    pub extract_deadline: Duration,
    /// How long an agent may take for a solution (default: 300 s).
    pub solve_deadline: Duration,
    /// How long an agent may take for a review (default: 300 s).
    pub gatekeeper_deadline: Duration,
    /// When a message that was acknowledged and not answered is sent again (default: 30 s).
    pub resend: Duration,
    /// How deep sub-riddles may be nested (default: 3).
    pub max_depth: u32,
    /// The number of sub-riddles of one riddle (default: 10).
    pub max_sub_riddles: u32,
}

impl Default for RiddleSettings {
    fn default() -> Self {
        let deadline = Duration::from_secs(300);
        Self {
            require_full_extract: false,
            require_full_solve: false,
            max_trials: 5,
            max_contacts: 100,
            counting: SolutionCounting::Agent,
            extract_deadline: deadline,
            solve_deadline: deadline,
            gatekeeper_deadline: deadline,
            resend: Duration::from_secs(30),
            max_depth: 3,
            max_sub_riddles: 10,
        }
    }
}

impl RiddleSettings {
    /// Sets whether solvers wait for all extractions.
    #[must_use]
    pub fn require_full_extract(mut self, full: bool) -> Self {
        self.require_full_extract = full;
        self
    }

    /// Sets whether gatekeepers wait for all solutions.
    #[must_use]
    pub fn require_full_solve(mut self, full: bool) -> Self {
        self.require_full_solve = full;
        self
    }

    /// Sets the number of trials, at least 1.
    #[must_use]
    pub fn max_trials(mut self, n: u32) -> Self {
        self.max_trials = n.max(1);
        self
    }

    /// Sets the number of hops.
    #[must_use]
    pub fn max_contacts(mut self, n: u32) -> Self {
        self.max_contacts = n;
        self
    }

    /// Sets how solutions are counted.
    #[must_use]
    pub fn counting(mut self, counting: SolutionCounting) -> Self {
        self.counting = counting;
        self
    }

    /// Sets the deadline of each stage.
    #[must_use]
    pub fn deadlines(mut self, extract: Duration, solve: Duration, gatekeeper: Duration) -> Self {
        self.extract_deadline = extract;
        self.solve_deadline = solve;
        self.gatekeeper_deadline = gatekeeper;
        self
    }

    /// Sets when an acknowledged message is sent again.
    #[must_use]
    pub fn resend(mut self, after: Duration) -> Self {
        self.resend = after;
        self
    }

    /// Sets how deep sub-riddles may be nested, and how many one riddle may have.
    #[must_use]
    pub fn sub_riddles(mut self, max_depth: u32, max_number: u32) -> Self {
        self.max_depth = max_depth;
        self.max_sub_riddles = max_number;
        self
    }

    /// The time that an agent has in this stage.
    pub const fn deadline(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Extract => self.extract_deadline,
            Stage::Solve => self.solve_deadline,
            Stage::Gatekeeper => self.gatekeeper_deadline,
        }
    }

    /// Reads `REQUIRE_FULL_EXTRACT`, `REQUIRE_FULL_SOLVE` (`true` or `false`),
    /// `SOLUTION_MAX_TRIALS`, `MAX_CONTACTS`, `SOLUTION_COUNTING` (`agent` or `distinct`),
    /// `EXTRACT_DEADLINE`, `SOLVE_DEADLINE`, `GATEKEEPER_DEADLINE` and `RESEND` (seconds). Settings
    /// whose variable is not set, or empty, stay as they are.
    ///
    /// # Errors
    /// If a variable has another form; the error names the variable and its value.
    pub fn with_variables(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, RiddleError> {
        let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let refused = |name: &str, value: &str, wanted: &str| RiddleError::Setting {
            name: name.to_owned(),
            value: value.to_owned(),
            wanted: wanted.to_owned(),
        };
        let flag = |name: &str, now: bool| match given(name) {
            None => Ok(now),
            Some(value) => match value.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Ok(true),
                "false" | "0" | "no" => Ok(false),
                other => Err(refused(name, other, "`true` or `false`")),
            },
        };
        let number = |name: &str, now: u32| match given(name) {
            None => Ok(now),
            Some(value) => {
                value.trim().parse().map_err(|_| refused(name, &value, "a whole number"))
            }
        };
        let seconds = |name: &str, now: Duration| match given(name) {
            None => Ok(now),
            Some(value) => value
                .trim()
                .parse()
                .ok()
                .filter(|seconds: &f64| *seconds > 0.0)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(|| refused(name, &value, "a number of seconds above 0")),
        };
        self.require_full_extract = flag("REQUIRE_FULL_EXTRACT", self.require_full_extract)?;
        self.require_full_solve = flag("REQUIRE_FULL_SOLVE", self.require_full_solve)?;
        self.max_trials = number("SOLUTION_MAX_TRIALS", self.max_trials)?;
        if self.max_trials == 0 {
            return Err(refused("SOLUTION_MAX_TRIALS", "0", "a whole number from 1"));
        }
        self.max_contacts = number("MAX_CONTACTS", self.max_contacts)?;
        self.counting = match given("SOLUTION_COUNTING").as_deref().map(str::trim) {
            None => self.counting,
            Some("agent") => SolutionCounting::Agent,
            Some("distinct") => SolutionCounting::Distinct,
            Some(other) => {
                return Err(refused("SOLUTION_COUNTING", other, "`agent` or `distinct`"));
            }
        };
        self.extract_deadline = seconds("EXTRACT_DEADLINE", self.extract_deadline)?;
        self.solve_deadline = seconds("SOLVE_DEADLINE", self.solve_deadline)?;
        self.gatekeeper_deadline = seconds("GATEKEEPER_DEADLINE", self.gatekeeper_deadline)?;
        self.resend = seconds("RESEND", self.resend)?;
        Ok(self)
    }
}
