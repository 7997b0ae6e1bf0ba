//! Files of tool calls: those in the arguments, and those in the result.

use ddg_core::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Tool, ToolError, ToolOutput};
use crate::files::{File, FileManager, each_once, files_at_places, files_of_result, records};
use crate::message::ToolCall;

/// The files that a tool call was given, and those that it gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CallFiles {
    /// The files that the arguments name.
    #[serde(serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<File>,
    /// The files that the tool gave.
    #[serde(serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<File>,
}

/// A tool is about to be called. Emitted as `tool_called` if there is a file manager.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCalled {
    /// The id of the call.
    pub call_id: String,
    /// The name of the tool.
    pub tool: String,
    /// The arguments.
    pub arguments: Json,
    /// The files that the arguments name.
    #[serde(serialize_with = "records", default)]
    pub input_files: Vec<File>,
}

/// A tool call has ended. Emitted as `tool_ended` if there is a file manager.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolEnded {
    /// The id of the call.
    pub call_id: String,
    /// The name of the tool.
    pub tool: String,
    /// Whether the call failed.
    pub is_error: bool,
    /// The files that the tool gave.
    #[serde(serialize_with = "records", default)]
    pub output_files: Vec<File>,
}

/// A tool's use of files. Not part of the public API.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileUse {
    /// Whether files occur only where the schema says so.
    pub typed: bool,
    /// Whether the tool cannot be called without a file manager.
    pub needs_manager: bool,
}

/// Finds the files of one tool's calls.
#[derive(Clone, Debug)]
pub(super) struct FileFinder {
    pub(super) files: FileManager,
    by_schema: bool,
    is_typed: bool,
    at_provider: bool,
}

impl CallFiles {
    pub(crate) fn is_empty(&self) -> bool {
        self.input.is_empty() && self.output.is_empty()
    }
}

impl FileFinder {
    pub(super) fn new(files: FileManager, tool: &dyn Tool, at_provider: bool) -> Self {
        let is_typed = tool.file_use().typed;
        let by_schema = is_typed || crate::files::has_files(&tool.spec().parameters);
        Self { files, by_schema, is_typed, at_provider }
    }

    /// The files that the arguments name.
    pub(super) fn input(
        &self,
        tool: &str,
        schema: &Json,
        arguments: &Json,
    ) -> Result<Vec<File>, ToolError> {
        if self.at_provider {
            return Ok(Vec::new());
        }
        let found = match self.by_schema {
            true => files_at_places(&self.files, schema, arguments).map_err(|error| {
                let faults = vec![error.to_string()];
                ToolError::Arguments { tool: tool.to_owned(), faults }
            })?,
            false => self.files.sniff_value(arguments),
        };
        Ok(each_once(found))
    }

    /// Adds the files that the result names to those that the tool gave.
    pub(super) fn complete(&self, output: &mut ToolOutput) {
        let mut files = std::mem::take(&mut output.files);
        if self.at_provider {
            return;
        }
        if output.structured || !self.is_typed {
            files.extend(files_of_result(&self.files, &output.content));
        }
        output.files = each_once(files);
    }

    pub(super) fn say_called(
        &self,
        call: &ToolCall,
        arguments: &Json,
        input: &[File],
        cx: &Context,
    ) {
        let called = ToolCalled {
            call_id: call.id.clone(),
            tool: call.name.clone(),
            arguments: arguments.clone(),
            input_files: input.to_vec(),
        };
        cx.emit("tool_called", called);
    }

    pub(super) fn say_ended(&self, call: &ToolCall, is_error: bool, output: &[File], cx: &Context) {
        let ended = ToolEnded {
            call_id: call.id.clone(),
            tool: call.name.clone(),
            is_error,
            output_files: output.to_vec(),
        };
        cx.emit("tool_ended", ended);
    }
}
