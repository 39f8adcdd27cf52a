//! From requests to answers: which file answers what.

use lsp_server::{ErrorCode, Request};
use lsp_types::request::{self as method, Request as _};
use lsp_types::{
    CodeActionParams, CompletionItem, CompletionParams, DocumentHighlightParams, GotoDefinitionParams,
    HoverParams, InlayHintParams, ReferenceParams, RenameParams, SemanticTokens, SignatureHelpParams,
    TextDocumentPositionParams,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::context::Context;
use super::{actions, completion, format, hints, hover, navigate, rename, signature, symbols, tokens};

/// Why there is no answer.
pub struct Refused {
    pub code: ErrorCode,
    pub message: String,
}

type Answer = Result<Value, Refused>;

/// Requests that the editor makes by itself after a change: an answer about an old text is of no use.
pub fn is_asked_again(asked: &str) -> bool {
    [
        method::InlayHintRequest::METHOD,
        method::SemanticTokensFullRequest::METHOD,
        method::DocumentSymbolRequest::METHOD,
        method::DocumentHighlightRequest::METHOD,
        method::CodeActionRequest::METHOD,
    ]
    .contains(&asked)
}

pub fn answer(request: &Request, context: Option<&Context>) -> Answer {
    let asked = request.method.as_str();
    if asked == method::ResolveCompletionItem::METHOD {
        return value(completion::resolved(params::<CompletionItem>(request)?));
    }
    let Some(context) = context else {
        return Err(Refused { code: ErrorCode::InvalidParams, message: "this text is not open".into() });
    };
    match asked {
        method::HoverRequest::METHOD => {
            let params: HoverParams = params(request)?;
            value(hover::hover(context, params.text_document_position_params.position))
        }
        method::GotoDefinition::METHOD => {
            let params: GotoDefinitionParams = params(request)?;
            value(navigate::definition(context, params.text_document_position_params.position))
        }
        method::References::METHOD => {
            let params: ReferenceParams = params(request)?;
            let position = params.text_document_position.position;
            value(navigate::references(context, position, params.context.include_declaration))
        }
        method::DocumentHighlightRequest::METHOD => {
            let params: DocumentHighlightParams = params(request)?;
            value(navigate::highlights(context, params.text_document_position_params.position))
        }
        method::DocumentSymbolRequest::METHOD => value(symbols::symbols(context)),
        method::Completion::METHOD => {
            let params: CompletionParams = params(request)?;
            value(completion::completions(context, params.text_document_position.position))
        }
        method::SignatureHelpRequest::METHOD => {
            let params: SignatureHelpParams = params(request)?;
            value(signature::help(context, params.text_document_position_params.position))
        }
        method::PrepareRenameRequest::METHOD => {
            let params: TextDocumentPositionParams = params(request)?;
            value(rename::prepare(context, params.position).map_err(failed)?)
        }
        method::Rename::METHOD => {
            let params: RenameParams = params(request)?;
            let position = params.text_document_position.position;
            value(rename::rename(context, position, &params.new_name).map_err(failed)?)
        }
        method::InlayHintRequest::METHOD => {
            let params: InlayHintParams = params(request)?;
            value(hints::hints(context, params.range))
        }
        method::SemanticTokensFullRequest::METHOD => {
            value(SemanticTokens { result_id: None, data: tokens::tokens(context) })
        }
        method::Formatting::METHOD => value(format::edits(&context.document)),
        method::CodeActionRequest::METHOD => {
            let params: CodeActionParams = params(request)?;
            value(actions::actions(context, params.range))
        }
        _ => Err(Refused { code: ErrorCode::MethodNotFound, message: format!("there is no `{asked}` here") }),
    }
}

fn params<T: DeserializeOwned>(request: &Request) -> Result<T, Refused> {
    serde_json::from_value(request.params.clone())
        .map_err(|error| Refused { code: ErrorCode::InvalidParams, message: error.to_string() })
}

fn value(answer: impl Serialize) -> Answer {
    serde_json::to_value(answer)
        .map_err(|error| Refused { code: ErrorCode::InternalError, message: error.to_string() })
}

fn failed(message: String) -> Refused {
    Refused { code: ErrorCode::RequestFailed, message }
}
