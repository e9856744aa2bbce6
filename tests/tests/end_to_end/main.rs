//! The program with the arguments of a platform, on this machine: inputs, outputs, and all kinds of
//! failures. Only needs a file system and loopback.

#![cfg(test)]

mod arguments;
mod bad_input;
mod bad_store;
mod crowds;
mod echo;
mod escapes;
mod faults;
mod files;
mod flags;
mod integrity;
mod keys;
mod killed;
mod leftovers;
mod limits;
mod listing;
mod local;
mod messagepack;
mod million;
mod mistakes;
mod modes;
mod names;
mod outcome;
mod paths;
mod progress;
mod race;
mod refusals;
mod requests;
mod resumption;
mod settings;
mod space;
mod stop;
mod streaming;
mod times;
mod transfer;
mod tree;
mod trial;
mod troubleshooting;
mod usage;
mod values;
mod web;
