// Lints an OpenAPI description: node lint_openapi.cjs NODE_MODULES FILE
// Each finding is a line; any finding, a warning too, is a failure. Asks nothing of the network.
const path = require("path");

async function main(modules, file) {
  const redocly = require(path.join(path.resolve(modules), "@redocly/openapi-core"));
  const config = await redocly.createConfig({
    extends: ["recommended-strict"],
    rules: {
      "no-invalid-media-type-examples": "error",
      "no-invalid-parameter-examples": "error",
      "no-invalid-schema-examples": "error",
      "operation-operationId": "error",
      "tag-description": "error",
      "tags-alphabetical": "off",  // they stand in the order of their weight
    },
  });
  const findings = await redocly.lint({ ref: file, config });
  for (const finding of findings) {
    const where = finding.location[0];
    console.log(`${finding.severity} ${finding.ruleId} ${where.pointer || ""}: ${finding.message}`);
  }
  return findings.length === 0 ? 0 : 1;
}

main(...process.argv.slice(2)).then(
  (code) => { process.exitCode = code; },
  (failure) => { console.error(failure); process.exitCode = 2; },
);
