/** Functions of one input, each over the range where it is interesting. */

import { equal, ok } from "node:assert/strict";
import { attr, HORIZON } from "../../ir/graph.ts";
import type { Attr } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { quantizeValue } from "../../ops/arithmetic.ts";
import { lut16Value, MAX_SEGMENT_ERROR } from "../../ops/lower/lut.ts";
import { allOps, opOf } from "../../ops/registry.ts";
import type { UnaryDef } from "../../ops/unary.ts";
import { exact, map, one } from "./harness.ts";
import type { Random } from "./harness.ts";
import type { Quantized } from "../../quantize/quantize.ts";

interface Function1 {
  readonly lo?: number;
  readonly hi?: number;
  readonly attrs?: Readonly<Record<string, Attr>>;
  readonly constants?: (r: Random) => Record<string, Tensor>;
  /** Jumps: only the bits are compared. */
  readonly jumps?: boolean;
}

const functions: Readonly<Record<string, Function1>> = {
  Abs: {},
  Acos: { lo: -1, hi: 1 },
  Acosh: { lo: 1, hi: 9 },
  Asin: { lo: -1, hi: 1 },
  Asinh: {},
  Atan: {},
  Atanh: { lo: -0.9, hi: 0.9 },
  Ceil: { jumps: true },
  Celu: { attrs: { alpha: attr.float(0.7) } },
  Clip: { constants: (r) => ({ lo: f32([], [-r.next()]), hi: f32([], [r.pick(0.7, 6)]) }) },
  Cos: {},
  Cosh: { lo: -3, hi: 3 },
  Elu: { attrs: { alpha: attr.float(1.3) } },
  Erf: {},
  Exp: { lo: -6, hi: 2 },
  Floor: { jumps: true },
  HardSigmoid: {},
  HardSwish: {},
  LeakyRelu: { attrs: { alpha: attr.float(0.1) } },
  Log: { lo: 0.05, hi: 9 },
  Neg: {},
  Pow: { lo: 0, hi: 3, constants: (r) => ({ exponent: f32([], [r.pick(2, 0.5, 3, 1.7)]) }) },
  Reciprocal: { lo: 0.2, hi: 5 },
  Relu: {},
  Round: { jumps: true },
  Selu: {},
  Sigmoid: {},
  Sign: { jumps: true },
  Sin: {},
  Sinh: { lo: -3, hi: 3 },
  Softplus: {},
  Softsign: {},
  Sqrt: { lo: 0, hi: 9 },
  Tan: { lo: -1.2, hi: 1.2 },
  Tanh: {},
  ThresholdedRelu: { jumps: true },
};

/** int16 tables keep what section 6 promises: two steps from the real function, everywhere. */
function checkBound(op: string, q: Quantized): void {
  for (const n of q.graph.nodes) {
    if (n.op !== "HzLut16") continue;
    const table = q.graph.constants.get(n.inputs[1]!)!.data as Int16Array;
    const of = (name: string) => [...q.tensors.values()].find((t) => t.name === name)!.scales[0]!;
    const [sx, sy] = [of(n.inputs[0]!), of(n.outputs[0]!)];
    const source = q.layout.groups.get("n")!.node;
    const f = (opOf(source) as UnaryDef).real(source, (i) => constants.get(op)?.[i - 1]);
    for (let x = -32768; x < 32768; x += 1) {
      const want = quantizeValue(f(sx * x), sy, 0, -32768, 32767);
      const got = lut16Value(table, x);
      ok(Math.abs(got - want) <= MAX_SEGMENT_ERROR, `${op}(${x}) is ${got}, not ${want}`);
    }
  }
}
const constants = new Map<string, Tensor[]>();

for (const [op, f] of Object.entries(functions)) {
  const { lo = -7, hi = 7 } = f;
  exact(op, (r) => {
    const k = f.constants?.(r) ?? {};
    constants.set(op, Object.values(k));
    return one(op, r, map(r), f.attrs ?? {}, k);
  }, {
    cases: 12,
    feed: (r, _, shape) => {
      const t = r.values(shape);
      const data = Float32Array.from(
        t.data as Float32Array,
        (v) => lo + (v + 1) / 2 * (hi - lo),
      );
      return { ...t, data };
    },
    check: (q) => checkBound(op, q),
    ...(f.jumps ? { error: Infinity } : {}),
  });
}

Deno.test("every function of the table of bayes is tested here", () => {
  const missing = allOps().filter((d) =>
    d.domain === undefined && (d as Partial<UnaryDef>).real !== undefined &&
    d.place?.bayes.on === "BPU" && functions[d.op] === undefined
  ).map((d) => d.op);
  // Gelu and Mish are written by our own passes; stock opset 17 has neither.
  equal(missing.filter((op) => op !== "Gelu" && op !== "Mish").join(), "");
});

// What our passes make of Gelu, Mish and Swish chains.
for (const op of ["HzGelu", "HzMish", "HzSwish"]) {
  exact(op, (r) => {
    const c = one(op, r, map(r));
    return { ...c, nodes: c.nodes.map((n) => ({ ...n, domain: HORIZON })) };
  }, { feed: (r, _, shape) => r.values(shape, 6), check: (q) => checkBound(op, q) });
}
