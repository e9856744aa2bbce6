//! One answer, and what a flaw does to it.

/// What happens to a field.
#[derive(Clone, Copy, Debug)]
pub enum How {
    LeftOut,
    /// Its value is this one.
    Garbled(&'static [u8]),
    /// It comes once more, with this value.
    Twice(&'static str),
}

/// A field of an answer, and what happens to it.
#[derive(Clone, Copy, Debug)]
pub struct Flaw {
    pub answer: &'static str,
    /// A header, an element, or a name in JSON; `the body` for all of it.
    pub field: &'static str,
    pub how: How,
}

/// An answer before its flaw.
#[derive(Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn tagged(tag: &str) -> Self {
        Self {
            status: 200,
            headers: vec![("ETag".to_owned(), tag.into())],
            body: Vec::new(),
        }
    }

    pub fn xml(text: &str) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type".to_owned(), b"application/xml".to_vec())],
            body: text.into(),
        }
    }

    /// Applies the flaw, and says whether the field was there.
    pub fn flaw(&mut self, field: &str, how: How) -> bool {
        if field == "the body" {
            self.body = match how {
                How::LeftOut => Vec::new(),
                How::Garbled(value) => value.to_vec(),
                How::Twice(_) => self.body.repeat(2),
            };
            return true;
        }
        // Azure's listings have an element of this name.
        if field == "Content-Length" && !self.body.starts_with(b"<") {
            self.headers
                .push((field.to_owned(), self.body.len().to_string().into()));
        }
        self.flaw_header(field, how) || self.flaw_element(field, how) || self.flaw_json(field, how)
    }

    fn flaw_header(&mut self, field: &str, how: How) -> bool {
        let Some(at) = self.headers.iter().position(|(name, _)| name == field) else {
            return false;
        };
        match how {
            // An empty value says: not even by the server's own doing.
            How::LeftOut if field == "Content-Length" => self.headers[at].1.clear(),
            How::LeftOut => drop(self.headers.remove(at)),
            How::Garbled(value) => self.headers[at].1 = value.to_vec(),
            How::Twice(value) => self.headers.push((field.to_owned(), value.into())),
        }
        true
    }

    fn flaw_element(&mut self, field: &str, how: How) -> bool {
        let text = String::from_utf8(self.body.clone()).unwrap();
        let (begin, end) = (format!("<{field}>"), format!("</{field}>"));
        let mut pieces = text.split(begin.as_str());
        let mut flawed = pieces.next().unwrap_or_default().to_owned();
        let mut found = false;
        for piece in pieces {
            let Some((value, rest)) = piece.split_once(end.as_str()) else {
                return false;
            };
            let element = |value: &str| format!("{begin}{value}{end}");
            flawed += &match how {
                // A marker that is not there ends the listing, as an empty one does.
                How::LeftOut if field == "NextMarker" && !value.is_empty() => element(value),
                How::LeftOut => String::new(),
                How::Garbled(garbled) => element(&String::from_utf8_lossy(garbled)),
                How::Twice(other) => element(value) + &element(other),
            };
            flawed += rest;
            found = true;
        }
        self.body = flawed.into_bytes();
        found
    }

    fn flaw_json(&mut self, field: &str, how: How) -> bool {
        let text = String::from_utf8(self.body.clone()).unwrap();
        let begin = format!("\"{field}\": ");
        let Some((before, rest)) = text.split_once(&begin) else {
            return false;
        };
        let end = rest.find([',', '}']).unwrap();
        let (value, after) = rest.split_at(end);
        let pair = |value: &str| format!("{begin}{value}");
        let pairs = match how {
            How::LeftOut => pair("0").replace(field, "nothing"),
            How::Garbled(garbled) => pair(&String::from_utf8_lossy(garbled)),
            How::Twice(other) => format!("{}, {}", pair(value), pair(other)),
        };
        self.body = format!("{before}{pairs}{after}").into_bytes();
        true
    }

    /// The bytes on the wire.
    pub fn written(&self, is_head: bool) -> Vec<u8> {
        let mut text =
            format!("HTTP/1.1 {} Told\r\nConnection: close\r\n", self.status).into_bytes();
        let mut has_length = self.status == 204;
        for (name, value) in &self.headers {
            if name == "Content-Length" {
                has_length = true;
                if value.is_empty() {
                    continue;
                }
            }
            text.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if !has_length {
            text.extend(format!("Content-Length: {}\r\n", self.body.len()).into_bytes());
        }
        text.extend(b"\r\n");
        if !is_head {
            text.extend(&self.body);
        }
        text
    }
}
