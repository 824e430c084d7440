//! `run -t`: the terminal inside and the state of the one outside.

use nix::sys::signal::Signal;

use crate::harness::Env;
use crate::harness::terminal::Terminal;

fn start(env: &Env, flags: &[&str], payload: &[&str]) -> Terminal {
    let image = env.base();
    env.ketch(&["pull", "-q", &image]).ok();
    let mut arguments = vec!["run", "--rm", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([image.as_str(), "payload"]);
    arguments.extend(payload);
    Terminal::start(env, &arguments)
}

cases! {
    fn the_payload_has_a_terminal_of_its_own(env) {
        let (code, screen, restored) = start(env, &["-it"], &["tty"]).finish();
        assert_eq!(code, 0, "{screen}");
        for line in ["stdin=true", "stdout=true", "stderr=true", "name=/dev/pts/0"] {
            assert!(screen.contains(line), "{screen}");
        }
        assert!(screen.contains("\r\n") && restored, "{screen}");
    }

    fn what_is_typed_arrives_once(env) {
        let mut terminal = start(env, &["-it"], &["line"]);
        terminal.types("hello\n");
        let (code, screen, restored) = terminal.finish();
        assert!(code == 0 && restored, "{screen}");
        assert!(screen.contains("got:hello"), "{screen}");
    }

    fn the_size_is_the_outer_one_and_follows_it(env) {
        let (_, screen, _) = start(env, &["-it"], &["winsize"]).finish();
        assert!(screen.contains("24x80"), "{screen}");
        let terminal = start(env, &["-it"], &["wait-winsize", "40x132"]);
        terminal.screen.wait_for("ready");
        terminal.resize(40, 132);
        let (code, screen, _) = terminal.finish();
        assert!(code == 0 && screen.contains("size=40x132"), "{screen}");
    }

    fn an_interrupt_key_goes_to_the_payload(env) {
        let mut terminal = start(env, &["-it", "--init"], &["ready-then-wait"]);
        terminal.screen.wait_for("ready");
        terminal.types("\x03");
        let (code, screen, restored) = terminal.finish();
        assert_eq!(code, 130, "{screen}");
        assert!(restored);
    }

    fn the_outer_terminal_is_restored_when_ketch_is_terminated(env) {
        let terminal = start(env, &["-it", "--init"], &["ready-then-wait"]);
        terminal.screen.wait_for("ready");
        terminal.signal(Signal::SIGTERM);
        let (code, screen, restored) = terminal.finish();
        assert!(code != 0 && restored, "{code} {screen}");
    }

    fn the_outer_terminal_is_restored_when_the_payload_is_missing(env) {
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        let terminal = Terminal::start(env, &["run", "--rm", "-it", "--network", "none", &image, "nope"]);
        let (code, screen, restored) = terminal.finish();
        assert!(code == 127 && restored, "{code} {screen}");
    }

    fn a_terminal_can_be_given_without_one_outside(env) {
        let output = env.payload(&["-t"], &["tty"]);
        output.says("stdout=true\r\n");
        // The caller asked for both, and there is no terminal to read from.
        env.payload(&["-it"], &["tty"]).fails(1, &["TTY"]);
    }

    fn term_is_set_with_a_terminal_only(env) {
        let (_, screen, _) = start(env, &["-it"], &["env"]).finish();
        assert!(screen.contains("TERM=xterm"), "{screen}");
        assert!(!env.payload(&[], &["env"]).stdout.contains("TERM="));
    }
}
