/**
 * LSTM and RNN, and the layer that makes its sequence marker.
 *
 * @module
 */

import { attr } from "../../../ir/graph.ts";
import { elementCount, f32, numbersOf, sameShape, type Tensor } from "../../../ir/tensor.ts";
import type { Value } from "../build.ts";
import type { BlobSpec, Converter, LayerContext } from "../context.ts";

/** Steps that are unrolled when the marker is only known at run time. */
const MAX_UNROLLED = 256;

/** ContinuationIndicator: 0 in the first row, 1 in the others; T x N. */
export const continuationIndicator: Converter = (ctx: LayerContext) => {
  ctx.arity([0, 1], 1);
  const p = ctx.params.continuationIndicatorParam;
  const like = ctx.inputs[0]?.shape;
  const t = p?.timeStep || like?.[0] || 0;
  const n = p?.batchSize || like?.[1] || 0;
  if (t < 1 || n < 1) ctx.fail("time_step and batch_size must be at least 1");
  ctx.reserve(t * n);
  ctx.top(
    ctx.constant("cont", f32([t, n], Array.from({ length: t * n }, (_, i) => i < n ? 0 : 1))),
  );
};

/** What both forms of the LSTM need. */
interface Cell {
  readonly t: number;
  readonly n: number;
  readonly depth: number;
  readonly hidden: number;
  readonly x: Value;
  readonly cont: Value;
  readonly stat?: Value;
  readonly h0?: Value;
  readonly c0?: Value;
  readonly wx: Tensor;
  readonly b: Tensor;
  readonly ws?: Tensor;
  readonly wh: Tensor;
  /** Of an RNN: the layer from the state to the output. */
  readonly wo?: Tensor;
  readonly bo?: Tensor;
}

/** Bottoms and weights. `gateCount` is 4 for an LSTM and 1 for an RNN, which has an output layer as well. */
function cellOf(ctx: LayerContext, gateCount: 1 | 4 = 4): Cell {
  const p = ctx.params.recurrentParam;
  const memory = gateCount === 4;
  const hidden = p?.numOutput ?? 0;
  if (hidden < 1) ctx.fail("num_output must be at least 1", "recurrent_param");
  const exposed = p?.exposeHidden ?? false;
  const carried = exposed ? (memory ? 2 : 1) : 0;
  ctx.arity([2 + carried, 3 + carried], 1 + carried);
  const [x, cont] = [ctx.input(0), ctx.input(1)];
  const [t, n] = x.shape;
  if (t === undefined || n === undefined || x.shape.length < 2) {
    ctx.fail("its input needs at least 2 axes: time and stream", "bottom");
  }
  if (!sameShape(cont.shape, [t, n])) {
    ctx.fail(`its second bottom ${cont.shape.join("x")} is not ${t}x${n}`, "bottom");
  }
  const states = ctx.inputs.length - carried;
  const stat = states === 3 ? ctx.input(2) : undefined;
  if (stat !== undefined && stat.shape[0] !== n) {
    ctx.fail(`its static bottom ${stat.shape.join("x")} has not ${n} streams`, "bottom");
  }
  const h0 = exposed ? ctx.input(states) : undefined;
  const c0 = exposed && memory ? ctx.input(states + 1) : undefined;
  for (const v of [h0, c0]) {
    if (v === undefined || sameShape(v.shape, [1, n, hidden])) continue;
    ctx.fail(`an initial state ${v.shape.join("x")} is not 1x${n}x${hidden}`, "bottom");
  }
  const depth = elementCount(x.shape.slice(2));
  const gates = gateCount * hidden;
  const specs: BlobSpec[] = [
    { what: "input weights", shape: [gates, depth], filler: p?.weightFiller },
    { what: "bias", shape: [gates], filler: p?.biasFiller },
  ];
  if (stat !== undefined) {
    const width = elementCount(stat.shape.slice(1));
    specs.push({ what: "static weights", shape: [gates, width], filler: p?.weightFiller });
  }
  specs.push({ what: "hidden weights", shape: [gates, hidden], filler: p?.weightFiller });
  const tail = specs.length;
  if (!memory) {
    specs.push({ what: "output weights", shape: [hidden, hidden], filler: p?.weightFiller });
    specs.push({ what: "output bias", shape: [hidden], filler: p?.biasFiller });
  }
  const blobs = ctx.weights(specs);
  return {
    ...{ t, n, depth, hidden, x, cont, stat, h0, c0 },
    wx: blobs[0]!,
    b: blobs[1]!,
    ws: stat === undefined ? undefined : blobs[2],
    wh: blobs[tail - 1]!,
    wo: blobs[tail],
    bo: blobs[tail + 1],
  };
}

