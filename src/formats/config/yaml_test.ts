import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { joinFlowLines } from "./flow.ts";
import { isNull, parseYaml, type YamlMap, type YamlNode } from "./yaml.ts";

function map(text: string): YamlMap {
  const { root } = parseYaml(text, "f");
  assert.ok(root?.kind === "map");
  return root;
}

function at(node: YamlNode): [number, number] {
  return [node.at.line, node.at.column];
}

function failure(text: string): BpuError {
  try {
    parseYaml(text, "f.yaml");
  } catch (e) {
    assert.ok(e instanceof BpuError);
    return e;
  }
  throw new Error("not refused");
}

Deno.test("yaml: values keep their spelling and place", () => {
  const m = map("a: 010\nb: 'x'\nc:\n  - 1.50\n  - \"q\"\nd:\ne: ~\nf: |\n  text\n");
  const [a, b, c, d, e, f] = m.entries.map((x) => x.value);
  assert.ok(a?.kind === "scalar" && a.text === "010" && a.plain);
  assert.deepEqual(at(a), [1, 4]);
  assert.ok(b?.kind === "scalar" && b.text === "x" && !b.plain);
  assert.deepEqual(at(b), [2, 4]);
  assert.ok(c?.kind === "list" && c.items.length === 2);
  assert.deepEqual(c.items.map(at), [[4, 5], [5, 5]]);
  assert.ok(isNull(d!) && isNull(e!));
  assert.deepEqual(at(d!), [6, 1]);
  assert.ok(f?.kind === "scalar" && f.text === "text\n");
});

Deno.test("yaml: keys never become properties", () => {
  const m = map("__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}\n");
  assert.deepEqual(m.entries.map((e) => e.key), ["__proto__", "constructor"]);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

Deno.test("yaml: a key that stands twice is reported, the later one counts", () => {
  const { root, duplicates } = parseYaml("a: 1\nb: 2\na: 3\n", "f");
  assert.deepEqual(duplicates, [
    { key: "a", first: { line: 1, column: 1 }, second: { line: 3, column: 1 } },
  ]);
  assert.ok(root?.kind === "map" && root.entries.length === 2);
  const a = root.entries[0]!.value;
  assert.ok(a.kind === "scalar" && a.text === "3");
});

Deno.test("yaml: anchors, aliases and merge keys", () => {
  const m = map("base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  y: 3\nsame: *b\n");
  const more = m.entries[1]!.value;
  assert.ok(more.kind === "map");
  assert.deepEqual(more.entries.map((e) => [e.key, e.value.kind === "scalar" && e.value.text]), [
    ["y", "3"],
    ["x", "1"],
  ]);
  assert.equal(m.entries[2]!.value, m.entries[0]!.value);
});

Deno.test("yaml: bombs and cycles are refused quickly", () => {
  let bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (let i = 1; i < 30; i++) bomb += `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]\n`;
  const start = performance.now();
  assert.equal(failure(bomb).code, "limit");
  assert.ok(performance.now() - start < 1000);
  assert.match(failure("a: &x [*x]\n").message, /no anchor/);
  assert.match(failure("a: *nothing\n").message, /no anchor/);
  assert.equal(failure("[".repeat(100_000)).code, "config");
  assert.equal(failure("x".repeat(9 << 20)).code, "limit");
});

Deno.test("yaml: syntax errors have a place and a hint", () => {
  const cases: [string, number, number][] = [
    ["a: 1\n b: 2\n", 2, 3],
    ["a:\n\tb: 1\n", 2, 1],
    ["a: 'x\nb: 1\n", 2, 1],
    ["a: 1\n? [x]\n: 1\n", 2, 3],
  ];
  for (const [text, line, column] of cases) {
    const e = failure(text);
    assert.equal(e.code, "config");
    assert.deepEqual([e.place.file, e.place.line, e.place.column], ["f.yaml", line, column], text);
  }
  assert.match(failure("a: 1\n---\nb: 1\n").message, /more than one/);
});

Deno.test("yaml: a flow mapping may be closed in the column of its key", () => {
  const m = map(
    "g:\n  n: {   # names { not a mapping\n    \"a,}\": {'ON': 'BPU'}, # }\n    'it''s': {q: [1,\n  2]}\n  }\n  z: it's {fine\nh: 1\n",
  );
  const g = m.entries[0]!.value;
  assert.ok(g.kind === "map");
  assert.deepEqual(g.entries.map((e) => e.key), ["n", "z"]);
  const n = g.entries[0]!.value;
  assert.ok(n.kind === "map");
  assert.deepEqual(n.entries.map((e) => e.key), ["a,}", "it's"]);
  // Places are those of the file as it is written.
  assert.deepEqual(n.entries.map((e) => [e.keyAt.line, e.keyAt.column]), [[3, 5], [4, 5]]);
  assert.deepEqual(at(m.entries[1]!.value), [8, 4]);
});

Deno.test("yaml: joining flow lines leaves everything else alone", () => {
  const texts = [
    "a: |\n  {\n  x\nb: 'x\n  y'\nc: [1,\n  2]\n",
    '# {\na: x{y\nb: "{\n  "\n',
    "- {a: 1\n}\n- [b\n]\n",
    "a: {b",
    "",
  ];
  for (const t of texts) {
    const joined = joinFlowLines(t);
    assert.equal(joined.length, t.length);
    assert.equal(
      joined.replaceAll(" ", "").replaceAll("\n", ""),
      t.replaceAll(" ", "").replaceAll("\n", ""),
    );
  }
  assert.equal(joinFlowLines(texts[0]!), "a: |\n  {\n  x\nb: 'x\n  y'\nc: [1,   2]\n");
  assert.equal(joinFlowLines(texts[1]!), texts[1]);
  assert.equal(joinFlowLines(texts[2]!), "- {a: 1 }\n- [b ]\n");
});

Deno.test("yaml: any mutation of a config is parsed or refused with a BpuError", () => {
  const base = "m:\n  n: {\"a\": {'ON': 'BPU'},\n  }\n  s: 'x; y'\n  l: [1, 2]\n";
  const letters = "{}[]:,'\"#&*!|>-? \n\tx";
  let seed = 1;
  const next = (n: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed % n;
  };
  for (let i = 0; i < 3000; i++) {
    let t = base;
    for (let k = 0; k <= next(3); k++) {
      const p = next(t.length);
      t = t.slice(0, p) + letters[next(letters.length)] + t.slice(p + next(2));
    }
    try {
      parseYaml(t, "f");
    } catch (e) {
      assert.ok(e instanceof BpuError && e.code !== "internal", `${JSON.stringify(t)}: ${e}`);
    }
  }
});
