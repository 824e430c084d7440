//! Tables laid out as docker's: Go's `tabwriter` with minimum width 10, padding 3.

/// Rows of cells under a header. The last column is never padded.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

/// docker: `tabwriter.NewWriter(out, 10, 1, 3, ' ', 0)` in cli/command/formatter.
const MIN_WIDTH: usize = 10;
const PADDING: usize = 3;

impl Table {
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

    /// The text of the table, each line ended.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths = vec![MIN_WIDTH; columns];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count() + PADDING);
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let last = row.len().saturating_sub(1);
            for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
                text.push_str(cell);
                if index < last {
                    let blanks = width.saturating_sub(cell.chars().count());
                    text.extend(std::iter::repeat_n(' ', blanks));
                }
            }
            text.push('\n');
        }
        text
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
    fn a_header_alone_is_printed() {
        assert_eq!(Table::new(&["A", "B"]).render(), "A         B\n");
    }
}
