//! A hook as a trait object.

use ddg_core::WorkerError;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::{
    AfterModel, AfterTool, BeforeModel, BeforeTool, Hook, HookRun, OnAnswer, OnInput, ToolUse,
};
use crate::message::{Message, ToolMessage};
use crate::model::{ChatReply, ChatRequest};

/// What a hook decides.
pub(crate) type Decides<'a, T> = BoxFuture<'a, Result<T, WorkerError>>;

/// A [`Hook`] as a trait object.
pub(crate) trait DynHook: Send + Sync {
    fn name(&self) -> &str;
    fn passes_pieces(&self) -> bool;
    fn on_input<'a>(&'a self, message: &'a Message, run: &'a HookRun) -> Decides<'a, OnInput>;
    fn before_model<'a>(
        &'a self,
        request: &'a ChatRequest,
        run: &'a HookRun,
    ) -> Decides<'a, BeforeModel>;
    fn after_model<'a>(&'a self, reply: &'a ChatReply, run: &'a HookRun)
    -> Decides<'a, AfterModel>;
    fn before_tool<'a>(&'a self, call: &'a ToolUse, run: &'a HookRun) -> Decides<'a, BeforeTool>;
    fn after_tool<'a>(
        &'a self,
        call: &'a ToolUse,
        result: &'a ToolMessage,
        run: &'a HookRun,
    ) -> Decides<'a, AfterTool>;
    fn on_answer<'a>(&'a self, answer: &'a str, run: &'a HookRun) -> Decides<'a, OnAnswer>;
}

impl<H: Hook> DynHook for H {
    fn name(&self) -> &str {
        Hook::name(self)
    }

    fn passes_pieces(&self) -> bool {
        Hook::passes_pieces(self)
    }

    fn on_input<'a>(&'a self, message: &'a Message, run: &'a HookRun) -> Decides<'a, OnInput> {
        Hook::on_input(self, message, run).boxed()
    }

    fn before_model<'a>(
        &'a self,
        request: &'a ChatRequest,
        run: &'a HookRun,
    ) -> Decides<'a, BeforeModel> {
        Hook::before_model(self, request, run).boxed()
    }

    fn after_model<'a>(
        &'a self,
        reply: &'a ChatReply,
        run: &'a HookRun,
    ) -> Decides<'a, AfterModel> {
        Hook::after_model(self, reply, run).boxed()
    }

    fn before_tool<'a>(&'a self, call: &'a ToolUse, run: &'a HookRun) -> Decides<'a, BeforeTool> {
        Hook::before_tool(self, call, run).boxed()
    }

    fn after_tool<'a>(
        &'a self,
        call: &'a ToolUse,
        result: &'a ToolMessage,
        run: &'a HookRun,
    ) -> Decides<'a, AfterTool> {
        Hook::after_tool(self, call, result, run).boxed()
    }

    fn on_answer<'a>(&'a self, answer: &'a str, run: &'a HookRun) -> Decides<'a, OnAnswer> {
        Hook::on_answer(self, answer, run).boxed()
    }
}
