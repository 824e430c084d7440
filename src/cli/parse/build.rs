//! The flags of `build` that have a grammar of their own: `--secret`, `--ssh`,
//! `--build-context`, `--build-arg`, `--call`.

use std::path::PathBuf;

use super::{Place, bad, csv, env::Caller, path};
use crate::build::context::remote;
use crate::build::named::{self, ImageAt, Named, NamedPlace};
use crate::build::request::{Secret, SecretSource, Ssh};
use crate::common::Result;
use crate::engine::image::layout::Entry;
use crate::reference::Reference;

/// Reads `id=ID[,type=file|env][,src=PATH|env=NAME]`. docker: with an id alone, a variable of that
/// name, else a file of that name in the working directory.
///
/// # Errors
/// For an unknown field, no id, or a variable that is not set.
pub(crate) fn secret(text: &str, place: &Place<'_>, caller: &dyn Caller) -> Result<Secret> {
    const FLAG: &str = "--secret";
    let (mut id, mut kind, mut file, mut variable) = (None, None, None, None);
    for field in csv::fields(FLAG, text)? {
        let (key, value) = field
            .split_once('=')
            .ok_or_else(|| bad(FLAG, text, format!("invalid field {field:?}")))?;
        match key.to_ascii_lowercase().as_str() {
            "id" => id = Some(value.to_owned()),
            "type" if matches!(value, "file" | "env") => kind = Some(value.to_owned()),
            "type" => return Err(bad(FLAG, text, "type is file or env")),
            "src" | "source" => file = Some(value.to_owned()),
            "env" => variable = Some(value.to_owned()),
            _ => return Err(bad(FLAG, text, "use id, type, src and env")),
        }
    }
    let id = id
        .filter(|id| !id.is_empty())
        .ok_or_else(|| bad(FLAG, text, "it needs an id"))?;
    // `type=env,src=NAME` is an older way to name the variable.
    if kind.as_deref() == Some("env") && variable.is_none() {
        variable = Some(file.take().unwrap_or_else(|| id.clone()));
    }
    let value = |name: &str| caller.get(name).map(String::into_bytes);
    let source = match (file, variable) {
        (Some(_), Some(_)) => return Err(bad(FLAG, text, "src and env exclude each other")),
        (None, Some(name)) => SecretSource::Value(
            value(&name)
                .ok_or_else(|| bad(FLAG, text, format!("the variable {name} is not set")))?,
        ),
        (None, None) if kind.is_none() => match value(&id) {
            Some(value) => SecretSource::Value(value),
            None => SecretSource::File(host(FLAG, &id, place)?),
        },
        (file, None) => {
            let file = file.unwrap_or_else(|| id.clone());
            SecretSource::File(host(FLAG, &file, place)?)
        }
    };
    Ok(Secret { id, source })
}

/// Reads `ID[=SOCKET]`; the caller's own agent without a socket.
///
/// # Errors
/// There is no agent.
pub(crate) fn ssh(text: &str, place: &Place<'_>, caller: &dyn Caller) -> Result<Ssh> {
    const FLAG: &str = "--ssh";
    let (id, socket) = match text.split_once('=') {
        Some((id, socket)) => (id, Some(socket)),
        None => (text, None),
    };
    let own = || {
        caller
            .get("SSH_AUTH_SOCK")
            .filter(|socket| !socket.is_empty())
    };
    let socket = match socket.filter(|socket| !socket.is_empty()) {
        Some(socket) => host(FLAG, socket, place)?,
        None => own()
            .map(PathBuf::from)
            .ok_or_else(|| bad(FLAG, text, "no agent runs: SSH_AUTH_SOCK is not set"))?,
    };
    Ok(Ssh {
        id: if id.is_empty() { "default" } else { id }.to_owned(),
        socket,
    })
}

pub(super) fn host(flag: &str, text: &str, place: &Place<'_>) -> Result<PathBuf> {
    path::source(flag, text, place).map(PathBuf::from)
}

/// Reads `NAME=PLACE` of `--build-context`: a directory, an address, `docker-image://NAME` or
/// `oci-layout://DIRECTORY[:TAG][@DIGEST]`.
///
/// # Errors
/// For a missing part, a bad name or a bad digest.
pub(crate) fn context(text: &str, place: &Place<'_>) -> Result<Named> {
    const FLAG: &str = "--build-context";
    let (name, at) = text.split_once('=').unwrap_or((text, ""));
    if name.is_empty() || at.is_empty() {
        return Err(bad(FLAG, text, "use NAME=PLACE"));
    }
    let found = if let Some(image) = at.strip_prefix("docker-image://") {
        Reference::parse(image)?;
        NamedPlace::Image(ImageAt::Name(image.to_owned()))
    } else if let Some(layout) = at.strip_prefix("oci-layout://") {
        let (layout, digest) = match layout.split_once('@') {
            Some((layout, digest)) => (layout, Some(digest.parse()?)),
            None => (layout, None),
        };
        let (directory, tag) = match layout.rsplit_once(':') {
            Some((directory, tag)) if !tag.contains('/') => (directory, Some(tag.to_owned())),
            _ => (layout, None),
        };
        let path = host(FLAG, directory, place)?;
        NamedPlace::Image(ImageAt::Layout(Entry { path, tag, digest }))
    } else if let Some(remote) = remote::Place::of(at) {
        NamedPlace::Remote(remote)
    } else {
        NamedPlace::Directory(host(FLAG, at, place)?)
    };
    Ok(Named {
        name: named::normal(name),
        place: found,
    })
}

