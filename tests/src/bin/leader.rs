//! A main for the tests: its first thread ends at once; another one waits for a line in the file that the
//! first argument names, and ends the process with the code in the second argument.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::{env, process, thread};

fn main() {
    let mut arguments = env::args().skip(1);
    let (Some(gate), Some(code)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: leader FILE CODE");
        process::exit(2);
    };
    let code = code.parse().unwrap_or(2);
    thread::spawn(move || {
        let opened = File::open(gate).map(BufReader::new);
        let read = opened.and_then(|mut gate| gate.read_line(&mut String::new()));
        process::exit(read.map_or(2, |_| code));
    });
    // SAFETY: the call ends this thread alone and never returns; nothing on its stack is used by
    // the other thread, which owns what it was given.
    unsafe {
        libc::syscall(libc::SYS_exit, 0);
    }
}
