//! Diagnostics in the form of the protocol.

use lsp_types::{
    CodeDescription, Diagnostic as Shown, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    NumberOrString, PublishDiagnosticsParams,
};

use super::context::Context;
use super::place;
use crate::diagnostic::{Code, Diagnostic, Severity};

/// Everything that is wrong with a text.
pub fn published(context: &Context, more: &[Diagnostic]) -> PublishDiagnosticsParams {
    let all = context.analysis.diagnostics.iter().chain(more);
    PublishDiagnosticsParams {
        uri: context.document.uri.clone(),
        diagnostics: all.map(|diagnostic| shown(context, diagnostic)).collect(),
        version: Some(context.document.version),
    }
}

/// One diagnostic: the message, what is at the place, and the way out are its lines.
pub fn shown(context: &Context, diagnostic: &Diagnostic) -> Shown {
    let mut message = diagnostic.message.clone();
    if !diagnostic.primary.text.is_empty() {
        message += &format!("\n{}", diagnostic.primary.text);
    }
    if let Some(help) = &diagnostic.help {
        message += &format!("\nhelp: {}", help.text);
    }
    let related = diagnostic.related.iter().filter_map(|label| {
        Some(DiagnosticRelatedInformation {
            location: context.location(label.span)?,
            message: label.text.clone(),
        })
    });
    let unnecessary = matches!(diagnostic.code, Code::A0116 | Code::A0117);
    Shown {
        range: context.range(diagnostic.primary.span),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(diagnostic.code.to_string())),
        code_description: place::page(diagnostic.code).map(|href| CodeDescription { href }),
        source: Some("ansatz".to_owned()),
        message,
        related_information: Some(related.collect()),
        tags: unnecessary.then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: None,
    }
}
