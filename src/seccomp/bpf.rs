//! A plain interpreter of the classic BPF that seccomp accepts, to check compiled filters.

use super::compile::op;
use super::program::{Instruction, Program};

/// The value `program` returns for one call.
pub(super) fn run(program: &[Instruction], number: u32, arch: u32, args: &[u64; 6]) -> u32 {
    let mut data = [0u32; 16];
    data[0] = number;
    data[1] = arch;
    for (at, arg) in args.iter().enumerate() {
        data[4 + 2 * at] = *arg as u32;
        data[5 + 2 * at] = (*arg >> 32) as u32;
    }
    let (mut at, mut word) = (0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let held = match code {
            op::LOAD => {
                word = data[k as usize / 4];
                continue;
            }
            op::AND => {
                word &= k;
                continue;
            }
            op::GOTO => {
                at += k as usize;
                continue;
            }
            op::RETURN => return k,
            op::JEQ => word == k,
            op::JGT => word > k,
            op::JGE => word >= k,
            other => panic!("operation {other:#x}"),
        };
        at += usize::from(if held { jt } else { jf });
    }
}

/// The instructions of `program`, to run.
pub(super) fn unpack(program: &Program) -> Vec<Instruction> {
    program.instructions().collect()
}
