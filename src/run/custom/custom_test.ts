import { deepEqual, equal, rejects } from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { loadCaffe } from "../../formats/caffe/load.ts";
import { encodeModel } from "../../formats/caffe/testing/encode.ts";
import { saveOnnx } from "../../formats/onnx/save.ts";
import type { Attr, Graph, Node } from "../../ir/graph.ts";
import { attr, node } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { functionsOf } from "../../ops/functions.ts";
import { createFloatEngine } from "../float.ts";
import { createCustomEngine } from "./engine.ts";
import { resolveCustom } from "./infer.ts";
import { openCustomOperators } from "./operators.ts";
import type { CustomOptions } from "./operators.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const TWICE = `// Doubles, and reports how often a parameter says.
interface T { dtype: string; shape: number[]; data: Float32Array }
export const Twice = {
  infer_shape: (shapes: number[][]): number[][] => shapes,
  compute(inputs: T[], params: { times?: number }): Float32Array[] {
    const times = params.times ?? 1;
    return [inputs[0].data.map((v: number) => v * 2 ** times)];
  },
};
export const Split = {
  infer_shape: ([s]: number[][]) => [[s[0], 1], [s[0], s[1] - 1]],
  infer_dtype: (types: string[]) => ["float32", "int32"],
  compute: ([x]: T[]) => [x.data.slice(0, 1), Int32Array.from(x.data.slice(1))],
};
`;

const custom = (
  name: string,
  op: string,
  inputs: string[],
  outputs: string[],
  attrs: Record<string, Attr> = {},
): Node =>
  node("PyOp", name, inputs, outputs, { class_name: attr.string(op), ...attrs }, "horizon.custom");

const graph = (nodes: Node[], outputs: string[], shape = [1, 4]): Graph => ({
  name: "g",
  opset: 17,
  domains: new Map([["horizon.custom", 1]]),
  nodes,
  inputs: [{ name: "x", dtype: "float32", shape }],
  outputs: outputs.map((name) => ({ name, dtype: "float32", shape: [-1, -1] })),
  constants: new Map([["k", f32([1], [10])]]),
  types: new Map(),
  metadata: new Map(),
});

const x: Tensor = { dtype: "float32", shape: [1, 4], data: Float32Array.of(-1, 2, 3, 4) };

async function withOps<T>(
  text: string,
  use: (ops: Awaited<ReturnType<typeof openCustomOperators>>) => Promise<T>,
  options: CustomOptions = {},
): Promise<T> {
  const ops = await openCustomOperators([{ file: "my/ops.ts", bytes: bytes(text) }], options);
  try {
    return await use(ops);
  } finally {
    ops.close();
  }
}

async function failure(run: Promise<unknown>): Promise<BpuError> {
  const e = await run.then(() => undefined, (error: unknown) => error);
  if (e instanceof BpuError) return e;
  throw new Error(`expected a BpuError, got ${e}`);
}

/** The error of one call of an operator Op. */
function callError(body: string, options: CustomOptions = {}): Promise<BpuError> {
  const text = `export const Op = {
  infer_shape: (s: number[][]) => s,
  compute(inputs: any[], params: any, context: any): any {
    ${body}
  },
};`;
  return withOps(text, async (ops) => {
    const n = custom("n", "Op", ["x"], ["y"]);
    return await failure(ops.compute(n, [x], await ops.infer(n, [x])));
  }, options);
}

Deno.test("a graph is cut at custom nodes, whatever their order", async () => {
  const g = graph([
    node("Relu", "r", ["x"], ["a"]),
    custom("t1", "Twice", ["a"], ["b"], { times: attr.int(3) }),
    node("Add", "add", ["b", "k"], ["c"]),
    custom("t2", "Twice", ["c"], ["d"]),
    custom("t3", "Twice", ["d"], ["e"]),
    node("Add", "add2", ["e", "a"], ["f"]),
    custom("s", "Split", ["f"], ["p", "q"]),
    node("Cast", "cast", ["q"], ["y"], { to: attr.int(1) }),
  ], ["p", "y"]);
  await withOps(TWICE, async (ops) => {
    const engine = createCustomEngine(
      createFloatEngine({ workers: 0, functions: functionsOf }),
      ops,
    );
    const session = await engine.open(g, ["p", "y", "c", "x", "q"]);
    const out = await session.run(new Map([["x", x]]));
    const f = [0, 2, 3, 4].map((v) => (v * 8 + 10) * 4 + v);
    deepEqual([...out.get("p")!.data], f.slice(0, 1));
    deepEqual(out.get("y"), {
      dtype: "float32",
      shape: [1, 3],
      data: Float32Array.from(f.slice(1)),
    });
    deepEqual(out.get("q"), { dtype: "int32", shape: [1, 3], data: Int32Array.from(f.slice(1)) });
    deepEqual([...out.get("c")!.data], [10, 26, 34, 42]);
    equal(out.get("x"), x);
    await session.close();
    // The same through a file, and for many samples in order.
    const resolved = await resolveCustom(g, ops);
    const seen: number[] = [];
    await engine.mapBytes(
      saveOnnx(resolved),
      undefined,
      [1, 2, 3].map((v) => new Map([["x", f32([1, 4], [v, 0, 0, 0])]])),
      (i, o) => {
        seen.push(i, o.get("p")!.data[0] as number);
      },
    );
    deepEqual(seen, [0, (8 + 10) * 4 + 1, 1, (16 + 10) * 4 + 2, 2, (24 + 10) * 4 + 3]);
    await engine.close();
  });
});

Deno.test("infer_shape and infer_dtype type the graph", async () => {
  await withOps(TWICE, async (ops) => {
    const g = graph([custom("s", "Split", ["x"], ["p", "q"])], ["p", "q"], [2, 5]);
    const typed = await resolveCustom(g, ops);
    deepEqual(typed.types.get("q"), { dtype: "int32", shape: [2, 4] });
    deepEqual(typed.outputs[0], { name: "p", dtype: "float32", shape: [2, 1] });
    const free = { ...g, inputs: [{ name: "x", dtype: "float32" as const, shape: [-1, 5] }] };
    equal((await failure(resolveCustom(free, ops))).place.node, "s");
  });
});

Deno.test("errors name node, operator, file and line", async () => {
  const e = await callError("const deep = () => { throw new Error('too bad'); };\n    deep();");
  equal(e.sentence(), "my/ops.ts:4:32: Op n: too bad");
  const syntax = await failure(
    withOps("export const A = {\n  compute(: 3\n};", () => Promise.resolve()),
  );
  equal(syntax.place.file, "my/ops.ts");
  equal(syntax.place.line, 2);
  const load = await failure(withOps("let a = 1;\nnull.x;\n", () => Promise.resolve()));
  equal(load.place.line, 2);
  const shape = await callError("return [new Float32Array(3)];");
  equal(
    shape.sentence(),
    "my/ops.ts:1: Op n: compute must give float32 1x4 (4 values) for output 0, it gives " +
      "Float32Array of 3 values",
  );
  equal((await callError("return 5;")).place.line, 1);
  equal(/Float64Array/.test((await callError("return [new Float64Array(4)];")).message), true);
  equal(
    /cannot be sent|could not be cloned/.test((await callError("return [() => 1];")).message),
    true,
  );
  const bad = await withOps(
    "export const Op = { infer_shape: () => [[1, -4]], compute() {} };",
    (ops) => failure(ops.infer(custom("n", "Op", ["x"], ["y"]), [x])),
  );
  equal(/one shape per output: output 0 is \[1,-4\]/.test(bad.message), true);
  const unknown = await withOps(
    TWICE,
    (ops) => failure(ops.infer(custom("n", "Nope", ["x"], ["y"]), [x])),
  );
  equal(/no file registers the custom operator Nope/.test(unknown.sentence()), true);
});

Deno.test("plain arrays of numbers are results too", async () => {
  const text = "export const Op = { infer_shape: (s) => s, compute: () => [[1, 2, 3, 4]] };";
  const [y] = await withOps(text, async (ops) => {
    const n = custom("n", "Op", ["x"], ["y"]);
    return await ops.compute(n, [x], await ops.infer(n, [x]));
  });
  deepEqual(y!.data, Float32Array.of(1, 2, 3, 4));
});

Deno.test("nothing reaches out of the Worker", async () => {
  const probes = [
    "Deno.readTextFileSync('/etc/passwd')",
    "process.env",
    "fetch('http://127.0.0.1')",
    "new Worker('data:,')",
    "setTimeout(() => {}, 1)",
    "new WebSocket('ws://127.0.0.1')",
    "navigator.gpu",
    "crypto.subtle",
    "postMessage(1)",
    "self.close()",
    "structuredClone(1)",
    "new SharedArrayBuffer(1)",
    "eval('1')",
    "new Function('return 1')()",
    "(() => {}).constructor('return 1')()",
    "(async () => {}).constructor('return 1')()",
    "(function* () {}).constructor('return 1')()",
    "(async function* () {}).constructor('return 1')()",
    "Object.getPrototypeOf(globalThis).constructor.constructor('return this')().Deno.pid",
    "Reflect.construct(Object.getPrototypeOf(() => {}).constructor, ['return 1'])()",
  ];
  const text = `export const Op = {
  infer_shape: (s: any) => s,
  compute(_: any, params: { which: number }): any {
    const g: any = globalThis;
    const all = [${
    probes.map((p) => `() => { const r = ${p}; if (r !== undefined) return r; throw 0; }`)
  }];
    let ok = 0;
    try { all[params.which](); ok = 1; } catch { ok = 0; }
    return [[ok, 0, 0, 0]];
  },
};`;
  await withOps(text, async (ops) => {
    for (const [i, probe] of probes.entries()) {
      const n = custom("n", "Op", ["x"], ["y"], { which: attr.int(i) });
      const [y] = await ops.compute(n, [x], [x]);
      equal(y!.data[0], 0, probe);
    }
  });
});

Deno.test("imports are refused before anything runs", async () => {
  const refused = [
    "import x from 'node:fs';",
    "import { x } from './a.ts';",
    "import 'node:fs';",
    "import * as fs from 'node:fs';",
    "import type from 'node:fs';",
    "import type, { x } from 'node:fs';",
    "import defer * as a from 'node:fs';",
    "import source a from 'node:fs';",
    "import a, { b } from 'node:fs';",
    "import a /* , */ from 'node:fs';",
    "import a\nfrom 'node:fs';",
    "const f = () => import('node:fs');",
    "const f = () => import/**/('node:fs');",
    "const f = () => import\n('node:fs');",
    "const s = `\n// ${import('node:fs')}`;",
    "const u = import.meta.url;",
    "export * from 'node:fs';",
    "export { readFile } from 'node:fs';",
    "export { a }\nfrom 'node:fs';",
    "export { a } /**/ from 'node:fs';",
    "export { 'a' as b } from 'node:fs';",
  ];
  for (const line of refused) {
    const e = await failure(withOps(`\n${line}\n`, () => Promise.resolve()));
    equal(e.code, "unsupported", line);
    equal(e.place.line !== undefined && e.place.line >= 2, true, line);
  }
  const fine =
    "import type { A } from './types.ts';\n// we import weights by hand\nconst a = 1;\n" +
    "export { a };\nexport type { A };\nexport const Op = { infer_shape: (s) => s, compute: () => [] };";
  deepEqual(await withOps(fine, (ops) => Promise.resolve(ops.names)), ["Op"]);
});

