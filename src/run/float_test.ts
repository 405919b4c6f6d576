import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import type { Feeds } from "../ir/engine.ts";
import { attr, type Graph, type Node, node, OPSET } from "../ir/graph.ts";
import {
  type DType,
  f32,
  type Tensor,
  tensor,
  type TensorData,
  type TensorType,
} from "../ir/tensor.ts";
import { saveOnnx } from "../formats/onnx/save.ts";
import { createFloatEngine } from "./float.ts";

function graphOf(
  nodes: Node[],
  inputs: Record<string, TensorType>,
  outputs: Record<string, TensorType>,
  constants: Record<string, Tensor> = {},
): Graph {
  const ports = (r: Record<string, TensorType>) =>
    Object.entries(r).map(([name, t]) => ({ name, ...t }));
  return {
    name: "test",
    opset: OPSET,
    domains: new Map(),
    nodes,
    inputs: ports(inputs),
    outputs: ports(outputs),
    constants: new Map(Object.entries(constants)),
    types: new Map(),
    metadata: new Map(),
  };
}

const t = (dtype: DType, ...shape: number[]): TensorType => ({ dtype, shape });

/** x (1x2x4x4) -> Conv c -> Relu r -> Sigmoid y */
function convGraph(): Graph {
  const w = f32([3, 2, 3, 3], Array.from({ length: 54 }, (_, i) => ((i * 37) % 17 - 8) / 9));
  return graphOf(
    [
      node("Conv", "conv_1", ["x", "w"], ["c"], { pads: attr.ints([1, 1, 1, 1]) }),
      node("Relu", "relu_1", ["c"], ["r"]),
      node("Sigmoid", "sig_1", ["r"], ["y"]),
    ],
    { x: t("float32", 1, 2, 4, 4) },
    { y: t("float32", 1, 3, 4, 4) },
    { w },
  );
}

const sample = (seed: number): Feeds =>
  new Map([[
    "x",
    f32([1, 2, 4, 4], Array.from({ length: 32 }, (_, i) => Math.sin(i * 1.7 + seed))),
  ]]);

async function bpuError(run: () => Promise<unknown>): Promise<BpuError> {
  try {
    await run();
  } catch (e) {
    assert.ok(e instanceof BpuError, `not a BpuError: ${e}`);
    return e;
  }
  assert.fail("no error");
}

const samples: [DType, TensorData][] = [
  ["float32", Float32Array.of(-1.5, NaN, Infinity, -0)],
  ["float64", Float64Array.of(-1.5, 1e300, -Infinity, 2 ** -1074)],
  ["float16", Uint16Array.of(0x3c00, 0xfc00, 0x0001, 0x8000)],
  ["int8", Int8Array.of(-128, 127, 0, -1)],
  ["uint8", Uint8Array.of(255, 0, 1, 128)],
  ["int16", Int16Array.of(-32768, 32767, -1, 0)],
  ["uint16", Uint16Array.of(65535, 0, 1, 32768)],
  ["int32", Int32Array.of(-(2 ** 31), 2 ** 31 - 1, -1, 0)],
  ["uint32", Uint32Array.of(2 ** 32 - 1, 0, 1, 2 ** 31)],
  ["int64", BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, -1n, 0n)],
  ["uint64", BigUint64Array.of(2n ** 64n - 1n, 0n, 1n, 2n ** 63n)],
  ["bool", Uint8Array.of(1, 0, 0, 1)],
  ["string", ["", "a", "ä€", "two words"]],
];

