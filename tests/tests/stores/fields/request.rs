//! A request to the store, and what it asks for.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// A request that has come as a whole.
pub struct Request {
    pub method: String,
    /// Below the container; empty for the container itself.
    pub key: String,
    pub query: BTreeMap<String, String>,
    pub range: Option<(usize, usize)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The request, once it has come as a whole.
    pub fn read(received: &[u8]) -> Option<Self> {
        let end = received.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&received[..end]).into_owned();
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(found, _)| found.eq_ignore_ascii_case(name))
        };
        let length = header("content-length").map_or(0, |(_, length)| length.parse().unwrap());
        let body = received.get(end + 4..end + 4 + length)?;
        let mut words = head.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // Azure's paths begin with the account.
        let path = path.strip_prefix("/me").unwrap_or(path);
        let key = path.strip_prefix("/data").unwrap_or(path);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let range = header("range").map(|(_, range)| {
            let (first, last) = range[6..].split_once('-').unwrap();
            (
                first.parse().unwrap(),
                last.parse().unwrap_or(usize::MAX - 1) + 1,
            )
        });
        Some(Self {
            method: method.to_owned(),
            key: plain(key.trim_start_matches('/')),
            query: pairs
                .map(|(name, value)| (name.to_owned(), plain(value)))
                .collect(),
            range,
            body: body.to_vec(),
        })
    }

    /// What is asked for, as the table calls it.
    pub fn kind(&self) -> &'static str {
        let has = |name: &str| self.query.contains_key(name);
        match self.method.as_str() {
            "GET" if self.key.contains("token") || self.key.contains("creds") => "token",
            "GET" if self.key.is_empty() => "listing",
            "GET" if has("uploadId") => "list of parts",
            "GET" if self.range.is_some() => "GET of a range",
            "GET" => "GET",
            "HEAD" => "HEAD",
            "PUT" if has("uploadId") || has("blockid") => "part",
            "PUT"
                if self
                    .query
                    .get("comp")
                    .is_some_and(|comp| comp == "blocklist") =>
            {
                "completion"
            }
            "PUT" => "PUT",
            "POST" if has("uploadId") => "completion",
            "POST" => "beginning",
            "DELETE" if has("uploadId") => "abort",
            _ => "DELETE",
        }
    }
}

fn plain(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
