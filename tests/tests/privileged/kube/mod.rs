//! The watcher `kube-api`: the built program with a simulated API server.

mod account;
mod beside;
mod endings;
mod fixture;
mod kubeconfigs;
mod refusals;
mod rotation;
mod stopping;
mod trouble;
mod ways;