Deno.test("float engine: every dtype goes in and out unchanged", async () => {
  const engine = createFloatEngine({ workers: 1 });
  for (const [dtype, data] of samples) {
    const g = graphOf([node("Identity", "id", ["x"], ["y"])], { x: t(dtype, 2, 2) }, {
      y: t(dtype, 2, 2),
    });
    const feeds = new Map([["x", tensor(dtype, [2, 2], data)]]);
    const session = await engine.open(g);
    const check = (out: Map<string, Tensor>) => {
      const y = out.get("y");
      assert.ok(y !== undefined);
      assert.equal(y.dtype, dtype);
      assert.deepEqual(y.shape, [2, 2]);
      assert.equal(y.data.constructor, data.constructor);
      assert.deepEqual(y.data, data);
    };
    check(await session.run(feeds));
    await engine.map(g, undefined, [feeds], (_, out) => check(out));
  }
  await engine.close();
});

Deno.test("float engine: fetches intermediates, inputs and outputs, in the order asked for", async () => {
  const engine = createFloatEngine({ workers: 0 });
  const session = await engine.open(convGraph(), ["r", "x", "y", "c", "r"]);
  const feeds = sample(1);
  const out = await session.run(feeds);
  assert.deepEqual([...out.keys()], ["r", "x", "y", "c"]);
  const [c, r, y] = ["c", "r", "y"].map((n) => out.get(n)?.data as Float32Array);
  assert.ok(c!.some((v) => v < 0));
  c!.forEach((v, i) => assert.equal(r![i], Math.max(0, v)));
  r!.forEach((v, i) => assert.ok(Math.abs(y![i]! - 1 / (1 + Math.exp(-v))) < 1e-6));
  assert.deepEqual(out.get("x")?.data, feeds.get("x")?.data);
  // fetching intermediates does not change the output
  const plain = await (await engine.open(convGraph())).run(feeds);
  assert.deepEqual(plain.get("y")?.data, y);
  await engine.close();
});

Deno.test("float engine: samples come back in order and equal for any number of workers", async () => {
  const results: Float32Array[][] = [];
  for (const workers of [0, 1, 3]) {
    const engine = createFloatEngine({ workers });
    const seen: Float32Array[] = [];
    for (let round = 0; round < 2; round++) { // the second round uses the same Workers
      let busy = false;
      seen.length = 0;
      await engine.map(
        convGraph(),
        ["c", "y"],
        Array.from({ length: 7 }, (_, i) => sample(i)),
        async (
          i,
          out,
        ) => {
          assert.equal(busy, false, "one result at a time");
          busy = true;
          await Promise.resolve();
          busy = false;
          assert.equal(i * 2, seen.length);
          seen.push(out.get("c")!.data as Float32Array, out.get("y")!.data as Float32Array);
        },
      );
      assert.equal(seen.length, 14);
    }
    results.push(seen);
    await engine.close();
  }
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
});

Deno.test("float engine: calls that overlap do not disturb each other", async () => {
  // A call with one result before a call with many: the first's end would free the stack on which
  // the second keeps the addresses of its results.
  const engine = createFloatEngine({ workers: 0 });
  for (const n of [2, 16, 40]) {
    const names = Array.from({ length: n }, (_, i) => `t${i}`);
    const g = graphOf(
      names.map((name, i) => node("Neg", `neg_${i}`, [i === 0 ? "x" : `t${i - 1}`], [name])),
      { x: t("float32", 64) },
      { [`t${n - 1}`]: t("float32", 64) },
    );
    const feeds = [0, 1, 2, 3].map((k): Feeds =>
      new Map([["x", f32([64], Array.from({ length: 64 }, (_, i) => i + 100 * k))]])
    );
    const one = await engine.open(g);
    const all = await engine.open(g, names);
    const got = await Promise.all(feeds.map((f, k) => (k % 2 === 0 ? one : all).run(f)));
    got.forEach((out, k) => {
      const x = feeds[k]!.get("x")!.data as Float32Array;
      for (const [name, y] of out) {
        assert.deepEqual(y.data, names.indexOf(name) % 2 === 0 ? x.map((v) => -v) : x);
      }
    });
  }
  await engine.close();
});

