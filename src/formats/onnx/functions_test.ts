// Functions written in the text form, run by stock onnxruntime-web from a saved model and compared bit for
// bit with loops over integers.
import assert from "node:assert/strict";
import { fn, type FunctionDef } from "../../ir/function.ts";
import { type Attr, attr, type Graph, node, OPSET } from "../../ir/graph.ts";
import type { DType, Tensor, TensorType } from "../../ir/tensor.ts";
import { loadOnnx } from "./load.ts";
import { saveOnnx } from "./save.ts";
import { differs, random, runOrt } from "./test_models.ts";

const next = random(7);
const integer = (low: number, high: number) =>
  low + Math.floor((next() + 1) / 2 * (high - low + 1));

function ints(dtype: DType, shape: readonly number[], low: number, high: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Array.from(
    { length: count },
    (_, i) => i === 0 ? low : i === 1 ? high : integer(low, high),
  );
  const arrays = { int8: Int8Array, int16: Int16Array, int32: Int32Array, uint8: Uint8Array };
  return { dtype, shape, data: arrays[dtype as keyof typeof arrays].from(values) };
}

/** Runs one call of a function: `feeds` are graph inputs, `constants` initializers, in input order. */
async function call(
  f: FunctionDef,
  library: readonly FunctionDef[],
  feeds: ReadonlyMap<string, Tensor>,
  constants: ReadonlyMap<string, Tensor>,
  attrs: Readonly<Record<string, Attr>>,
  out: TensorType,
): Promise<Tensor> {
  const graph: Graph = {
    name: "call",
    opset: OPSET,
    domains: new Map(),
    nodes: [node(f.name, "call", f.inputs, ["out"], attrs, "horizon")],
    inputs: [...feeds].map(([name, t]) => ({ name, dtype: t.dtype, shape: t.shape })),
    outputs: [{ name: "out", dtype: out.dtype, shape: out.shape }],
    constants: new Map(constants),
    types: new Map([["out", out]]),
    metadata: new Map(),
  };
  const bytes = saveOnnx(graph, { functions: library });
  // What we wrote is read back as the call itself: the bodies are ours to write again.
  assert.deepEqual(loadOnnx(bytes).nodes, graph.nodes);
  return (await runOrt(bytes, feeds)).get("out")!;
}

const clamp = (v: number, low: number, high: number) => Math.min(high, Math.max(low, v));
/** The shift of docs/arithmetic.md, section 3. */
function requant(acc: number, m: number, s: number): number {
  const half = s === 0 ? 0n : 1n << BigInt(s - 1);
  return Number((BigInt(acc) * BigInt(m) + half) >> BigInt(s));
}

const factor = (m: string, s: string, k: string) =>
  `${k}_m=Cast(${m}){to=f64}; ${k}_s=Cast(${s}){to=f64}; ${k}_n=Neg(${k}_s); ` +
  `${k}_p=Pow(f64:2, ${k}_n); ${k}=Mul(${k}_m, ${k}_p); `;
const round = (v: string, y: string, to: string) =>
  `r_a=Add(${v}, f64:0.5); r_f=Floor(r_a); r_l=Cast(@qmin){to=f64}; r_u=Cast(@qmax){to=f64}; ` +
  `r_c=Clip(r_f, r_l, r_u); ${y}=Cast(r_c){to=${to}}`;

