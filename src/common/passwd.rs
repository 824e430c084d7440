//! Lines of passwd(5) and group(5), of the machine's files or an image's.

/// One user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PasswdEntry<'a> {
    /// Login name, never empty.
    pub(crate) name: &'a str,
    /// User id.
    pub(crate) uid: u32,
    /// Group id.
    pub(crate) gid: u32,
    /// What the person is called, and more; may be empty.
    pub(crate) comment: &'a str,
    /// Home directory; `/` where the line ends before it.
    pub(crate) home: &'a str,
}

/// The entries of a file's text in order; lines that are none are passed over.
pub(crate) fn passwd_entries(text: &str) -> impl Iterator<Item = PasswdEntry<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(PasswdEntry {
            name,
            uid,
            gid,
            comment: fields.next().unwrap_or_default(),
            home: fields.next().unwrap_or("/"),
        })
    })
}

/// Name, id and members of each line of group(5).
pub(crate) fn group_entries(group: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    group.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some((name, gid, fields.next().unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_lines_are_passed_over() {
        let text = "root:x:0:0::/root:/bin/sh\nbroken\n:x:1:1::/:\nu:x:1000:100\n+::::::\n";
        let found: Vec<_> = passwd_entries(text)
            .map(|entry| (entry.name, entry.uid, entry.gid, entry.home))
            .collect();
        assert_eq!(found, [("root", 0, 0, "/root"), ("u", 1000, 100, "/")]);
    }
}
