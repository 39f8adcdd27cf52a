//! Registers of fused kernels: where each value lies while a tile is computed.
//!
//! In: a fused kernel whose buffers have places. Out: its registers. Results go straight to memory unless that memory
//! is still to be read in the same tile; rows of scratch are used again when their value is dead. No instruction
//! writes a register that it reads.

use super::kernel::{Buffer, Fused, LoadKind, Register};

pub fn allocate(fused: &mut Fused, buffers: &[Buffer]) {
    let loads = fused.loads.len();
    let count = loads + fused.instructions.len();
    // The last instruction that reads each value; a value that is stored late is read by the copy.
    let mut last_use = vec![0usize; count];
    for (at, instruction) in fused.instructions.iter().enumerate() {
        for argument in instruction.arguments.iter().take(instruction.operation.operands()) {
            last_use[*argument as usize] = at;
        }
    }
    let place = |id: super::kernel::BufferId| &buffers[id.0 as usize].place;
    let mut registers: Vec<Option<Register>> = vec![None; count];
    let mut copies = Vec::new();
    for (value, buffer) in &fused.stores {
        let at = *value as usize;
        let late = at < loads || registers[at].is_some() || {
            let here = at - loads;
            fused
                .loads
                .iter()
                .enumerate()
                .any(|(load, from)| place(from.buffer) == place(*buffer) && last_use[load] >= here)
        };
        if late {
            copies.push((*value, *buffer));
        } else {
            registers[at] = Some(Register::Memory { buffer: *buffer, offset: 0 });
        }
    }
    for (value, _) in &copies {
        last_use[*value as usize] = usize::MAX;
    }
    let mut rows = Rows::default();
    for (at, load) in fused.loads.iter().enumerate() {
        registers[at] = Some(match load.kind {
            LoadKind::Contiguous => Register::Memory { buffer: load.buffer, offset: load.offset },
            LoadKind::Uniform => Register::Uniform { buffer: load.buffer, offset: load.offset },
            LoadKind::Strided(_) => Register::Scratch(rows.take()),
        });
    }
    for (at, instruction) in fused.instructions.iter().enumerate() {
        let value = loads + at;
        if registers[value].is_none() {
            registers[value] = Some(Register::Scratch(rows.take()));
        }
        let mut dead: Vec<u32> = instruction.arguments[..instruction.operation.operands()].to_vec();
        dead.sort_unstable();
        dead.dedup();
        for argument in dead {
            if let (Some(Register::Scratch(row)), true) =
                (registers[argument as usize], last_use[argument as usize] == at)
            {
                rows.free.push(row);
            }
        }
    }
    fused.registers = registers.into_iter().flatten().collect();
    fused.copies = copies;
    fused.rows = rows.count as usize;
}

#[derive(Default)]
struct Rows {
    count: u32,
    free: Vec<u32>,
}

impl Rows {
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        })
    }
}
