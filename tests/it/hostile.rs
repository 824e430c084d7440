//! Images that try to leave their layer: every one is refused or harmless, and a canary outside
//! stays as it was.

use crate::harness::{Env, Image, Layer, Registry};

/// Pulls and runs an image with the layers and asserts that nothing outside the store changed.
fn harmless(env: &Env, what: &str, layers: Vec<Layer>) {
    let canary = env.file("canary", "untouched");
    let mut image = Image::base();
    for layer in layers {
        image = image.layer(layer);
    }
    let name = Registry::start().push("hostile", "v1", &image.build());
    let output = env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "true"]);
    assert!(matches!(output.code(), 0 | 125), "{what}: {output}");
    assert!(!output.stderr.contains("panicked"), "{what}: {output}");
    assert_eq!(
        std::fs::read_to_string(canary).unwrap(),
        "untouched",
        "{what}"
    );
    for name in ["escaped", "store/escaped", "work/escaped"] {
        assert!(!env.path(name).exists(), "{what}: {name}");
    }
    assert!(!std::path::Path::new("/ketch-escaped").exists(), "{what}");
    env.ketch(&["system", "check"]).ok();
}

cases! {
    fn dots_and_absolute_names_stay_inside(env) {
        let home = env.text("");
        for depth in 1..12 {
            let up = "../".repeat(depth);
            harmless(env, "dots", vec![Layer::new().file(&format!("{up}escaped"), 0o644, b"x").file(&format!("{up}canary"), 0o644, b"x")]);
        }
        harmless(env, "absolute", vec![Layer::new().file(&format!("{home}/canary"), 0o644, b"x").file("/ketch-escaped", 0o644, b"x")]);
        harmless(env, "inner dots", vec![Layer::new().file("etc/../../../../../canary", 0o644, b"x").dir("..", 0o777).dir(".", 0o755)]);
    }

    fn links_do_not_lead_out(env) {
        let home = env.text("");
        let through = |target: &str| vec![Layer::new().symlink("out", target).file("out/canary", 0o644, b"x").file("out/escaped", 0o644, b"x")];
        harmless(env, "absolute link", through(&home));
        harmless(env, "relative link", through("../../../../.."));
        harmless(env, "link over two layers", vec![
            Layer::new().symlink("out", &home), Layer::new().file("out/canary", 0o644, b"x"),
        ]);
        harmless(env, "chain", vec![
            Layer::new().symlink("a", "b").symlink("b", "c").symlink("c", &home).file("a/canary", 0o644, b"x"),
        ]);
        harmless(env, "file replaced through a link", vec![
            Layer::new().symlink("f", &format!("{home}/canary")).file("f", 0o644, b"x"),
        ]);
        harmless(env, "link to itself", vec![Layer::new().symlink("loop", "loop").file("loop/x", 0o644, b"x")]);
    }

    fn hard_links_do_not_lead_out(env) {
        let home = env.text("");
        for target in [format!("{home}/canary"), "../../../../canary".to_owned(), "../".repeat(10) + "canary", "/etc/shadow".to_owned()] {
            harmless(env, "hard link", vec![Layer::new().hardlink("stolen", &target).file("stolen", 0o666, b"x")]);
        }
        harmless(env, "hard link through a link", vec![
            Layer::new().symlink("out", &home).hardlink("stolen", "out/canary").file("stolen", 0o666, b"x"),
        ]);
    }

    fn whiteouts_do_not_lead_out(env) {
        let home = env.text("");
        harmless(env, "whiteout of dots", vec![Layer::new().file(".wh...", 0o644, b"").file(".wh..", 0o644, b"").file(".wh.", 0o644, b"")]);
        harmless(env, "whiteout through a link", vec![Layer::new().symlink("out", &home).file("out/.wh.canary", 0o644, b"")]);
        harmless(env, "whiteout with dots", vec![Layer::new().file("../../.wh.canary", 0o644, b"")]);
        harmless(env, "opaque through a link", vec![Layer::new().symlink("out", &home).file("out/.wh..wh..opq", 0o644, b"")]);
        harmless(env, "whiteout before the file", vec![Layer::new().file("a/.wh.b", 0o644, b"").dir("a/", 0o755).file("a/b", 0o644, b"x")]);
    }

    fn odd_headers_are_no_crash(env) {
        harmless(env, "no name", vec![Layer::new().file("", 0o644, b"x")]);
        harmless(env, "a huge record", vec![Layer::new().pax("comment", &vec![b'x'; 3 << 20]).file("x", 0o644, b"x")]);
        harmless(env, "a name of a megabyte", vec![Layer::new().pax("path", &vec![b'x'; 1 << 20]).file("x", 0o644, b"x")]);
        harmless(env, "a name with a zero", vec![Layer::new().pax("path", b"a\0b").file("x", 0o644, b"x")]);
        harmless(env, "a size that lies", vec![Layer::new().pax("size", b"99999999999").file("x", 0o644, b"x")]);
        harmless(env, "a negative time", vec![Layer::new().pax("mtime", b"-1.5").file("x", 0o644, b"x")]);
        harmless(env, "a time that is no number", vec![Layer::new().pax("mtime", b"soon").file("x", 0o644, b"x")]);
        harmless(env, "an unknown type", vec![Layer::new().entry(b'Z', "odd", "", 0o644, b"x", (0, 0))]);
        harmless(env, "no end", vec![Layer::new().file("x", 0o644, b"x").without_end()]);
        harmless(env, "a name that is too long", vec![Layer::new().file(&"n".repeat(300), 0o644, b"x")]);
        harmless(env, "many levels", vec![Layer::new().file(&"d/".repeat(3000), 0o644, b"x")]);
        harmless(env, "an owner beyond all ids", vec![Layer::new().pax("uid", b"99999999999999").file("x", 0o644, b"x")]);
        harmless(env, "an extended attribute of the overlay", vec![
            Layer::new().pax("SCHILY.xattr.trusted.overlay.opaque", b"y").pax("SCHILY.xattr.user.overlay.redirect", b"/etc").dir("odd/", 0o755),
        ]);
    }

    fn devices_of_an_image_give_no_access(env) {
        let image = Image::base().layer(Layer::new().char_device("mem", 0o666, 1, 1).entry(b'4', "disk", "", 0o666, b"", (254, 0)));
        let name = Registry::start().push("devices", "v1", &image.build());
        for path in ["/mem", "/disk"] {
            let output = env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "read-some", path]);
            assert!(output.stdout.is_empty() || output.ok() == "0", "{output}");
        }
    }

    fn an_entry_replaces_what_an_earlier_one_made(env) {
        let layer = Layer::new()
            .dir("x/", 0o755).file("x/inner", 0o644, b"old").file("x", 0o644, b"file now")
            .symlink("y", "/etc/passwd").dir("y/", 0o755).file("y/inside", 0o644, b"in");
        let name = Registry::start().push("replace", "v1", &Image::base().layer(layer).build());
        let output = env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "cat", "/x", "/y/inside"]);
        if output.code() != 125 {
            assert_eq!(output.ok(), "file nowin");
        }
    }
}
