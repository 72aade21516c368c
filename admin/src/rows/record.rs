use std::io::{self, BufRead, BufReader, Read};

use csv::ReaderBuilder;

/// The fields of one record, which may span lines.
pub struct Record {
    /// The line that it begins in.
    pub line: u64,
    pub fields: Vec<String>,
}

impl Record {
    pub fn is_blank(&self) -> bool {
        self.fields.iter().all(|field| field.trim().is_empty())
    }
}

/// The records of a file, one by one. Empty lines are none.
pub struct Records<R> {
    bytes: BufReader<R>,
    delimiter: u8,
    line: u64,
    /// A first line that is a record.
    first: Option<Vec<u8>>,
    ended: bool,
}

/// A longer record is a quote that nobody closed.
const LONGEST: usize = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl<R: Read> Records<R> {
    /// Finds out what separates the fields.
    pub fn of(bytes: BufReader<R>) -> io::Result<Self> {
        let mut records = Self {
            bytes,
            delimiter: b',',
            line: 0,
            first: None,
            ended: false,
        };
        let mut line = records.read_line()?;
        if line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter, ..] = line[..] {
            records.delimiter = delimiter;
        } else {
            let count = |it: u8| line.split(|byte| *byte == it).count();
            let most = [b',', b';', b'\t'].into_iter().rev();
            records.delimiter = most.max_by_key(|it| count(*it)).unwrap_or(b',');
            records.first = Some(line);
        }
        Ok(records)
    }

    fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.bytes.read_until(b'\n', &mut line)?;
        self.line += 1;
        Ok(line)
    }

    /// The lines of the next record, and the number of the first of them.
    fn read_record(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        loop {
            let line = match self.first.take() {
                Some(line) => line,
                None => self.read_line()?,
            };
            if line.is_empty() {
                return Ok(None);
            }
            if line.iter().all(|byte| b"\r\n".contains(byte)) {
                continue;
            }
            let (start, mut record) = (self.line, line);
            while record.len() <= LONGEST && is_open(&record, self.delimiter) {
                let more = self.read_line()?;
                if more.is_empty() {
                    break;
                }
                record.extend(more);
            }
            return Ok(Some((start, record)));
        }
    }

    fn parse(&self, line: u64, bytes: &[u8]) -> Result<Record, String> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err("line 1: UTF-16; save the file as CSV in UTF-8".to_owned());
        }
        if bytes.len() > LONGEST {
            return Err(format!("line {line}: a quote is not closed"));
        }
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .delimiter(self.delimiter)
            .buffer_capacity(bytes.len())
            .from_reader(bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| format!("line {line}: not UTF-8"));
        text?;
        let mut records = reader.records();
        let record = records
            .next()
            .unwrap_or_else(|| Ok(csv::StringRecord::new()));
        let record = record.map_err(|error| format!("line {line}: {error}"))?;
        Ok(Record {
            line,
            fields: record.iter().map(str::to_owned).collect(),
        })
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<Record, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.read_record() {
            Ok(Some((line, bytes))) => {
                let record = self.parse(line, &bytes);
                // What follows could be anything.
                self.ended = bytes.len() > LONGEST || bytes.contains(&0);
                Some(record)
            }
            Ok(None) => None,
            Err(error) => {
                self.ended = true;
                Some(Err(format!("line {}: {error}", self.line)))
            }
        }
    }
}

/// Whether the last field begins with a quote that is not closed.
fn is_open(record: &[u8], delimiter: u8) -> bool {
    let (mut is_open, mut at_start) = (false, true);
    for byte in record {
        match *byte {
            // Two quotes in a quoted field close it and open it again.
            b'"' if is_open => is_open = false,
            b'"' if at_start => is_open = true,
            _ => {}
        }
        at_start = !is_open && (*byte == delimiter || *byte == b'"');
    }
    is_open
}
