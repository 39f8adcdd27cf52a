// Colours files by the TextMate grammar as the editor does, and demands that nothing in a right file is marked invalid
// and that every letter has a scope of its own.
//
// node test/grammar.mjs PATH...       files and folders, searched for .anz
// node test/grammar.mjs --show FILE   the scopes of a file

import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const textmate = require("vscode-textmate");
const oniguruma = require("vscode-oniguruma");

const here = path.dirname(fileURLToPath(import.meta.url));
const grammarFile = path.join(here, "..", "syntaxes", "ansatz.tmLanguage.json");

const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (scope) =>
    scope === "source.ansatz"
      ? textmate.parseRawGrammar(fs.readFileSync(grammarFile, "utf8"), grammarFile)
      : null,
});
const grammar = await registry.loadGrammar("source.ansatz");

function* tokens(file) {
  let stack = textmate.INITIAL;
  let number = 0;
  for (const line of fs.readFileSync(file, "utf8").split("\n")) {
    number += 1;
    const result = grammar.tokenizeLine(line, stack);
    stack = result.ruleStack;
    for (const token of result.tokens) {
      const text = line.slice(token.startIndex, token.endIndex);
      yield { file, number, column: token.startIndex + 1, text, scopes: token.scopes };
    }
  }
}

function* files(paths) {
  for (const each of paths) {
    if (fs.statSync(each).isDirectory()) {
      yield* files(fs.readdirSync(each).sort().map((name) => path.join(each, name)));
    } else if (each.endsWith(".anz")) {
      yield each;
    }
  }
}

const [first, ...rest] = process.argv.slice(2);
if (first === "--show") {
  for (const token of tokens(rest[0])) {
    const scope = token.scopes[token.scopes.length - 1];
    if (token.text.trim() && scope !== "source.ansatz") {
      console.log(`${token.number}:${token.column} ${token.text.trim()} ${scope}`);
    }
  }
} else {
  let seen = 0;
  let wrong = 0;
  for (const file of files([first, ...rest])) {
    seen += 1;
    for (const token of tokens(file)) {
      const invalid = token.scopes.some((scope) => scope.startsWith("invalid"));
      const plain = token.scopes.length === 1 && /[\p{L}\p{N}]/u.test(token.text);
      if (invalid || plain) {
        wrong += 1;
        const what = invalid ? "is invalid" : "has no scope";
        console.error(`${token.file}:${token.number}:${token.column}: \`${token.text}\` ${what}`);
      }
    }
  }
  console.log(`${seen} files, ${wrong} wrong places`);
  process.exit(seen > 0 && wrong === 0 ? 0 : 1);
}
