//! Verdict tables as classic BPF: a balanced tree over ranges of call numbers.
//!
//! Fewer and shallower instructions matter twice: the kernel runs the filter once for every
//! call number and architecture when it is loaded (its cache of always-allowed calls), and
//! checks, converts and compiles every instruction.

use std::collections::HashMap;

use super::action;
use super::arch::Arch;
use super::policy::{Condition, Op, Table, Verdict};
use super::program::{Instruction, Program};
use crate::common::{Error, Kind, Result};

/// Classic BPF operations used (linux/bpf_common.h).
pub(super) mod op {
    /// Load a word of `seccomp_data`.
    pub(in super::super) const LOAD: u16 = 0x20;
    pub(in super::super) const AND: u16 = 0x54;
    pub(in super::super) const GOTO: u16 = 0x05;
    pub(in super::super) const JEQ: u16 = 0x15;
    pub(in super::super) const JGT: u16 = 0x25;
    pub(in super::super) const JGE: u16 = 0x35;
    pub(in super::super) const RETURN: u16 = 0x06;
}

/// Offsets in `seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;

/// The kernel takes at most this many (`BPF_MAXINSNS`).
const MAX: usize = 4096;

/// Compiles tables, the native architecture first. A call of any other architecture kills the
/// thread: runc leaves libseccomp's bad-architecture action at its default, which is that.
pub(super) fn compile(tables: &[Table]) -> Result<Program> {
    let mut out = Emitter::default();
    let mut next = out.ret(action::KILL_THREAD);
    for table in tables.iter().rev() {
        let tree = leaves(&table.segments);
        let root = out.tree(&tree, table.arch);
        let entry = out.load_near(NUMBER, root);
        next = out.jump(op::JEQ, table.arch.audit(), entry, next);
        out.forget();
    }
    out.load_near(ARCH, next);
    if out.code.len() > MAX {
        return Err(
            Error::new(Kind::Usage, "compile seccomp profile", "").because(format!(
                "needs {} instructions, the kernel takes {MAX}",
                out.code.len()
            )),
        );
    }
    out.code.reverse();
    Ok(Program::new(&out.code))
}

/// A range of numbers with one verdict but for a few single numbers.
struct Leaf<'a> {
    start: u32,
    verdict: &'a Verdict,
    exceptions: Vec<(u32, &'a Verdict)>,
}

/// Joins `A x A` (one number amid a range of another verdict) into one leaf: one equality test
/// in place of two order tests.
fn leaves(segments: &[(u32, Verdict)]) -> Vec<Leaf<'_>> {
    const EXCEPTIONS: usize = 2;
    let mut all: Vec<Leaf<'_>> = Vec::new();
    let mut at = 0;
    while let Some((start, verdict)) = segments.get(at) {
        if let (Some(last), Some((after, resumed))) = (all.last_mut(), segments.get(at + 1))
            && *after == start + 1
            && last.verdict == resumed
            && last.exceptions.len() < EXCEPTIONS
        {
            last.exceptions.push((*start, verdict));
            at += 2;
            continue;
        }
        all.push(Leaf {
            start: *start,
            verdict,
            exceptions: Vec::new(),
        });
        at += 1;
    }
    all
}

/// Position of an instruction counted from the end of the program, the last one being 1.
type Label = usize;

/// Builds a program from its end, so that every jump target is known when the jump is made.
#[derive(Default)]
struct Emitter {
    /// Instructions, last first.
    code: Vec<Instruction>,
    /// Nearest copy of each return.
    returns: HashMap<u32, Label>,
    /// Argument checks already there.
    chains: Vec<(Verdict, Label)>,
}

impl Emitter {
    fn push(&mut self, code: u16, jt: u8, jf: u8, k: u32) -> Label {
        self.code.push(Instruction { code, jt, jf, k });
        self.code.len()
    }

    /// Chains of one architecture are not those of the next: 32-bit ones skip the high half.
    fn forget(&mut self) {
        self.chains.clear();
    }

    fn ret(&mut self, action: u32) -> Label {
        match self.returns.get(&action) {
            Some(&label) if self.is_near(label) => label,
            _ => {
                let label = self.push(op::RETURN, 0, 0, action);
                self.returns.insert(action, label);
                label
            }
        }
    }

    /// Whether the next instruction can jump to `label` by an 8-bit offset.
    fn is_near(&self, label: Label) -> bool {
        self.code.len() - label <= usize::from(u8::MAX)
    }

    /// A copy of the return at `label`, or a long jump to it, right here.
    fn bring(&mut self, label: Label) -> Label {
        let target = self.code[label - 1];
        if target.code == op::RETURN {
            return self.ret(target.k);
        }
        let distance = (self.code.len() - label) as u32;
        self.push(op::GOTO, 0, 0, distance)
    }

