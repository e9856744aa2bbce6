//! A server of one object that may change, break, and say much or little about its version. It serves the
//! same object to web clients (`/web/x`) and to S3 clients (`/data/x`).

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use copilot_tests::background::Background;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What the server says about the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    None,
    Strong,
    /// A strong one without its quotes.
    Bare,
    /// A weak one for each version.
    Weak,
    /// One weak tag for all versions: they mean the same, and have other bytes.
    Alike,
    /// Another one in each answer, as replicas of one store may have.
    Changing,
}

/// The time of modification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modified {
    None,
    /// A day apart.
    Old,
    /// All versions were written within the second before the answer.
    Now,
    Garbled,
}

/// How it answers a request for a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranges {
    Right,
    /// The whole object.
    Ignored,
    /// This status.
    Refused(u16),
    /// The range, and at most this number of bytes of it.
    AtMost(usize),
    /// Another range, which begins so many bytes later or earlier, and says so.
    Shifted(i64),
    /// The right bytes, with a `Content-Range` of other numbers: first byte, last byte, size.
    Wrong(i64, i64, i64),
    /// The right bytes, with this `Content-Range`, or without one.
    Says(Option<&'static str>),
    /// The right bytes, and the size `*`.
    Unsized,
    /// One byte more than it announces.
    Excess,
}

/// What it does with `If-Match` and `If-Range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Honoured,
    Ignored,
    Refused(u16),
}

/// How the end of an answer is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Announced,
    Chunked,
    /// Only by the end of the connection.
    Unmarked,
}

/// A server's nature.
#[derive(Clone, Debug)]
pub struct Nature {
    pub tag: Tag,
    pub modified: Modified,
    pub ranges: Ranges,
    pub condition: Condition,
    pub length: Length,
    /// Whether only the first answer says anything of the version.
    pub forgets: bool,
    /// The object changes when this many bytes have been sent since its last change.
    pub changes: Vec<usize>,
    /// Answers break after this many bytes, each once, in this order.
    pub breaks: Vec<usize>,
}

impl Nature {
    /// A server without faults.
    pub fn good() -> Self {
        Self {
            tag: Tag::Strong,
            modified: Modified::Old,
            ranges: Ranges::Right,
            condition: Condition::Honoured,
            length: Length::Announced,
            forgets: false,
            changes: Vec::new(),
            breaks: Vec::new(),
        }
    }
}

/// What it is doing.
#[derive(Debug)]
struct State {
    nature: Nature,
    versions: Arc<Vec<Vec<u8>>>,
    /// The version that is served now.
    now: usize,
    /// Bytes sent of it.
    sent: usize,
    /// The heads of the requests so far.
    asked: Vec<String>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    background: Background,
    state: Arc<Mutex<State>>,
}

/// An answer, and what to send of it.
struct Answer {
    head: String,
    body: Vec<u8>,
    chunked: bool,
    breaks: bool,
    closes: bool,
}

impl Server {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            nature: Nature::good(),
            versions: Arc::default(),
            now: 0,
            sent: 0,
            asked: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let background = Background::start("shifting", move |connection| {
            let shared = Arc::clone(&shared);
            async move {
                // A client may drop its connection at any time.
                let _ = serve(connection, &shared).await;
            }
        });
        Self {
            background: background.unwrap(),
            state,
        }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.background.address())
    }

    /// Becomes a server of this nature, which has these versions of the object, one after the other.
    pub fn becomes(&self, nature: Nature, versions: Vec<Vec<u8>>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State {
            nature,
            versions: Arc::new(versions),
            now: 0,
            sent: 0,
            asked: Vec::new(),
        };
    }

    /// The heads of the requests since then.
    pub fn asked(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.clone()
    }
}

async fn serve(mut connection: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if connection.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let answer = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.asked.push(head.clone());
            state.answer(&head)
        };
        let mut out = answer.head.into_bytes();
        if answer.chunked {
            for piece in answer.body.chunks(700) {
                out.extend(format!("{:x}\r\n", piece.len()).into_bytes());
                out.extend(piece);
                out.extend(b"\r\n");
            }
            if !answer.breaks {
                out.extend(b"0\r\n\r\n");
            }
        } else {
            out.extend(answer.body);
        }
        connection.write_all(&out).await?;
        if answer.breaks || answer.closes {
            return connection.shutdown().await;
        }
    }
}

/// The value of a field of a request.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

fn status_only(status: u16) -> Answer {
    Answer {
        head: format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"),
        body: Vec::new(),
        chunked: false,
        breaks: false,
        closes: false,
    }
}

