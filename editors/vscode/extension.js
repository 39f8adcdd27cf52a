// Starts `ansatz lsp` for files of the language and connects the editor with it. Everything else is the server's.

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
  const settings = vscode.workspace.getConfiguration("ansatz");
  const run = { command: settings.get("path"), args: ["lsp"] };
  client = new LanguageClient(
    "ansatz",
    "Ansatz",
    { run, debug: run },
    {
      documentSelector: [{ language: "ansatz" }],
      initializationOptions: { data: settings.get("data") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    const message = `\`${run.command} lsp\` does not start: ${error.message}. Set "ansatz.path" to the program.`;
    vscode.window.showErrorMessage(message);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  // A server that never started has nothing to end.
  if (running && running.isRunning()) {
    await running.stop();
  }
}

async function restart() {
  await stop();
  await start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("ansatz.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("ansatz")) {
        return restart();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
