//! The source of a crate as a tree of modules, and its public items.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Fields, ImplItem, Item, TraitItem, UseTree, Visibility};

/// The modules of a crate; the first is its root.
pub(crate) struct Krate(Vec<Module>);

/// The place of a module in its [`Krate`].
type ModuleId = usize;

struct Module {
    parent: Option<ModuleId>,
    items: Vec<Item>,
    /// Child modules: name, module, whether it is public.
    children: Vec<(String, ModuleId, bool)>,
    uses: Vec<Use>,
}

/// `use path as name`; of `use path::*` the name is `*`.
#[derive(Clone)]
struct Use {
    path: Vec<String>,
    name: String,
    is_public: bool,
}

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Module(ModuleId),
    /// An item of a module, by its place there.
    Item(ModuleId, usize),
}

impl Krate {
    pub(crate) fn read(source: &Path) -> Self {
        let mut krate = Self(Vec::new());
        krate.add(None, &source.join("lib.rs"), source);
        krate
    }

    /// Reads the module in `file`, whose children are in `folder`.
    fn add(&mut self, parent: Option<ModuleId>, file: &Path, folder: &Path) -> ModuleId {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let items =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{file:?}: {error}")).items;
        self.add_items(parent, items, folder)
    }

    fn add_items(&mut self, parent: Option<ModuleId>, items: Vec<Item>, folder: &Path) -> ModuleId {
        let id = self.0.len();
        self.0.push(Module { parent, items: Vec::new(), children: Vec::new(), uses: Vec::new() });
        for item in items {
            match item {
                Item::Mod(module) if is_hidden(&module.attrs) => {}
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let inside = folder.join(&name);
                    let child = match module.content {
                        Some((_, items)) => self.add_items(Some(id), items, &inside),
                        None => self.add(Some(id), &file_of(folder, &name), &inside),
                    };
                    self.0[id].children.push((name, child, is_public(&module.vis)));
                }
                Item::Use(item) if is_hidden(&item.attrs) => {}
                Item::Use(item) => {
                    let is_public = is_public(&item.vis);
                    flatten(&item.tree, &mut Vec::new(), is_public, &mut self.0[id].uses);
                }
                item => self.0[id].items.push(item),
            }
        }
        id
    }

    /// A line for each public name, that of a member beneath that of its type.
    pub(crate) fn public_names(&self, krate: &str) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        self.list(0, krate, &mut BTreeMap::new(), &mut lines);
        // A macro is at the root, wherever it is written.
        for item in self.0.iter().flat_map(|module| &module.items) {
            if let Item::Macro(item) = item
                && item.attrs.iter().any(|attr| attr.path().is_ident("macro_export"))
                && !is_hidden(&item.attrs)
                && let Some(name) = &item.ident
            {
                lines.insert(format!("{krate}::{name}!"));
            }
        }
        lines
    }

    /// Lists what is public in a module; what has been `listed` elsewhere is not listed again with its
    /// members.
    fn list(
        &self,
        module: ModuleId,
        path: &str,
        listed: &mut BTreeMap<Found, String>,
        lines: &mut BTreeSet<String>,
    ) {
        let Module { items, children, uses, .. } = &self.0[module];
        for (name, child, is_public) in children {
            if *is_public {
                lines.insert(format!("{path}::{name} (mod)"));
                self.list(*child, &format!("{path}::{name}"), listed, lines);
            }
        }
        for (place, item) in items.iter().enumerate() {
            if let Some(name) = public_name(item) {
                let path = format!("{path}::{name}");
                self.list_item(Found::Item(module, place), &path, listed, lines);
            }
        }
        for Use { path: from, name, is_public } in uses {
            if !is_public {
                continue;
            }
            match self.resolve(module, from) {
                Some(found @ Found::Item(..)) => {
                    self.list_item(found, &format!("{path}::{name}"), listed, lines);
                }
                Some(Found::Module(_)) => {
                    lines.insert(format!("{path}::{name} (mod)"));
                }
                None => {
                    lines.insert(format!("{path}::{name} (= {})", from.join("::")));
                }
            }
        }
    }

    fn list_item(
        &self,
        found: Found,
        path: &str,
        listed: &mut BTreeMap<Found, String>,
        lines: &mut BTreeSet<String>,
    ) {
        let Found::Item(module, place) = found else { return };
        if let Some(before) = listed.get(&found) {
            lines.insert(format!("{path} (= {before})"));
            return;
        }
        listed.insert(found, path.to_owned());
        let item = &self.0[module].items[place];
        let kind = match item {
            Item::Struct(item) => {
                list_fields(&item.fields, path, lines);
                "struct"
            }
            Item::Enum(item) => {
                for variant in item.variants.iter().filter(|variant| !is_hidden(&variant.attrs)) {
                    lines.insert(format!("{path}::{} (variant)", variant.ident));
                }
                "enum"
            }
            Item::Trait(item) => {
                for member in &item.items {
                    let (attrs, name, kind) = match member {
                        TraitItem::Fn(member) => (&member.attrs, &member.sig.ident, "fn"),
                        TraitItem::Type(member) => (&member.attrs, &member.ident, "type"),
                        TraitItem::Const(member) => (&member.attrs, &member.ident, "const"),
                        _ => continue,
                    };
                    if !is_hidden(attrs) {
                        lines.insert(format!("{path}::{name} ({kind})"));
                    }
                }
                "trait"
            }
            Item::Fn(_) => "fn",
            Item::Type(_) => "type",
            Item::Const(_) => "const",
            Item::Static(_) => "static",
            _ => return,
        };
        let growing = attrs_of(item).iter().any(|attr| attr.path().is_ident("non_exhaustive"));
        lines.insert(format!("{path} ({kind}{})", if growing { ", non_exhaustive" } else { "" }));
        self.list_methods(found, path, lines);
    }

    /// The public functions and constants of the `impl` blocks of a type, wherever they are.
    fn list_methods(&self, of: Found, path: &str, lines: &mut BTreeSet<String>) {
        for (module, item) in self
            .0
            .iter()
            .enumerate()
            .flat_map(|(id, module)| module.items.iter().map(move |i| (id, i)))
        {
            let Item::Impl(item) = item else { continue };
            let syn::Type::Path(ty) = &*item.self_ty else { continue };
            let ty: Vec<_> = ty.path.segments.iter().map(|part| part.ident.to_string()).collect();
            if item.trait_.is_some() || self.resolve(module, &ty) != Some(of) {
                continue;
            }
            for member in &item.items {
                let (attrs, vis, name, kind) = match member {
                    ImplItem::Fn(member) => (&member.attrs, &member.vis, &member.sig.ident, "fn"),
                    ImplItem::Const(member) => (&member.attrs, &member.vis, &member.ident, "const"),
                    _ => continue,
                };
                if is_public(vis) && !is_hidden(attrs) {
                    lines.insert(format!("{path}::{name} ({kind})"));
                }
            }
        }
    }

    /// What `path` leads to from within `module`; `None` if that is in another crate.
    fn resolve(&self, module: ModuleId, path: &[String]) -> Option<Found> {
        let (first, rest) = path.split_first()?;
        let found = match first.as_str() {
            "crate" => Found::Module(0),
            "self" => Found::Module(module),
            "super" => Found::Module(self.0[module].parent?),
            name => self.find(module, name)?,
        };
        match (rest, found) {
            ([], found) => Some(found),
            (rest, Found::Module(module)) => self.resolve(module, rest),
            (_, Found::Item(..)) => None,
        }
    }

    /// What is called `name` in `module`.
    fn find(&self, module: ModuleId, name: &str) -> Option<Found> {
        let Module { items, children, uses, .. } = &self.0[module];
        let defined = items.iter().position(|item| name_of(item).is_some_and(|of| of == name));
        if let Some(place) = defined {
            return Some(Found::Item(module, place));
        }
        if let Some((_, child, _)) = children.iter().find(|(child, ..)| child == name) {
            return Some(Found::Module(*child));
        }
        let named = |used: &&Use| used.name == name && used.path != [name.to_owned()];
        uses.iter().find(named).and_then(|used| self.resolve(module, &used.path))
    }
}

