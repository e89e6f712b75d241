use thiserror::Error;

/// How quotes within a field that does not begin with one are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteMode {
    /// As themselves, and so are quotes around a part of a field.
    Relaxed,
    /// As an error.
    Strict,
}

/// A line of comma-separated fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CsvRecord {
    /// The line of the text that it begins on, from 1.
    pub(super) line: usize,
    pub(super) fields: Vec<CsvField>,
}

/// What stands between two commas, quotes taken off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CsvField {
    pub(super) text: String,
    /// Where its text begins in its line, in characters from 1.
    pub(super) column: usize,
}

/// A quote that is out of place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CsvError {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) problem: CsvProblem,
}

/// What is wrong with a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CsvProblem {
    /// It stands within a field that did not begin with one.
    #[error(
        "a double quote within a field: write arguments of expressions in single quotes, \
         or put the whole field in double quotes"
    )]
    Opening,
    /// Something follows the quote that ends a field.
    #[error("a quoted field goes on after its closing quote")]
    Closing,
    /// The field is never closed.
    #[error("a quoted field is not closed")]
    Unclosed,
}

/// Reads `text` as docker/metadata-action's CSV reader does. Lines that begin with `comment` are
/// passed over, as are empty ones. The first line break decides what breaks the others.
pub(super) fn read_csv(
    text: &str,
    quotes: QuoteMode,
    comment: Option<char>,
) -> Result<Vec<CsvRecord>, CsvError> {
    let reader = CsvReader {
        chars: text.chars().collect(),
        quotes,
        comment,
        at: 0,
        line: 1,
        line_start: 0,
        line_break: None,
        records: Vec::new(),
        record: CsvRecord::default(),
        field: CsvField::default(),
        state: CsvState::Plain,
        was_quoted: false,
    };
    reader.read_records()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CsvState {
    Plain,
    Quoted,
    Comment,
}

struct CsvReader {
    chars: Vec<char>,
    quotes: QuoteMode,
    comment: Option<char>,
    at: usize,
    line: usize,
    line_start: usize,
    line_break: Option<&'static [char]>,
    records: Vec<CsvRecord>,
    record: CsvRecord,
    field: CsvField,
    state: CsvState,
    was_quoted: bool,
}

const LINE_BREAKS: [&[char]; 3] = [&['\r', '\n'], &['\n'], &['\r']];

impl CsvReader {
    fn read_records(mut self) -> Result<Vec<CsvRecord>, CsvError> {
        while let Some(&c) = self.chars.get(self.at) {
            self.read_char(c)?;
        }
        if self.state == CsvState::Quoted {
            let (line, column) = (self.record_line(), self.field.column);
            return Err(CsvError {
                line,
                column,
                problem: CsvProblem::Unclosed,
            });
        }
        self.end_record();
        Ok(self.records)
    }

    fn read_char(&mut self, c: char) -> Result<(), CsvError> {
        if c == '"' && self.state != CsvState::Comment {
            return self.read_quote();
        }
        if self.state != CsvState::Quoted {
            if let Some(length) = self.line_break() {
                self.end_record();
                self.at += length;
                self.line += 1;
                self.line_start = self.at;
                self.state = CsvState::Plain;
                return Ok(());
            }
            if self.state == CsvState::Comment || self.begins_comment(c) {
                self.state = CsvState::Comment;
                self.at += 1;
                return Ok(());
            }
            if c == ',' {
                self.end_field();
                self.at += 1;
                return Ok(());
            }
        }
        self.push(c);
        Ok(())
    }

    fn read_quote(&mut self) -> Result<(), CsvError> {
        match self.state {
            CsvState::Quoted if self.chars.get(self.at + 1) == Some(&'"') => {
                self.at += 1;
                self.push('"');
            }
            CsvState::Quoted if self.field_ends_at(self.at + 1) => {
                self.state = CsvState::Plain;
                self.was_quoted = true;
                self.at += 1;
            }
            CsvState::Quoted => {
                self.refuse_if_strict(CsvProblem::Closing)?;
                self.state = CsvState::Plain;
                self.was_quoted = true;
                self.field.text.insert(0, '"');
                self.push('"');
            }
            _ if self.field.text.is_empty() && !self.was_quoted => {
                self.at += 1;
                self.field.column = self.column();
                self.begin_record();
                self.state = CsvState::Quoted;
            }
            _ => {
                self.refuse_if_strict(CsvProblem::Opening)?;
                self.push('"');
            }
        }
        Ok(())
    }

    fn refuse_if_strict(&self, problem: CsvProblem) -> Result<(), CsvError> {
        match self.quotes {
            QuoteMode::Relaxed => Ok(()),
            QuoteMode::Strict => Err(CsvError {
                line: self.line,
                column: self.column(),
                problem,
            }),
        }
    }

    fn column(&self) -> usize {
        self.at - self.line_start + 1
    }

    fn record_line(&self) -> usize {
        if self.record.line == 0 {
            self.line
        } else {
            self.record.line
        }
    }

    fn begin_record(&mut self) {
        self.record.line = self.record_line();
    }

    fn push(&mut self, c: char) {
        if self.field.text.is_empty() && self.field.column == 0 {
            self.field.column = self.column();
            self.begin_record();
        }
        if c == '\n' && self.state == CsvState::Quoted {
            self.line += 1;
        }
        self.field.text.push(c);
        self.at += 1;
    }

    fn begins_comment(&self, c: char) -> bool {
        self.comment == Some(c)
            && self.record.fields.is_empty()
            && self.field.text.is_empty()
            && !self.was_quoted
    }

    /// The length of the line break here, if there is one.
    fn line_break(&mut self) -> Option<usize> {
        let rest = &self.chars[self.at..];
        let known = match self.line_break {
            Some(known) => rest.starts_with(known).then_some(known),
            None => LINE_BREAKS.into_iter().find(|kind| rest.starts_with(kind)),
        };
        self.line_break = self.line_break.or(known);
        known.map(<[char]>::len)
    }

    fn field_ends_at(&self, at: usize) -> bool {
        let rest = &self.chars[at..];
        let breaks = |kind: &&[char]| rest.starts_with(kind);
        match rest.first() {
            None | Some(',') => true,
            Some(c) if Some(*c) == self.comment => true,
            Some(_) => match &self.line_break {
                Some(known) => breaks(known),
                None => LINE_BREAKS.iter().any(breaks),
            },
        }
    }

    fn end_field(&mut self) {
        self.begin_record();
        let mut field = std::mem::take(&mut self.field);
        if field.column == 0 {
            field.column = self.column();
        }
        self.record.fields.push(field);
        self.was_quoted = false;
    }

    /// An empty line is no record.
    fn end_record(&mut self) {
        let something =
            self.was_quoted || !self.record.fields.is_empty() || !self.field.text.is_empty();
        if something {
            self.end_field();
            self.records.push(std::mem::take(&mut self.record));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str, quotes: QuoteMode) -> Result<Vec<Vec<String>>, CsvError> {
        let records = read_csv(text, quotes, Some('#'))?;
        let texts = |record: CsvRecord| record.fields.into_iter().map(|field| field.text).collect();
        Ok(records.into_iter().map(texts).collect())
    }

    #[test]
    fn records_are_read() {
        for (text, expected) in [
            ("a,b", &[&["a", "b"][..]][..]),
            ("a\n\nb", &[&["a"], &["b"]]),
            ("a\r\n#x,y\r\nb", &[&["a"], &["b"]]),
            ("\"a,b\",c", &[&["a,b", "c"]]),
            ("\"a\"\"b\"", &[&["a\"b"]]),
            ("\"a\nb\"", &[&["a\nb"]]),
            (" # c", &[&[" # c"]]),
            ("a,", &[&["a", ""]]),
            ("\"\"", &[&[""]]),
            ("", &[]),
        ] {
            assert_eq!(
                texts(text, QuoteMode::Strict).unwrap(),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn relaxed_quotes_are_text_where_they_quote_nothing() {
        for (text, expected) in [
            ("a \"b\" c", &["a \"b\" c"][..]),
            ("\"a\"b,c", &["\"a\"b", "c"]),
            ("type=raw,\"value=a,b\"", &["type=raw", "value=a,b"]),
        ] {
            assert_eq!(
                texts(text, QuoteMode::Relaxed).unwrap(),
                [expected],
                "{text:?}"
            );
        }
    }

    #[test]
    fn quotes_out_of_place_are_told_with_their_place() {
        for (text, column, problem) in [
            ("a,b\"c\"", 4, CsvProblem::Opening),
            ("a,\"b\"c", 5, CsvProblem::Closing),
            ("a,\"b", 4, CsvProblem::Unclosed),
        ] {
            let error = texts(text, QuoteMode::Strict).unwrap_err();
            assert_eq!((error.column, error.problem), (column, problem), "{text:?}");
        }
    }

    #[test]
    fn lines_and_columns_are_kept() {
        let records = read_csv("a\n#\n\nb, \"c\",\"d\"", QuoteMode::Relaxed, Some('#')).unwrap();
        assert_eq!(records[1].line, 4);
        let columns: Vec<_> = records[1].fields.iter().map(|field| field.column).collect();
        assert_eq!(columns, [1, 3, 9]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([ab,#=]|\"|\n|\r|\\PC){0,40}") {
            for quotes in [QuoteMode::Relaxed, QuoteMode::Strict] {
                let _ = read_csv(&text, quotes, Some('#'));
            }
        }

        #[test]
        fn what_is_quoted_is_kept(fields in prop::collection::vec("(\\PC|\n){0,8}", 1..4)) {
            let quoted: Vec<_> =
                fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            prop_assert_eq!(texts(&quoted.join(","), QuoteMode::Strict).unwrap(), [fields]);
        }
    }
}