/**
 * LSTM. A marker that is known and only ever starts a sequence in the first step makes an ONNX LSTM;
 * any other one is unrolled, since ONNX cannot reset a state in between.
 */
export const lstm: Converter = (ctx: LayerContext) => {
  const cell = cellOf(ctx);
  const continued = continuedOf(cell);
  if (continued === undefined) unrolled(ctx, cell);
  else whole(ctx, cell, continued);
};

/** Whether the first step continues a sequence, where all others do; undefined when it is not so. */
function continuedOf(cell: Cell): boolean | undefined {
  const marks = cell.cont.constant === undefined ? undefined : numbersOf(cell.cont.constant);
  const first = marks?.[0];
  const regular = marks?.every((m, i) => m === (i < cell.n ? first : 1)) ?? false;
  return regular && (first === 0 || first === 1) && cell.stat === undefined
    ? first === 1
    : undefined;
}

/** RNN: h = tanh(W x + R h + b), y = tanh(V h + c). One ONNX RNN where the marker allows it. */
export const rnn: Converter = (ctx: LayerContext) => {
  const c = cellOf(ctx, 1);
  const { t, n, depth, hidden } = c;
  const continued = continuedOf(c);
  const x = ctx.reshape(c.x, [t, n, depth], "in");
  const state = { dtype: "float32", shape: [1, n, hidden] } as const;
  let states: Value, last: Value;
  if (continued !== undefined) {
    const bias = new Float32Array(2 * hidden);
    bias.set(c.b.data as Float32Array);
    const [y, h] = ctx.ops(
      "RNN",
      [
        x,
        ctx.constant("W", { ...c.wx, shape: [1, hidden, depth] }),
        ctx.constant("R", { ...c.wh, shape: [1, hidden, hidden] }),
        ctx.constant("B", f32([1, 2 * hidden], bias)),
        undefined,
        continued ? c.h0 : undefined,
      ],
      [{ dtype: "float32", shape: [t, 1, n, hidden] }, state],
      { hidden_size: attr.int(hidden) },
    ) as [Value, Value];
    states = ctx.reshape(y, [t * n, hidden], "states");
    last = h;
  } else [states, last] = unrolledRnn(ctx, c, x);
  const out = ctx.op(
    "Gemm",
    [states, ctx.constant("V", c.wo!), ctx.constant("c", c.bo!)],
    [t * n, hidden],
    { transB: attr.int(1) },
    "out",
  );
  ctx.top(ctx.reshape(ctx.op("Tanh", [out], [t * n, hidden], {}, "y"), [t, n, hidden], "shaped"));
  if (ctx.spec.tops.length === 2) ctx.top(last, 1);
};

