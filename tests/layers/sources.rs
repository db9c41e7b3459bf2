//! What the files of a crate define and name: enough of Rust's rules to tell in which file each name is at home.
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The segments of a path as they are written: `crate::kernels::reduce::Monoid`.
type Segments = Vec<String>;

/// A name that a `use` brings into a module.
struct Import {
    path: Segments,
    /// What it is called here; none for a glob.
    name: Option<String>,
    /// Whether other modules may have it from here.
    exported: bool,
}

/// A module, which is a file: those in a pair of braces count as the file around them.
struct Module {
    /// Its file, relative to the crate's sources.
    file: String,
    /// Its place in the tree: empty for the root.
    place: Segments,
    defined: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths of two segments and more in its code.
    paths: Vec<Segments>,
    /// All words of its code, without imports.
    words: BTreeSet<String>,
}

/// That a file needs another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub from: String,
    pub to: String,
    /// The path as it is written.
    pub path: String,
    /// Whether the name is only passed on.
    pub passed_on: bool,
    /// Whether it is the name of a module: what is needed of it, paths in the code tell.
    pub module: bool,
}

/// All modules of a crate.
pub struct Sources {
    modules: Vec<Module>,
    macros: BTreeMap<String, usize>,
}

impl Sources {
    /// Reads all files below `src`, without unit tests.
    pub fn read(src: &Path) -> Self {
        let mut files = Vec::new();
        list(src, &mut files);
        let read = |path: &std::path::PathBuf| {
            let file = path.strip_prefix(src).expect("below src").to_str().expect("UTF-8").replace('\\', "/");
            (file, fs::read_to_string(path).expect("readable"))
        };
        Self::of(files.iter().map(read))
    }

    /// Of texts, each with the name of its file.
    pub fn of(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let (mut modules, mut macros) = (Vec::new(), BTreeMap::new());
        for (file, text) in files {
            let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
            let place = file.trim_end_matches(".rs").split('/').filter(|s| !["lib", "main", "mod"].contains(s));
            let place = place.map(String::from).collect();
            let mut module =
                Module { file, place, defined: BTreeSet::new(), imports: vec![], paths: vec![], words: BTreeSet::new() };
            module.read(syntax.items, &mut macros, modules.len());
            modules.push(module);
        }
        Self { modules, macros }
    }

    pub fn len(&self) -> usize {
        self.modules.len()
    }

    /// What each file needs of others: its imports, and the paths in its code. Who passes a name on without a use of his own is marked.
    pub fn needs(&self) -> Vec<Need> {
        let mut out = Vec::new();
        for (i, m) in self.modules.iter().enumerate() {
            let mut add = |path: &Segments, passed_on: bool, glob: bool| {
                if let Some(found) = self.resolve(i, path, 0).filter(|found| found.at != i) {
                    let (from, to) = (m.file.clone(), self.modules[found.at].file.clone());
                    out.push(Need { from, to, path: path.join("::"), passed_on, module: found.module && !glob });
                }
            };
            for import in &m.imports {
                let used = import.name.as_ref().is_some_and(|n| m.words.contains(n));
                add(&import.path, import.exported && !used, import.name.is_none());
            }
            m.paths.iter().for_each(|p| add(p, false, false));
        }
        out.sort();
        out.dedup();
        out
    }

