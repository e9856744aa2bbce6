//! The documents beside the program and the files of the repository.

mod commands;
mod index;
mod links;
mod names;
mod reading;
