//! One document in every form, and the arrays of `inspect`.

use std::rc::Rc;

use serde_json::Value as Json;

use super::format::{Format, failure};
use super::json;
use crate::cli::personality::Personality;
use crate::cli::template::{Function, Nil, Value};
use crate::common::Result;

/// The text of a document: what the template makes of it, JSON, or the command's own `text`.
///
/// # Errors
/// A template that names no field of the document, or fails otherwise.
pub(crate) fn document(
    personality: Personality,
    format: &Format,
    of: &'static str,
    document: &Json,
    text: impl FnOnce() -> String,
) -> Result<String> {
    match format {
        Format::Text => Ok(text()),
        Format::Json => Ok(match personality {
            Personality::Docker => json::compact(document),
            Personality::Podman => json::pretty(document),
        }),
        Format::Template(template) | Format::Table(template) => {
            let done = template.execute(&shaped(of, document));
            done.map(|text| text + "\n")
                .map_err(|message| failure(&message))
        }
    }
}

/// Objects whose keys are the user's or the machine's: Go has them as maps.
const MAPS: [&str; 23] = [
    "Annotations",
    "Attributes",
    "Containers",
    "Data",
    "DeviceRequests",
    "DriverOpts",
    "ExposedPorts",
    "Labels",
    "Metadata",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "Runtimes",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
    "containers",
    "interfaces",
    "labels",
    "registries",
    "options",
];

/// Lists that may be nil.
const LISTS: [&str; 16] = [
    "Aliases",
    "Binds",
    "BoundingCaps",
    "CapAdd",
    "CapDrop",
    "Cmd",
    "Devices",
    "Dns",
    "DnsOptions",
    "DnsSearch",
    "EffectiveCaps",
    "Entrypoint",
    "Env",
    "ExecIDs",
    "OnBuild",
    "Shell",
];

/// A document as Go sees it: objects are structs, but for those whose keys are data.
pub(super) fn shaped(of: &'static str, document: &Json) -> Value {
    shape(of, "", document)
}

fn shape(of: &'static str, key: &str, document: &Json) -> Value {
    match document {
        Json::Null if MAPS.contains(&key) => Value::Nil(Nil::Map),
        Json::Null if LISTS.contains(&key) => Value::Nil(Nil::List),
        Json::Null => Value::Nil(Nil::Pointer(of)),
        Json::Array(items) => Value::List(items.iter().map(|item| shape(of, "", item)).collect()),
        Json::Object(entries) => {
            let map = MAPS.contains(&key) || key == "Config" && !entries.contains_key("Cmd");
            // The values of a map are not keyed by what their own names mean.
            let inner = |name: &String, value: &Json| match map {
                true => shape(of, "", value),
                false => shape(of, name, value),
            };
            let fields = entries
                .iter()
                .map(|(name, value)| (name.clone(), inner(name, value)));
            match map {
                true => Value::Map(Rc::new(fields.collect())),
                false => Value::record(of, fields.flat_map(with_go_name)),
            }
        }
        other => Value::of_json(other),
    }
}

/// A field, and where its name in JSON starts with a small letter the name that Go has for it
/// too: a method, which a template can name and no document shows.
fn with_go_name((name, value): (String, Value)) -> Vec<(String, Value)> {
    let go_name = match name.as_str() {
        "Id" => "ID".to_owned(),
        "cgroupVersion" => "CgroupsVersion".to_owned(),
        "cpus" => "CPUs".to_owned(),
        "idMappings" => "IDMappings".to_owned(),
        "gidmap" => "GIDMap".to_owned(),
        "uidmap" => "UIDMap".to_owned(),
        "ociRuntime" => "OCIRuntime".to_owned(),
        "os" => "OS".to_owned(),
        "apparmorEnabled" => "AppArmorEnabled".to_owned(),
        "capabilities" => "DefaultCapabilities".to_owned(),
        "seccompEnabled" => "SECCOMPEnabled".to_owned(),
        "seccompProfilePath" => "SECCOMPProfilePath".to_owned(),
        "selinuxEnabled" => "SELinuxEnabled".to_owned(),
        other if other.starts_with(|first: char| first.is_ascii_lowercase()) => {
            other[..1].to_ascii_uppercase() + &other[1..]
        }
        _ => return vec![(name, value)],
    };
    let held = value.clone();
    let method = Value::Function(Function {
        params: &[],
        rest: None,
        body: Rc::new(move |_| Ok(held.clone())),
    });
    vec![(name, value), (go_name, method)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(format: &str) -> Result<String> {
        let data = json!({
            "Id": "1",
            "State": {"Health": null, "Pid": 5},
            "Config": {"Labels": {"a": "b"}, "Cmd": null, "Env": ["X=1", "Y=2"]},
            "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}},
        });
        let format = Format::parse_exact(Some(format))?;
        document(
            Personality::Docker,
            &format,
            "container",
            &data,
            String::new,
        )
    }

    #[test]
    fn maps_forgive_and_structs_do_not() {
        assert_eq!(run("{{.Config.Labels.none}}").unwrap(), "<no value>\n");
        assert_eq!(run("{{index .Config.Labels \"none\"}}").unwrap(), "\n");
        assert_eq!(
            run("{{.Config.Cmd}}{{json .Config.Cmd}}").unwrap(),
            "[]null\n"
        );
        assert_eq!(
            run("{{if .State.Health}}x{{end}}{{.State.Pid}}").unwrap(),
            "5\n"
        );
        let ports = "{{with (index (index .NetworkSettings.Ports \"80/tcp\") 0)}}{{printf \"%s\\t%s\" .HostIp .HostPort}}{{end}}";
        assert_eq!(run(ports).unwrap(), "0.0.0.0\t8080\n");
        for (bad, says) in [
            ("{{.Nope}}", "can't evaluate field Nope in type container"),
            ("{{.State.Nope}}", "at <.State.Nope>"),
            (
                "{{.State.Health.Status}}",
                "nil pointer evaluating *container.Status",
            ),
        ] {
            let error = run(bad).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
