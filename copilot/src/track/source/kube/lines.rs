//! An answer's body, within bounds: as a whole, or line by line.
//!
//! The API server is not trusted with our memory: what has no end by itself is cut off at a limit that
//! no pod reaches, and one line at most is held.

use std::{error::Error, future::poll_fn, io, pin::Pin};

use bytes::{Bytes, BytesMut};
use http_body::Body;
use thiserror::Error;

/// The longest line, and the longest answer. A pod is bounded by etcd's 1.5 MiB for one object, which
/// JSON makes longer.
pub const LONGEST: usize = 4 * 1024 * 1024;

type Cause = Box<dyn Error + Send + Sync>;

/// Why a body cannot be read on.
#[derive(Debug, Error)]
pub enum BodyError {
    /// More came than any pod has.
    #[error("the server sends more than {limit} bytes at once, which no pod has")]
    TooLong {
        /// What is read at most.
        limit: usize,
    },
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] Cause),
}

/// A body that is read line by line.
pub struct Lines<B> {
    body: B,
    /// What has come of the line so far, and perhaps of lines after it.
    buffer: BytesMut,
    /// How much of the buffer holds no end of a line.
    searched: usize,
    limit: usize,
}

impl<B> Lines<B>
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

    /// The next line that is not empty, without its end; nothing once the server has ended the body or
    /// closed the connection. A line that it cut off is dropped: the next watch brings all of it.
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

    /// A line that has come to its end.
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

/// All of a body of `limit` bytes at most.
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

/// Whether the other end closed the connection where it could have said that the body is over: what
/// stands between us and the server does so.
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
        let mut lines = Lines {
            limit,
            ..Lines::new(Chunks(chunks.into()))
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
        fn however_it_is_cut_the_lines_are_the_same(
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
    fn a_line_without_an_end_is_not_held() {
        let endless = |count: usize| (0..count).map(|_| Ok(Bytes::from_static(b"0123456789")));
        let (read, error) = lines(endless(1000).collect(), 64);
        assert!(read.is_empty());
        assert!(matches!(error, Some(BodyError::TooLong { limit: 64 })));
        // Nor is one that came at once, with its end.
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
