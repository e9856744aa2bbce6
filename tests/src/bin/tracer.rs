//! Runs a program as a debugger does, under ptrace.
//!
//! - `tracer PROGRAM ARGUMENT…` stops it, and all that it starts, at each system call, as `strace -f` does.
//! - `tracer --clock FILE PROGRAM ARGUMENT…` adds the seconds in the file to the wall clock that it reads. They may
//!   change while it runs, as if somebody set the clock of its node.
//! - `tracer --attach PID` traces a process that runs already, until it ends.
//!
//! The program gets the pid of this process, so that nobody sees the tracer between it and its parent: the tracer is
//! a child of its own.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The mark of a stop at a system call (`PTRACE_O_TRACESYSGOOD`).
const AT_CALL: i32 = libc::SIGTRAP | 0x80;

/// Where `seccomp_data` has the number of the call, and the low half of its first argument.
const NUMBER: u32 = 0;
const FIRST_ARGUMENT: u32 = 16;

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let option = arguments
        .first()
        .map(|first| first.to_string_lossy().into_owned());
    let done = match option.as_deref() {
        Some("--attach") => attach(&arguments),
        Some("--clock") if arguments.len() > 2 => {
            let file = PathBuf::from(arguments.remove(1));
            run(&arguments[1..], Some(file))
        }
        Some(_) => run(&arguments, None),
        None => Err(io::Error::other(
            "usage: tracer [--clock FILE] PROGRAM ARGUMENT… | --attach PID",
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tracer: {error}");
            ExitCode::from(2)
        }
    }
}

fn attach(arguments: &[OsString]) -> io::Result<()> {
    let pid = arguments.get(1).and_then(|pid| pid.to_str()?.parse().ok());
    let mut tracer = Tracer::new(None);
    tracer.seize(pid.ok_or_else(|| io::Error::other("--attach takes a pid"))?)?;
    tracer.run();
    Ok(())
}

/// Becomes the program. Returns only in the tracer, when the program has ended, or if it cannot be run.
fn run(words: &[OsString], clock: Option<PathBuf>) -> io::Result<()> {
    let own = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    let (mut when_seized, mut say_seized) = io::pipe()?;
    if clock.is_some() {
        stop_at_the_clock()?;
    }
    // SAFETY: this process has one thread.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let mut tracer = Tracer::new(clock);
            tracer.seize(own)?;
            say_seized.write_all(b"s")?;
            drop((when_seized, say_seized));
            tracer.run();
            Ok(())
        }
        _ => {
            drop(say_seized);
            wait_for(&mut when_seized)?;
            drop(when_seized);
            Err(Command::new(&words[0]).args(&words[1..]).exec())
        }
    }
}

fn wait_for(seized: &mut PipeReader) -> io::Result<()> {
    seized
        .read_exact(&mut [0])
        .map_err(|_| io::Error::other("the process cannot be traced"))
}

/// Lets the kernel stop this process, and what it becomes, where it asks for the wall clock: for the tracer.
fn stop_at_the_clock() -> io::Result<()> {
    let statement = |code: u32, k: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt: 0,
        jf: 0,
        k,
    };
    let load = |from| statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, from);
    let jump = |value: i64, jt, jf| libc::sock_filter {
        jt,
        jf,
        ..statement(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            u32::try_from(value).unwrap_or(u32::MAX),
        )
    };
    let answer = |what| statement(libc::BPF_RET | libc::BPF_K, what);
    let filter = [
        load(NUMBER),
        jump(libc::SYS_clock_gettime, 0, 3),
        load(FIRST_ARGUMENT),
        jump(libc::CLOCK_REALTIME.into(), 2, 0),
        jump(libc::CLOCK_REALTIME_COARSE.into(), 1, 0),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(libc::SECCOMP_RET_TRACE),
    ];
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).unwrap_or_default(),
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel reads `program` and the instructions behind it, which live until it returns. Who has not
    // set "no new privileges" needs uid 0.
    let done = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const program,
        )
    };
    if done == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}

struct Tracer {
    /// The file with the seconds that are added to the wall clock.
    clock: Option<PathBuf>,
    /// Where threads that ask for the wall clock want it.
    asked: HashMap<i32, u64>,
}

impl Tracer {
    fn new(clock: Option<PathBuf>) -> Self {
        Self {
            clock,
            asked: HashMap::new(),
        }
    }

    /// Begins to trace a process, with all that it starts. It goes on until its next stop.
    fn seize(&self, pid: i32) -> io::Result<()> {
        let mut options = libc::PTRACE_O_TRACESYSGOOD
            | libc::PTRACE_O_TRACECLONE
            | libc::PTRACE_O_TRACEFORK
            | libc::PTRACE_O_TRACEVFORK
            | libc::PTRACE_O_TRACEEXEC;
        options |= match self.clock {
            Some(_) => libc::PTRACE_O_TRACESECCOMP | libc::PTRACE_O_EXITKILL,
            None => libc::PTRACE_O_TRACEEXIT,
        };
        request(
            libc::PTRACE_SEIZE,
            pid,
            0,
            u64::from(options.unsigned_abs()),
        )?;
        // So that it also stops at the calls that it makes before it starts anything.
        request(libc::PTRACE_INTERRUPT, pid, 0, 0).map(drop)
    }