/** The states of all steps, [t * n, hidden], and the last one, [1, n, hidden]. */
function unrolledRnn(ctx: LayerContext, c: Cell, x: Value): [Value, Value] {
  const { t, n, depth, hidden } = c;
  if (t > MAX_UNROLLED) {
    ctx.fail(`its ${t} steps would have to be unrolled, at most ${MAX_UNROLLED} are`, "bottom");
  }
  const part = (width: number) => ({ dtype: "float32", shape: [n, width] } as const);
  const steps = (v: Value, width: number, name: string): Value[] =>
    t === 1 ? [v] : ctx.ops(
      "Split",
      [v, ctx.ints(`${name}/sizes`, new Array<number>(t).fill(n))],
      Array.from({ length: t }, () => part(width)),
      { axis: attr.int(0) },
      name,
    );
  const gemm = (a: Value, w: Value, b: Value | undefined, name: string): Value =>
    ctx.op("Gemm", [a, w, b], [a.shape[0]!, hidden], { transB: attr.int(1) }, name);
  const fromX = steps(
    gemm(
      ctx.reshape(x, [t * n, depth], "rows"),
      ctx.constant("W", c.wx),
      ctx.constant("b", c.b),
      "x",
    ),
    hidden,
    "steps",
  );
  const marks = steps(ctx.reshape(c.cont, [t * n, 1], "cont"), 1, "marks");
  const fromStatic = c.stat === undefined ? undefined : gemm(
    ctx.reshape(c.stat, [n, elementCount(c.stat.shape.slice(1))], "static/in"),
    ctx.constant("S", c.ws!),
    undefined,
    "static",
  );
  ctx.reserve(n * hidden);
  const recurrent = ctx.constant("R", c.wh);
  let h = c.h0 === undefined
    ? ctx.constant("zero", f32([n, hidden], new Float32Array(n * hidden)))
    : ctx.reshape(c.h0, [n, hidden], "h0");
  const all = fromX.map((row, i) => {
    const at = (name: string) => `t${i}/${name}`;
    const kept = ctx.op("Mul", [h, marks[i]!], [n, hidden], {}, at("keep"));
    const input = fromStatic === undefined
      ? row
      : ctx.op("Add", [row, fromStatic], [n, hidden], {}, at("static"));
    h = ctx.op("Tanh", [gemm(kept, recurrent, input, at("sum"))], [n, hidden], {}, at("h"));
    return h;
  });
  const states = t === 1
    ? h
    : ctx.op("Concat", all, [t * n, hidden], { axis: attr.int(0) }, "states");
  return [states, ctx.reshape(h, [1, n, hidden], "last")];
}

/** Rows of the gates i, f, o, g in ONNX's order i, o, f, c. */
function gatesInOrder(t: Tensor, hidden: number): Float32Array {
  const data = t.data as Float32Array;
  const width = data.length / (4 * hidden);
  const out = new Float32Array(data.length);
  for (const [to, from] of [0, 2, 1, 3].entries()) {
    const block = hidden * width;
    out.set(data.subarray(from * block, (from + 1) * block), to * block);
  }
  return out;
}

function whole(ctx: LayerContext, c: Cell, continued: boolean): void {
  const { t, n, depth, hidden } = c;
  const x = ctx.reshape(c.x, [t, n, depth], "in");
  const bias = new Float32Array(8 * hidden);
  bias.set(gatesInOrder(c.b, hidden));
  const constants = [
    ctx.constant("W", f32([1, 4 * hidden, depth], gatesInOrder(c.wx, hidden))),
    ctx.constant("R", f32([1, 4 * hidden, hidden], gatesInOrder(c.wh, hidden))),
    ctx.constant("B", f32([1, 8 * hidden], bias)),
  ];
  const states = continued ? [c.h0, c.c0] : [];
  const state = { dtype: "float32", shape: [1, n, hidden] } as const;
  const [y, hT, cT] = ctx.ops(
    "LSTM",
    [x, ...constants, undefined, ...states],
    [{ dtype: "float32", shape: [t, 1, n, hidden] }, state, state],
    { hidden_size: attr.int(hidden) },
  ) as [Value, Value, Value];
  ctx.top(ctx.reshape(y, [t, n, hidden], "out"));
  if (ctx.spec.tops.length === 3) {
    ctx.top(hT, 1);
    ctx.top(cT, 2);
  }
}

