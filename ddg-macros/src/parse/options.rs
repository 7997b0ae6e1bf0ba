//! Parses options of an attribute: known ones, each at most once and in its form.

use std::fmt::Display;

use proc_macro2::Ident;
use syn::{Expr, Lit, LitStr, Type, parse::ParseStream};

use super::entry::{Entry, Value, parse_entries, ungroup};
use crate::fault::Faults;
use crate::suggestion::{enumerate, nearest};

/// The options that an attribute has.
pub(crate) struct Grammar {
    /// The name of the attribute in messages.
    pub(crate) attribute: &'static str,
    /// The name and form of each option.
    pub(crate) options: &'static [(&'static str, Shape)],
}

/// The form of an option.
pub(crate) enum Shape {
    /// A flag: `name`.
    Flag,
    /// An expression, with an example: `name = expression`.
    Expr(&'static str),
    /// A type, with an example: `name = type`.
    Type(&'static str),
    /// A flag or an expression: `name` or `name = expression`.
    FlagOrExpr,
}

/// The options that were given in an attribute.
#[derive(Default)]
pub(crate) struct Options(Vec<Entry>);

impl Options {
    /// Parses the options in `input`. Options that don't fit the grammar are reported and left out.
    pub(crate) fn parse(input: ParseStream<'_>, grammar: &Grammar, faults: &mut Faults) -> Self {
        let is_type = |name: &Ident| matches!(grammar.shape(name), Some(Shape::Type(_)));
        let mut given: Vec<Entry> = Vec::new();
        for entry in parse_entries(input, is_type, faults) {
            let name = &entry.name;
            let Some(shape) = grammar.shape(name) else {
                grammar.report_unknown(name, faults);
                continue;
            };
            if given.iter().any(|earlier| earlier.name == *name) {
                faults.push(name, format_args!("the option `{name}` is given twice"));
                continue;
            }
            match (shape, &entry.value) {
                (Shape::Flag, Some(_)) => {
                    faults.push(name, format_args!("`{name}` takes no value: write `{name}`"));
                }
                (Shape::Expr(example) | Shape::Type(example), None) => {
                    faults.push(name, format_args!("`{name}` needs a value: write `{example}`"));
                }
                (Shape::Flag, None)
                | (Shape::Expr(_) | Shape::Type(_), Some(_))
                | (Shape::FlagOrExpr, _) => given.push(entry),
            }
        }
        Self(given)
    }

    /// The option `name`, if it is given.
    pub(crate) fn name(&self, name: &str) -> Option<&Ident> {
        self.names().find(|given| *given == name)
    }

    /// The names of all given options.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        self.0.iter().map(|entry| &entry.name)
    }

    /// The value of the option `name`, if it is an expression.
    pub(crate) fn expr(&self, name: &str) -> Option<&Expr> {
        match self.value(name)? {
            Value::Expr(expr) => Some(expr),
            Value::Type(_) => None,
        }
    }

    /// The value of the option `name`, if it is a type.
    pub(crate) fn ty(&self, name: &str) -> Option<&Type> {
        match self.value(name)? {
            Value::Type(ty) => Some(ty),
            Value::Expr(_) => None,
        }
    }

    /// The value of the option `name`, which must be a non-empty string.
    pub(crate) fn string(&self, name: &str, example: &str, faults: &mut Faults) -> Option<LitStr> {
        match self.expr(name)? {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(string) if string.value().is_empty() => {
                    faults.push(string, format_args!("`{name}` can't be empty"));
                    None
                }
                Lit::Str(string) => Some(string.clone()),
                other => {
                    faults.push(other, format_args!("`{name}` wants a string: write `{example}`"));
                    None
                }
            },
            other => {
                faults.push(other, format_args!("`{name}` wants a string: write `{example}`"));
                None
            }
        }
    }

    /// The elements of the option `name`, which must be a list.
    pub(crate) fn list(&self, name: &str, example: &str, faults: &mut Faults) -> Vec<Expr> {
        match self.expr(name) {
            None => Vec::new(),
            Some(Expr::Array(array)) => array.elems.iter().cloned().map(ungroup).collect(),
            Some(other) => {
                faults.push(other, format_args!("`{name}` wants a list: write `{example}`"));
                Vec::new()
            }
        }
    }

    /// The first of the `exclusive` options that is given. The others are reported.
    pub(crate) fn one_of(
        &self,
        exclusive: &[&str],
        reason: impl Display,
        faults: &mut Faults,
    ) -> Option<&Ident> {
        let mut given = self.names().filter(|name| exclusive.iter().any(|option| *name == option));
        let first = given.next()?;
        for other in given {
            faults
                .push(other, format_args!("`{first}` and `{other}` exclude each other: {reason}"));
        }
        Some(first)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|entry| entry.name == name)?.value.as_ref()
    }
}

impl Grammar {
    fn shape(&self, name: &Ident) -> Option<&Shape> {
        self.options.iter().find(|(option, _)| name == option).map(|(_, shape)| shape)
    }

    fn report_unknown(&self, name: &Ident, faults: &mut Faults) {
        let names = || self.options.iter().map(|(option, _)| *option);
        let message = format!("unknown option `{name}` of {}", self.attribute);
        match nearest(&name.to_string(), names()) {
            Some(option) => {
                faults.push_with_help(name, message, format_args!("did you mean `{option}`?"));
            }
            None => {
                let help = format!("the options are {}", enumerate(names()));
                faults.push_with_help(name, message, help);
            }
        }
    }
}