    /// Paths into a crate of another name, `wgpu::Device` say: the file and the path.
    pub fn outside<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, String)> + 'a {
        self.modules.iter().flat_map(move |m| {
            let imports = m.imports.iter().map(|i| &i.path).chain(&m.paths);
            imports.filter(move |p| p[0] == name).map(|p| (m.file.as_str(), p.join("::")))
        })
    }

    /// Paths that begin in this crate and lead nowhere: the rules above know too little, or the code does not compile.
    pub fn lost(&self) -> Vec<String> {
        let begins = |p: &Segments| ["crate", "super", "self"].contains(&p[0].as_str());
        let mut out = Vec::new();
        for (i, m) in self.modules.iter().enumerate() {
            let all = m.imports.iter().map(|i| &i.path).chain(&m.paths);
            let lost = all.filter(|p| begins(p) && self.resolve(i, p, 0).is_none());
            out.extend(lost.map(|p| format!("{}: {}", m.file, p.join("::"))));
        }
        out
    }

    fn child(&self, of: usize, name: &str) -> Option<usize> {
        let place = &self.modules[of].place;
        let is = |m: &Module| {
            m.place.len() == place.len() + 1 && m.place.starts_with(place) && m.place.last().is_some_and(|l| l == name)
        };
        self.modules.iter().position(is)
    }

    fn at(&self, place: &[String]) -> Option<usize> {
        self.modules.iter().position(|m| m.place == place)
    }

    /// Where the last name of a path is at home, seen from module `from`; none if that is another crate.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<Found> {
        let (first, rest) = path.split_first()?;
        let place = &self.modules[from].place;
        let start = match first.as_str() {
            "crate" => Found { at: self.at(&[])?, module: true },
            "self" => Found { at: from, module: true },
            "super" => Found { at: self.at(place.split_last()?.1)?, module: true },
            name => self.name(from, name, depth)?,
        };
        rest.iter().try_fold(start, |found, name| match (found.module, name.as_str()) {
            (true, "super") => Some(Found { at: self.at(self.modules[found.at].place.split_last()?.1)?, module: true }),
            (true, name) => self.name(found.at, name, depth),
            // Variants, associated functions and constants live with their type.
            (false, _) => Some(found),
        })
    }

    /// A name as module `of` knows it.
    fn name(&self, of: usize, name: &str, depth: usize) -> Option<Found> {
        // A glob may lead in a circle.
        if depth > 12 {
            return None;
        }
        let m = &self.modules[of];
        if let Some(at) = self.child(of, name) {
            return Some(Found { at, module: true });
        }
        if m.defined.contains(name) {
            return Some(Found { at: of, module: false });
        }
        let named =
            m.imports.iter().filter(|i| i.name.as_deref() == Some(name)).find_map(|i| self.resolve(of, &i.path, depth + 1));
        let globbed = || {
            let globs = m.imports.iter().filter(|i| i.name.is_none());
            globs.filter_map(|i| self.resolve(of, &i.path, depth + 1)).find_map(|f| self.name(f.at, name, depth + 1))
        };
        // Exported macros are at the root, whatever file declares them.
        let exported = || self.macros.get(name).filter(|_| m.place.is_empty()).map(|&at| Found { at, module: false });
        named.or_else(globbed).or_else(exported)
    }
}

#[derive(Clone, Copy)]
struct Found {
    at: usize,
    /// Whether it is the module itself.
    module: bool,
}

impl Module {
    fn read(&mut self, items: Vec<syn::Item>, macros: &mut BTreeMap<String, usize>, number: usize) {
        for item in items {
            match item {
                syn::Item::Use(u) => self.import(u),
                syn::Item::Mod(m) => {
                    if let Some((_, items)) = m.content.filter(|_| !is_test(&m.attrs)) {
                        self.defined.insert(m.ident.to_string());
                        self.read(items, macros, number);
                    }
                }
                item => {
                    if let syn::Item::Macro(m) = &item
                        && let Some(name) = &m.ident
                    {
                        macros.insert(name.to_string(), number);
                    }
                    self.define(&item);
                    self.scan(item.into_token_stream());
                }
            }
        }
    }

    fn import(&mut self, item: syn::ItemUse) {
        let exported = !matches!(item.vis, syn::Visibility::Inherited);
        let mut add = |path: Segments, name: Option<String>| self.imports.push(Import { path, name, exported });
        leaves(&item.tree, &mut Vec::new(), &mut add);
    }

    fn define(&mut self, item: &syn::Item) {
        let name = match item {
            syn::Item::Const(i) => &i.ident,
            syn::Item::Enum(i) => &i.ident,
            syn::Item::Fn(i) => &i.sig.ident,
            syn::Item::Static(i) => &i.ident,
            syn::Item::Struct(i) => &i.ident,
            syn::Item::Trait(i) => &i.ident,
            syn::Item::Type(i) => &i.ident,
            syn::Item::Macro(i) => return self.define_by(i),
            _ => return,
        };
        self.defined.insert(name.to_string());
        if let syn::Item::Struct(syn::ItemStruct { attrs, .. }) | syn::Item::Enum(syn::ItemEnum { attrs, .. }) = item {
            attrs.iter().for_each(|a| self.define_by_attribute(&a.path().to_token_stream().to_string()));
        }
    }

    /// What a macro defines: `params!` a struct, `family!` its re-exports.
    fn define_by(&mut self, item: &syn::ItemMacro) {
        if let Some(name) = &item.ident {
            self.defined.insert(name.to_string());
        }
        let called = item.mac.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
        if called == "family" {
            for path in paths(item.mac.tokens.clone()) {
                let name = path.last().cloned();
                self.imports.push(Import { path: [vec!["self".to_string()], path].concat(), name, exported: true });
            }
        }
        // `params! { pub Name { .. } }` and `optimizer! { pub struct Name { .. } }`: the word behind `struct`, or the first one.
        let words: Vec<String> = item.mac.tokens.clone().into_iter().filter_map(ident).filter(|word| word != "pub").collect();
        let named = words.iter().position(|w| w == "struct").map_or(0, |i| i + 1);
        self.defined.extend(words.get(named).cloned());
        if ["optimizer", "adaptive"].contains(&called.as_str()) {
            self.define_by_attribute("op");
        }
    }

