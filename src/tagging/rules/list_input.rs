use super::csv::{self, CsvError, CsvField, CsvProblem, QuoteMode};

/// An entry of a list input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListEntry {
    /// The line of the input that it stands on, from 1.
    pub(crate) line: usize,
    /// Its text, the quotes around its fields taken off.
    pub(crate) text: String,
    fields: Vec<CsvField>,
}

/// The entries of the inputs `tags`, `flavor`, `images`, `labels` and `annotations`. Blank lines
/// and those that begin with `#` are none.
pub(crate) fn parse_entries(list: &str) -> Result<Vec<ListEntry>, ListError> {
    // Lines are counted in what the user wrote.
    let start = list.len() - list.trim_start().len();
    let above = list[..start].matches('\n').count();
    let records =
        csv::read_csv(list.trim(), QuoteMode::Relaxed, Some('#')).map_err(|error| ListError {
            line: error.line + above,
            column: error.column,
            problem: error.problem,
        })?;
    let entries = records.into_iter().map(|record| {
        let texts: Vec<_> = record
            .fields
            .iter()
            .map(|field| field.text.as_str())
            .collect();
        ListEntry {
            line: record.line + above,
            text: texts.join(",").trim().to_owned(),
            fields: record.fields,
        }
    });
    Ok(entries.filter(|entry| !entry.text.is_empty()).collect())
}

/// A list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) problem: CsvProblem,
}

impl ListEntry {
    /// The fields as they were written: what quotes protected stays in one piece.
    pub(super) fn fields(&self) -> &[CsvField] {
        &self.fields
    }

    /// The fields as docker/metadata-action takes them: it reads the entry a second time when the
    /// quotes are gone.
    pub(super) fn reparse_fields(&self) -> Result<Vec<CsvField>, (usize, CsvProblem)> {
        let records = csv::read_csv(&self.text, QuoteMode::Strict, None).map_err(
            |CsvError {
                 column, problem, ..
             }| (column, problem),
        )?;
        Ok(records
            .into_iter()
            .next()
            .map(|record| record.fields)
            .unwrap_or_default())
    }

    /// Whether the second reading finds what the first one did.
    pub(super) fn is_same_when_reparsed(&self, twice: &[CsvField]) -> bool {
        let trimmed = |field: &CsvField| field.text.trim().to_owned();
        self.fields
            .iter()
            .map(trimmed)
            .eq(twice.iter().map(trimmed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &str) -> Vec<String> {
        parse_entries(list)
            .unwrap()
            .into_iter()
            .map(|e| e.text)
            .collect()
    }

    #[test]
    fn a_list_has_an_entry_a_line() {
        assert_eq!(texts("\n a \n\n#x\nb,\"c,d\"\n # e"), ["a", "b,c,d", "# e"]);
        assert_eq!(texts("a\n  \nb"), ["a", "b"]);
        assert_eq!(texts("a=\"b\" c"), ["a=\"b\" c"]);
        assert_eq!(texts(""), [""; 0]);
        let entries = parse_entries("\n\na\n#\nb").unwrap();
        assert_eq!([entries[0].line, entries[1].line], [3, 5]);
        let error = super::parse_entries("\na\n\"b").unwrap_err();
        assert_eq!((error.line, error.column), (3, 2));
    }

    #[test]
    fn quotes_are_lost_the_second_time() {
        let entry = &parse_entries("type=raw,\"value=a,b\"").unwrap()[0];
        assert_eq!(entry.fields().len(), 2);
        let twice = entry.reparse_fields().unwrap();
        assert_eq!(twice[2].text, "b");
        assert!(!entry.is_same_when_reparsed(&twice));
        let entry = &parse_entries("a,{{date \"YYYY\"}}").unwrap()[0];
        assert_eq!(entry.reparse_fields(), Err((10, CsvProblem::Opening)));
        assert_eq!(entry.fields()[1].text, "{{date \"YYYY\"}}");
    }
}
