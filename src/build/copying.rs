//! `COPY` and `ADD`: what is copied decides the key, and a child copies it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;

use super::context::ignore::Ignore;
use super::context::index::Index;
use super::context::remote::{Fetched, fetch};
use super::copy::{Chmod, Document, Options, Tree, owner, select};
use super::graph;
use super::key::Key;
use super::named::{self, ImageAt, NamedPlace};
use super::secret::Logins;
use super::solve::Solver;
use super::source;
use super::stage::{Status, Step, absolute};
use super::state::Piece;
use super::step::copy::{self, Origin, Plan};
use crate::common::{Digest, Error};
use crate::dockerfile::{self, Instruction, Word};
use crate::engine::container::Ground;
use crate::sys::file;
use crate::sys::path::Root;

/// A directory that files are taken from.
#[derive(Debug, Clone)]
pub(super) struct Context<'a> {
    tree: Rc<Tree>,
    index: Rc<Index>,
    /// Keeps what is no directory of the user's.
    _fetched: Option<Rc<Fetched<'a>>>,
}

/// Contexts that were opened, by name; the build's own has none.
pub(super) type Contexts<'a> = BTreeMap<String, Context<'a>>;

/// What COPY and ADD have in common.
struct Asked<'i> {
    sources: &'i [Word],
    documents: &'i [dockerfile::Document],
    destination: &'i Word,
    from: Option<&'i Word>,
    chown: Option<&'i Word>,
    chmod: Option<&'i Word>,
    link: bool,
    parents: bool,
    excludes: &'i [Word],
    add: Option<&'i dockerfile::Add>,
}

fn asked(instruction: &Instruction) -> Option<Asked<'_>> {
    Some(match &instruction.kind {
        dockerfile::Kind::Copy(copy) => Asked {
            sources: &copy.sources,
            documents: &copy.documents,
            destination: &copy.destination,
            from: copy.from.as_ref(),
            chown: copy.chown.as_ref(),
            chmod: copy.chmod.as_ref(),
            link: copy.link,
            parents: copy.parents,
            excludes: &copy.excludes,
            add: None,
        },
        dockerfile::Kind::Add(add) => Asked {
            sources: &add.sources,
            documents: &add.documents,
            destination: &add.destination,
            from: None,
            chown: add.chown.as_ref(),
            chmod: add.chmod.as_ref(),
            link: add.link,
            parents: false,
            excludes: &add.excludes,
            add: Some(add),
        },
        _ => return None,
    })
}

/// What the files of a mount come from.
pub(super) enum MountFrom {
    /// Layers, and the key of what they are.
    Layers(Vec<Piece>, Digest),
    /// A context by its name.
    Context(String),
}

impl<'a> Solver<'a> {
    /// What a context has at an absolute path: its tree, and the digest of what is there. The
    /// build's own context has no name.
    pub(super) fn context_at(&mut self, name: &str, source: &str) -> Result<(Rc<Tree>, Digest)> {
        let context = self.context(name)?;
        let sources = [source.to_owned()];
        let selection = select(&context.tree, &sources, &Options::default())?;
        let digest = selection.digest(Some(&context.index))?;
        drop(selection);
        Ok((context.tree, digest))
    }

    /// What `from` names, for a mount; `None` while a stage is not done.
    pub(super) fn mount_from(&mut self, index: usize, name: &str) -> Result<Option<MountFrom>> {
        Ok(
            match graph::from(self.file, name, index, &self.request.contexts)? {
                graph::From::Stage(stage) => {
                    if self.stages[stage].status != Status::Done {
                        self.graph.need(stage);
                        return Ok(None);
                    }
                    let state = self.state(stage)?;
                    Some(MountFrom::Layers(state.pieces.clone(), state.key))
                }
                graph::From::Image(image) => {
                    let (key, pieces) = self.image_pieces(index, &image)?;
                    Some(MountFrom::Layers(pieces, key))
                }
                graph::From::Context(name) => Some(MountFrom::Context(name)),
            },
        )
    }

