// Runs a third-party webhook receiver, @octokit/webhooks. Prints where it listens, then each accepted delivery, as one JSON
// document per line. The secret comes from COUNTERSIGN_TEST_SECRET.
import http from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";

const bundle = path.join(process.env.COUNTERSIGN_TEST_PACKAGES, "@octokit/webhooks/dist-bundle/index.js");
const { Webhooks, createNodeMiddleware } = await import(pathToFileURL(bundle));

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const webhooks = new Webhooks({ secret: process.env.COUNTERSIGN_TEST_SECRET, log: quiet });
webhooks.onAny(({ id, name, payload }) => print({ id, name, payload }));

const server = http.createServer(createNodeMiddleware(webhooks, { path: "/webhook", log: quiet }));
server.listen(0, "127.0.0.1", () => print({ listening: `http://127.0.0.1:${server.address().port}/webhook` }));

// The caller stops it by closing its input, and reads its output to the end.
process.stdin.resume();
process.stdin.on("end", () => {
  server.close();
  server.closeAllConnections();
});
