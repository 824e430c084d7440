//! `run --userns` and `--group-add keep-groups`: who the container is on the host, and whose the
//! image's files are inside.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use crate::harness::env::executable;
use crate::harness::process::{Output, Running};
use crate::harness::{Env, Identity, Image, Layer, require};

/// A group that nobody on the machine is likely to have.
const GROUP: u32 = 54_987;

/// Files of root and of users 5 and 7, and a directory that an upper layer empties.
fn owned() -> Image {
    let lower = Layer::new()
        .dir("data", 0o755)
        .file("data/root", 0o644, b"root's")
        .dir("emptied", 0o755)
        .file("emptied/old", 0o644, b"old")
        .owner(5, 5)
        .file("data/five", 0o600, b"five's")
        .owner(7, 8)
        .file("data/seven", 0o600, b"seven's");
    let upper = Layer::new()
        .dir("emptied", 0o755)
        .file("emptied/.wh..wh..opq", 0o644, b"")
        .file("emptied/new", 0o644, b"new")
        .char_device("data/null", 0o666, 1, 3);
    Image::base().layer(lower).layer(upper)
}

fn run(env: &Env, image: &str, flags: &[&str], payload: &[&str]) -> Output {
    let mut arguments = vec!["run", "--network", "none"];
    arguments.extend(flags);
    arguments.push(image);
    arguments.push("payload");
    arguments.extend(payload);
    env.ketch(&arguments)
}

/// Numbers of a one-line id map.
fn line(text: &str) -> Vec<u32> {
    let numbers = text
        .split_whitespace()
        .map(|number| number.parse().unwrap());
    numbers.collect()
}

/// ketch as the user of the world with one more group.
fn with_group(env: &Env, arguments: &[&str]) -> Output {
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid",
            &env.uid.to_string(),
            "--regid",
            &env.gid.to_string(),
        ])
        .args(["--groups", &GROUP.to_string(), "--"])
        .arg(executable())
        .args(arguments)
        .env_clear()
        .envs(env.variables.iter().map(|(key, value)| (key, value)))
        .current_dir(env.path("work"));
    Running::start(command).finish()
}

