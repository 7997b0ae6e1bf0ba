//! The model of an `#[automa]` block: the result of parsing, which checks and lowering read.

mod output;
mod param;
mod reference;
mod unreadable;
mod worker;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, ExprField, ExprPath, Generics, LitStr, Path, Type};

pub(crate) use self::{
    output::Output,
    param::{Param, Passing, Source},
    reference::{Form, Reference},
    unreadable::UnreadableWorker,
    worker::{Declaration, Key, Mapping, Placement, Pool, Worker},
};

/// An `#[automa] impl` block.
pub(crate) struct Block {
    /// Path of the engine's crate, by default `::ddg_core`.
    pub(crate) krate: Path,
    /// What the block declares.
    pub(crate) role: Role,
    /// The fragments that are declared before the block's own workers, in order.
    pub(crate) fragments: Vec<Fragment>,
    /// The generics of the impl, which everything generated has as well.
    pub(crate) generics: Generics,
    /// The type that the block implements.
    pub(crate) self_ty: Type,
    /// The `#[cfg]`s of the impl, which everything generated has as well.
    pub(crate) cfgs: Vec<Attribute>,
    /// The workers, in the order of their methods.
    pub(crate) workers: Vec<Worker>,
    /// Workers with a syntax error in their heads.
    pub(crate) unreadable: Vec<UnreadableWorker>,
    /// Methods of the block that are not workers.
    pub(crate) other_methods: Vec<Ident>,
}

/// What a block declares.
pub(crate) enum Role {
    /// A whole automa.
    Automa {
        /// The automa's name.
        name: LitStr,
        /// The output type, if the user named it.
        output: Option<Box<Type>>,
    },
    /// A part of an automa, declared by the function of this name.
    Fragment(Ident),
}

/// An entry of `fragments = [..]`.
pub(crate) enum Fragment {
    /// `Self::tools`: another block of the same type.
    Block(ExprPath),
    /// `self.retrieval`: a field whose type is an automa.
    Field(ExprField),
}

impl Block {
    /// The worker that `reference` names, unless it is marked as dynamic.
    pub(crate) fn resolve(&self, reference: &Reference) -> Option<usize> {
        match &reference.form {
            Form::Method(method) => self.workers.iter().position(|worker| worker.ident == *method),
            Form::Key => self.workers.iter().position(|worker| worker.key.text == reference.text),
            Form::Dynamic => None,
        }
    }

    /// The key of the worker that `reference` names.
    pub(crate) fn key_of<'a>(&'a self, reference: &'a Reference) -> &'a str {
        match self.resolve(reference) {
            Some(worker_idx) => &self.workers[worker_idx].key.text,
            None => &reference.text,
        }
    }

    /// Whether `reference` names a worker with a syntax error in its head.
    pub(crate) fn is_unreadable(&self, reference: &Reference) -> bool {
        self.unreadable.iter().any(|worker| match &reference.form {
            Form::Method(method) => worker.ident == *method,
            Form::Key => worker.key.text == reference.text,
            Form::Dynamic => false,
        })
    }

    /// Whether other blocks contribute workers to the same automa.
    pub(crate) fn shares_its_automa(&self) -> bool {
        matches!(self.role, Role::Fragment(_)) || !self.fragments.is_empty()
    }
}

impl ToTokens for Fragment {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Block(path) => path.to_tokens(tokens),
            Self::Field(field) => field.to_tokens(tokens),
        }
    }
}
