// A webhook receiver that is not ours: @octokit/webhooks. Prints where it listens, then every delivery that it let in,
// a JSON document a line. The secret stands in COUNTERSIGN_TEST_SECRET.
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

// Whoever started it ends it by closing its input; what was printed is read to the end.
process.stdin.resume();
process.stdin.on("end", () => {
  server.close();
  server.closeAllConnections();
});