fn file_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.rs"))
}

fn list_fields(fields: &Fields, path: &str, lines: &mut BTreeSet<String>) {
    for field in fields.iter().filter(|field| is_public(&field.vis) && !is_hidden(&field.attrs)) {
        if let Some(name) = &field.ident {
            lines.insert(format!("{path}::{name} (field)"));
        }
    }
}

/// All that a `use` brings, each with its whole path.
fn flatten(tree: &UseTree, path: &mut Vec<String>, is_public: bool, uses: &mut Vec<Use>) {
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            flatten(&tree.tree, path, is_public, uses);
            path.pop();
        }
        UseTree::Group(tree) => {
            tree.items.iter().for_each(|tree| flatten(tree, path, is_public, uses));
        }
        UseTree::Name(tree) if tree.ident == "self" => {
            let name = path.last().cloned().unwrap_or_default();
            uses.push(Use { path: path.clone(), name, is_public });
        }
        UseTree::Name(tree) => {
            let name = tree.ident.to_string();
            let path = path.iter().cloned().chain([name.clone()]).collect();
            uses.push(Use { path, name, is_public });
        }
        UseTree::Rename(tree) => {
            let from = tree.ident.to_string();
            let path = path.iter().cloned().chain([from]).collect();
            uses.push(Use { path, name: tree.rename.to_string(), is_public });
        }
        UseTree::Glob(_) => {
            uses.push(Use { path: path.clone(), name: "*".to_owned(), is_public });
        }
    }
}

fn attrs_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Struct(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Const(item) => Some(&item.ident),
        Item::Static(item) => Some(&item.ident),
        _ => None,
    }
}

/// An item's name, if everybody may see it.
fn public_name(item: &Item) -> Option<&syn::Ident> {
    let vis = match item {
        Item::Struct(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Const(item) => &item.vis,
        Item::Static(item) => &item.vis,
        _ => return None,
    };
    name_of(item).filter(|_| is_public(vis) && !is_hidden(attrs_of(item)))
}

fn is_public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

/// Whether it is in no docs, or only in tests.
fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let text = match &attr.meta {
            syn::Meta::List(list) => list.tokens.to_string(),
            _ => String::new(),
        };
        let is_test = text == "test" || text.contains("doctest");
        (attr.path().is_ident("doc") && text == "hidden")
            || (attr.path().is_ident("cfg") && is_test)
    })
}
