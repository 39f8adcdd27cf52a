//! The run store through the program itself: what is computed again and what is not, what survives a kill, a full disk and
//! damaged files, and the commands that read it.

#[path = "../support/mod.rs"]
mod support;

mod cache;
mod commands;
mod damage;
mod events;
mod kill;
mod new;
mod quick;
mod tensorboard;
mod testing;