Deno.test("float engine: takes samples only a few ahead of the results", async () => {
  for (const workers of [0, 2]) {
    const engine = createFloatEngine({ workers });
    let taken = 0;
    let most = 0;
    const source = async function* () {
      for (let i = 0; i < 20; i++) {
        taken++;
        yield await Promise.resolve(sample(i));
      }
    };
    await engine.map(convGraph(), undefined, source(), (i) => {
      most = Math.max(most, taken - i);
    });
    assert.equal(taken, 20);
    assert.ok(most <= workers + 2, `${most} samples in flight with ${workers} workers`);
    await engine.close();
  }
});

Deno.test("float engine: the caller's arrays stay usable, views send only themselves", async () => {
  const engine = createFloatEngine({ workers: 1 });
  const big = new Float32Array(64).map((_, i) => i / 10);
  const feeds: Feeds = new Map([["x", tensor("float32", [1, 2, 4, 4], big.subarray(16, 48))]]);
  const ys: unknown[] = [];
  await engine.map(convGraph(), ["x", "y"], [feeds, feeds], (_, out) => {
    assert.equal((out.get("x")?.data as Float32Array).buffer.byteLength, 128);
    ys.push(out.get("y")?.data);
  });
  assert.deepEqual(ys[0], ys[1]);
  assert.equal(big.length, 64);
  await engine.close();
});

Deno.test("float engine: errors say what and where", async () => {
  const engine = createFloatEngine({ workers: 1 });
  const notModel = await bpuError(() => engine.openBytes(Uint8Array.of(10, 200, 1, 2, 3)));
  assert.equal(notModel.code, "format");
  const noGraph = await bpuError(() => engine.openBytes(Uint8Array.of(8, 7)));
  assert.equal(noGraph.code, "runtime");
  assert.match(noGraph.message, /^[^/]*$/, "no source paths");

  const unknown = graphOf([node("Frobnicate", "f_1", ["x"], ["y"])], { x: t("float32", 1) }, {
    y: t("float32", 1),
  });
  const e = await bpuError(() => engine.open(unknown));
  assert.equal(e.code, "runtime");
  assert.equal(e.place.node, "f_1");
  assert.equal(e.place.op, "Frobnicate");
  assert.match(e.message, /Frobnicate/);
  assert.doesNotMatch(e.message, /ERROR_CODE/);

  const kernel = graphOf(
    [node("Reshape", "reshape_7", ["x", "s"], ["y"])],
    { x: t("float32", 6), s: t("int64", 2) },
    { y: t("float32", -1, -1) },
  );
  const failed = await bpuError(async () =>
    (await engine.open(kernel)).run(
      new Map([
        ["x", f32([6], [1, 2, 3, 4, 5, 6])],
        ["s", tensor("int64", [2], BigInt64Array.of(4n, 4n))],
      ]),
    )
  );
  assert.match(failed.message, /cannot be reshaped/);
  assert.doesNotMatch(
    failed.message,
    /\/|onnxruntime::/,
    "no paths or names of onnxruntime's sources",
  );

  const missing = await bpuError(() => engine.open(convGraph(), ["nothing"]));
  assert.equal(missing.place.tensor, "nothing");

  const session = await engine.open(convGraph());
  const none = await bpuError(() => session.run(new Map()));
  assert.equal(none.place.tensor, "x");
  const shape = await bpuError(() => session.run(new Map([["x", f32([1, 2], [1, 2])]])));
  assert.match(shape.message, /1x2x4x4, not 1x2/);
  const dtype = await bpuError(() =>
    session.run(new Map([["x", tensor("int8", [1, 2, 4, 4], new Int8Array(32))]]))
  );
  assert.match(dtype.message, /takes float32, not int8/);
  // a closed session is refused, the engine goes on
  await session.close();
  await session.close();
  assert.equal((await bpuError(() => session.run(sample(0)))).code, "runtime");
  await engine.close();
});