cases! {
    fn host_is_no_namespace_for_root_and_the_usual_one_for_others(env) {
        let plain = env.payload(&[], &["cat", "/proc/self/uid_map"]);
        let host = env.payload(&["--userns", "host"], &["cat", "/proc/self/uid_map"]);
        assert_eq!(plain.ok(), host.ok());
        assert!(host.stderr.is_empty(), "{host}");
        if env.identity == Some(Identity::Root) {
            assert_eq!(host.ok(), fs::read_to_string("/proc/self/uid_map").unwrap().trim_end_matches('\n'));
        }
        env.payload(&["--userns", "host"], &["id"]).says("uid=0 gid=0");
    }

    fn keep_id_leaves_the_image_s_owners_alone(env) {
        if env.identity == Some(Identity::Root) {
            return;
        }
        let image = env.image(owned());
        let stat = ["stat", "/data/root", "/data/seven", "/"];
        let output = run(env, &image, &["--rm", "--userns", "keep-id"], &stat);
        let own = format!("{}:{}", env.uid, env.gid);
        output.says(&format!("/data/root file 644 {own} "));
        let seven = if env.identity == Some(Identity::Subid) { "7:8".to_owned() } else { own };
        output.says(&format!("/data/seven file 600 {seven} "));
        // The next plain run finds what it would have found before.
        run(env, &image, &["--rm"], &stat[..2]).says("/data/root file 644 0:0 ");
        env.assert_clean();
    }

    fn keep_id_works_on_the_caller_s_files_as_the_caller(env) {
        let folder = env.folder("shared");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let bind = format!("{folder}:/w");
        env.payload(&["--userns", "keep-id", "-v", &bind, "-w", "/w"], &["write", "x", "mine"]).ok();
        let made = fs::metadata(env.path("shared/x")).unwrap();
        assert_eq!((made.uid(), made.gid()), (env.uid, env.gid));
        // With numbers of its own choice the caller is still the caller outside.
        let flags = ["--userns", "keep-id:uid=5,gid=6", "-v", &bind, "-w", "/w"];
        env.payload(&flags, &["write", "y", "mine"]).ok();
        let made = fs::metadata(env.path("shared/y")).unwrap();
        assert_eq!((made.uid(), made.gid()), (env.uid, env.gid));
        let id = env.payload(&flags, &["id"]);
        if env.identity == Some(Identity::Root) {
            id.says("uid=0 gid=0").warns("keep-id");
        } else {
            id.says("uid=5 gid=6");
            env.payload(&flags, &["stat", "/w/x"]).says(" 5:6 ");
        }
    }

    fn the_caller_s_own_number_works_on_his_files(env) {
        // What workflow engines do: run -u $(id -u):$(id -g) -v "$PWD:$PWD".
        let folder = env.folder("shared");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let bind = format!("{folder}:/w");
        let own = format!("{}:{}", env.uid, env.gid);
        let number = env.uid.to_string();
        for user in [&own, &number] {
            let flags = ["-u", user, "-v", &bind, "-w", "/w"];
            env.payload(&flags, &["write", "x", "mine"]).ok();
            let made = fs::metadata(env.path("shared/x")).unwrap();
            assert_eq!((made.uid(), made.gid()), (env.uid, env.gid), "{user}");
            env.payload(&flags, &["id"]).says(&format!("uid={} ", env.uid));
            env.payload(&flags, &["rm", "/w/x"]).ok();
        }
        if env.identity != Some(Identity::Subid) || env.uid == 0 {
            return;
        }
        // Nothing else changes: another number, a map that was asked for, no file of the caller's.
        let other = (env.uid + 1).to_string();
        for flags in [["-u", other.as_str(), "--userns="], ["-u", &own, "--userns=host"]] {
            let flags = [&flags[..], &["-v", &bind]].concat();
            assert_ne!(env.payload(&flags, &["write", "/w/x", "theirs"]).code(), 0);
        }
        let plain = env.payload(&[], &["cat", "/proc/self/uid_map"]).ok().to_owned();
        assert_eq!(env.payload(&["-u", &own], &["cat", "/proc/self/uid_map"]).ok(), plain);
        // A directory that a container gave to the number stays that number's.
        env.payload(&["-v", &bind], &["chown", "/w", &number, &number]).ok();
        env.payload(&["-u", &own, "-v", &bind], &["write", "/w/x", "theirs"]).ok();
        env.payload(&["-v", &bind], &["stat", "/w/x"]).says(&format!(" {own} "));
        env.payload(&["-v", &bind], &["rm", "/w/x"]).ok();
        env.payload(&["-v", &bind], &["chown", "/w", "0", "0"]).ok();
    }

    fn a_program_sees_the_ids_of_containers(env) {
        if env.identity == Some(Identity::Root) {
            env.ketch(&["unshare", "true"]).refused(&["as it is"]);
            return;
        }
        let folder = env.folder("shared");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let own = env.ketch(&["unshare", "id", "-u"]);
        assert_eq!(own.ok(), "0");
        env.ketch(&["unshare", "sh", "-c", "exit 7"]).exits(7);
        env.ketch(&["unshare", "no-such-program"]).fails(127, &["no-such-program"]);
        env.ketch(&["unshare", "/dev/null"]).fails(126, &["/dev/null"]);
        env.ketch_with_input(&["unshare", "--", "cat", "/proc/self/uid_map"], b"").ok();
        if env.identity == Some(Identity::Single) {
            return;
        }
        env.ketch(&["unshare", "sh", "-c", &format!("mkdir -m 700 {folder}/theirs && touch {folder}/theirs/x && chown -R 33:44 {folder}/theirs")]).ok();
        let theirs = fs::metadata(env.path("shared/theirs")).unwrap();
        assert!(theirs.uid() != env.uid && theirs.uid() != 33, "{theirs:?}");
        env.payload(&["-v", &format!("{folder}:/w")], &["stat", "/w/theirs"]).says(" 33:44 ");
        // ketch in it works on the same store, and its mounts are seen there.
        env.ketch(&["create", "--name", "box", &env.base(), "payload", "write", "/made", "inside"]).ok();
        env.ketch(&["start", "-a", "box"]).ok();
        let look = format!("cat $({} mount box)/made", executable().display());
        assert_eq!(env.ketch(&["unshare", "sh", "-c", &look]).ok(), "inside");
        env.ketch(&["mount", "box"]).refused(&["ketch unshare"]);
        env.ketch(&["rm", "box"]).ok();
        env.ketch(&["unshare", "rm", "-rf", &format!("{folder}/theirs")]).ok();
        assert!(!env.path("shared/theirs").exists());
        env.assert_clean();
    }

    fn keep_id_gives_a_name_and_a_home(env) {
        if env.identity == Some(Identity::Root) {
            return;
        }
        let flags = ["--userns", "keep-id", "-w", "/tmp"];
        let passwd = env.payload(&flags, &["cat", "/etc/passwd"]);
        passwd.says("root:x:0:0").says(&format!(":*:{}:{}:", env.uid, env.gid)).says(":/tmp:/bin/sh");
        env.payload(&flags, &["cat", "/etc/group"]).says(&format!(":x:{}:\n", env.gid));
        env.payload(&flags, &["env"]).says("HOME=/tmp\n");
        // One that the image knows keeps the image's line.
        let known = env.payload(&["--userns", "keep-id:uid=0,gid=0"], &["cat", "/etc/passwd"]);
        assert_eq!(known.ok(), env.payload(&[], &["cat", "/etc/passwd"]).ok());
        // The image's own file is not what changed.
        let name = ["--name", "kept", "--userns", "keep-id"];
        run(env, &env.base(), &name, &["true"]).ok();
        let found = env.ketch(&["inspect", "kept"]).json();
        let upper = found[0]["GraphDriver"]["Data"]["UpperDir"].as_str();
        let upper = std::path::PathBuf::from(upper.unwrap());
        assert!(!upper.join("etc/passwd").exists() && upper.exists(), "{upper:?}");
        env.ketch(&["rm", "kept"]).ok();
    }

    fn a_kept_id_shows_in_inspect(env) {
        let flags = ["--name", "kept", "--userns", "keep-id:uid=5"];
        run(env, &env.base(), &flags, &["true"]).ok();
        let found = env.ketch(&["inspect", "kept"]).json();
        assert_eq!(found[0]["HostConfig"]["UsernsMode"], "keep-id:uid=5");
        let map = &found[0]["HostConfig"]["IDMappings"]["UidMap"];
        match env.identity {
            Some(Identity::Root) => assert!(map.is_null(), "{map}"),
            Some(Identity::Subid) => {
                let lines: Vec<&str> = map.as_array().unwrap().iter().filter_map(|l| l.as_str()).collect();
                assert!(lines.contains(&format!("5:{}:1", env.uid).as_str()), "{lines:?}");
            }
            _ => assert_eq!(map[0], format!("0:{}:1", env.uid)),
        }
        env.ketch(&["rm", "kept"]).ok();
    }

    fn auto_is_said_to_be_root_s(env) {
        let output = env.payload(&["--userns", "auto"], &["id"]);
        output.says("uid=0 gid=0");
        if env.identity != Some(Identity::Root) {
            output.warns("--userns=auto");
            env.payload(&["--strict", "--userns", "auto"], &["id"]).refused(&["--userns=auto"]);
        }
    }

    fn auto_shows_the_image_s_owners_and_takes_the_host_s_rights(env) {
        if env.identity != Some(Identity::Root) {
            return;
        }
        let image = env.image(owned());
        let auto = |flags: &[&str], payload: &[&str]| {
            let flags = [&["--rm", "--userns", "auto"], flags].concat();
            run(env, &image, &flags, payload)
        };
        let map = line(auto(&[], &["cat", "/proc/self/uid_map"]).ok());
        assert!(map[0] == 0 && map[1] >= 65_536 && map[2] == 65_536, "{map:?}");
        assert_eq!(line(auto(&[], &["cat", "/proc/self/gid_map"]).ok()), map);
        let stat = auto(&[], &["stat", "/data/root", "/data/seven", "/etc/hosts", "/"]);
        stat.says("/data/root file 644 0:0 ").says("/data/seven file 600 7:8 ");
        stat.says("/etc/hosts file 644 0:0 ").says("/ dir 755 0:0 ");
        auto(&[], &["chown", "/data/root", "12", "13"]).ok();
        auto(&[], &["write", "/etc/hosts", "mine"]).ok();
        assert_eq!(auto(&["-u", "7"], &["cat", "/data/seven"]).ok(), "seven's");
        auto(&["-u", "7"], &["cat", "/data/five"]).exits(1).warns("ermission denied");
        assert_eq!(auto(&[], &["ls", "/emptied"]).ok(), "new");
        // A device node of the image opens nothing; the container's own do.
        auto(&[], &["write", "/data/null", "x"]).exits(1).warns("ermission denied");
        auto(&[], &["write", "/dev/null", "x"]).ok();

        let folder = env.folder("shared");
        env.file("shared/secret", "the host's");
        fs::set_permissions(env.path("shared/secret"), fs::Permissions::from_mode(0o600)).unwrap();
        let bind = format!("{folder}:/w");
        auto(&["-v", &bind], &["stat", "/w/secret"]).says(" 65534:65534 ");
        auto(&["-v", &bind], &["cat", "/w/secret"]).exits(1).warns("ermission denied");
        auto(&["-v", &bind], &["write", "/w/x", "x"]).exits(1).warns("ermission denied");
        // Nor can it be given what is the host's.
        auto(&["-v", &format!("{bind}:U")], &["true"]).fails(125, &["/w", "on the host"]);
        env.assert_clean();
    }

    fn idmap_shows_the_owners_that_a_bind_has_on_disk(env) {
        let folder = env.folder("shared");
        env.file("shared/file", "seven's");
        let image = env.base();
        let bind = format!("{folder}:/w:idmap");
        if env.identity != Some(Identity::Root) {
            for flags in [["-v", &bind], ["--mount", &format!("type=bind,src={folder},dst=/w,idmap")]] {
                let output = run(env, &image, &flags, &["true"]);
                output.fails(125, &["map the owners of", &folder, "root alone"]);
            }
            env.assert_clean();
            return;
        }
        chown(env.path("shared/file"), Some(7), Some(8)).unwrap();
        fs::set_permissions(env.path("shared/file"), fs::Permissions::from_mode(0o600)).unwrap();
        let auto = |flags: &[&str], payload: &[&str]| {
            let flags = [&["--rm", "--userns", "auto"], flags].concat();
            run(env, &image, &flags, payload)
        };
        auto(&["-v", &bind], &["stat", "/w/file"]).says(" 7:8 ");
        auto(&["-v", &bind, "-u", "7:8"], &["write", "/w/file", "changed"]).ok();
        auto(&["-v", &bind], &["write", "/w/new", "root's"]).ok();
        assert_eq!(fs::metadata(env.path("shared/new")).unwrap().uid(), 0);
        assert_eq!(fs::read_to_string(env.path("shared/file")).unwrap(), "changed");
        let one = format!("type=bind,src={folder}/file,dst=/one,idmap,ro");
        auto(&["--mount", &one], &["stat", "/one"]).says("/one file 600 7:8 ");
        auto(&["--mount", &one], &["write", "/one", "x"]).exits(1).warns("ead-only");
        // With the host's ids there is nothing to map.
        run(env, &image, &["--rm", "-v", &bind], &["stat", "/w/file"]).says(" 7:8 ");
        run(env, &image, &["-v", &format!("{folder}:/w:idmap=uids=0-1-2")], &["true"]).fails(125, &["takes no other map"]);
        env.assert_clean();
    }

    fn idmap_shows_the_owners_that_a_volume_has_on_disk(env) {
        let folder = env.folder("shared");
        fs::create_dir(env.path("shared/part")).unwrap();
        env.file("shared/part/file", "seven's");
        let image = env.base();
        let device = format!("device={folder}");
        env.ketch(&["volume", "create", "-o", "type=none", "-o", "o=bind", "-o", &device, "away"]).ok();
        env.ketch(&["volume", "create", "-o", "type=tmpfs", "light"]).ok();
        let mount = |name: &str, more: &str| format!("type=volume,src={name},dst=/w,idmap{more}");
        if env.identity != Some(Identity::Root) {
            for flags in [["-v", "own:/w:idmap"], ["--mount", &mount("away", "")]] {
                run(env, &image, &flags, &["true"]).fails(125, &["map the owners of", "root alone"]);
            }
        } else {
            chown(env.path("shared/part/file"), Some(7), Some(8)).unwrap();
            let auto = |flags: &[&str], payload: &[&str]| {
                let flags = [&["--rm", "--userns", "auto"], flags].concat();
                run(env, &image, &flags, payload)
            };
            auto(&["-v", "away:/w"], &["stat", "/w/part/file"]).says(" 65534:65534 ");
            auto(&["-v", "away:/w:idmap"], &["stat", "/w/part/file"]).says(" 7:8 ");
            auto(&["--mount", &mount("away", "")], &["write", "/w/new", "root's"]).ok();
            assert_eq!(fs::metadata(env.path("shared/new")).unwrap().uid(), 0);
            auto(&["--mount", &mount("away", ",subpath=part")], &["stat", "/w/file"]).says(" 7:8 ");
            auto(&["-v", "own:/w:idmap"], &["write", "/w/new", "root's"]).ok();
            run(env, &image, &["--rm", "-v", "own:/w"], &["stat", "/w/new"]).says(" 0:0 ");
            let on_disk = env.store().join("volumes/own/_data/new");
            assert_eq!(fs::metadata(on_disk).unwrap().uid(), 0);
            auto(&["-v", "light:/w:idmap"], &["true"]).fails(125, &["light", "tmpfs"]);
        }
        run(env, &image, &["--mount", "type=tmpfs,dst=/w,idmap"], &["true"]).fails(125, &["idmap is for"]);
        env.ketch(&["volume", "prune", "-af"]).ok();
        env.assert_clean();
    }

    fn a_container_of_auto_is_root_s_to_list_and_remove(env) {
        if env.identity != Some(Identity::Root) {
            return;
        }
        let image = env.image(owned());
        let flags = ["--name", "left", "--userns", "auto:size=100"];
        run(env, &image, &flags, &["chown", "/data/root", "12", "13"]).ok();
        let found = env.ketch(&["inspect", "left"]).json();
        let host = &found[0]["HostConfig"];
        assert_eq!(host["UsernsMode"], "auto:size=100");
        let map = host["IDMappings"]["UidMap"][0].as_str().unwrap();
        assert!(map.starts_with("0:") && map.ends_with(":100"), "{map}");
        // On disk are the owners that the container saw, as in root's other containers.
        let upper = found[0]["GraphDriver"]["Data"]["UpperDir"].as_str().unwrap();
        let changed = fs::metadata(format!("{upper}/data/root")).unwrap();
        assert_eq!((changed.uid(), changed.gid()), (12, 13));
        env.ketch(&["system", "df"]).ok();
        env.ketch(&["rm", "left"]).ok();
        env.assert_clean();
    }

    fn living_containers_of_auto_share_no_id(env) {
        if env.identity != Some(Identity::Root) {
            return;
        }
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        let wait = ["run", "--rm", "--network", "none", "--userns", "auto", &image, "payload", "ready-then-wait"];
        let running: Vec<Running> = (0..6).map(|_| env.spawn(&wait)).collect();
        for one in &running {
            one.stdout.wait_for("ready");
        }
        let ids = env.ketch(&["ps", "-q", "--no-trunc"]);
        let ranges: BTreeSet<u32> = ids.ok().lines().map(|id| {
            let found = env.ketch(&["inspect", id]).json();
            let map = found[0]["HostConfig"]["IDMappings"]["UidMap"][0].as_str();
            line(&map.unwrap().replace(':', " "))[1]
        }).collect();
        assert_eq!(ranges.len(), 6, "{ranges:?}");
        let starts: Vec<u32> = ranges.iter().copied().collect();
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 65_536), "{starts:?}");
        for one in &running {
            one.signal(Signal::SIGKILL);
        }
        for one in running {
            one.finish();
        }
        // What the dead had is free again.
        let map = env.payload(&["--userns", "auto"], &["cat", "/proc/self/uid_map"]);
        assert_eq!(line(map.ok())[1], starts[0]);
    }

    fn impossible_ranges_are_refused(env) {
        if env.identity != Some(Identity::Root) {
            return;
        }
        env.payload(&["--userns", "auto:size=4294967295"], &["true"]).fails(125, &["free ids"]);
        env.assert_clean();
    }

    fn kept_groups_open_what_they_open_outside(env) {
        if !geteuid().is_root() {
            return;
        }
        require!("setpriv", require::program("setpriv"));
        let folder = env.folder("shared");
        env.file("shared/file", "the group's");
        fs::set_permissions(env.path("shared/file"), fs::Permissions::from_mode(0o640)).unwrap();
        chown(env.path("shared/file"), Some(0), Some(GROUP)).unwrap();
        let (bind, image) = (format!("{folder}:/w"), env.base());
        let user = if env.identity == Some(Identity::Root) { "1000" } else { "0" };
        let read = |flags: &[&str]| {
            let mut arguments = vec!["run", "--rm", "--network", "none", "-u", user, "-v", &bind];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "payload", "cat", "/w/file"]);
            with_group(env, &arguments)
        };
        assert_eq!(read(&["--group-add", "keep-groups"]).ok(), "the group's");
        if env.identity == Some(Identity::Single) {
            // One mapped id: groups cannot be dropped, so they are always kept.
            assert_eq!(read(&[]).ok(), "the group's");
        } else {
            read(&[]).exits(1).warns("ermission denied");
        }
        if env.identity != Some(Identity::Root) {
            let keep = ["--userns", "keep-id", "--group-add", "keep-groups"];
            let mut arguments = vec!["run", "--rm", "--network", "none", "-v", &bind];
            arguments.extend(keep);
            arguments.extend([image.as_str(), "payload", "cat", "/w/file"]);
            assert_eq!(with_group(env, &arguments).ok(), "the group's");
        }
    }

    fn a_source_that_a_group_of_the_caller_enters_can_be_bound(env) {
        if !geteuid().is_root() {
            return;
        }
        require!("setpriv", require::program("setpriv"));
        let folder = env.folder("closed/inner");
        env.file("closed/inner/file", "found");
        fs::set_permissions(env.path("closed"), fs::Permissions::from_mode(0o750)).unwrap();
        chown(env.path("closed"), Some(0), Some(GROUP)).unwrap();
        let (bind, image) = (format!("{folder}:/w"), env.base());
        let output = with_group(env, &["run", "--rm", "--network", "none", "-v", &bind, &image, "payload", "cat", "/w/file"]);
        assert_eq!(output.ok(), "found");
    }
}

