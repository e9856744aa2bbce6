//! The watcher `kube-api`, by the built program against a stand-in for the API server.

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
