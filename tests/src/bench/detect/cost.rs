//! What an event costs the kernel: run-time statistics of our BPF programs, compared with an empty
//! program on the same tracepoints.

use std::{
    collections::BTreeSet,
    ffi::CStr,
    io, mem,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result};
use aya::{
    programs::{ProgramInfo, loaded_programs},
    sys::{Stats, enable_stats},
};
use copilot::track::{
    Tracker,
    identify::Rules,
    place::Place,
    source::{
        Focus,
        selection::{Surroundings, Watcher, select},
    },
};
use serde_json::json;
use tokio::time::sleep;

use super::storm::Storm;
use crate::bench::process::BenchProcess;
use crate::bench::report::{Case, Report, Row, Run};
use crate::pod::Pod;

/// The loads.
const FOREIGN: &str = "foreign";
const MAIN_KNOWN: &str = "in the pod, main known";

const EXEC: &CStr = c"sched_process_exec";
const EXIT: &CStr = c"sched_process_exit";

/// The commands of bpf(2), and the type of a program for raw tracepoints (`uapi/linux/bpf.h`).
const PROG_LOAD: u32 = 5;
const RAW_TRACEPOINT_OPEN: u32 = 17;
const RAW_TRACEPOINT: u32 = 17;

/// Our programs' name, and that of the programs that they are compared with.
pub const OURS: &str = "copilot";
pub const EMPTY: &str = "empty program";

/// Measures each load in so many windows of this length. Interrupts, or other users of the processor, can spoil
/// some windows; the median of the windows' means leaves them out.
pub fn run(program: &Path, windows: usize, window: Duration, report: &mut Report) -> Result<()> {
    let _statistics = enable_stats(Stats::RunTime)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for load in [FOREIGN, "in the pod", MAIN_KNOWN] {
        let means = runtime.block_on(under(load, program, windows, window))?;
        let runs = |exec: usize, exit: usize| {
            let run =
                |mean: &[f64; 4]| Run::new([("exec_ns", mean[exec]), ("exit_ns", mean[exit])]);
            means.iter().map(run).collect()
        };
        report.add(Case {
            table: "cost".to_owned(),
            name: load.to_owned(),
            parameters: json!({}),
            rows: vec![Row::new(OURS, runs(0, 1)), Row::new(EMPTY, runs(2, 3))],
        });
    }
    Ok(())
}

/// Measures one load. Returns the means of each window, as [`Runs::mean_since`] orders them.
async fn under(
    load: &str,
    program: &Path,
    count: usize,
    window: Duration,
) -> Result<Vec<[f64; 4]>> {
    let pod = Pod::create()?;
    let elsewhere = Pod::create()?;
    let _empty = [
        Empty::attach(c"empty_exec", EXEC)?,
        Empty::attach(c"empty_exit", EXIT)?,
    ];
    let before = ids()?;
    let place = Place::find(Some(pod.directory()));
    let around = Surroundings::from_place(&place);
    let mut sources = select(&[Watcher::Ebpf], &around).await?.sources;
    let ours = ids()?.difference(&before).copied().collect();
    let mut inhabitant = pod.command("inhabitant", "/bin/sleep")?;
    let _inhabitant = BenchProcess::start({
        inhabitant.arg("600");
        inhabitant
    })?;
    let storm = Storm::paced(if load == FOREIGN { &elsewhere } else { &pod }, program)?;
    let mut tracker = Tracker::new(Rules {
        main_container: Some("storm-0".to_owned()),
        ..Rules::default()
    });
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let reading = async {
        loop {
            let (_, event) = tokio::select! {
                biased;
                _ = &mut stopped => return,
                told = sources.next() => told,
            };
            tracker.observe(event);
            if load == MAIN_KNOWN && tracker.has_started() {
                sources.focus(&Focus::from(&tracker));
            }
        }
    };
    let measuring = async {
        let mut windows = Vec::with_capacity(count);
        let mut before = Runs::read(&ours)?;
        for _ in 0..count {
            sleep(window).await;
            let now = Runs::read(&ours)?;
            windows.push(now.mean_since(&before)?);
            before = now;
        }
        drop(stop);
        Ok::<_, anyhow::Error>(windows)
    };
    let (windows, ()) = tokio::join!(measuring, reading);
    storm.stop()?;
    windows
}

