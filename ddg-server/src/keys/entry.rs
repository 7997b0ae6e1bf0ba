//! One line of a list of keys.

use crate::upstream::Upstream;

/// A key, with the upstream of its runs.
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) upstream: Upstream,
}

/// Reads a line; `None` if it is empty or a comment. Errors do not contain the key.
pub(super) fn parse(line: &str) -> Result<Option<Entry<'_>>, String> {
    // A comment begins a line or stands after a space: `#` may be part of a key or of a URL.
    let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
    let Some(key) = words.next() else { return Ok(None) };
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err("a key has only letters, digits and signs of ASCII".to_owned());
    }
    let is_setting = ["base_url=", "api_key=", "model="].iter().any(|name| key.starts_with(name));
    if is_setting {
        return Err("the key is missing before its settings".to_owned());
    }
    let mut upstream = Upstream::default();
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            return Err("after the key come only settings, as `model=NAME`; write each key on a \
                        line of its own"
                .to_owned());
        };
        let place = match name {
            "base_url" => &mut upstream.base_url,
            "model" => &mut upstream.model,
            "api_key" => {
                if upstream.api_key.replace(value.into()).is_some() {
                    return Err("`api_key` is set twice; keep one".to_owned());
                }
                continue;
            }
            // The name of a setting can be the beginning of a key with an `=`, which is not shown
            // unless it looks like a name.
            name if name.len() <= 16
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '_') =>
            {
                return Err(format!(
                    "there is no setting `{name}`; write `base_url=`, `api_key=` or `model=`"
                ));
            }
            _ => {
                return Err("there is no such setting; write `base_url=`, `api_key=` or \
                             `model=`"
                    .to_owned());
            }
        };
        if value.is_empty() {
            return Err(format!("`{name}` is empty; write `{name}=VALUE`, or leave it out"));
        }
        if place.replace(value.to_owned()).is_some() {
            return Err(format!("`{name}` is set twice; keep one"));
        }
    }
    Ok(Some(Entry { key, upstream }))
}
