//! Long texts for models, without their middle.

/// Cuts a text for a model to at most `max_bytes`: its head and its tail, with a note between them.
/// The tail is kept because the end of a text often says most, such as the error of a build.
pub(crate) fn cut(text: String, max_bytes: usize) -> String {
    let n_bytes = text.len();
    if n_bytes <= max_bytes {
        return text;
    }
    let head = text.floor_char_boundary(max_bytes / 2);
    let tail = text.ceil_char_boundary(n_bytes - (max_bytes - head));
    let missing = tail - head;
    format!("{}\n[cut: {missing} of {n_bytes} bytes are missing]\n{}", &text[..head], &text[tail..])
}
