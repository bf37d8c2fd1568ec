// Runs emulate, a third-party GitHub that verifies an App's JWT. Prints {"listening": url, "key": pem}, and exits at the
// end of its input.
import path from "node:path";
import { pathToFileURL } from "node:url";

const bundle = path.join(process.env.COUNTERSIGN_TEST_PACKAGES, "emulate/dist/api.js");
const { createEmulator } = await import(pathToFileURL(bundle));

const github = await createEmulator({
  service: "github",
  port: 0,
  seed: {
    github: {
      users: [{ login: "dave" }],
      orgs: [{ login: "acme" }],
      repos: [{ owner: "acme", name: "checkout", private: true }],
      apps: [
        {
          app_id: 12345,
          slug: "countersign",
          name: "Countersign",
          permissions: { metadata: "read", pull_requests: "read", members: "read" },
          events: ["pull_request", "pull_request_review"],
          installations: [{ installation_id: 100, account: "acme", repository_selection: "all" }],
        },
      ],
    },
  },
});
const key = github.generatedSecrets.find((secret) => secret.kind === "github.app_private_key").value;
process.stdout.write(`${JSON.stringify({ listening: github.url, key })}\n`);

process.stdin.resume();
process.stdin.on("end", () => github.close());
