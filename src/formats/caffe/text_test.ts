import { strict as assert } from "node:assert";
import { BpuError } from "../../errors.ts";
import { parseText, type TextBlock } from "./text.ts";

/** The tree as nested lists, for comparison. */
function plain(block: TextBlock): unknown[] {
  return block.fields.map((f) => [
    f.name,
    f.line,
    f.value.kind === "block" ? plain(f.value) : f.value.quoted ? `"${f.value.text}"` : f.value.text,
  ]);
}

const parse = (text: string): unknown[] => plain(parseText(text, "net.prototxt"));

Deno.test("text format: values, blocks, lists, comments and their lines", () => {
  assert.deepEqual(
    parse(`\ufeff# a comment
name: "a\\n\\x41\\101\\"" 'b'  # adjacent strings
layer {
  n: -1.5e3f, m: 0x1F; on: true
  empty <> list: [1, 2]
  none: []
  sub: { x: -inf }
}`),
    [
      ["name", 2, `"a\nAA"b"`],
      ["layer", 3, [
        ["n", 4, "-1.5e3f"],
        ["m", 4, "0x1F"],
        ["on", 4, "true"],
        ["empty", 5, []],
        ["list", 5, "1"],
        ["list", 5, "2"],
        ["sub", 7, [["x", 7, "-inf"]]],
      ]],
    ],
  );
  assert.deepEqual(parse(""), []);
});

Deno.test("text format: every error names its line", () => {
  const cases: [string, number, RegExp][] = [
    ["a: 1\nb {\n c: 2\n", 2, /never closed/],
    ["a: 1\n}", 2, /field name, found "}"/],
    ["a 1", 1, /expected ":" or "{" after a/],
    ["a:\n\n}", 3, /expected a value for a/],
    ['\na: "x\n', 2, /no closing quote/],
    ["a: 1.2.3", 1, /not a number/],
    ["a: [1 2]", 1, /expected "," or "\]"/],
    ["a: 1\n$: 2", 2, /no place here/],
    ["a: 'x\\", 1, /no closing quote/],
  ];
  for (const [text, line, message] of cases) {
    assert.throws(() => parse(text), (e: unknown) => {
      assert.ok(e instanceof BpuError, text);
      assert.deepEqual(
        [e.code, e.place.file, e.place.line],
        ["format", "net.prototxt", line],
        text,
      );
      assert.match(e.message, message);
      return true;
    });
  }
});

Deno.test("text format: deep nesting is a limit, not a crash", () => {
  assert.throws(
    () => parse("a {".repeat(100_000)),
    (e: unknown) => e instanceof BpuError && e.code === "limit",
  );
  assert.equal(parse(`${"a {".repeat(60)}${"}".repeat(60)}`).length, 1);
});
