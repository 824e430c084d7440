//! What a container sees where layers lie on each other.

use crate::harness::{Image, Layer};

cases! {
    fn the_root_is_open_to_all_when_no_layer_names_it(env) {
        let output = env.payload(&[], &["stat", "/"]);
        output.says(" dir 755 ");
    }

    fn the_root_is_as_the_last_layer_that_names_it_says(env) {
        let name = env.image(
            Image::base()
                .layer(Layer::new().mtime(1_000).dir("./", 0o700))
                .layer(Layer::new().mtime(2_000).dir("./", 0o711))
                .layer(Layer::new().file("x", 0o644, b"")),
        );
        let output = env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "stat", "/"]);
        output.says(" dir 711 ");
    }

    fn the_host_sandbox_has_a_root_of_ordinary_mode(env) {
        let payload = crate::harness::env::payload();
        let output = env.ketch(&["run", "--rm", "--rootfs", "/", payload.to_str().unwrap(), "stat", "/"]);
        output.says(" dir 755 ");
    }

    fn a_folder_that_a_layer_does_not_name_stays_as_it_is(env) {
        let name = env.image(
            Image::base()
                .layer(Layer::new().mtime(1_000).dir("a/", 0o750).dir("a/sticky/", 0o1777).dir("gone/", 0o1777))
                .layer(Layer::new().file("gone", 0o644, b""))
                .layer(Layer::new().file("a/sticky/new", 0o644, b"").file("b/c", 0o644, b"")),
        );
        let look = |path: &str| env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "stat", path]);
        look("/a").says(" dir 750 ");
        look("/a/sticky").says(" dir 1777 ");
        look("/b").says(" dir 755 ");
    }

    fn a_layer_that_hides_everything_below_it_does(env) {
        let name = env.image(
            Image::empty()
                .layer(Layer::new().file("old", 0o644, b""))
                .layer(Layer::new().file(".wh..wh..opq", 0o644, b"").file("new", 0o644, b""))
                .layer(crate::harness::image::base_layer()),
        );
        let output = env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "ls", "/"]);
        let seen: Vec<&str> = output.ok().lines().collect();
        assert!(seen.contains(&"new") && !seen.contains(&"old"), "{output}");
    }
}