/// Time and number of runs so far, for exec and exit: first our programs, then the empty ones.
struct Runs([(Duration, u64); 4]);

impl Runs {
    fn read(ours: &BTreeSet<u32>) -> Result<Self> {
        let programs: Vec<ProgramInfo> = loaded_programs().collect::<Result<_, _>>()?;
        let of = |name: &str, own: bool| {
            let found = programs.iter().find(|program| {
                program.name_as_str() == Some(name) && (!own || ours.contains(&program.id()))
            });
            let found = found.with_context(|| format!("the program {name} is not loaded"))?;
            anyhow::Ok((found.run_time(), found.run_count()))
        };
        Ok(Self([
            of("process_exec", true)?,
            of("process_exit", true)?,
            of("empty_exec", false)?,
            of("empty_exit", false)?,
        ]))
    }

    /// Mean costs since an earlier reading, in nanoseconds: exec and exit, then those of the empty programs.
    fn mean_since(&self, before: &Self) -> Result<[f64; 4]> {
        let mut means = [0.0; 4];
        for (mean, (now, then)) in means.iter_mut().zip(self.0.iter().zip(&before.0)) {
            let runs = now.1 - then.1;
            anyhow::ensure!(runs > 0, "a program did not run");
            #[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
            let runs = runs as f64;
            *mean = now.0.saturating_sub(then.0).as_secs_f64() * 1e9 / runs;
        }
        Ok(means)
    }
}

fn ids() -> Result<BTreeSet<u32>> {
    loaded_programs().map(|program| Ok(program?.id())).collect()
}

/// A program that does nothing, attached until it is dropped.
struct Empty {
    _program: OwnedFd,
    _link: OwnedFd,
}

/// The attributes of bpf(2) for loading a program, as far as they are used here.
#[repr(C)]
struct LoadAttributes {
    kind: u32,
    instructions: u32,
    code: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
}

#[repr(C)]
struct OpenAttributes {
    name: u64,
    program: u32,
    padding: u32,
}

impl Empty {
    fn attach(name: &CStr, tracepoint: &CStr) -> Result<Self> {
        // mov r0, 0; exit
        let code: [u64; 2] = [0xb7, 0x95];
        let mut short = [0; 16];
        short[..name.to_bytes().len()].copy_from_slice(name.to_bytes());
        let program = bpf(
            PROG_LOAD,
            &LoadAttributes {
                kind: RAW_TRACEPOINT,
                instructions: 2,
                code: code.as_ptr() as u64,
                license: c"GPL".as_ptr() as u64,
                log_level: 0,
                log_size: 0,
                log: 0,
                kernel_version: 0,
                flags: 0,
                name: short,
            },
        )?;
        let link = bpf(
            RAW_TRACEPOINT_OPEN,
            &OpenAttributes {
                name: tracepoint.as_ptr() as u64,
                program: program.as_raw_fd().cast_unsigned(),
                padding: 0,
            },
        )?;
        Ok(Self {
            _program: program,
            _link: link,
        })
    }
}

/// Calls bpf(2) with a command that returns a descriptor.
fn bpf<T>(command: u32, attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: the attributes are a structure of the layout that the command reads, of the size that
    // is passed; the texts and the code that they point to live in the caller until this returns.
    let descriptor = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(attributes),
            mem::size_of::<T>(),
        )
    };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    let descriptor = i32::try_from(descriptor).map_err(io::Error::other)?;
    // SAFETY: the kernel has just returned this descriptor, and nothing else uses it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
