//! Tables laid out by Go's `tabwriter`, as docker's and podman's are.

use crate::cli::personality::Personality;

/// Rows of cells under a header. The last column is never padded.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

/// Width and distance of columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    least: usize,
    padding: usize,
}

impl Style {
    /// docker: `tabwriter.NewWriter(out, 10, 1, 3, ' ', 0)` in cli/command/formatter; podman:
    /// `(out, 12, 2, 2, ' ', 0)` in containers/common/pkg/report.
    pub(crate) fn of(personality: Personality) -> Style {
        match personality {
            Personality::Docker => Style {
                least: 10,
                padding: 3,
            },
            Personality::Podman => Style {
                least: 12,
                padding: 2,
            },
        }
    }
}

/// Aligns lines of cells that end with tabulators. A column reaches over the neighbouring lines
/// that have it; what follows a line's last tabulator belongs to none.
pub(crate) fn align(text: &str, style: Style) -> String {
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|line| vec![0; line.len()]).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let has = |line: &Vec<&str>| line.len() > column + 1;
        let mut from = 0;
        while from < lines.len() {
            let block = lines[from..].iter().take_while(|line| has(line)).count();
            let wide = lines[from..from + block]
                .iter()
                .map(|line| line[column].chars().count() + style.padding)
                .max()
                .unwrap_or(0)
                .max(style.least);
            for width in &mut widths[from..from + block] {
                width[column] = wide;
            }
            from += block.max(1);
        }
    }
    let mut out = String::new();
    for (line, widths) in lines.iter().zip(&widths) {
        for (cell, width) in line.iter().zip(widths) {
            out.push_str(cell);
            let blanks = width.saturating_sub(cell.chars().count());
            out.extend(std::iter::repeat_n(' ', blanks));
        }
        out.push('\n');
    }
    out
}

impl Table {
    /// A table without a header.
    pub(crate) fn headless() -> Table {
        Table { rows: Vec::new() }
    }

    /// A table with this header.
    pub(crate) fn new(header: &[&str]) -> Table {
        Table {
            rows: vec![header.iter().map(|cell| (*cell).to_owned()).collect()],
        }
    }

    /// Adds a row; control characters of foreign texts become blanks.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let clean = |cell: String| {
            if cell.chars().any(char::is_control) {
                cell.chars()
                    .map(|c| if c.is_control() { ' ' } else { c })
                    .collect()
            } else {
                cell
            }
        };
        self.rows.push(cells.into_iter().map(clean).collect());
    }

    /// The text of the table as docker lays it out, each line ended.
    pub(crate) fn render(&self) -> String {
        self.render_as(Style::of(Personality::Docker))
    }

    /// The text of the table, each line ended.
    pub(crate) fn render_as(&self, style: Style) -> String {
        let lines: String = self.rows.iter().map(|row| row.join("\t") + "\n").collect();
        align(&lines, style)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_at_least_ten_wide_and_three_apart() {
        let mut table = Table::new(&["REPOSITORY", "TAG", "SIZE"]);
        table.row(["é".to_owned(), "latest".to_owned(), "1MB".to_owned()]);
        table.row(["x\n".to_owned(), String::new(), "22MB".to_owned()]);
        assert_eq!(
            table.render(),
            "REPOSITORY   TAG       SIZE\n\
             é            latest    1MB\n\
             x                      22MB\n"
        );
    }

    #[test]
    fn a_column_reaches_over_neighbouring_lines_only() {
        let docker = Style::of(Personality::Docker);
        assert_eq!(
            align("a\tb\nlong text here\tc\nalone\nx\ty\tz\n", docker),
            "a                b\nlong text here   c\nalone\nx         y         z\n"
        );
        assert_eq!(align("", docker), "");
    }

    #[test]
    fn a_header_alone_is_printed() {
        assert_eq!(Table::new(&["A", "B"]).render(), "A         B\n");
    }
}
