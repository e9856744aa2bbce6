//! `UPLOAD_EAGER`: what main has finished goes up while it runs, what changed at the last moment goes
//! up as it is in the end, and nothing else lies there.

mod alone;
mod fixture;
mod growing;
mod last_moment;
mod mapping;
mod pods;
mod random;
mod summary;
mod trouble;