Deno.test("time and memory are limited", async () => {
  const slow = await callError("for (;;);", { timeMs: 200 });
  equal(slow.code, "limit");
  equal(slow.sentence().startsWith("Op n: no result after 0.2 s"), true);
  for (
    const body of [
      "const all = []; for (;;) all.push(new Float32Array(1e6));",
      "const all = []; for (;;) all.push(inputs[0].data.constructor.from({ length: 1e6 }));",
      "const all = []; for (;;) all.push(new ArrayBuffer(8, { maxByteLength: 4e6 }));",
      "new WebAssembly.Memory({ initial: 3000 }); return [];",
      "new WebAssembly.Memory({ initial: 1 }).grow(10000); return [];",
      "let a = new ArrayBuffer(8); a = a.transfer(1e9); return [];",
    ]
  ) {
    const e = await callError(body, { memoryBytes: 64 * 2 ** 20, timeMs: 20_000 });
    equal(e.code, "limit", `${body} ${e.sentence()}`);
  }
  // Ordinary objects are seen by the growth of the process.
  const heap = await callError("const a: any[] = []; for (;;) a.push({ a, v: [a.length] });", {
    memoryBytes: 200 * 2 ** 20,
    timeMs: 60_000,
  });
  equal(heap.code, "limit");
  equal(/more than 200 MiB/.test(heap.message), true);
});

