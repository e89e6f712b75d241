use super::csv::{self, CsvError, CsvProblem, Field, Quotes};

/// An entry of a list input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The line of the input that it stands on, from 1.
    pub(crate) line: usize,
    /// Its text, the quotes around its fields taken off.
    pub(crate) text: String,
    fields: Vec<Field>,
}

/// The entries of the inputs `tags`, `flavor`, `images`, `labels` and `annotations`. Blank lines
/// and those that begin with `#` are none.
pub(crate) fn entries(list: &str) -> Result<Vec<Entry>, ListError> {
    // Lines are counted in what the user wrote.
    let start = list.len() - list.trim_start().len();
    let above = list[..start].matches('\n').count();
    let records =
        csv::read(list.trim(), Quotes::Relaxed, Some('#')).map_err(|error| ListError {
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
        Entry {
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

impl Entry {
    /// The fields as they were written: what quotes protected stays in one piece.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The fields as docker/metadata-action takes them: it reads the entry a second time when the
    /// quotes are gone.
    pub(super) fn fields_read_twice(&self) -> Result<Vec<Field>, (usize, CsvProblem)> {
        let records = csv::read(&self.text, Quotes::Strict, None).map_err(
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
    pub(super) fn reads_the_same(&self, twice: &[Field]) -> bool {
        let trimmed = |field: &Field| field.text.trim().to_owned();
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
        entries(list).unwrap().into_iter().map(|e| e.text).collect()
    }

    #[test]
    fn a_list_has_an_entry_a_line() {
        assert_eq!(texts("\n a \n\n#x\nb,\"c,d\"\n # e"), ["a", "b,c,d", "# e"]);
        assert_eq!(texts("a\n  \nb"), ["a", "b"]);
        assert_eq!(texts("a=\"b\" c"), ["a=\"b\" c"]);
        assert_eq!(texts(""), [""; 0]);
        let entries = entries("\n\na\n#\nb").unwrap();
        assert_eq!([entries[0].line, entries[1].line], [3, 5]);
        let error = super::entries("\na\n\"b").unwrap_err();
        assert_eq!((error.line, error.column), (3, 2));
    }

    #[test]
    fn quotes_are_lost_the_second_time() {
        let entry = &entries("type=raw,\"value=a,b\"").unwrap()[0];
        assert_eq!(entry.fields().len(), 2);
        let twice = entry.fields_read_twice().unwrap();
        assert_eq!(twice[2].text, "b");
        assert!(!entry.reads_the_same(&twice));
        let entry = &entries("a,{{date \"YYYY\"}}").unwrap()[0];
        assert_eq!(entry.fields_read_twice(), Err((10, CsvProblem::Opening)));
        assert_eq!(entry.fields()[1].text, "{{date \"YYYY\"}}");
    }
}
