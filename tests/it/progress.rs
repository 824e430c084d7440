//! What `pull` says while it works: lines on a terminal, one line a layer elsewhere, nothing with
//! `-q`; and that stdout has the name alone.

use crate::harness::image::{Built, digest};
use crate::harness::registry::Fault;
use crate::harness::terminal::Terminal;
use crate::harness::{Image, Layer, Registry};

fn two_layers() -> Built {
    Image::empty()
        .layer(Layer::new().file("one", 0o644, b"one"))
        .layer(Layer::new().file("two", 0o644, b"two"))
        .build()
}

/// The name that a layer has on its line.
fn short(image: &Built, layer: usize) -> String {
    image.blobs[1 + layer].0["sha256:".len()..][..12].to_owned()
}

cases! {
    fn without_a_terminal_each_layer_has_one_line_at_its_end(env) {
        let registry = Registry::start();
        let image = two_layers();
        let name = registry.push("quiet", "v1", &image);
        let output = env.ketch(&["pull", &name]);
        assert_eq!(output.ok(), name);
        let mut lines: Vec<&str> = output.stderr.lines().collect();
        lines[..2].sort_unstable();
        let mut layers = [0, 1].map(|at| format!("{}: Pull complete", short(&image, at)));
        layers.sort();
        let end = [format!("Digest: {}", digest(&image.manifest)), format!("Status: Downloaded newer image for {name}")];
        assert_eq!(lines, [&layers[..], &end[..]].concat(), "{output}");
        let again = env.ketch(&["pull", &name]);
        assert_eq!(again.ok(), name);
        again.warns(&format!("{}: Already exists", short(&image, 0)));
        again.warns(&format!("Status: Image is up to date for {name}"));
        let quiet = env.ketch(&["pull", "-q", &name]);
        assert_eq!((quiet.ok(), quiet.stderr.as_str()), (name.as_str(), ""));
    }

    fn on_a_terminal_each_layer_has_its_line(env) {
        let registry = Registry::start();
        let image = two_layers();
        let name = registry.push("lines", "v1", &image);
        // Lines are shown for work that lasts: the registry asks for a second of patience.
        let later = vec![("Retry-After".to_owned(), "1".to_owned())];
        for layer in [1, 2] {
            registry.fault(&image.blobs[layer].0, 1, Fault::Status(503, later.clone()));
        }
        let (code, screen, restored) = Terminal::start(env, &["pull", &name]).finish();
        assert_eq!(code, 0, "{screen}");
        assert!(restored, "the terminal's settings");
        for layer in [0, 1] {
            assert!(screen.contains(&format!("{}: Pull complete", short(&image, layer))), "{screen}");
        }
        assert!(screen.contains("Status: Downloaded newer image"), "{screen}");
        assert!(screen.contains('\x1b'), "lines are drawn in place: {screen}");
    }

    fn ctrl_c_on_a_terminal_ends_the_pull_and_gives_the_terminal_back(env) {
        let registry = Registry::start();
        let image = two_layers();
        let name = registry.push("typed", "v1", &image);
        registry.fault(&image.blobs[1].0, 1, Fault::Stall(10));
        let mut terminal = Terminal::start(env, &["pull", &name]);
        registry.wait_stalled();
        terminal.types("\x03");
        let (code, screen, restored) = terminal.finish();
        assert_eq!(code, 130, "{screen}");
        assert!(restored, "the terminal's settings");
        registry.release();
        env.ketch(&["pull", "-q", &name]).ok();
        env.assert_clean();
    }
}
