//! System calls that fail as a test wants: a filter of the kernel answers them for one process. For errors that no
//! device of this machine can bring about.

use std::io;

/// A filter: some calls fail with an error.
#[derive(Debug)]
pub struct Refused {
    program: Vec<libc::sock_filter>,
}

/// The least descriptor whose calls fail: standard streams work.
const FIRST: u32 = 3;

impl Refused {
    /// These calls fail with `error` for all descriptors but the standard streams.
    ///
    /// # Panics
    /// If a number is not one of a call or an error.
    #[must_use]
    pub fn new(calls: &[libc::c_long], error: i32) -> Self {
        Self::from_descriptor(FIRST, calls, error)
    }

    /// These calls fail with `error` whatever their arguments are.
    ///
    /// # Panics
    /// If a number is not one of a call or an error.
    #[must_use]
    pub fn altogether(calls: &[libc::c_long], error: i32) -> Self {
        Self::from_descriptor(0, calls, error)
    }

    /// They fail if their first argument is at least `first`.
    fn from_descriptor(first: u32, calls: &[libc::c_long], error: i32) -> Self {
        let statement = |code: u32, k: u32| libc::sock_filter {
            code: u16::try_from(code).expect("an opcode has 16 bits"),
            jt: 0,
            jf: 0,
            k,
        };
        let jump = |k: u32, jt: u8, jf: u8, code: u32| libc::sock_filter {
            jt,
            jf,
            ..statement(libc::BPF_JMP | code | libc::BPF_K, k)
        };
        let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
        let answer = libc::BPF_RET | libc::BPF_K;
        let refused = libc::SECCOMP_RET_ERRNO | u32::try_from(error).expect("errors are positive");
        // `seccomp_data`: the number of the call, then at 16 its first argument, the descriptor.
        let mut program = vec![statement(load, 0)];
        let count = u8::try_from(calls.len()).expect("few calls");
        for (index, call) in (0_u8..).zip(calls) {
            let number = u32::try_from(*call).expect("calls are positive");
            // To the look at the descriptor, which follows the jumps and the answer `allow`.
            program.push(jump(number, count - index, 0, libc::BPF_JEQ));
        }
        program.push(statement(answer, libc::SECCOMP_RET_ALLOW));
        program.push(statement(load, 16));
        program.push(jump(first, 1, 0, libc::BPF_JGE));
        program.push(statement(answer, libc::SECCOMP_RET_ALLOW));
        program.push(statement(answer, refused));
        Self { program }
    }

    /// Puts the filter before this process, for ever.
    ///
    /// # Errors
    /// That the kernel refuses it: it takes uid 0.
    pub fn install(&self) -> io::Result<()> {
        let program = libc::sock_fprog {
            len: u16::try_from(self.program.len()).unwrap_or(u16::MAX),
            filter: self.program.as_ptr().cast_mut(),
        };
        // SAFETY: the kernel reads `program` and the instructions behind it, which live until it returns.
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
}
