import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { compile } from "../compile/compile.ts";
import { BpuError } from "../errors.ts";
import { attr, node } from "../ir/graph.ts";
import { functionsOf } from "../ops/functions.ts";
import { quantize } from "../quantize/quantize.ts";
import { graphOf, planFor, ramp } from "../quantize/testing.ts";
import { readBin, readInfo, writeBin } from "./bin.ts";
import { readSections, writeSections } from "./sections.ts";

function program() {
  const g = graphOf(
    [
      node("Conv", "c1", ["x", "w"], ["a"], { pads: attr.ints([1, 1, 1, 1]) }),
      node("Sigmoid", "s", ["a"], ["b"]),
      node("Conv", "c2", ["b", "w"], ["d"]),
      node("Softmax", "prob", ["d"], ["y"], { axis: attr.int(1) }),
    ],
    { x: [1, 3, 8, 8] },
    ["y"],
    { w: ramp([3, 3, 3, 3]) },
  );
  return compile(quantize(g, planFor(g)).graph, "bayes");
}

Deno.test("a program survives its file, and the same program gives the same bytes", async () => {
  const p = program();
  const bytes = await writeBin({ program: p, info: { name: "m" } }, functionsOf);
  deepEqual(await writeBin({ program: program(), info: { name: "m" } }, functionsOf), bytes);
  const back = await readBin(bytes, "m.bin");
  equal(back.info["name"], "m");
  deepEqual([...back.program.slots], [...p.slots]);
  deepEqual(
    [...back.program.constants].map(([n, t]) => [n, t.dtype, t.shape, [...t.data]]),
    [
      ...p.constants,
    ].map(([n, t]) => [n, t.dtype, t.shape, [...t.data]]),
  );
  deepEqual(back.program.segments.map((s) => s.kind), p.segments.map((s) => s.kind));
  const [a, b] = [p.segments[0]!, back.program.segments[0]!];
  ok(a.kind === "bpu" && b.kind === "bpu");
  deepEqual(b.nodes, a.nodes.map((n) => ({ ...n, attrs: new Map([...n.attrs].sort()) })));
  equal((await readInfo(bytes, "m.bin"))["kind"], "model");
});

Deno.test("every damaged byte is noticed", async () => {
  const bytes = await writeBin({ program: program(), info: {} }, functionsOf);
  const sections = await readSections(bytes, "m.bin");
  const covered = new Set<number>();
  for (const s of sections.values()) {
    for (let i = 0; i < s.length; i++) covered.add(s.byteOffset - bytes.byteOffset + i);
  }
  const step = Math.max(1, Math.floor(bytes.length / 400));
  for (let i = 0; i < bytes.length; i += step) {
    // Padding between sections carries nothing; bytes 24..31 are reserved.
    if (i >= 24 && i < 32 || i >= 64 + 80 * sections.size && !covered.has(i)) continue;
    const bad = bytes.slice();
    bad[i]! ^= 0x10;
    await rejects(
      readBin(bad, "m.bin"),
      (e: unknown) => e instanceof BpuError && e.code === "format",
      `byte ${i}`,
    );
  }
});

Deno.test("foreign, truncated and packed files are refused with one sentence", async () => {
  const bytes = await writeBin({ program: program(), info: {} }, functionsOf);
  const refuses = (b: Uint8Array, text: RegExp) =>
    rejects(readBin(b, "m.bin"), (e: unknown) => e instanceof BpuError && text.test(e.sentence()));
  await refuses(new Uint8Array(0), /not a bpukit \.bin/);
  await refuses(new TextEncoder().encode("x".repeat(5000)), /not a bpukit \.bin/);
  await refuses(bytes.subarray(0, bytes.length - 1), /header says/);
  const newer = bytes.slice();
  newer[8] = 9;
  await refuses(newer, /version 9/);
  const info = new TextEncoder().encode('{"kind":"pack"}');
  await refuses(
    await writeSections([{ name: "info", bytes: info }]),
    /pack model is not supported/,
  );
});

Deno.test("a program whose places do not fit is refused, not run", async () => {
  const bytes = await writeBin({ program: program(), info: {} }, functionsOf);
  const sections = await readSections(bytes, "m.bin");
  const rewrite = async (from: RegExp, to: string) => {
    const text = new TextDecoder().decode(sections.get("program")!);
    ok(from.test(text));
    const changed = new TextEncoder().encode(text.replace(from, to));
    return await writeSections(
      [...sections].map(([name, b]) => ({ name, bytes: name === "program" ? changed : b })),
    );
  };
  for (
    const [from, to] of [
      [/"arenaBytes":\d+/, '"arenaBytes":64'],
      [/"offset":\d+,"bytes":(\d+)\}\],"segments"/, '"offset":99999999,"bytes":$1}],"segments"'],
      [/"shape":\[1,3,8,8\]/, '"shape":[1,-3,8,8]'],
      [/"march":"bayes"/, '"march":"vax"'],
      [/"kind":"bpu"/, '"kind":"cpu"'],
      [/"inputs":\["x"/, '"inputs":["nobody"'],
    ] as const
  ) {
    await rejects(async () => readBin(await rewrite(from, to), "m.bin"), BpuError, String(from));
  }
});