Deno.test("operators may bring WebAssembly", async () => {
  // (module (func (export "add") (param f32) (result f32) local.get 0 f32.const 1 f32.add))
  const wasm = Uint8Array.of(
    ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 125, 1, 125, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100],
    ...[100, 0, 0, 10, 12, 1, 10, 0, 32, 0, 67, 0, 0, 128, 63, 146, 11],
  );
  const text = `export const Inc = {
  infer_shape: (s: number[][]) => s,
  compute([x]: any[], _: unknown, { wasm }: any) {
    const { add } = new WebAssembly.Instance(wasm.get("inc")).exports as any;
    return [x.data.map((v: number) => add(v))];
  },
};`;
  const ops = await openCustomOperators([
    { file: "inc.ts", bytes: bytes(text) },
    { file: "lib/inc.wasm", bytes: wasm },
  ]);
  try {
    const [y] = await ops.compute(custom("n", "Inc", ["x"], ["y"]), [x], [x]);
    deepEqual([...y!.data], [0, 3, 4, 5]);
  } finally {
    ops.close();
  }
});

Deno.test("what user code prints arrives, and closing ends it", async () => {
  const lines: string[] = [];
  const text =
    "console.log('loaded', 3);\nexport const Op = { infer_shape: (s) => s, compute() {} };";
  await withOps(text, async (ops) => {
    deepEqual(lines, ["loaded 3"]);
    ops.close();
    await rejects(ops.infer(custom("n", "Op", ["x"], ["y"]), [x]), /closed/);
  }, { log: (line) => lines.push(line) });
});

