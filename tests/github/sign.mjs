// Signs bodies with GitHub's own library. Input: {"secret": text, "bodies": [text]}. Output: the list of signatures.
import path from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const bundle = path.join(process.env.COUNTERSIGN_TEST_PACKAGES, "@octokit/webhooks/dist-bundle/index.js");
const { Webhooks } = await import(pathToFileURL(bundle));

const { secret, bodies } = JSON.parse(await text(process.stdin));
const webhooks = new Webhooks({ secret });
process.stdout.write(JSON.stringify(await Promise.all(bodies.map((body) => webhooks.sign(body)))));
