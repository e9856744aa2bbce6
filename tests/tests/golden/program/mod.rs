//! Through the built program and a real S3 server.

mod download;
mod report;
mod scalars;
mod upload;