const hzRequant = fn(
  "HzRequant",
  "x, m, s",
  "y",
  ["qmin:int", "qmax:int", "to:int"],
  `${factor("m", "s", "k")}d=Cast(x){to=f64}; v=Mul(d, k); ${round("v", "y", "@to")}`,
);
const hzConv = fn(
  "HzConv",
  "x, w, b, m, s",
  "y",
  ["pads:ints", "strides:ints", "dilations:ints", "group:int", "qmin:int", "qmax:int"],
  "acc0=ConvInteger(x, w){pads=@pads strides=@strides dilations=@dilations group=@group}; " +
    "b3=Unsqueeze(b, i64:[1,2]); acc=Add(acc0, b3); m3=Unsqueeze(m, i64:[1,2]); " +
    `s3=Unsqueeze(s, i64:[1,2]); ${factor("m3", "s3", "k")}d=Cast(acc){to=f64}; v=Mul(d, k); ` +
    round("v", "y", "i8"),
);
const hzLut16 = fn(
  "HzLut16",
  "x, lut",
  "y",
  [],
  "xi=Cast(x){to=i32}; u=Add(xi, i32:32768); f=Mod(u, i32:128); i0=Div(u, i32:128); " +
    "i1=Add(i0, i32:1); t0=Gather(lut, i0); t1=Gather(lut, i1); t0i=Cast(t0){to=i32}; " +
    "t1i=Cast(t1){to=i32}; g=Sub(i32:128, f); p0=Mul(t0i, g); p1=Mul(t1i, f); p=Add(p0, p1); " +
    "pb=Add(p, i32:8388672); q=Div(pb, i32:128); r=Sub(q, i32:65536); y=Cast(r){to=i16}",
);
const hzConcat2 = fn(
  "HzConcat2",
  "a, b, ma, sa, mb, sb",
  "y",
  ["axis:int", "qmin:int", "qmax:int", "to:int"],
  "ra=horizon.HzRequant(a, ma, sa){qmin=@qmin qmax=@qmax to=@to}; " +
    "rb=horizon.HzRequant(b, mb, sb){qmin=@qmin qmax=@qmax to=@to}; y=Concat(ra, rb){axis=@axis}",
);
const hzReduce = fn(
  "HzReduceSum",
  "x",
  "y",
  ["axes:ints", "keepdims:int=1"],
  "xi=Cast(x){to=i64}; r=ReduceSum(xi, @axes){keepdims=@keepdims}; y=Cast(r){to=i32}",
);
const library = [hzRequant, hzConv, hzLut16, hzConcat2, hzReduce];
const q8 = { qmin: attr.int(-128), qmax: attr.int(127) };

Deno.test("HzRequant: int32 to int8 and int16, every shift", async () => {
  const x = ints("int32", [3, 63], -2147483648, 2147483647);
  const m = ints("int16", [63], 1 << 14, 32767);
  const s: Tensor = {
    dtype: "int8",
    shape: [63],
    data: Int8Array.from({ length: 63 }, (_, i) => i),
  };
  for (
    const [dtype, to, low, high] of [["int8", 3, -128, 127], ["int16", 5, -32768, 32767]] as const
  ) {
    const got = await call(
      hzRequant,
      library,
      new Map([["x", x]]),
      new Map([["m", m], ["s", s]]),
      { qmin: attr.int(low), qmax: attr.int(high), to: attr.int(to) },
      { dtype, shape: [3, 63] },
    );
    const want = Array.from(
      x.data as Int32Array,
      (v, i) => clamp(requant(v, Number(m.data[i % 63]), i % 63), low, high),
    );
    assert.deepEqual(Array.from(got.data as Int8Array), want);
  }
});

Deno.test("HzConv: padding, stride, groups, per-channel factors", async () => {
  const [n, c, h, w, k, group] = [2, 4, 7, 6, 6, 2] as const;
  const x = ints("int8", [n, c, h, w], -128, 127);
  const weight = ints("int8", [k, c / group, 3, 2], -127, 127);
  const b = ints("int32", [k], -20000, 20000);
  const m = ints("int16", [k], 1 << 14, 32767);
  const s = ints("int8", [k], 20, 24);
  const [oh, ow] = [4, 6];
  const got = await call(
    hzConv,
    library,
    new Map([["x", x]]),
    new Map([["w", weight], ["b", b], ["m", m], ["s", s]]),
    {
      ...q8,
      pads: attr.ints([1, 0, 1, 1]),
      strides: attr.ints([2, 1]),
      dilations: attr.ints([1, 1]),
      group: attr.int(group),
    },
    { dtype: "int8", shape: [n, k, oh, ow] },
  );
  const want: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let o = 0; o < k; o++) {
      for (let y = 0; y < oh; y++) {
        for (let z = 0; z < ow; z++) {
          let acc = Number(b.data[o]);
          for (let ci = 0; ci < c / group; ci++) {
            const channel = Math.floor(o / (k / group)) * (c / group) + ci;
            for (let r = 0; r < 3; r++) {
              for (let t = 0; t < 2; t++) {
                const [iy, ix] = [2 * y + r - 1, z + t];
                if (iy < 0 || iy >= h || ix >= w) continue;
                acc += Number(x.data[((i * c + channel) * h + iy) * w + ix]) *
                  Number(weight.data[((o * (c / group) + ci) * 3 + r) * 2 + t]);
              }
            }
          }
          want.push(clamp(requant(acc, Number(m.data[o]), Number(s.data[o])), -128, 127));
        }
      }
    }
  }
  assert.deepEqual(Array.from(got.data as Int8Array), want);
});