/// Reads `NAME=VALUE`, or `NAME` for the caller's variable, which counts only when it is set.
///
/// # Errors
/// For an empty name.
pub(crate) fn argument(text: &str, caller: &dyn Caller) -> Result<Option<(String, String)>> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, caller.get(text)),
    };
    if name.is_empty() {
        return Err(bad("--build-arg", text, "the name is missing"));
    }
    Ok(value.map(|value| (name.to_owned(), value)))
}

/// What `--call` asks instead of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// A build.
    Build,
    /// What is doubtful in the file.
    Check,
    /// What the target wants to be told.
    Outline,
    /// What can be built.
    Targets,
}

/// Reads `METHOD[,format=text|json]`; the second value is true for JSON.
///
/// # Errors
/// For another method or format.
pub(crate) fn call(text: &str) -> Result<(Call, bool)> {
    const FLAG: &str = "--call";
    let mut fields = text.split(',');
    let method = fields.next().unwrap_or_default();
    let call = match method.strip_prefix("subrequests.").unwrap_or(method) {
        "build" | "" => Call::Build,
        "check" | "lint" => Call::Check,
        "outline" => Call::Outline,
        "targets" => Call::Targets,
        _ => return Err(bad(FLAG, text, "use build, check, outline or targets")),
    };
    let mut json = false;
    for field in fields {
        match field {
            "format=json" => json = true,
            "format=text" => json = false,
            _ => return Err(bad(FLAG, text, "use format=text or format=json")),
        }
    }
    Ok((call, json))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::parse::env::Caller;

    struct Fixed;

    impl Caller for Fixed {
        fn get(&self, key: &str) -> Option<String> {
            matches!(key, "TOKEN" | "SSH_AUTH_SOCK").then(|| format!("/{key}"))
        }

        fn all(&self) -> Vec<(String, String)> {
            Vec::new()
        }
    }

    fn place() -> Place<'static> {
        Place::homeless(false)
    }

    #[test]
    fn secrets_are_files_or_variables() {
        let read = |text: &str| {
            secret(text, &place(), &Fixed).map(|secret| match secret.source {
                SecretSource::File(path) => format!("{} file {}", secret.id, path.display()),
                SecretSource::Value(value) => {
                    format!("{} value {}", secret.id, String::from_utf8_lossy(&value))
                }
            })
        };
        for (text, wanted) in [
            ("id=a,src=b", "a file /cwd/b"),
            ("id=a,type=file,source=/b", "a file /b"),
            ("id=a,env=TOKEN", "a value /TOKEN"),
            ("type=env,id=TOKEN", "TOKEN value /TOKEN"),
            ("type=env,id=a,src=TOKEN", "a value /TOKEN"),
            ("id=TOKEN", "TOKEN value /TOKEN"),
            ("id=a", "a file /cwd/a"),
        ] {
            assert_eq!(read(text).unwrap(), wanted, "{text}");
        }
        for text in [
            "",
            "a",
            "src=b",
            "id=a,env=NONE",
            "id=a,x=y",
            "id=a,type=x",
            "id=a,src=b,env=TOKEN",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let agent = ssh("default", &place(), &Fixed).unwrap();
        assert_eq!(agent.socket, Path::new("/SSH_AUTH_SOCK"));
        assert_eq!(
            ssh("a=b", &place(), &Fixed).unwrap().socket,
            Path::new("/cwd/b")
        );
    }

    #[test]
    fn contexts_are_directories_addresses_and_images() {
        let read = |text: &str| context(text, &place());
        assert_eq!(read("Base:latest=/x").unwrap().name, "base");
        let at = |text: &str| read(text).unwrap().place;
        let directory = |text: &str| NamedPlace::Directory(PathBuf::from(text));
        assert_eq!(at("a=sub"), directory("/cwd/sub"));
        assert_eq!(
            at("a=https://host/x.tar"),
            NamedPlace::Remote(remote::Place::Address("https://host/x.tar".to_owned()))
        );
        let image = |at: ImageAt| NamedPlace::Image(at);
        let name = ImageAt::Name("debian:12".to_owned());
        assert_eq!(at("a=docker-image://debian:12"), image(name));
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, tag, digest) in [
            ("d", None, None),
            ("d:v1", Some("v1"), None),
            ("d@", None, Some(&digest)),
            ("d:v1@", Some("v1"), Some(&digest)),
        ] {
            let text = format!("a=oci-layout://{text}{}", digest.map_or("", |text| text));
            let entry = Entry {
                path: PathBuf::from("/cwd/d"),
                tag: tag.map(str::to_owned),
                digest: digest.map(|text| text.parse().unwrap()),
            };
            assert_eq!(at(&text), image(ImageAt::Layout(entry)));
        }
        for bad in [
            "base",
            "=x",
            "a=",
            "a=docker-image://A B",
            "a=oci-layout://d@x",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arguments_and_calls_are_read() {
        let pair = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        assert_eq!(argument("A=b=c", &Fixed).unwrap(), pair("A", "b=c"));
        assert_eq!(argument("TOKEN", &Fixed).unwrap(), pair("TOKEN", "/TOKEN"));
        assert_eq!(argument("NONE", &Fixed).unwrap(), None);
        assert!(argument("=a", &Fixed).is_err());
        assert_eq!(call("check,format=json").unwrap(), (Call::Check, true));
        assert_eq!(call("outline").unwrap(), (Call::Outline, false));
        assert!(call("x").is_err() && call("check,x").is_err());
    }
}
