//! Programs that drive the command line as docker's or podman's and parse what it prints.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::harness::env::executable;
use crate::harness::process::Running;
use crate::harness::{Env, require};
use crate::peers::LONG;

/// Runs the driver under the name of the tool that it drives.
fn driven(env: &Env, name: &str) {
    require!("python3", require::program("python3"));
    let link = env.path(name);
    symlink(executable(), &link).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/docker_cli.py");
    // The checkout may lie where the user of this world cannot go.
    let driver = env.file("driver.py", &std::fs::read_to_string(source).unwrap());
    let mut command = env.program("python3");
    let work = env.folder("driven");
    command.args([&driver, name, link.to_str().unwrap(), &env.base(), &work]);
    let output = Running::start(command).finish_within(LONG);
    output.says(&format!("{name}: ")).says("checks hold").ok();
    env.assert_clean();
}

cases! {
    fn a_driver_of_docker_parses_every_output(env) {
        driven(env, "docker");
    }

    fn a_driver_of_podman_parses_every_output(env) {
        driven(env, "podman");
    }
}
