import { equal } from "node:assert/strict";
import { operatorsDoc, unformatted } from "../../../scripts/operators_doc.ts";

Deno.test("docs/operators.md is what the operators declare", () => {
  const file = new URL("../../../docs/operators.md", import.meta.url);
  equal(
    unformatted(Deno.readTextFileSync(file)) === unformatted(operatorsDoc()),
    true,
    "run `deno run -A scripts/operators_doc.ts`",
  );
});
