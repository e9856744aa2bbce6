//! Reads an answer's body within bounds: as a whole, or line by line.
//!
//! A server must not exhaust our memory: a body or line is cut off at a limit that no pod reaches, and
//! one line at most is held.

use std::{error::Error, future::poll_fn, io, pin::Pin};

use bytes::{Bytes, BytesMut};
use http_body::Body;
use thiserror::Error;

/// The longest line, and the longest answer. Etcd limits an object to 1.5 MiB, and JSON makes it longer.
pub const LONGEST: usize = 4 * 1024 * 1024;

type Cause = Box<dyn Error + Send + Sync>;

/// Why a body cannot be read to its end.
#[derive(Debug, Error)]
pub enum BodyError {
    /// The answer or line is longer than any pod.
    #[error("the server sent an answer of more than {limit} bytes, and a pod is never that large")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] Cause),
}

/// A body that is read line by line.
pub struct BodyLines<B> {
    body: B,
    /// The beginning of the line, and perhaps of lines after it.
    buffer: BytesMut,
    /// How many bytes of the buffer were searched for the end of the line.
    searched: usize,
    limit: usize,
}

impl<B> BodyLines<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Cause>,
{
    /// The lines of this body.
    pub fn new(body: B) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
            searched: 0,
            limit: LONGEST,
        }
    }

    /// The next line that is not empty, without its line break; `None` once the server has ended the
    /// body or closed the connection. Drops a truncated line: the next watch brings it again.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            if let Some(line) = self.line() {
                if line.len() > self.limit {
                    return Err(self.too_long());
                }
                if !line.iter().all(u8::is_ascii_whitespace) {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.buffer.len() > self.limit {
                return Err(self.too_long());
            }
            match chunk(&mut self.body).await {
                Ok(Some(more)) => self.buffer.extend_from_slice(&more),
                Ok(None) => return Ok(None),
                Err(cause) if is_cut(&*cause) => return Ok(None),
                Err(cause) => return Err(BodyError::Broken(cause)),
            }
        }
    }

    /// Takes a complete line from the buffer.
    fn line(&mut self) -> Option<Bytes> {
        let unseen = &self.buffer[self.searched..];
        let Some(end) = unseen.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let mut line = self.buffer.split_to(self.searched + end + 1);
        line.truncate(line.len() - 1);
        self.searched = 0;
        Some(line.freeze())
    }

    fn too_long(&self) -> BodyError {
        BodyError::TooLong { limit: self.limit }
    }
}

/// Reads a whole body of at most `limit` bytes.
pub async fn whole<B>(mut body: B, limit: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Cause>,
{
    let mut read = BytesMut::new();
    while let Some(more) = chunk(&mut body).await.map_err(BodyError::Broken)? {
        if read.len() + more.len() > limit {
            return Err(BodyError::TooLong { limit });
        }
        read.extend_from_slice(&more);
    }
    Ok(read.freeze())
}

async fn chunk<B>(body: &mut B) -> Result<Option<Bytes>, Cause>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Cause>,
{
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(error)) => return Err(error.into()),
            None => return Ok(None),
        }
    }
}

/// Whether the other end closed the connection instead of ending the body, as proxies do.
fn is_cut(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let hyper: Option<&hyper::Error> = error.downcast_ref();
        let io: Option<&io::Error> = error.downcast_ref();
        if hyper.is_some_and(hyper::Error::is_incomplete_message)
            || io.is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof)
        {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        task::{Context, Poll},
    };

    use http_body::Frame;
    use proptest::prelude::*;

    use super::*;

    struct Chunks(VecDeque<io::Result<Bytes>>);

    impl Body for Chunks {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            Poll::Ready(self.0.pop_front().map(|chunk| chunk.map(Frame::data)))
        }
    }

    fn lines(chunks: Vec<io::Result<Bytes>>, limit: usize) -> (Vec<Bytes>, Option<BodyError>) {
        let mut lines = BodyLines {
            limit,
            ..BodyLines::new(Chunks(chunks.into()))
        };
        let mut read = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("it can be built").block_on(async {
            loop {
                match lines.next().await {
                    Ok(Some(line)) => read.push(line),
                    Ok(None) => return (read, None),
                    Err(error) => return (read, Some(error)),
                }
            }
        })
    }

    proptest! {
        #[test]
        fn the_chunks_do_not_change_the_lines(
            text in "[a-c\n]{0,60}", cuts in prop::collection::vec(0_usize..60, 0..8),
        ) {
            let mut places: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let chunks = places.windows(2).map(|ends| {
                Ok(Bytes::copy_from_slice(&text.as_bytes()[ends[0]..ends[1]]))
            });
            let (read, error) = lines(chunks.collect(), 100);
            let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
            let expected: Vec<&str> = complete.split('\n').filter(|line| !line.is_empty()).collect();
            prop_assert_eq!(read, expected);
            prop_assert!(error.is_none());
        }
    }

    #[test]
    fn an_endless_line_is_not_held() {
        let endless = |count: usize| (0..count).map(|_| Ok(Bytes::from_static(b"0123456789")));
        let (read, error) = lines(endless(1000).collect(), 64);
        assert!(read.is_empty());
        assert!(matches!(error, Some(BodyError::TooLong { limit: 64 })));
        // Nor is a line that came at once, with its end.
        let line = Bytes::from("x".repeat(65) + "\n");
        let (read, error) = lines(vec![Ok(Bytes::from_static(b"a\n")), Ok(line)], 64);
        assert_eq!(read, ["a"]);
        assert!(matches!(error, Some(BodyError::TooLong { .. })));
        let (read, error) = lines(vec![Ok(Bytes::from("x".repeat(64) + "\n"))], 64);
        assert_eq!((read.len(), error.is_none()), (1, true));
    }

    #[test]
    fn a_connection_that_is_closed_ends_the_lines_and_one_that_breaks_is_an_error() {
        let first = || Ok(Bytes::from_static(b"a\nhalf"));
        let closed = io::Error::from(io::ErrorKind::UnexpectedEof);
        let (read, error) = lines(vec![first(), Err(closed)], 64);
        assert_eq!((read, error.is_none()), (vec![Bytes::from("a")], true));
        let broken = io::Error::from(io::ErrorKind::ConnectionReset);
        let (read, error) = lines(vec![first(), Err(broken)], 64);
        assert_eq!(read, ["a"]);
        assert!(matches!(error, Some(BodyError::Broken(_))), "{error:?}");
    }

    #[tokio::test]
    async fn an_answer_that_is_too_long_is_not_read_to_its_end() {
        let body = |count: usize| Chunks((0..count).map(|_| Ok(Bytes::from("1234"))).collect());
        let read = whole(body(4), 16).await.expect("it fits");
        assert_eq!(read.len(), 16);
        let error = whole(body(5), 16).await.expect_err("it does not fit");
        assert!(matches!(error, BodyError::TooLong { limit: 16 }));
    }
}
