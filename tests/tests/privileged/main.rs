//! Watching processes: pods of cgroups and of runc, the kernel's events, memory limits. Needs root, BPF or
//! a container runtime; `Requirement` reports what is missing.

#![cfg(test)]

mod clocks;
mod closed;
mod contract;
mod decide;
mod demo;
mod doctor;
mod eager;
mod empty_image;
mod flyte;
mod focus;
mod image;
mod kube;
mod loss;
mod memory;
mod monitor;
mod pods;
mod pressure;
mod reads;
mod scarce;
mod sidecar;
mod traced;
mod track;
mod tree;
mod watchers;
mod whole_task;
