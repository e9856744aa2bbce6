//! `UPLOAD_EAGER`: finished files are uploaded while main runs; files that change at the last moment are
//! uploaded with their final content; and nothing else is in the store.

mod alone;
mod fixture;
mod growing;
mod last_moment;
mod mapping;
mod pods;
mod random;
mod summary;
mod trouble;