Deno.test("float engine: an error at run time names the node, from a worker too", async () => {
  // The number of channels is known at run time only.
  const g = graphOf(
    [node("Conv", "conv_7", ["x", "w"], ["y"])],
    { x: t("float32", 1, -1, 4, 4) },
    { y: t("float32", -1, -1, -1, -1) },
    { w: f32([1, 1, 3, 3], new Array(9).fill(1)) },
  );
  const feeds = sample(0);
  for (const workers of [0, 2]) {
    const engine = createFloatEngine({ workers });
    const e = await bpuError(() =>
      engine.map(g, undefined, [feeds, feeds, feeds, feeds], () => {})
    );
    assert.equal(e.code, "runtime");
    assert.equal(e.place.node, "conv_7");
    assert.equal(e.place.op, "Conv");
    assert.doesNotMatch(e.message, /\/|ERROR_CODE|Status Message/);
    await engine.close();
  }
});

Deno.test("float engine: errors of the source and of the receiver come through", async () => {
  const engine = createFloatEngine({ workers: 2 });
  await assert.rejects(
    engine.map(convGraph(), undefined, [sample(0), sample(1), sample(2)], (i) => {
      if (i === 1) throw new Error("enough");
    }),
    /enough/,
  );
  async function* broken() {
    yield await Promise.resolve(sample(0));
    throw new Error("no more pictures");
  }
  await assert.rejects(engine.map(convGraph(), undefined, broken(), () => {}), /no more pictures/);
  // and the engine still works
  let n = 0;
  await engine.map(convGraph(), undefined, [sample(0)], () => void n++);
  assert.equal(n, 1);
  await engine.close();
});

Deno.test("float engine: runs one session on the main thread where Workers cannot start", async () => {
  const real = globalThis.Worker;
  Reflect.deleteProperty(globalThis, "Worker");
  try {
    const engine = createFloatEngine({ workers: 3 });
    const order: number[] = [];
    await engine.map(convGraph(), undefined, [0, 1, 2, 3].map(sample), (i) => void order.push(i));
    assert.deepEqual(order, [0, 1, 2, 3]);
    await engine.close();
  } finally {
    Object.defineProperty(globalThis, "Worker", {
      value: real,
      configurable: true,
      writable: true,
    });
  }
});

Deno.test("float engine: needs no permission, on the main thread and in Workers", async () => {
  const code = `
    import { createFloatEngine } from ${
    JSON.stringify(new URL("./float.ts", import.meta.url).href)
  };
    const bytes = Uint8Array.from(${JSON.stringify([...saveOnnx(convGraph())])});
    const feeds = new Map([["x", { dtype: "float32", shape: [1, 2, 4, 4], data: new Float32Array(32) }]]);
    let done = 0;
    for (const workers of [0, 2]) {
      let started = 0;
      const W = globalThis.Worker;
      globalThis.Worker = class extends W { constructor(...a) { super(...a); started++; } };
      const engine = createFloatEngine({ workers });
      await engine.mapBytes(bytes, ["c"], [feeds, feeds, feeds], () => void done++);
      await engine.close();
      globalThis.Worker = W;
      if (started !== workers) console.log("started", started, "of", workers);
    }
    console.log("samples", done);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", "--no-check", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code));
  await writer.close();
  const { code: status, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  assert.equal(status, 0, text.decode(stderr));
  assert.equal(text.decode(stdout), "samples 6\n");
  assert.equal(text.decode(stderr), "");
});

Deno.test("float engine: the shims load the version that deps.ts names", async () => {
  const read = (path: string) => Deno.readTextFile(new URL(path, import.meta.url));
  const versions = (text: string) =>
    [...text.matchAll(/npm:onnxruntime-web@([\d.]+)/g)].map((m) => m[1]);
  const deps = new Set(versions(await read("../deps.ts")));
  assert.equal(deps.size, 1);
  for (const shim of ["./ort_wasm.js", "./ort_text.js"]) {
    assert.deepEqual(versions(await read(shim)), [...deps], shim);
  }
});

Deno.test("float engine: a worker count that makes no sense is refused", () => {
  assert.throws(() => createFloatEngine({ workers: -1 }), BpuError);
});
