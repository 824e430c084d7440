//! Whole layers through the pipeline: ordinary ones must come out exact, hostile ones must
//! change nothing outside their directory.

mod fidelity;
mod hostile;
mod pack;

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::PathBuf;

use super::*;
use crate::common::{Kind, Mode, Result, Silent};

/// A layer directory beside a canary that no unpacking may touch.
struct Place {
    top: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("layer")).unwrap();
        fs::create_dir_all(top.path().join("canary/dir")).unwrap();
        fs::write(top.path().join("canary/file"), "alive").unwrap();
        Place { top }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.top.path().join("layer").join(name)
    }

    fn canary(&self) -> String {
        self.top.path().join("canary").display().to_string()
    }

    fn unpack_as(&self, layer: &[u8], options: &UnpackOptions) -> Result<Unpacked> {
        let before = self.canary_state();
        let dir = File::open(self.path("")).unwrap();
        let result = unpack_layer(layer, dir.as_fd(), options, &Silent);
        assert_eq!(self.canary_state(), before, "the canary changed");
        result
    }

    fn unpack(&self, layer: &[u8]) -> Result<Unpacked> {
        self.unpack_as(layer, &UnpackOptions::new(mode()))
    }

    fn canary_state(&self) -> Vec<String> {
        let canary = self.top.path().join("canary");
        let mut names = vec![PathBuf::from("."), "file".into(), "dir".into()];
        names.extend(
            fs::read_dir(&canary)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into()),
        );
        names.sort();
        let state = names.iter().map(|name| {
            use std::os::unix::fs::MetadataExt;
            let path = canary.join(name);
            let facts = fs::symlink_metadata(&path).unwrap();
            let data = fs::read(&path).unwrap_or_default();
            format!(
                "{name:?} {:o} {} {} {} {} {} {data:?}",
                facts.mode(),
                facts.uid(),
                facts.mtime(),
                facts.mtime_nsec(),
                facts.ctime_nsec(),
                facts.nlink(),
            )
        });
        state.collect()
    }
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The mode this user would unpack in.
fn mode() -> Mode {
    if is_root() { Mode::Root } else { Mode::Single }
}

/// Every mode that this user can unpack in.
fn modes() -> Vec<Mode> {
    if is_root() {
        vec![Mode::Root, Mode::Single]
    } else {
        vec![Mode::Single]
    }
}

fn kind(result: Result<Unpacked>) -> Kind {
    result.expect_err("the layer was accepted").kind()
}