    fn jump(&mut self, code: u16, k: u32, mut yes: Label, mut no: Label) -> Label {
        if yes == no {
            return yes;
        }
        loop {
            if !self.is_near(yes) {
                yes = self.bring(yes);
            } else if !self.is_near(no) {
                no = self.bring(no);
            } else {
                let offset = |label| (self.code.len() - label) as u8;
                let (jt, jf) = (offset(yes), offset(no));
                return self.push(code, jt, jf, k);
            }
        }
    }

    /// Loads a word and falls through to `next`.
    fn load_near(&mut self, offset: u32, next: Label) -> Label {
        if next != self.code.len() {
            self.bring_here(next);
        }
        self.push(op::LOAD, 0, 0, offset)
    }

    /// Makes `label` the next instruction.
    fn bring_here(&mut self, label: Label) {
        let target = self.code[label - 1];
        if target.code == op::RETURN {
            self.push(op::RETURN, 0, 0, target.k);
        } else {
            let distance = (self.code.len() - label) as u32;
            self.push(op::GOTO, 0, 0, distance);
        }
    }

    fn tree(&mut self, leaves: &[Leaf<'_>], arch: Arch) -> Label {
        if let [leaf] = leaves {
            let mut label = self.verdict(leaf.verdict, arch);
            for &(number, verdict) in &leaf.exceptions {
                let exception = self.verdict(verdict, arch);
                label = self.jump(op::JEQ, number, exception, label);
            }
            return label;
        }
        let (low, high) = leaves.split_at(leaves.len() / 2);
        let above = self.tree(high, arch);
        let below = self.tree(low, arch);
        self.jump(op::JGE, high[0].start, above, below)
    }

    fn verdict(&mut self, verdict: &Verdict, arch: Arch) -> Label {
        if verdict.alternatives.is_empty() {
            return self.ret(verdict.otherwise);
        }
        if let Some((_, label)) = self.chains.iter().find(|(known, _)| known == verdict) {
            return *label;
        }
        let mut label = self.ret(verdict.otherwise);
        for alternative in verdict.alternatives.iter().rev() {
            let mut held = self.ret(alternative.action);
            for condition in alternative.conditions.iter().rev() {
                held = self.condition(condition, held, label, arch);
            }
            label = held;
        }
        self.chains.push((verdict.clone(), label));
        label
    }

    /// A test of one 64-bit argument in two halves. A caller of 32 bits has no high half.
    fn condition(&mut self, condition: &Condition, yes: Label, no: Label, arch: Arch) -> Label {
        let Condition {
            index,
            value,
            value_two,
            ..
        } = *condition;
        let low = ARGUMENTS + 8 * u32::from(index);
        let wide = arch.is_64bit();
        let (value_high, value_low) = ((value >> 32) as u32, value as u32);
        let (code, yes, no) = match condition.op {
            Op::MaskedEq => {
                let (two_high, two_low) = ((value_two >> 32) as u32, value_two as u32);
                let entry = self.masked(low, value_low, two_low, yes, no);
                return if value_high == 0 || !wide {
                    if two_high == 0 { entry } else { no }
                } else {
                    self.masked(low + 4, value_high, two_high, entry, no)
                };
            }
            Op::Eq => (op::JEQ, yes, no),
            Op::Ne => (op::JEQ, no, yes),
            Op::Gt => (op::JGT, yes, no),
            Op::Le => (op::JGT, no, yes),
            Op::Ge => (op::JGE, yes, no),
            Op::Lt => (op::JGE, no, yes),
        };
        // From here on: `yes` when argument (==, >, >=) value.
        let is_order = code != op::JEQ;
        if !wide {
            // The high half is 0: below or unlike any value that has one.
            return if value_high != 0 {
                no
            } else {
                self.compare(low, code, value_low, yes, no)
            };
        }
        let same = self.compare(low, code, value_low, yes, no);
        if !is_order {
            return self.compare(low + 4, op::JEQ, value_high, same, no);
        }
        let other = self.jump(op::JGT, value_high, yes, no);
        let test = self.jump(op::JEQ, value_high, same, other);
        self.load_near(low + 4, test)
    }

    fn compare(&mut self, offset: u32, code: u16, k: u32, yes: Label, no: Label) -> Label {
        let test = self.jump(code, k, yes, no);
        self.load_near(offset, test)
    }

    fn masked(&mut self, offset: u32, mask: u32, value: u32, yes: Label, no: Label) -> Label {
        let test = self.jump(op::JEQ, value, yes, no);
        if test != self.code.len() {
            self.bring_here(test);
        }
        if mask != u32::MAX {
            self.push(op::AND, 0, 0, mask);
        }
        self.push(op::LOAD, 0, 0, offset)
    }
}
