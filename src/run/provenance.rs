//! What the numbers of a run came from.

use super::Options;
use super::prepare::Base;
use super::results::Provenance;
use crate::check::program::Program;
use crate::source::Sources;

pub fn provenance(program: &Program, sources: &Sources, base: &Base, options: &Options) -> Provenance {
    let own = program.files.last().map(|file| sources.get(file.id));
    let mut hasher = blake3::Hasher::new();
    for file in &program.files {
        // The formatted text without comments: what the file means, however it is laid out.
        let mut bare = (**file).clone();
        bare.comments.clear();
        hasher.update(crate::syntax::format(&bare, &sources.get(file.id).text).as_bytes());
    }
    let mut settings: Vec<(String, String)> = Vec::new();
    settings.extend(options.quick.then(|| ("quick".to_string(), base.quick.to_string())));
    settings.extend(options.settings.iter().map(|(name, value)| (name.clone(), value.to_string())));
    settings.extend(options.seeds.map(|count| ("seeds".to_string(), count.to_string())));
    settings.extend(options.most_steps.map(|count| ("most steps".to_string(), count.to_string())));
    settings.extend(options.unfused.then(|| ("fused".to_string(), "no".to_string())));
    settings.extend(options.without.iter().map(|name| ("without".to_string(), name.clone())));
    Provenance {
        ansatz: env!("CARGO_PKG_VERSION").to_string(),
        file: own.map(|source| source.name.clone()).unwrap_or_default(),
        source: own.map(|source| blake3::hash(source.text.as_bytes()).to_string()).unwrap_or_default(),
        program: hasher.finalize().to_string(),
        data: base
            .tables
            .values()
            .map(|table| (table.name.clone(), table.hash.to_string()))
            .chain(base.weights.clone())
            .collect(),
        seed: base.seed,
        backend: options.backend.name().to_string(),
        settings,
    }
}