Deno.test("HzLut16: every int16 value", async () => {
  const x: Tensor = {
    dtype: "int16",
    shape: [65536],
    data: Int16Array.from({ length: 65536 }, (_, i) => i - 32768),
  };
  const lut = ints("int16", [513], -32768, 32767);
  const got = await call(
    hzLut16,
    library,
    new Map([["x", x]]),
    new Map([["lut", lut]]),
    {},
    { dtype: "int16", shape: [65536] },
  );
  const t = lut.data as Int16Array;
  const want = Int16Array.from(x.data as Int16Array, (v) => {
    const u = v + 32768;
    const r = u & 127;
    return (t[u >> 7]! * (128 - r) + t[(u >> 7) + 1]! * r + 64) >> 7;
  });
  assert.equal(differs(got, { ...x, data: want }, 0), "");
});

Deno.test("a function that calls functions", async () => {
  const a = ints("int8", [2, 3], -128, 127);
  const b = ints("int8", [2, 2], -128, 127);
  const scalar = (dtype: "int16" | "int8", v: number): Tensor => ({
    dtype,
    shape: [],
    data: dtype === "int16" ? Int16Array.of(v) : Int8Array.of(v),
  });
  const got = await call(
    hzConcat2,
    library,
    new Map([["a", a], ["b", b]]),
    new Map([
      ["ma", scalar("int16", 20000)],
      ["sa", scalar("int8", 15)],
      ["mb", scalar("int16", 30001)],
      ["sb", scalar("int8", 14)],
    ]),
    { ...q8, axis: attr.int(1), to: attr.int(3) },
    { dtype: "int8", shape: [2, 5] },
  );
  const want: number[] = [];
  for (let i = 0; i < 2; i++) {
    for (let j = 0; j < 3; j++) {
      want.push(clamp(requant(Number(a.data[i * 3 + j]), 20000, 15), -128, 127));
    }
    for (let j = 0; j < 2; j++) {
      want.push(clamp(requant(Number(b.data[i * 2 + j]), 30001, 14), -128, 127));
    }
  }
  assert.deepEqual(Array.from(got.data as Int8Array), want);
});

Deno.test("an attribute with a default, given and left out", async () => {
  const x = ints("int8", [2, 3, 4], -128, 127);
  const sums = [0, 1].map((i) => {
    let sum = 0;
    for (let j = 0; j < 12; j++) sum += Number(x.data[i * 12 + j]);
    return sum;
  });
  for (const [given, shape] of [[{}, [2, 1, 1]], [{ keepdims: attr.int(0) }, [2]]] as const) {
    const got = await call(
      hzReduce,
      library,
      new Map([["x", x]]),
      new Map(),
      { axes: attr.ints([1, 2]), ...given },
      { dtype: "int32", shape },
    );
    assert.deepEqual(got, { dtype: "int32", shape: [...shape], data: Int32Array.from(sums) });
  }
});

Deno.test("only the functions that are reached are written; a missing one is an error", () => {
  const graph: Graph = {
    name: "g",
    opset: OPSET,
    domains: new Map([["horizon", 1]]),
    nodes: [node("HzLut16", "lut", ["x", "t"], ["y"], {}, "horizon")],
    inputs: [{ name: "x", dtype: "int16", shape: [4] }],
    outputs: [{ name: "y", dtype: "int16", shape: [4] }],
    constants: new Map([["t", ints("int16", [513], -5, 5)]]),
    types: new Map(),
    metadata: new Map(),
  };
  assert.deepEqual(
    saveOnnx(graph, { functions: library }),
    saveOnnx(graph, { functions: [hzLut16] }),
  );
  assert.throws(() => saveOnnx(graph, { functions: [hzConv] }), /no function body/);
});
