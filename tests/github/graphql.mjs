// Checks GraphQL queries and answers against GitHub's published schema. Input: {"files": [text], "exchanges": [{"sent",
// "answered"}]}: texts of query files, which may use each other's fragments, and bodies of calls. Output: a list of faults.
import { readFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";
import { pathToFileURL } from "node:url";

const packages = process.env.COUNTERSIGN_TEST_PACKAGES;
const { Kind, buildSchema, executeSync, parse, print, validate, visit } = await import(
  pathToFileURL(path.join(packages, "graphql/index.js"))
);
const schemaText = readFileSync(path.join(packages, "@octokit/graphql-schema/schema.graphql"), "utf8");
const schema = buildSchema(schemaText, { assumeValidSDL: true });

// The schema has no rules for its own scalars.
const scalars = {
  BigInt: /^\d+$/,
  DateTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  GitObjectID: /^[0-9a-f]{40}$/,
};
for (const [name, pattern] of Object.entries(scalars)) {
  schema.getType(name).serialize = (value) => {
    if (typeof value !== "string" || !pattern.test(value)) throw new Error(`${JSON.stringify(value)} is no ${name}`);
    return value;
  };
}

// Each operation with the fragments that it uses.
function operations(documents) {
  const definitions = documents.flatMap((document) => document.definitions);
  const fragments = definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION);
  const unused = new Set(fragments);
  const whole = definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION).map((operation) => {
    const used = [operation];
    for (const definition of used) {
      visit(definition, {
        FragmentSpread: ({ name }) => {
          const fragment = fragments.find((one) => one.name.value === name.value);
          if (fragment && !used.includes(fragment)) used.push(fragment);
        },
      });
    }
    used.forEach((one) => unused.delete(one));
    return { kind: Kind.DOCUMENT, definitions: used };
  });
  return { whole, faults: [...unused].map((fragment) => `the fragment ${fragment.name.value} is not used`) };
}

function faultsOfQuery(document) {
  return validate(schema, document).map((error) => `GitHub would not accept the query: ${error.message}`);
}

// Executes the query on the answer in place of data. The result differs if GitHub could not give the answer.
function faultsOfAnswer(document, sent, answered) {
  if (!answered.data) {
    const said = Array.isArray(answered.errors) && answered.errors.length > 0 && answered.errors.every((one) => one.message);
    return said ? [] : ["GitHub could not give the answer: it has neither data nor errors"];
  }
  const result = executeSync({
    schema,
    document,
    rootValue: answered.data,
    variableValues: sent.variables,
    operationName: sent.operationName,
    fieldResolver: (source, _arguments, _context, info) => source[info.path.key],
    typeResolver: (value, _context, info, type) => value.__typename ?? likelyType(info, type),
  });
  const plain = JSON.parse(JSON.stringify(result));
  const faults = (plain.errors ?? []).map((error) => `GitHub could not give the answer: ${error.path?.join(".")}: ${error.message}`);
  if (faults.length === 0 && !isDeepStrictEqual(plain.data, answered.data)) {
    faults.push(`GitHub could not give the answer: ${difference(plain.data, answered.data)}`);
  }
  return faults;
}

// The type of an object that does not say it: one that the query has a fragment for, or else any.
function likelyType(info, type) {
  const possible = info.schema.getPossibleTypes(type).map((one) => one.name);
  const fragments = info.fieldNodes.flatMap((field) => field.selectionSet.selections).map((one) => {
    return one.kind === Kind.FRAGMENT_SPREAD ? info.fragments[one.name.value] : one;
  });
  return fragments.map((one) => one.typeCondition?.name.value).find((name) => possible.includes(name)) ?? possible[0];
}

function difference(expected, given, at = "data") {
  const isObject = (value) => typeof value === "object" && value !== null;
  if (!isObject(expected) || !isObject(given)) return `${at}: ${JSON.stringify(given)} instead of ${JSON.stringify(expected)}`;
  const key = [...Object.keys(expected), ...Object.keys(given)].find((one) => !isDeepStrictEqual(expected[one], given[one]));
  return difference(expected[key], given[key], `${at}.${key}`);
}

// A call that GitHub refuses is no fault of its answer, but ours.
function faultsOf({ sent, answered }) {
  try {
    const call = JSON.parse(sent);
    const document = parse(call.query);
    const faults = faultsOfQuery(document);
    return faults.length > 0 ? faults : faultsOfAnswer(document, call, JSON.parse(answered));
  } catch (error) {
    return [`${error.message}: ${sent.slice(0, 200)}`];
  }
}

const { files, exchanges } = JSON.parse(await text(process.stdin));
const { whole, faults } = operations(files.map((file) => parse(file)));
for (const document of whole) {
  faults.push(...faultsOfQuery(document).map((fault) => `${print(document).split("\n")[0]}: ${fault}`));
}
faults.push(...exchanges.flatMap(faultsOf));
process.stdout.write(JSON.stringify(faults));
