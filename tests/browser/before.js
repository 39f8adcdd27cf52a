// Runs before everything else of the page: keeps what the console is told.
window.said = [];
addEventListener("error", (event) => said.push(String(event.message)));
for (const level of ["error", "warn"]) {
  const old = console[level];
  console[level] = (...words) => {
    said.push(words.join(" "));
    old(...words);
  };
}
