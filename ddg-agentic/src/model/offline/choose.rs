//! Chooses the tools that a text is about.

use super::words::{Text, is_common, stems, words_of_name};
use crate::tool::ToolSpec;

/// Number of words of a description that a text must have.
const ENOUGH_OF_DESCRIPTION: usize = 2;

/// Whether `text` is about `tool`, one of `tools`.
pub(super) fn fits(text: &Text<'_>, tool: &ToolSpec, tools: &[ToolSpec]) -> bool {
    let others = || tools.iter().filter(|other| other.name != tool.name);
    let name = telling(words_of_name(&tool.name));
    let own: Vec<_> = name
        .iter()
        .filter(|word| !others().any(|other| words_of_name(&other.name).contains(word)))
        .collect();
    let named = match own[..] {
        // Other tools share all of its words, so only the whole name identifies it.
        [] => name.iter().all(|word| text.has(word)),
        _ => own.iter().any(|word| text.has(word)),
    };
    named || described(text, tool, others())
}

/// Whether the text has enough words of the description that belong to no other tool or parameter.
fn described<'a>(
    text: &Text<'_>,
    tool: &ToolSpec,
    others: impl Iterator<Item = &'a ToolSpec>,
) -> bool {
    let mut elsewhere: Vec<_> = others
        .flat_map(|other| [stems(&other.description), words_of_name(&other.name)].concat())
        .collect();
    if let Some(parameters) = tool.parameters["properties"].as_object() {
        elsewhere.extend(parameters.keys().flat_map(|name| words_of_name(name)));
    }
    let mut words = stems(&tool.description);
    words.sort();
    words.dedup();
    let own = words.iter().filter(|word| !is_common(word) && !elsewhere.contains(word));
    own.filter(|word| text.has(word)).count() >= ENOUGH_OF_DESCRIPTION
}

/// The words that are specific; all words if none is.
fn telling(words: Vec<String>) -> Vec<String> {
    let telling: Vec<_> = words.iter().filter(|word| !is_common(word)).cloned().collect();
    if telling.is_empty() { words } else { telling }
}
