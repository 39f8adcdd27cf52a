//! A plan in Graphviz's language.
//!
//! In: a plan. Out: its kernels, with an arrow from each kernel that writes a buffer to those that read it then. Of a plan for a device each kernel
//! says which launch it belongs to.

use std::collections::HashMap;

use petgraph::dot::Dot;
use petgraph::graph::{DiGraph, NodeIndex};

use super::kernel::BufferId;
use super::{Plan, launch};

impl Plan {
    pub fn dot(&self) -> String {
        let mut graph: DiGraph<String, String> = DiGraph::new();
        let launches = (!self.levels.is_empty()).then(|| launch::times(&self.levels, self.kernels.len()));
        let mut writers: HashMap<BufferId, NodeIndex> = HashMap::new();
        for (at, kernel) in self.kernels.iter().enumerate() {
            let line = self.line(kernel);
            let what = line.lines().next().unwrap_or_default();
            let what = what.split(": ").next().unwrap_or_default();
            let launch = launches.as_ref().map_or(String::new(), |of| format!("launch {}\n", of[at]));
            let node = graph.add_node(format!("{launch}{at} {what}"));
            for buffer in kernel.reads() {
                if let Some(writer) = writers.get(&buffer) {
                    graph.add_edge(*writer, node, self.name(buffer));
                }
            }
            for buffer in kernel.writes() {
                writers.insert(buffer, node);
            }
        }
        Dot::new(&graph).to_string()
    }
}
