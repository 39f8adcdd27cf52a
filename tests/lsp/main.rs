//! The editor's server in real conversations over standard input and output, with the program as it is built.

mod actions;
mod client;
mod conversation;
mod typing;
mod writing;