    /// A context, opened once: a directory by the name it was given, or the build's own.
    fn context(&mut self, name: &str) -> Result<Context<'a>> {
        if let Some(found) = self.contexts.get(name) {
            return Ok(found.clone());
        }
        let given = named::find(&self.request.contexts, name).map(|named| &named.place);
        let mut fetched = None;
        let (path, dockerfile) = match given {
            Some(NamedPlace::Remote(place)) => {
                let found = fetched.insert(fetch(
                    self.engine,
                    Logins(&self.request.secrets),
                    place,
                    false,
                )?);
                (found.directory.as_path(), None)
            }
            Some(NamedPlace::Directory(path)) => (path.as_path(), None),
            // Images are asked for their layers.
            Some(NamedPlace::Image(_)) | None => {
                (self.request.context.as_path(), Some(self.dockerfile()))
            }
        };
        let root = Root::open(path)?;
        let ignore = match dockerfile {
            Some(path) if path.is_absolute() => Ignore::beside(&root, &path)?,
            Some(path) => Ignore::find(&root, path.to_str())?,
            None => Ignore::find(&root, None)?,
        };
        let facts = nix::sys::stat::fstat(root.as_fd())
            .map_err(|errno| Error::errno("stat", path, errno))?;
        let folder = self.engine.store.build_cache().folder("index")?;
        let name_of_index = format!("{:x}-{:x}", facts.st_dev, facts.st_ino);
        let context = Context {
            tree: Rc::new(Tree::context(root, ignore)),
            index: Rc::new(Index::open(&folder.join(name_of_index))),
            _fetched: fetched.map(Rc::new),
        };
        self.contexts.insert(name.to_owned(), context.clone());
        Ok(context)
    }

    /// The Dockerfile's path, below the context when it is there: the ignore file that belongs to
    /// it is found by it.
    fn dockerfile(&self) -> PathBuf {
        let path = self.request.dockerfile.as_deref();
        let path = path.unwrap_or(Path::new("Dockerfile"));
        let below = path.strip_prefix(&self.request.context);
        below.unwrap_or(path).to_owned()
    }

    /// `COPY` and `ADD`.
    pub(super) fn copy_instruction(
        &mut self,
        index: usize,
        instruction: &Instruction,
    ) -> Result<bool> {
        let Some(asked) = asked(instruction) else {
            return Ok(true);
        };
        let Some((plan, step, mut needed)) = self.copy_plan(index, &asked, instruction)? else {
            return Ok(false);
        };
        if self.take_cached(index, &step)? {
            return Ok(true);
        }
        if !self.has_room() {
            return Ok(false);
        }
        let pieces = self.state(index)?.pieces.clone();
        needed.extend(pieces.iter().filter(|_| !plan.link));
        if self.bring(&needed)? {
            // Now there are files to look at.
            return self.copy_instruction(index, instruction);
        }
        let work = self.engine.store.build_cache().begin()?;
        let ground = match plan.link {
            true => Ground::default(),
            false => self.layers.ground(self.engine, &pieces),
        };
        let started = copy::start(self.engine, &work, &ground, &plan);
        let worker = self.or_discard(started, &work)?;
        // Owners are written on what is made.
        self.at_work(index, step, String::new(), work, worker, Vec::new());
        Ok(true)
    }

    /// Expands an instruction, finds its sources and makes its key, and tells which layers it
    /// copies from; `None` while a stage of those is not done.
    fn copy_plan(
        &mut self,
        index: usize,
        asked: &Asked<'_>,
        instruction: &Instruction,
    ) -> Result<Option<(Plan, Step, Vec<Piece>)>> {
        let state = self.state(index)?;
        let word = |word: &Word| state.expand(word);
        let sources: Vec<String> = asked.sources.iter().map(word).collect::<Result<_>>()?;
        let destination = destination(state.workdir(), &state.expand(asked.destination)?);
        let chown = asked.chown.map(word).transpose()?;
        let chown = chown.filter(|text| !text.is_empty());
        let chmod = asked.chmod.map(word).transpose()?;
        let chmod = chmod.filter(|text| !text.is_empty());
        let options = Options {
            parents: asked.parents,
            excludes: asked.excludes.iter().map(word).collect::<Result<_>>()?,
        };
        let mut documents = Vec::new();
        for document in asked.documents {
            let text = match document.expand {
                true => {
                    let lookup = |name: &str| state.value(name);
                    dockerfile::expand_document(&document.text, &lookup)?.text
                }
                false => document.text.clone(),
            };
            documents.push(Document {
                name: document.name.raw.clone(),
                bytes: text.into_bytes(),
                mode: 0o644,
                modified: None,
            });
        }
        // Names of owners are those of the root below.
        let link = asked.link && chown.as_deref().is_none_or(owner::is_numeric);
        let mut key = Key::new("copy");
        if !link {
            key.add("parent", [self.state(index)?.key.hex()]);
        }
        key.add("destination", [&destination]);
        key.add("chown", chown.iter());
        key.add("chmod", chmod.iter());
        key.add("link", [link.to_string()]);
        for document in &documents {
            key.add("document", [document.name.as_bytes(), &document.bytes]);
        }
        let mut plan = Plan {
            from: Vec::new(),
            documents,
            destination,
            chown,
            chmod: chmod.as_deref().map(Chmod::parse).transpose()?,
            link,
            epoch: self.request.epoch,
        };
        let from = self.sources(index, asked, (sources, options), &mut plan, &mut key)?;
        let Some(pieces) = from else {
            return Ok(None);
        };
        let step = Step {
            key: key.finish(),
            command: instruction.source.clone(),
            history: self.state(index)?.expand_text(&instruction.source)?,
        };
        Ok(Some((plan, step, pieces)))
    }

    /// Adds what is copied to a plan and its digests to a key; the layers that hold it, `None`
    /// while a stage is not done.
    fn sources(
        &mut self,
        index: usize,
        asked: &Asked<'_>,
        (sources, options): (Vec<String>, Options),
        plan: &mut Plan,
        key: &mut Key,
    ) -> Result<Option<Vec<Piece>>> {
        let mut local = Vec::new();
        for text in sources {
            match asked.add {
                Some(add) if source::is_remote(&text) => {
                    let state = self.state(index)?;
                    let checksum = add.checksum.as_ref().map(|word| state.expand(word));
                    let checksum = checksum.transpose()?;
                    let fetched = source::add(
                        self.engine,
                        Logins(&self.request.secrets),
                        add,
                        &text,
                        checksum.as_deref(),
                    )?;
                    key.add("remote", [fetched.digest.hex()]);
                    plan.from.push(fetched.files);
                }
                None if source::is_remote(&text) => {
                    let why = "source can't be a URL for COPY";
                    return Err(Error::usage("copy", &text, why).into());
                }
                _ => local.push(text),
            }
        }
        if local.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let unpack = asked.add.is_some_and(|add| add.unpack != Some(false));
        key.add("unpack", [unpack.to_string()]);
        let mut pieces = Vec::new();
        let (origin, digest) = match asked.from.filter(|from| !from.raw.is_empty()) {
            None => self.take_context("", &local, &options)?,
            Some(from) => {
                let name = self.state(index)?.expand(from)?;
                match self.take_named(index, &name, &local, &options, &mut pieces)? {
                    Some(found) => found,
                    None => return Ok(None),
                }
            }
        };
        key.add("content", [digest.hex()]);
        plan.from.push(copy::From {
            origin,
            sources: local,
            options,
            unpack,
            digest: Some(digest),
        });
        Ok(Some(pieces))
    }

    fn take_context(
        &mut self,
        name: &str,
        sources: &[String],
        options: &Options,
    ) -> Result<(Origin, Digest)> {
        let context = self.context(name)?;
        let selection = select(&context.tree, sources, options)?;
        let digest = selection.digest(Some(&context.index))?;
        drop(selection);
        Ok((Origin::Open(context.tree, Some(context.index)), digest))
    }

    /// What `--from` names.
    fn take_named(
        &mut self,
        index: usize,
        name: &str,
        sources: &[String],
        options: &Options,
        pieces: &mut Vec<Piece>,
    ) -> Result<Option<(Origin, Digest)>> {
        let (key, found) = match graph::from(self.file, name, index, &self.request.contexts)? {
            graph::From::Stage(stage) => {
                if self.stages[stage].status != Status::Done {
                    self.graph.need(stage);
                    return Ok(None);
                }
                let state = self.state(stage)?;
                (state.key, state.pieces.clone())
            }
            graph::From::Image(image) => self.image_pieces(index, &image)?,
            graph::From::Context(name) => {
                return self.take_context(&name, sources, options).map(Some);
            }
        };
        pieces.extend(&found);
        let question = question(&key, sources, options);
        if !self.layers.away(pieces).is_empty() {
            if let Some(digest) = self.imported.content(&question) {
                self.contents.insert(question, digest);
                // For the key alone; they are fetched before a copy begins.
                return Ok(Some((Origin::Layers(Ground::default()), digest)));
            }
            self.bring(pieces)?;
        }
        let ground = self.layers.ground(self.engine, pieces);
        let digest = self.layers_digest(&ground, pieces, sources, options)?;
        self.contents.insert(question, digest);
        Ok(Some((Origin::Layers(ground), digest)))
    }

    fn image_pieces(&mut self, index: usize, image: &ImageAt) -> Result<(Digest, Vec<Piece>)> {
        let platform = self.state(index)?.platform.clone();
        let state = self.begin_with_image(image, &platform)?;
        Ok((state.key, state.pieces))
    }

    /// The digest of what is taken from layers, which never change: it is found once.
    fn layers_digest(
        &mut self,
        ground: &Ground,
        pieces: &[Piece],
        sources: &[String],
        options: &Options,
    ) -> Result<Digest> {
        let cache = self.engine.store.build_cache();
        let mut memo = Key::new("from");
        memo.add("mode", [self.engine.mode.to_string()]);
        let paths = self.layers.paths(self.engine, pieces);
        memo.add(
            "layers",
            paths.iter().map(|path| path.as_os_str().as_encoded_bytes()),
        );
        memo.add("sources", sources);
        memo.add("parents", [options.parents.to_string()]);
        memo.add("excludes", &options.excludes);
        let path = cache.folder("index")?;
        let path = path.join(format!("from-{}", memo.finish().0.hex()));
        let known = file::read_bounded(&path, 64).ok();
        let known = known.and_then(|text| Digest::from_hex(std::str::from_utf8(&text).ok()?));
        if let Some(digest) = known {
            return Ok(digest);
        }
        let work = cache.begin()?;
        let digest = copy::digest_of_layers(self.engine, &work, ground, sources, options);
        cache.discard(work.id.as_str())?;
        let digest = digest?;
        file::write_atomic(&path, digest.hex().as_bytes())?;
        Ok(digest)
    }
}

/// Names the question what some sources in a tree are, whose key this is, on every machine.
fn question(tree: &Digest, sources: &[String], options: &Options) -> Digest {
    let mut key = Key::new("question");
    key.add("tree", [tree.hex()]);
    key.add("sources", sources);
    key.add("parents", [options.parents.to_string()]);
    key.add("excludes", &options.excludes);
    key.finish().0
}

/// A destination as an absolute path that still says whether it is a directory.
fn destination(workdir: &str, text: &str) -> String {
    let directory = text.ends_with('/') || text.ends_with("/.") || text == ".";
    let path = absolute(workdir, text);
    match directory && path != "/" {
        true => format!("{path}/"),
        false => path,
    }
}