    /// Lets all of them go on at each stop, until the last one has ended.
    fn run(&mut self) {
        let mut status = 0;
        loop {
            // SAFETY: the kernel writes one integer.
            let thread = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
            if thread <= 0 {
                return;
            }
            if !libc::WIFSTOPPED(status) {
                self.asked.remove(&thread);
                continue;
            }
            let signal = libc::WSTOPSIG(status);
            // It may have been killed meanwhile.
            let _ = match status >> 16 {
                libc::PTRACE_EVENT_STOP if is_stop(signal) => {
                    request(libc::PTRACE_LISTEN, thread, 0, 0)
                }
                0 if signal == AT_CALL => self.at_call(thread),
                // A signal for it.
                0 => self.go_on(thread, signal),
                libc::PTRACE_EVENT_SECCOMP => self.asks(thread),
                libc::PTRACE_EVENT_EXEC => {
                    let hidden = self.hide_fast_clock(thread);
                    hidden.and_then(|()| self.go_on(thread, 0))
                }
                _ => self.go_on(thread, 0),
            };
        }
    }

    fn go_on(&self, thread: i32, signal: i32) -> io::Result<i64> {
        let how = match self.clock {
            Some(_) => libc::PTRACE_CONT,
            None => libc::PTRACE_SYSCALL,
        };
        request(how, thread, 0, u64::from(signal.unsigned_abs()))
    }

    /// It asks for the wall clock: notes where it wants it, and stops it again when the kernel has written it.
    fn asks(&mut self, thread: i32) -> io::Result<i64> {
        let stop = look(thread)?;
        // SAFETY: at this kind of stop the kernel fills in this part.
        let arguments = unsafe { stop.u.seccomp.args };
        self.asked.insert(thread, arguments[1]);
        request(libc::PTRACE_SYSCALL, thread, 0, 0)
    }

    fn at_call(&mut self, thread: i32) -> io::Result<i64> {
        let clock = self.clock.as_ref();
        if let Some((address, file)) = self.asked.remove(&thread).zip(clock) {
            let text = fs::read_to_string(file)?;
            let seconds: i64 = text.trim().parse().map_err(io::Error::other)?;
            let shown = request(libc::PTRACE_PEEKDATA, thread, address, 0)?;
            let shown = (shown + seconds).cast_unsigned();
            request(libc::PTRACE_POKEDATA, thread, address, shown)?;
        }
        self.go_on(thread, 0)
    }

    /// Hides the kernel's code that tells the time without a system call (vDSO) from a program that begins: above
    /// its arguments and variables on the stack is a list with its address. Some libraries get that from the kernel,
    /// so the code also loses the mark of an ELF file.
    fn hide_fast_clock(&self, thread: i32) -> io::Result<()> {
        if self.clock.is_none() {
            return Ok(());
        }
        let stack = look(thread)?.stack_pointer;
        let peek = |address| request(libc::PTRACE_PEEKDATA, thread, address, 0);
        let mut at = stack + 8 * (peek(stack)?.cast_unsigned() + 2);
        while peek(at)? != 0 {
            at += 8;
        }
        at += 8;
        loop {
            match peek(at)?.cast_unsigned() {
                0 => return Ok(()),
                libc::AT_SYSINFO_EHDR => {
                    let code = peek(at + 8)?.cast_unsigned();
                    request(libc::PTRACE_POKEDATA, thread, code, 0)?;
                    request(libc::PTRACE_POKEDATA, thread, at, libc::AT_IGNORE)?;
                }
                _ => {}
            }
            at += 16;
        }
    }
}

fn is_stop(signal: i32) -> bool {
    [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(&signal)
}

/// What the kernel says about the stop of a thread.
fn look(thread: i32) -> io::Result<libc::ptrace_syscall_info> {
    // SAFETY: the structure consists of integers, and zero is a valid integer.
    let mut stop: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
    let size = std::mem::size_of_val(&stop) as u64;
    let place = (&raw mut stop).expose_provenance() as u64;
    request(libc::PTRACE_GET_SYSCALL_INFO, thread, size, place)?;
    Ok(stop)
}

fn request(what: u32, thread: i32, address: u64, data: u64) -> io::Result<i64> {
    // SAFETY: the numbers that stand for addresses of this process are those of `look`, whose structure lives
    // until the call returns. The error number is the calling thread's.
    unsafe {
        *libc::__errno_location() = 0;
        let result = libc::ptrace(what, thread, address, data);
        match *libc::__errno_location() {
            0 => Ok(result),
            number => Err(io::Error::from_raw_os_error(number)),
        }
    }
}