function unrolled(ctx: LayerContext, c: Cell): void {
  const { t, n, depth, hidden } = c;
  if (t > MAX_UNROLLED) {
    ctx.fail(
      `its ${t} steps would have to be unrolled, at most ${MAX_UNROLLED} are`,
      "bottom",
      "unsupported",
      "Make the second bottom with a ContinuationIndicator layer.",
    );
  }
  const gates = 4 * hidden;
  const rows = (v: Value, width: number, w: Tensor, b: Value | undefined, part: string): Value => {
    const flat = ctx.reshape(
      v,
      [v.shape.length === 0 ? 1 : elementCount(v.shape) / width, width],
      `${part}/in`,
    );
    const shape = [flat.shape[0]!, gates];
    const weights = ctx.constant(`${part}/W`, w);
    return ctx.op("Gemm", [flat, weights, b], shape, { transB: attr.int(1) }, part);
  };
  const split = (v: Value, width: number, part: string): Value[] => {
    const outputs = Array.from(
      { length: t },
      () => ({ dtype: "float32", shape: [n, width] } as const),
    );
    if (t === 1) return [v];
    const sizes = ctx.ints(`${part}/sizes`, new Array<number>(t).fill(n));
    return ctx.ops("Split", [v, sizes], outputs, { axis: attr.int(0) }, part);
  };
  const fromX = split(rows(c.x, depth, c.wx, ctx.constant("b", c.b), "x"), gates, "steps");
  const cont = split(ctx.reshape(c.cont, [t * n, 1], "cont"), 1, "marks");
  const fromStatic = c.stat === undefined
    ? undefined
    : rows(c.stat, elementCount(c.stat.shape.slice(1)), c.ws!, undefined, "static");
  ctx.reserve(2 * n * hidden);
  const zero = (): Value => ctx.constant("zero", f32([n, hidden], new Float32Array(n * hidden)));
  let h = c.h0 === undefined ? zero() : ctx.reshape(c.h0, [n, hidden], "h0");
  let cell = c.c0 === undefined ? zero() : ctx.reshape(c.c0, [n, hidden], "c0");
  const wh = ctx.constant("R", c.wh);
  const sizes = ctx.ints("gates", [hidden, hidden, hidden, hidden]);
  const state = [n, hidden];
  const outputs: Value[] = [];
  for (let i = 0; i < t; i++) {
    const at = (part: string): string => `t${i}/${part}`;
    const mark = cont[i]!;
    const kept = ctx.op("Mul", [h, mark], state, {}, at("keep"));
    const from = fromStatic === undefined
      ? fromX[i]!
      : ctx.op("Add", [fromX[i]!, fromStatic], [n, gates], {}, at("static"));
    const all = ctx.op("Gemm", [kept, wh, from], [n, gates], { transB: attr.int(1) }, at("gates"));
    const [gi, gf, go, gg] = ctx.ops(
      "Split",
      [all, sizes],
      Array.from({ length: 4 }, () => ({ dtype: "float32", shape: state } as const)),
      { axis: attr.int(1) },
      at("split"),
    ) as [Value, Value, Value, Value];
    const [input, forget, output] = [gi, gf, go].map((g, k) =>
      ctx.op("Sigmoid", [g], state, {}, at("ifo"[k]!))
    ) as [Value, Value, Value];
    const candidate = ctx.op("Tanh", [gg], state, {}, at("g"));
    const old = ctx.op("Mul", [cell, mark], state, {}, at("old"));
    const carried = ctx.op("Mul", [forget, old], state, {}, at("carried"));
    const added = ctx.op("Mul", [input, candidate], state, {}, at("added"));
    cell = ctx.op("Add", [carried, added], state, {}, at("c"));
    h = ctx.op("Mul", [output, ctx.op("Tanh", [cell], state, {}, at("tanh"))], state, {}, at("h"));
    outputs.push(ctx.reshape(h, [1, n, hidden], at("row")));
  }
  ctx.top(
    outputs.length === 1
      ? outputs[0]!
      : ctx.op("Concat", outputs, [t, n, hidden], { axis: attr.int(0) }),
  );
  if (ctx.spec.tops.length === 3) {
    ctx.top(ctx.reshape(h, [1, n, hidden], "hT"), 1);
    ctx.top(ctx.reshape(cell, [1, n, hidden], "cT"), 2);
  }
}
