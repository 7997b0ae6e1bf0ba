//! Texts of errors that show data, such as names and messages from elsewhere, as it is.

/// Parts of types whose text may be anything.
const DATA: &[&str] = &[
    "String",
    "PathBuf",
    "BoxError",
    "io::Error",
    "serde_json::Error",
    "dyn ",
    "Key",
    "WorkerPath",
    "RunId",
    "ConversationId",
    "Owner",
];

/// The placeholders of such types in the texts of `#[error(…)]`, each with the number of the line of
/// its attribute.
pub(super) fn raw_placeholders(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, opening) in source.match_indices("#[error(") {
        let rest = &source[at + opening.len()..];
        let Some((attribute, rest)) = rest.split_once(")]\n") else { continue };
        let line = source[..at].matches('\n').count() + 1;
        let text = attribute.trim_start().trim_start_matches('"');
        let declared = declaration(rest);
        for placeholder in placeholders(text.split("\",").next().unwrap_or_default()) {
            let is_escaped = attribute.contains(&format!("{placeholder} = shown"));
            if !is_escaped && type_of(&declared, placeholder).is_some_and(is_data) {
                found.push((line, placeholder.to_owned()));
            }
        }
    }
    found
}

fn is_data(ty: &str) -> bool {
    !ty.starts_with("&'static") && DATA.iter().any(|part| ty.contains(part))
}

/// The lines of the variant or struct that follows an attribute, without comments.
fn declaration(source: &str) -> Vec<&str> {
    let lines = source.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let is_inside = |line: &&str| !matches!(*line, "}," | "}" | "" | ")," | ");");
    lines.filter(|line| !line.starts_with("#[")).take_while(is_inside).collect()
}

/// The names in `{name}`, without those in `{name:?}`, which escapes, and `{{`.
fn placeholders(text: &str) -> Vec<&str> {
    let names = text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
    let is_name =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    names.filter(is_name).collect()
}

/// The type of a field by its name, or by its number.
fn type_of<'a>(declared: &[&'a str], field: &str) -> Option<&'a str> {
    if field == "0" {
        let (_, types) = declared.first()?.split_once('(')?;
        return Some(types.trim_start_matches("#[from] "));
    }
    let fields = declared.iter().filter_map(|line| line.trim_end_matches(',').split_once(": "));
    let name =
        |declared: &str| declared.trim_start_matches("pub ").trim_start_matches("r#").to_owned();
    fields.filter(|(declared, _)| name(declared) == field).map(|(_, ty)| ty).next()
}

#[test]
fn raw_data_is_found() {
    let source = r##"
        #[error("`{name}` of {n}: {why}; {0}", name = shown(.name))]
        First {
            /// The name: String.
            name: String,
            n: u32,
            pub why: &'static str,
        },
        #[error(
            "{id}: {message:?} {path}",
            path = shown(.path)
        )]
        #[non_exhaustive]
        Second { 
            id: RunId,
            message: String,
            path: PathBuf,
        },
        #[error("{0}")]
        Third(String),
        #[error("{source}")]
        Fourth {
            r#source: Arc<io::Error>,
        },
    "##;
    let found = raw_placeholders(source);
    let expected = [(9, "id"), (19, "0"), (21, "source")];
    assert_eq!(found.iter().map(|(at, name)| (*at, name.as_str())).collect::<Vec<_>>(), expected);
}