Deno.test("with Deno's own permissions of Workers, where the flag says that they exist", async () => {
  const library = new URL("./operators.ts", import.meta.url).href;
  const code = `
    const { openCustomOperators } = await import(${JSON.stringify(library)});
    const ops = await openCustomOperators([{ file: "ops.ts", bytes: new TextEncoder().encode(
      "export const Op = { infer_shape: (s) => s, compute: () => [[typeof Deno === 'undefined' ? 7 : 0]] };")
    }], { workerPermissions: true });
    const node = { name: "n", op: "PyOp", domain: "horizon.custom", inputs: ["x"], outputs: ["y"],
      attrs: new Map([["class_name", { type: "string", value: "Op" }]]) };
    const x = { dtype: "float32", shape: [1], data: Float32Array.of(1) };
    console.log((await ops.compute(node, [x], [x]))[0].data[0]);
    ops.close();`;
  const run = async (...flags: string[]) => {
    const args = ["run", "--quiet", "--no-prompt", "--allow-read", ...flags, "-"];
    const child = new Deno.Command(Deno.execPath(), {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(code));
    await writer.close();
    const { code: status, stdout, stderr } = await child.output();
    const text = (b: Uint8Array) => new TextDecoder().decode(b);
    return { status, out: text(stdout), err: text(stderr) };
  };
  const good = await run("--unstable-worker-options");
  deepEqual([good.status, good.out], [0, "7\n"], good.err);
  // Deno's own end of a process without the flag: the option was really handed on.
  equal(/--unstable-worker-options/.test((await run()).err), true);
});

Deno.test("files that are no operators are refused", async () => {
  const open = (file: string, text: string) =>
    failure(openCustomOperators([{ file, bytes: bytes(text) }]));
  equal(/Python cannot be run here/.test((await open("a.py", "")).sentence()), true);
  equal((await open("a.wasm", "no")).code, "format");
  equal((await open("a.txt", "no")).code, "unsupported");
});

Deno.test("a Caffe layer of type Custom runs like a PyOp node", async () => {
  const net = `input: "x" input_dim: [1, 1, 1, 4]
layer { name: "t" type: "Custom" bottom: "x" top: "y" custom_param {
  kind: "Twice" shape { dim: 1 dim: 1 dim: 1 dim: 4 } params: "'times': 2" } }
layer { name: "r" type: "ReLU" bottom: "y" top: "z" }`;
  const graph = loadCaffe(net, encodeModel([{ name: "t", blobs: [] }]));
  const ops = await openCustomOperators([{ file: "ops.ts", bytes: bytes(TWICE) }]);
  const engine = createCustomEngine(createFloatEngine({ workers: 0 }), ops);
  try {
    const session = await engine.open(await resolveCustom(graph, ops));
    const out = await session.run(new Map([["x", { ...x, shape: [1, 1, 1, 4] }]]));
    deepEqual([...out.values()].map((t) => [...t.data]), [[0, 8, 12, 16]]);
  } finally {
    await engine.close();
  }
});
