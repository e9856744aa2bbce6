//! What the integration tests, the demo and the benchmarks share: pods of real cgroups and of real
//! containers, servers in process and their faults, and the requirements of a test.
//!
//! A server listens on loopback, on a port that the kernel chooses, and stops when it is dropped. Nothing
//! here is part of the product, and nothing here replaces a part of it.

pub mod background;
// It measures the kernel's events.
#[cfg(feature = "ebpf")]
pub mod bench;
pub mod binary;
pub mod bounded;
pub mod boundless;
pub mod container;
pub mod containerd;
pub mod contract;
pub mod demo;
pub mod documents;
pub mod emulator;
pub mod exact;
pub mod fault;
pub mod faulty_disk;
pub mod fixture;
pub mod flags;
pub mod guest;
pub mod kube;
pub mod kubelet;
pub mod minio;
pub mod names;
pub mod namespace;
pub mod other_pods;
pub mod own_process;
pub mod pod;
pub mod ports;
pub mod python;
pub mod recorder;
pub mod refused_call;
pub mod requirement;
pub mod s3;
pub mod site;
pub mod stores;
pub mod strain;
pub mod task;
pub mod tls;
pub mod values;
