//! A second, slow reading of profiles, to check the compiler against.

use serde_json::Value;

use super::arch::Arch;

/// What a profile says of one call, straight from its JSON and with nothing shared with the
/// compiler but the table of numbers.
pub(super) struct Naive {
    pub(super) rules: Vec<Value>,
    default: u32,
    last: [u32; 4],
}

impl Naive {
    pub(super) fn new(text: &str, caps: &[&str], native: Arch) -> Naive {
        let profile: Value = serde_json::from_str(text).unwrap();
        let list = |v: &Value| -> Vec<String> {
            v.as_array()
                .map(|a| a.iter().map(|s| s.as_str().unwrap().to_owned()).collect())
                .unwrap_or_default()
        };
        let rules: Vec<Value> = profile["syscalls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|rule| {
                let has = |c: &String| caps.contains(&c.as_str());
                let arches = list(&rule["includes"]["arches"]);
                list(&rule["includes"]["caps"]).iter().all(has)
                    && !list(&rule["excludes"]["caps"]).iter().any(has)
                    && (arches.is_empty() || arches.iter().any(|a| a == native.go_name()))
            })
            .cloned()
            .collect();
        let last = Arch::ALL.map(|arch| {
            rules
                .iter()
                .flat_map(|r| list(&r["names"]))
                .filter_map(|name| arch.syscalls().find(|(n, _)| *n == name).map(|(_, v)| v))
                .filter(|v| *v < 0xf0000)
                .max()
                .unwrap_or(0)
        });
        Naive {
            rules,
            default: Self::action(&profile["defaultAction"], &profile["defaultErrnoRet"]),
            last,
        }
    }

    fn action(word: &Value, errno: &Value) -> u32 {
        match word.as_str().unwrap() {
            "SCMP_ACT_ALLOW" => 0x7fff_0000,
            "SCMP_ACT_ERRNO" => 0x0005_0000 + errno.as_u64().unwrap_or(1) as u32,
            other => panic!("{other}"),
        }
    }

    pub(super) fn verdict(
        &self,
        arch: Arch,
        number: u32,
        name: Option<&str>,
        args: &[u64; 6],
    ) -> u32 {
        if arch == Arch::X86_64 && number >= 0x4000_0000 {
            return 0x0005_0001;
        }
        let rules: Vec<&Value> = self
            .rules
            .iter()
            .filter(|rule| {
                name.is_some_and(|name| rule["names"].as_array().unwrap().iter().any(|n| n == name))
            })
            .filter(|rule| Self::action(&rule["action"], &rule["errnoRet"]) != self.default)
            .collect();
        if let Some(rule) = rules
            .iter()
            .find(|rule| rule["args"].as_array().is_none_or(Vec::is_empty))
        {
            return Self::action(&rule["action"], &rule["errnoRet"]);
        }
        for rule in &rules {
            let holds = |arg: &Value| {
                let (have, want) = (
                    args[arg["index"].as_u64().unwrap() as usize],
                    arg["value"].as_u64().unwrap(),
                );
                match arg["op"].as_str().unwrap() {
                    "SCMP_CMP_EQ" => have == want,
                    "SCMP_CMP_NE" => have != want,
                    "SCMP_CMP_LT" => have < want,
                    "SCMP_CMP_LE" => have <= want,
                    "SCMP_CMP_GT" => have > want,
                    "SCMP_CMP_GE" => have >= want,
                    _ => have & want == arg["valueTwo"].as_u64().unwrap_or(0),
                }
            };
            if rule["args"].as_array().unwrap().iter().all(holds) {
                return Self::action(&rule["action"], &rule["errnoRet"]);
            }
        }
        let column = Arch::ALL.iter().position(|a| *a == arch).unwrap();
        if rules.is_empty() && number > self.last[column] && self.default != 0x7fff_0000 {
            return 0x0005_0026;
        }
        self.default
    }
}
