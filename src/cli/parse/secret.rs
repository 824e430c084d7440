//! `--secret NAME[,type=mount|env][,target=…][,uid=…][,gid=…][,mode=…]`.

use super::{bad, csv};
use crate::common::Result;
use crate::spec::config::{Secret, SecretKind};

const FLAG: &str = "--secret";

/// podman's permissions of a secret.
const MODE: u32 = 0o444;

/// Parses one value.
pub(crate) fn parse(text: &str) -> Result<Secret> {
    let refuse = |why: &str| bad(FLAG, text, why);
    let mut fields = csv::fields(FLAG, text)?.into_iter();
    let first = fields.next().unwrap_or_default();
    // docker's and Compose's word for the same.
    let name = first.strip_prefix("source=").unwrap_or(&first).to_owned();
    if name.is_empty() || name.contains('=') {
        return Err(refuse("it begins with the secret's name"));
    }
    let (mut env, mut target, mut owner, mut mode) = (false, None, (None, None), None);
    for field in fields {
        let (key, value) = field.split_once('=').unwrap_or((&field, ""));
        let number = || {
            value
                .parse::<u32>()
                .map_err(|_| refuse("use a number for uid and gid"))
        };
        match key {
            "type" if value == "mount" => env = false,
            "type" if value == "env" => env = true,
            "type" => return Err(refuse("type is mount or env")),
            "target" => target = Some(value.to_owned()).filter(|value| !value.is_empty()),
            "uid" => owner.0 = Some(number()?),
            "gid" => owner.1 = Some(number()?),
            "mode" => {
                let bits = u32::from_str_radix(value, 8)
                    .ok()
                    .filter(|bits| *bits <= 0o7777);
                mode = Some(bits.ok_or_else(|| refuse("mode is an octal number"))?);
            }
            _ => return Err(refuse("use type, target, uid, gid and mode")),
        }
    }
    let target = target.unwrap_or_else(|| name.clone());
    if env {
        if owner != (None, None) || mode.is_some() {
            return Err(refuse("uid, gid and mode are for a secret that is mounted"));
        }
        if target.contains('=') {
            return Err(refuse("target is a variable's name"));
        }
        let kind = SecretKind::Variable(target);
        return Ok(Secret { name, kind });
    }
    let target = match target.starts_with('/') {
        true => super::path::target(FLAG, &target)?,
        false if target.contains('/') || target.starts_with('.') => {
            return Err(refuse("target is a file name or an absolute path"));
        }
        false => target,
    };
    let kind = SecretKind::File {
        target,
        owner: (owner.0.unwrap_or(0), owner.1.unwrap_or(0)),
        mode: mode.unwrap_or(MODE),
    };
    Ok(Secret { name, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(target: &str, owner: (u32, u32), mode: u32) -> SecretKind {
        SecretKind::File {
            target: target.to_owned(),
            owner,
            mode,
        }
    }

    #[test]
    fn secrets_are_files_or_variables() {
        let kind = |text: &str| parse(text).unwrap().kind;
        assert_eq!(kind("key"), file("key", (0, 0), 0o444));
        assert_eq!(
            kind("key,target=other,uid=7,gid=8,mode=0400"),
            file("other", (7, 8), 0o400)
        );
        assert_eq!(
            kind("source=key,target=/etc/key"),
            file("/etc/key", (0, 0), 0o444)
        );
        assert_eq!(kind("key,type=env"), SecretKind::Variable("key".to_owned()));
        assert_eq!(
            kind("key,type=env,target=KEY"),
            SecretKind::Variable("KEY".to_owned())
        );
        for text in [
            "",
            ",type=env",
            "type=env",
            "key,type=disk",
            "key,mode=9",
            "key,uid=me",
            "key,target=../x",
            "key,target=a/b",
            "key,type=env,mode=0400",
            "key,nope=1",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