impl State {
    fn answer(&mut self, head: &str) -> Answer {
        let versions = Arc::clone(&self.versions);
        let data = &versions[self.now];
        let mut asked = field(head, "range").map(|range| range_of(range, data.len()));
        let condition = field(head, "if-match").or(field(head, "if-range"));
        if let Some(wanted) = condition {
            let is_same = self.tag().is_some_and(|tag| tag.to_lowercase() == wanted);
            match self.nature.condition {
                Condition::Refused(status) => return status_only(status),
                Condition::Honoured if !is_same => match field(head, "if-match") {
                    Some(_) => return status_only(412),
                    None => asked = None,
                },
                Condition::Honoured | Condition::Ignored => {}
            }
        }
        if asked
            .as_ref()
            .is_some_and(|asked| asked.start >= data.len())
        {
            return status_only(416);
        }
        match (self.nature.ranges, &mut asked) {
            (Ranges::Refused(status), Some(_)) => return status_only(status),
            (Ranges::Ignored, asked) => *asked = None,
            (Ranges::Shifted(by), Some(asked)) => asked.start = shifted(asked, by),
            (Ranges::AtMost(most), Some(asked)) => asked.end = asked.end.min(asked.start + most),
            _ => {}
        }
        self.send(data, asked.as_ref())
    }

    fn send(&mut self, data: &[u8], asked: Option<&Range<usize>>) -> Answer {
        let range = asked.cloned().unwrap_or(0..data.len());
        let mut body = data[range].to_vec();
        let mut lines = self.version_lines();
        let status = match asked {
            Some(asked) => {
                lines.push_str(&self.content_range(asked, data.len()));
                "206 Part"
            }
            None => "200 OK",
        };
        let mut chunked = self.nature.length == Length::Chunked;
        if asked.is_some() && self.nature.ranges == Ranges::Excess {
            body.push(b'!');
            chunked = true;
        }
        let closes = self.nature.length == Length::Unmarked && !chunked;
        if chunked {
            lines.push_str("Transfer-Encoding: chunked\r\n");
        } else if !closes {
            let _ = write!(lines, "Content-Length: {}\r\n", body.len());
        }
        let breaks = self
            .nature
            .breaks
            .first()
            .is_some_and(|at| *at < body.len());
        if breaks {
            body.truncate(self.nature.breaks.remove(0));
        }
        self.sent += body.len();
        if self
            .nature
            .changes
            .first()
            .is_some_and(|at| self.sent >= *at)
        {
            self.nature.changes.remove(0);
            (self.now, self.sent) = ((self.now + 1) % self.versions.len(), 0);
        }
        Answer {
            head: format!("HTTP/1.1 {status}\r\n{lines}\r\n"),
            body,
            chunked,
            breaks,
            closes,
        }
    }

    fn tag(&self) -> Option<String> {
        let now = self.now;
        match self.nature.tag {
            Tag::None => None,
            Tag::Strong => Some(format!("\"v{now}\"")),
            Tag::Bare => Some(format!("v{now}")),
            Tag::Weak => Some(format!("W/\"v{now}\"")),
            Tag::Alike => Some("W/\"v\"".to_owned()),
            Tag::Changing => Some(format!("\"v{}\"", self.asked.len())),
        }
    }

    fn version_lines(&self) -> String {
        if self.nature.forgets && self.asked.len() > 1 {
            return String::new();
        }
        let mut lines = String::new();
        if let Some(tag) = self.tag() {
            let _ = write!(lines, "ETag: {tag}\r\n");
        }
        match self.nature.modified {
            Modified::None => {}
            Modified::Old => {
                // 1 January 2025 was a Wednesday.
                let day = ["Wed, 01", "Thu, 02", "Fri, 03", "Sat, 04"][self.now % 4];
                let _ = write!(lines, "Last-Modified: {day} Jan 2025 00:00:00 GMT\r\n");
            }
            Modified::Now => lines.push_str(
                "Last-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\nDate: Wed, 01 Jan 2025 00:00:01 GMT\r\n",
            ),
            Modified::Garbled => lines.push_str("Last-Modified: yesterday\r\n"),
        }
        lines
    }

    fn content_range(&self, range: &Range<usize>, size: usize) -> String {
        let number = |number: usize, off: i64| i64::try_from(number).unwrap() + off;
        let (first, last, off) = match self.nature.ranges {
            Ranges::Wrong(first, last, size) => (first, last, size),
            _ => (0, 0, 0),
        };
        let (first, last) = (number(range.start, first), number(range.end - 1, last));
        let size = match self.nature.ranges {
            Ranges::Says(None) => return String::new(),
            Ranges::Says(Some(text)) => return format!("Content-Range: {text}\r\n"),
            Ranges::Unsized => "*".to_owned(),
            _ => number(size, off).to_string(),
        };
        format!("Content-Range: bytes {first}-{last}/{size}\r\n")
    }
}

/// The range that `bytes=FIRST-LAST` names of so many bytes.
fn range_of(text: &str, size: usize) -> Range<usize> {
    let (first, last) = text
        .strip_prefix("bytes=")
        .unwrap()
        .split_once('-')
        .unwrap();
    let last = last.parse().map_or(size, |last: usize| last + 1);
    first.parse().unwrap()..last.min(size)
}

/// The beginning of a range that begins elsewhere; the range keeps a byte at least.
fn shifted(range: &Range<usize>, by: i64) -> usize {
    let by = isize::try_from(by).unwrap();
    range.start.saturating_add_signed(by).min(range.end - 1)
}
