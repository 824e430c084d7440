//! One file per command: its flags, and the way from them to the engine and to the output.

mod builder;
mod container;
mod image;
mod network;
mod secret;
pub(crate) mod system;
mod volume;

use clap::{ArgMatches, CommandFactory, FromArgMatches};

use crate::cli::dispatch::Verb;
use crate::cli::session::Session;
use crate::common::ExitStatus;

/// A command: clap arguments and what they do.
pub(crate) trait Execute: CommandFactory + FromArgMatches {
    /// Runs it; data goes to stdout, errors that do not end it through `session.report`.
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus>;
}

fn execute<A: Execute>(matches: &ArgMatches, session: &Session) -> anyhow::Result<ExitStatus> {
    A::from_arg_matches(matches)?.execute(session)
}

const fn verb<A: Execute>(spellings: &'static [&'static str]) -> Verb {
    Verb {
        spellings,
        command: A::command,
        run: execute::<A>,
        engine_failure: false,
    }
}

/// Every command under every spelling.
pub(crate) const VERBS: &[Verb] = &[
    Verb {
        engine_failure: true,
        ..verb::<container::run::Run>(&["run", "container run"])
    },
    Verb {
        engine_failure: true,
        ..verb::<container::create::Create>(&["create", "container create"])
    },
    verb::<container::start::Start>(&["start", "container start"]),
    verb::<container::attach::Attach>(&["attach", "container attach"]),
    verb::<container::exec::Exec>(&["exec", "container exec"]),
    verb::<container::top::Top>(&["top", "container top"]),
    verb::<container::healthcheck::Run>(&["healthcheck run"]),
    verb::<container::list::List>(&["ps", "container ls", "container list", "container ps"]),
    verb::<container::remove::Remove>(&["rm", "container rm", "container remove"]),
    verb::<container::kill::Kill>(&["kill", "container kill"]),
    verb::<container::stop::Stop>(&["stop", "container stop"]),
    verb::<container::restart::Restart>(&["restart", "container restart"]),
    verb::<container::pause::Pause>(&["pause", "container pause"]),
    verb::<container::pause::Unpause>(&["unpause", "container unpause"]),
    verb::<container::wait::Wait>(&["wait", "container wait"]),
    verb::<container::update::Update>(&["update", "container update"]),
    verb::<container::rename::Rename>(&["rename", "container rename"]),
    verb::<container::exists::Exists>(&["container exists"]),
    verb::<container::init::Init>(&["init", "container init"]),
    verb::<container::inspect::Inspect>(&["container inspect"]),
    verb::<container::logs::Logs>(&["logs", "container logs"]),
    verb::<container::port::Port>(&["port", "container port"]),
    verb::<container::stats::Stats>(&["stats", "container stats"]),
    verb::<container::prune::Prune>(&["container prune"]),
    verb::<container::copy::Copy>(&["cp", "container cp"]),
    verb::<container::diff::Diff>(&["diff", "container diff"]),
    verb::<container::export::Export>(&["export", "container export"]),
    verb::<container::commit::Commit>(&["commit", "container commit"]),
    verb::<container::mount::Mount>(&["mount", "container mount"]),
    verb::<container::mount::Unmount>(&[
        "unmount",
        "umount",
        "container unmount",
        "container umount",
    ]),
    verb::<image::build::Build>(&["build", "image build", "buildx build", "builder build"]),
    verb::<builder::version::Version>(&["buildx version"]),
    verb::<builder::list::List>(&["buildx ls"]),
    verb::<builder::create::Create>(&["buildx create"]),
    verb::<builder::choose::Use>(&["buildx use"]),
    verb::<builder::remove::Remove>(&["buildx rm"]),
    verb::<builder::remove::Stop>(&["buildx stop"]),
    verb::<builder::inspect::Inspect>(&["buildx inspect"]),
    verb::<builder::usage::Usage>(&["buildx du"]),
    verb::<builder::imagetools::Inspect>(&["buildx imagetools inspect"]),
    verb::<builder::prune::Prune>(&["buildx prune", "builder prune"]),
    verb::<image::import::Import>(&["import", "image import"]),
    verb::<image::diff::Diff>(&["image diff"]),
    verb::<image::pull::Pull>(&["pull", "image pull"]),
    verb::<image::push::Push>(&["push", "image push"]),
    verb::<image::save::Save>(&["save", "image save"]),
    verb::<image::load::Load>(&["load", "image load"]),
    verb::<image::list::List>(&["images", "image ls", "image list"]),
    verb::<image::remove::Remove>(&["rmi", "image rm", "image remove"]),
    verb::<image::exists::Exists>(&["image exists"]),
    verb::<image::tag::Tag>(&["tag", "image tag"]),
    verb::<image::untag::Untag>(&["untag", "image untag"]),
    verb::<image::history::History>(&["history", "image history"]),
    verb::<image::inspect::Inspect>(&["image inspect"]),
    verb::<image::prune::Prune>(&["image prune"]),
    verb::<network::create::Create>(&["network create"]),
    verb::<network::list::List>(&["network ls", "network list"]),
    verb::<network::inspect::Inspect>(&["network inspect"]),
    verb::<network::remove::Remove>(&["network rm", "network remove"]),
    verb::<network::prune::Prune>(&["network prune"]),
    verb::<network::exists::Exists>(&["network exists"]),
    verb::<network::connect::Connect>(&["network connect"]),
    verb::<network::disconnect::Disconnect>(&["network disconnect"]),
    verb::<network::reload::Reload>(&["network reload"]),
    verb::<network::update::Update>(&["network update"]),
    verb::<secret::create::Create>(&["secret create"]),
    verb::<secret::list::List>(&["secret ls", "secret list"]),
    verb::<secret::inspect::Inspect>(&["secret inspect"]),
    verb::<secret::remove::Remove>(&["secret rm", "secret remove"]),
    verb::<secret::exists::Exists>(&["secret exists"]),
    verb::<volume::create::Create>(&["volume create"]),
    verb::<volume::list::List>(&["volume ls", "volume list"]),
    verb::<volume::inspect::Inspect>(&["volume inspect"]),
    verb::<volume::remove::Remove>(&["volume rm", "volume remove"]),
    verb::<volume::prune::Prune>(&["volume prune"]),
    verb::<volume::exists::Exists>(&["volume exists"]),
    verb::<volume::export::Export>(&["volume export"]),
    verb::<volume::export::Import>(&["volume import"]),
    verb::<system::inspect::Inspect>(&["inspect"]),
    verb::<system::version::Version>(&["version"]),
    verb::<system::info::Info>(&["info", "system info"]),
    verb::<system::events::Events>(&["events", "system events"]),
    verb::<system::df::Df>(&["system df"]),
    verb::<system::check::Check>(&["system check"]),
    verb::<system::prune::Prune>(&["system prune"]),
    verb::<system::boot::Boot>(&["boot"]),
    verb::<system::generate::Systemd>(&["generate systemd"]),
    verb::<system::generator::Generator>(&["system-generator", "quadlet"]),
    verb::<system::unshare::Unshare>(&["unshare"]),
    verb::<system::doctor::Doctor>(&["doctor"]),
    verb::<system::completion::Completion>(&["completion"]),
    verb::<crate::cli::generate::Generate>(&["generate-docs"]),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::cli::dispatch;

    #[test]
    fn spellings_are_unique_and_clap_accepts_the_tree() {
        let mut seen = HashSet::new();
        for spelling in VERBS.iter().flat_map(|verb| verb.spellings) {
            assert!(seen.insert(spelling), "{spelling}");
        }
        dispatch::tree(VERBS).debug_assert();
        for verb in VERBS {
            for spelling in verb.spellings {
                dispatch::single(verb, spelling).debug_assert();
            }
        }
    }
}
