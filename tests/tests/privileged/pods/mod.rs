//! Sidecar and main as real containers of one pod: which container is main, when it starts, when and how
//! it ends, with each watcher.
//!
//! A scenario is a function with a watcher's name as its argument. The table at the top of each file lists
//! the watchers of each scenario, and each pair becomes a test: `endings::exit_7::ebpf`. The test process
//! does the work of kubelet and of the runtime's shim: it creates containers and waits for their ends. Each
//! pair runs on three kinds of nodes: `endings::exit_7::slow_proc::ebpf`.

/// One test for each of these scenarios on each watcher of a row: `all` that see processes, those
/// `telling` how a process ended, the `kernel`'s own events, those `polling` in their own pid
/// namespace, and those `seeing` the node's `/proc` as well.
macro_rules! on {
    (all: $($scenario:ident),+ $(,)?) => { $(tests!($scenario: ebpf, pidfd, proc);)+ };
    (telling: $($scenario:ident),+ $(,)?) => { $(tests!($scenario: ebpf, pidfd);)+ };
    (kernel: $($scenario:ident),+ $(,)?) => { $(tests!($scenario: ebpf);)+ };
    (seeing: $($scenario:ident),+ $(,)?) => { $(tests!($scenario: ebpf, proc);)+ };
    (polling: $($scenario:ident),+ $(,)?) => { $(tests!($scenario: pidfd, proc);)+ };
}

/// The same on one kind of node only, without changes: for scenarios that wait for a silence, or whose outcome does
/// not depend on how soon `/proc` is read.
macro_rules! on_one_node {
    (all: $($scenario:ident),+ $(,)?) => { $(one_node!($scenario: ebpf, pidfd, proc);)+ };
    (telling: $($scenario:ident),+ $(,)?) => { $(one_node!($scenario: ebpf, pidfd);)+ };
    (kernel: $($scenario:ident),+ $(,)?) => { $(one_node!($scenario: ebpf);)+ };
    (seeing: $($scenario:ident),+ $(,)?) => { $(one_node!($scenario: ebpf, proc);)+ };
    (polling: $($scenario:ident),+ $(,)?) => { $(one_node!($scenario: pidfd, proc);)+ };
}

macro_rules! one_node {
    ($scenario:ident: $($watcher:ident),+) => {
        mod $scenario {
            tests!(@node [super::$scenario] Quiet: $($watcher),+);
        }
    };
}

/// A test of each pair on each kind of node: without changes, with the mounts of many pods, and also with
/// a slow `/proc`.
macro_rules! tests {
    ($scenario:ident: $($watcher:ident),+) => {
        mod $scenario {
            tests!(@node [super::$scenario] Quiet: $($watcher),+);

            mod many_mounts {
                tests!(@node [super::super::$scenario] Mounts: $($watcher),+);
            }

            mod slow_proc {
                tests!(@node [super::super::$scenario] SlowProc: $($watcher),+);
            }
        }
    };
    (@node $path:tt $node:ident: $($watcher:ident),+) => {
        $(
            #[test]
            fn $watcher() {
                tests!(@play $path $node $watcher);
            }
        )+
    };
    (@play [$($scenario:tt)+] $node:ident $watcher:ident) => {
        if copilot_tests::requirement::Requirement::Containers.is_met() {
            let node = copilot_tests::container::NodeKind::$node;
            node.run(|| $($scenario)+(stringify!($watcher)));
        }
    };
}

mod chance;
mod copilots;
mod endings;
mod fixture;
mod flat;
mod identity;
mod lateness;
mod namespaces;
mod neighbours;
mod outcome;
mod restarts;
mod standstill;
mod stopping;
mod streaming;
