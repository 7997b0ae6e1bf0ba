//! Instructions for a model.

/// The instructions, then each supplement, joined by newlines. Empty ones are left out.
pub(in crate::assistants) fn joined<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}
