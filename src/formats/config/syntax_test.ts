import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { findCulprit } from "./syntax.ts";
import { parseYaml } from "./yaml.ts";

/** A small config whose third line is replaced. */
const config = (third: string) =>
  `model_parameters:\n  onnx_model: 'm.onnx'\n${third}\n  working_dir: 'out'\n  x: 1\n`;

Deno.test("a syntax error names the line that was written wrongly, and the slip", () => {
  const cases: [line: string, reason: RegExp, at?: [number, number]][] = [
    ["  march： 'bayes'", /full-width colon/],
    ["\u00a0\u00a0march: 'bayes'", /not ASCII/],
    ["  march: 'bayes'#chip", /directly behind a value/],
    ["  march:'bayes'", /colon without a space/],
    ["  march: 'bayes", /not closed\. Close the quote that begins in line 3/, [4, 3]],
    ["  march 'bayes'", /key without a colon/],
  ];
  for (const [line, reason, at = [3, 3]] of cases) {
    for (const end of ["\n", "\r\n"]) {
      assert.throws(() => parseYaml(config(line).replaceAll("\n", end), "c.yaml"), (e) => {
        assert.ok(e instanceof BpuError);
        assert.match(e.sentence(), reason, line);
        assert.deepEqual([e.place.line, e.place.column], at, e.sentence());
        return true;
      });
    }
  }
});

Deno.test("an error without such a slip keeps the parser's place and words", () => {
  assert.equal(findCulprit("a: [1, 2\nb: 3\n", 2), undefined);
  assert.throws(
    () => parseYaml("a:\n  b: 1\n   c: 2\n", "c.yaml"),
    (e) => e instanceof BpuError && /^c\.yaml:3:\d+: .*bad indentation/.test(e.sentence()),
  );
});
