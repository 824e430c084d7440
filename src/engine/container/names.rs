//! Names for containers that were given none: two words, as docker does it.

/// First words.
const QUALITIES: [&str; 48] = [
    "able", "amber", "ample", "ardent", "basic", "bold", "brave", "brisk", "bright", "calm",
    "candid", "clever", "cosmic", "crisp", "curious", "daring", "eager", "early", "exact", "fair",
    "fleet", "gentle", "golden", "happy", "honest", "humble", "jolly", "keen", "kind", "lively",
    "lucid", "mellow", "merry", "modest", "nimble", "noble", "patient", "plain", "proud", "quick",
    "quiet", "rapid", "ready", "steady", "subtle", "sunny", "vivid", "witty",
];

/// Second words: rigs and boats.
const BOATS: [&str; 48] = [
    "barge",
    "bark",
    "boom",
    "brig",
    "canoe",
    "caravel",
    "carrack",
    "clipper",
    "coble",
    "cog",
    "coracle",
    "corvette",
    "cutter",
    "dhow",
    "dinghy",
    "dory",
    "dredger",
    "ferry",
    "flyboat",
    "frigate",
    "galleon",
    "galley",
    "gig",
    "gondola",
    "hoy",
    "hulk",
    "junk",
    "kayak",
    "ketch",
    "lighter",
    "lugger",
    "outrigger",
    "packet",
    "pinnace",
    "pram",
    "proa",
    "punt",
    "raft",
    "sampan",
    "schooner",
    "scow",
    "skiff",
    "sloop",
    "smack",
    "trawler",
    "tug",
    "wherry",
    "yawl",
];

/// A name from random bytes; `attempt` counts names found taken, and lengthens the next.
pub(crate) fn generate(random: [u8; 8], attempt: u32) -> String {
    let number = u64::from_le_bytes(random);
    let pick = |list: &[&'static str; 48], shift: u32| list[(number >> shift) as usize % 48];
    let name = format!("{}_{}", pick(&QUALITIES, 0), pick(&BOATS, 16));
    if attempt == 0 {
        name
    } else {
        format!("{name}{}", (number >> 32) % 10u64.pow(attempt.min(9) + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_are_valid_and_vary() {
        let first = generate([1, 2, 3, 4, 5, 6, 7, 8], 0);
        crate::common::check_name(&first).unwrap();
        assert_ne!(first, generate([9, 2, 8, 4, 5, 6, 7, 8], 0));
        assert!(generate([1, 2, 3, 4, 5, 6, 7, 8], 2).starts_with(&first));
    }
}
