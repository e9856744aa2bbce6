//! Stores and their credentials: S3 and its relatives, Google, Azure, TLS.

#![cfg(test)]

mod access;
mod aws;
mod azure;
mod behaviour;
mod fields;
mod first_byte;
mod google;
mod identity;
mod pages;
mod strain;
mod suite;
mod tls;
mod unproven;