cases! {
    fn maps_can_be_given_line_by_line(env) {
        let image = env.image(owned());
        let map = |flags: &[&str]| {
            let mut all = vec!["--rm"];
            all.extend(flags);
            run(env, &image, &all, &["cat", "/proc/self/uid_map"])
        };
        match env.identity {
            Some(Identity::Root) => {
                let lines = map(&["--uidmap", "0:200000:1000", "--uidmap", "5000:300000", "--gidmap", "0:400000:1000"]);
                let lines: Vec<Vec<u32>> = lines.ok().lines().map(line).collect();
                assert_eq!(lines, [[0, 200_000, 1000], [5000, 300_000, 1]]);
                let seen = run(env, &image, &["--rm", "--uidmap", "0:200000:1000"], &["stat", "/data/five"]);
                assert!(seen.ok().contains(" 5:5 "), "{seen}");
                map(&["--subuidname", "nobody-has-this"]).fails(125, &["nobody-has-this", "/etc/subuid"]);
            }
            Some(Identity::Subid) => {
                let lines = map(&["--uidmap", "0:0:1000"]);
                let lines: Vec<Vec<u32>> = lines.ok().lines().map(line).collect();
                assert_eq!((lines[0][0], lines[0][2], lines[1][2]), (0, 1, 999), "{lines:?}");
                map(&["--uidmap", "0:1:1000"]).fails(125, &["only root can show"]);
                map(&["--uidmap", "0:0:4000000"]).fails(125, &["/etc/subuid"]);
                map(&["--subuidname", "someone"]).fails(125, &["only root"]);
            }
            _ => drop(map(&["--uidmap", "0:0:1"]).fails(125, &["one id is all"])),
        }
        for (flags, words) in [
            (&["--uidmap", "1:1:5"][..], "0 is not mapped"),
            (&["--uidmap", "0:1:5", "--uidmap", "3:9:1"], "mapped twice"),
            (&["--gidmap", "@0:1"], "CONTAINER:HOST"),
            (&["--uidmap", "0:0:1", "--userns", "keep-id"], "mutually exclusive"),
            (&["--subuidname", "x", "--gidmap", "0:0"], "mutually exclusive"),
        ] {
            map(flags).fails(125, &[words]);
        }
        env.assert_clean();
    }
}