    /// What the attributes of `ridgepole-derive` define and name: an op's row, a value's description.
    fn define_by_attribute(&mut self, name: &str) {
        let (defined, named): (&[&str], &[[&str; 3]]) = match name {
            "op" => (&["NAME", "ENTRY"], &[["crate", "op", "Entry"], ["crate", "types", "Field"]]),
            "value" => (&[], &[["crate", "types", "Described"]]),
            _ => return,
        };
        self.defined.extend(defined.iter().map(ToString::to_string));
        self.paths.extend(named.iter().map(|path| path.iter().map(ToString::to_string).collect()));
    }

    fn scan(&mut self, tokens: TokenStream) {
        self.paths.extend(paths(tokens.clone()));
        words(tokens, &mut self.words);
    }
}

fn ident(token: TokenTree) -> Option<String> {
    if let TokenTree::Ident(word) = token { Some(word.to_string()) } else { None }
}

fn is_test(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|a| a.path().is_ident("cfg") && a.meta.to_token_stream().to_string().contains("test"))
}

fn list(dir: &Path, out: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(dir).expect("the folder is there").map(|e| e.expect("readable").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            list(&path, out);
        } else if path.extension().is_some_and(|x| x == "rs") {
            out.push(path);
        }
    }
}

/// The names that a `use` tree brings, each with its path.
fn leaves(tree: &syn::UseTree, before: &mut Segments, add: &mut impl FnMut(Segments, Option<String>)) {
    match tree {
        syn::UseTree::Path(p) => {
            before.push(p.ident.to_string());
            leaves(&p.tree, before, add);
            before.pop();
        }
        syn::UseTree::Group(g) => g.items.iter().for_each(|t| leaves(t, before, add)),
        syn::UseTree::Glob(_) => add(before.clone(), None),
        syn::UseTree::Name(n) if n.ident == "self" => add(before.clone(), before.last().cloned()),
        syn::UseTree::Name(n) => add([before.clone(), vec![n.ident.to_string()]].concat(), Some(n.ident.to_string())),
        syn::UseTree::Rename(r) if r.ident == "self" => add(before.clone(), Some(r.rename.to_string())),
        syn::UseTree::Rename(r) => add([before.clone(), vec![r.ident.to_string()]].concat(), Some(r.rename.to_string())),
    }
}

/// Runs of `a::b::c` among tokens, also within brackets and macros.
fn paths(tokens: TokenStream) -> Vec<Segments> {
    let (mut out, mut run, mut colons) = (Vec::new(), Segments::new(), 0);
    let end = |run: &mut Segments, out: &mut Vec<Segments>| {
        let run = std::mem::take(run);
        if run.len() > 1 {
            out.push(run);
        }
    };
    for token in tokens {
        match token {
            TokenTree::Ident(word) => {
                if colons != 2 {
                    end(&mut run, &mut out);
                }
                run.push(word.to_string());
                colons = 0;
            }
            TokenTree::Punct(p) if p.as_char() == ':' && !run.is_empty() => {
                colons += 1;
                continue;
            }
            TokenTree::Group(g) => {
                end(&mut run, &mut out);
                out.extend(paths(g.stream()));
                colons = 0;
            }
            _ => {
                end(&mut run, &mut out);
                colons = 0;
            }
        }
    }
    end(&mut run, &mut out);
    out
}

fn words(tokens: TokenStream, out: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => drop(out.insert(word.to_string())),
            TokenTree::Group(g) => words(g.stream(), out),
            _ => {}
        }
    }
}

/// Files that need each other, in groups.
pub fn cycles(needs: &[Need]) -> Vec<Vec<&str>> {
    type Next<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;
    fn reached<'a>(from: &'a str, next: &Next<'a>) -> BTreeSet<&'a str> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(file) = open.pop() {
            open.extend(next.get(file).into_iter().flatten().copied().filter(|to| seen.insert(*to)));
        }
        seen
    }
    let mut next = Next::new();
    for n in needs.iter().filter(|n| !n.passed_on && !n.module) {
        next.entry(&n.from).or_default().insert(&n.to);
    }
    let reach: Next = next.keys().map(|f| (*f, reached(f, &next))).collect();
    let mut out: BTreeSet<Vec<&str>> = BTreeSet::new();
    for (file, seen) in &reach {
        let group: Vec<&str> = seen.iter().copied().filter(|to| reach.get(to).is_some_and(|r| r.contains(file))).collect();
        if !group.is_empty() {
            out.insert(group);
        }
    }
    out.into_iter().collect()
}
