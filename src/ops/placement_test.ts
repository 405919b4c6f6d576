/**
 * Placement rules: for every constraint of part A a node that breaks it, with the sentence that the
 * user reads; the last test makes sure that no constraint is left out.
 */

import assert from "node:assert/strict";
import { type Attr, attr, type Graph, HORIZON, node, OPSET } from "../ir/graph.ts";
import { allocate, type DType, elementCount, tensor } from "../ir/tensor.ts";
import type { MarchName } from "../march/march.ts";
import { marchOf } from "../march/mod.ts";
import { ruleContext } from "./context.ts";
import { inferTypes } from "./infer.ts";
import { listA } from "./list_a.ts";
import type { Rule } from "./op.ts";
import { opNamed } from "./registry.ts";
import { broken, isGeneral, isNote } from "./rules.ts";

/** One input: a shape, perhaps another dtype, perhaps a constant with this value everywhere. */
interface In {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  readonly value?: number;
}

type Input = In | readonly number[] | undefined;

interface Case {
  readonly inputs: readonly Input[];
  readonly attrs?: Readonly<Record<string, number | string | readonly number[]>>;
  /** Operators that read the output. */
  readonly after?: readonly string[];
  /** Operator that makes input 0 from `x` (itself of shape `fed`). */
  readonly before?: string;
  readonly fed?: readonly number[];
  readonly outputs?: readonly string[];
}

const K = (shape: readonly number[], value = 1): In => ({ shape, value });

function attrOf(v: number | string | readonly number[]): Attr {
  if (typeof v === "string") return attr.string(v);
  return typeof v === "number" ? attr.int(v) : attr.ints(v);
}

function graphOf(op: string, k: Case): Graph {
  const domain = op.startsWith("Hz") ? HORIZON : "";
  const constants = new Map();
  const inputs: { name: string; dtype: DType; shape: readonly number[] }[] = [];
  const names = k.inputs.map((given, i) => {
    if (given === undefined) return "";
    const t: In = "shape" in given ? given : { shape: given };
    const dtype = t.dtype ?? "float32";
    const name = `x${i}`;
    if (t.value !== undefined) {
      const data = allocate(dtype, elementCount(t.shape));
      if (data instanceof BigInt64Array) data.fill(BigInt(t.value));
      else (data as Float32Array).fill(t.value);
      constants.set(name, tensor(dtype, t.shape, data));
    } else inputs.push({ name, dtype, shape: t.shape });
    return name;
  });
  const nodes = [];
  if (k.before !== undefined) {
    const shape = k.fed ?? inputs[0]!.shape;
    inputs[0] = { name: "before", dtype: "float32", shape };
    const weights = k.before === "Conv" ? ["w"] : [];
    if (weights.length > 0) {
      constants.set("w", tensor("float32", [shape[1]!, 1, 1, 1], new Float32Array(shape[1]!)));
    }
    const attrs = new Map<string, Attr>();
    if (k.before === "Conv") attrs.set("group", attr.int(shape[1]!));
    nodes.push(node(k.before, "before", ["before", ...weights], ["x0"], attrs));
  }
  const attrs = Object.entries(k.attrs ?? {}).map(([key, v]): [string, Attr] => [key, attrOf(v)]);
  const outputs = k.outputs ?? ["y"];
  nodes.push(node(op, "it", names, outputs, new Map(attrs), domain));
  (k.after ?? []).forEach((next, i) => {
    nodes.push(node(next, `z${i}`, next === "Add" ? ["y", "y"] : ["y"], [`z${i}`]));
  });
  return {
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes,
    inputs,
    outputs: [],
    constants,
    types: new Map(),
    metadata: new Map(),
  };
}

const seen = new Set<Rule>();

/** What is wrong with a node; remembers which rules spoke. */
function wrongs(op: string, march: MarchName, side: "bpu" | "cpu", k: Case): string[] {
  const graph = inferTypes(graphOf(op, k));
  const it = graph.nodes.find((n) => n.name === "it")!;
  const rules = opNamed(op, op.startsWith("Hz") ? HORIZON : "")!.place![march][side];
  const float = new Set(["Softmax", "Cast"]);
  const c = ruleContext(graph, it, marchOf(march), { mayRunOnBpu: (n) => !float.has(n.op) });
  for (const r of rules) if (r.check(c) !== undefined) seen.add(r);
  return broken(rules, c);
}

type Break = readonly [Partial<Case>, RegExp];

/** A node that fits, and changes to it that each break one constraint. */
function cases(
  op: string,
  march: MarchName,
  side: "bpu" | "cpu",
  good: Case,
  breaks: readonly Break[] = [],
) {
  Deno.test(`${op} on ${march}, ${side}`, () => {
    assert.deepEqual(wrongs(op, march, side, good), []);
    for (const [change, sentence] of breaks) {
      const found = wrongs(op, march, side, { ...good, ...change });
      assert.ok(
        found.some((w) => sentence.test(w) && w.endsWith(`on ${march}`)),
        `${op} ${JSON.stringify(change)}: ${sentence} is not among ${JSON.stringify(found)}`,
      );
    }
  });
}

const image = [1, 8, 16, 16];
const F64: Input = { shape: image, dtype: "float64" };
const I32: Input = { shape: image, dtype: "int32" };
const notFloat: Break = [{ inputs: [F64] }, /input dtype double is not float/];

// ------------------------------------------------------------------ one-input functions

const rank11 = new Array<number>(11).fill(1);
for (const d of listA) {
  const rows = d.place;
  if (rows === undefined || !("real" in d)) continue;
  for (const march of ["bayes", "bernoulli2", "bayes_e"] as const) {
    const texts = rows[march].bpu.map((r) => r.text);
    const dtype = d.op === "Not" ? "bool" : "float32";
    const good: Case = { inputs: [{ shape: image, dtype }] };
    if (texts.includes("input/output rank 1..10")) {
      cases(d.op, march, "bpu", good, [
        [{ inputs: [rank11] }, /input rank 11 is outside 1..10/],
        [{ inputs: [[4097, 2]] }, /input dim 0 4097 is outside 1..4096/],
        [{ inputs: [[1, 65537]] }, /input dim 1 65537 is outside 1..65536/],
      ]);
    }
    if (texts.includes("input 1,C,H,W: C*H*W <= 8192")) {
      cases(d.op, march, "bpu", good, [
        [{ inputs: [[1, 8, 32, 33]] }, /input C\*H\*W 8448 is more than 8192/],
        [{ inputs: [[2, 8, 16, 16]] }, /input N 2 is outside 1..1/],
      ]);
    }
    if (rows[march].cpu.some((r) => r.text === "dtype float only")) {
      cases(d.op, march, "cpu", good, [notFloat]);
    }
  }
}
cases("Erf", "bayes", "cpu", { inputs: [image] }, [
  [{ inputs: [I32] }, /input dtype int32 is not float, double/],
]);
cases("Clip", "bayes", "cpu", { inputs: [image] }, [
  [{ inputs: [I32] }, /input dtype int32 is not float, double/],
]);
cases("Sigmoid", "bernoulli2", "bpu", { inputs: [[1, 32, 16, 16]] }, [
  [{ inputs: [[1, 32, 16, 17]] }, /aligned input size 8704 is more than 8192/],
  [{ inputs: [[2, 1, 1, 1]] }, /input N 2 is not 1/],
]);
for (const op of ["Relu", "BatchNormalization"]) {
  const more = op === "Relu" ? [] : new Array<Input>(4).fill(K([8]));
  cases(op, "bayes", "bpu", { inputs: [image, ...more] });
  cases(op, "bernoulli2", "bpu", { inputs: [image, ...more], before: "Conv" }, [
    [{ before: "Sigmoid" }, /there is no preceding Conv/],
    [{ inputs: [image, ...more], before: undefined }, /there is no preceding Conv/],
  ] as Break[]);
}
cases(
  "BatchNormalization",
  "bayes",
  "cpu",
  { inputs: [image, K([8]), K([8]), K([8]), K([8])] },
  [
    [{ inputs: [F64, ...new Array<Input>(4).fill({ shape: [8], dtype: "float64" })] }, /double/],
    [{ inputs: [[8], ...new Array<Input>(4).fill([1])] }, /input rank 1 has no channel dimension/],
  ],
);

// ------------------------------------------------------------------ Conv family

const conv: Case = { inputs: [image, [16, 8, 3, 3]] };
for (const march of ["bayes", "bayes_e"] as const) {
  cases("Conv", march, "bpu", conv, [
    [{ inputs: [[1, 8, 16], [16, 8, 3]] }, /input rank 3 is not 4 or 5/],
    [{ inputs: [[1, 8, 64, 64], [16, 8, 33, 3]] }, /kernel_shape H 33 is outside 1..31/],
    [{ inputs: [[1, 8, 64, 64], [16, 8, 3, 32]] }, /kernel_shape W 32 is outside 1..31/],
    [{ inputs: [image, [8193, 8, 1, 1]] }, /weight N 8193 is outside 1..8192/],
    [{ inputs: [[1, 8193, 1, 1], [1, 8193, 1, 1]] }, /weight C 8193 is outside 1..8192/],
    [{ inputs: [[1, 8192, 4, 4], [1, 8192, 3, 3]] }, /weight C\*H\*W 73728 is more than \d+/],
    [
      { inputs: [[1, 16, 1, 1], [8200, 16, 1, 1]], after: ["Relu"] },
      /output C per group 8200 is more than 8192/,
    ],
    [
      { inputs: [[1, 65537, 1, 1], [1, 65537, 1, 1]] },
      /input C per group 65537 is more than 65536/,
    ],
    [{ inputs: [[1, 8, 600, 600], [1, 8, 3, 3]], attrs: { strides: [257, 1] } }, /stride H 257/],
    [{ attrs: { strides: [3, 3] }, after: ["Add"] }, /stride 3 is not 1 or 2 and an Add follows/],
    [{ attrs: { strides: [2, 2], dilations: [2, 2] } }, /strides 2,2 are not 1 and it is dilated/],
    [{ inputs: [[1, 8, 64, 64], [1, 8, 3, 3]], attrs: { dilations: [17, 1] } }, /dilations H 17/],
    [
      { inputs: [[1, 8, 16, 17], [1, 8, 3, 3]], attrs: { dilations: [2, 2] } },
      /input W 17 is not a multiple of its dilation 2/,
    ],
    [{ attrs: { pads: [0, 257, 0, 0] } }, /pads W begin 257 is outside 0..256/],
    [{ inputs: [[4097, 8, 3, 3], [1, 8, 3, 3]] }, /input N 4097 is more than 4096/],
    [{ inputs: [[1, 1, 65537, 3], [1, 1, 3, 3]] }, /input H 65537 is outside 1..65536/],
    [
      { inputs: [[64, 8, 2048, 2048], [1, 8, 3, 3]] },
      /input has 2147483648 elements, over 1 GiB/,
    ],
  ]);
  const conv3: Case = { inputs: [[1, 4, 8, 16, 16], [8, 4, 3, 3, 3]] };
  cases("Conv", march, "bpu", conv3, [
    [{ inputs: [[129, 4, 8, 16, 16], [8, 4, 3, 3, 3]] }, /input N 129 is outside 1..128/],
    [{ inputs: [[1, 1, 65537, 3, 3], [1, 1, 3, 3, 3]] }, /input D 65537 is outside 1..65536/],
    [{ inputs: [[1, 1, 3, 3, 3], [65537, 1, 3, 3, 3]] }, /weight N 65537 is outside 1..65536/],
    [{ inputs: [[1, 4, 8, 64, 16], [8, 4, 3, 33, 3]] }, /kernel_shape H 33 is outside 1..31/],
    [{ attrs: { pads: [2, 0, 0, 0, 0, 0] } }, /pads D 2 is outside 0..1/],
    [{ attrs: { strides: [1, 2, 1] } }, /strides H 2 and W 1 are not both 1 or both 2/],
    [{ inputs: [[1, 4, 8, 16, 16], [8, 2, 3, 3, 3]], attrs: { group: 2 } }, /group 2 is not/],
    [{ attrs: { dilations: [1, 2, 1] } }, /dilations 1,2,1 are not supported/],
    [
      { inputs: [[128, 64, 64, 64, 64], [8, 64, 3, 3, 3]] },
      /input size 2147483648 is more than 1073741824/,
    ],
    [
      { inputs: [[1, 8, 1024, 512, 3], [8, 8, 3, 3, 3]] },
      /aligned input size 1073741824 is more than 1073741823/,
    ],
    [{ inputs: [[1, 4096, 3, 3, 3], [1, 4096, 3, 1, 1]] }, /weight D \* input C 12288/],
  ]);
}
Deno.test("Conv: a wide last operator may have 65536 channels, bayes_e takes half the kernel", () => {
  const wide: Case = { inputs: [[1, 40000, 1, 1], [4, 20000, 1, 1]], attrs: { group: 2 } };
  const wrong = (k: Case, march: MarchName = "bayes") => wrongs("Conv", march, "bpu", k).join();
  assert.doesNotMatch(wrong(wide), /C per group/);
  assert.doesNotMatch(wrong({ ...wide, after: ["Softmax"] }), /C per group/);
  assert.match(wrong({ ...wide, after: ["Relu"] }), /input C per group 20000 is more than 8192/);
  const deep: Case = { inputs: [[1, 4096, 3, 3], [1, 4096, 3, 3]] };
  assert.equal(wrong(deep), "");
  assert.match(wrong(deep, "bayes_e"), /weight C\*H\*W 36864 is more than 32767 on bayes_e/);
});
cases("Conv", "bernoulli2", "bpu", conv, [
  [{ inputs: [image, [16, 8, 8, 3]] }, /kernel_shape H 8 is outside 1..7/],
  [{ inputs: [[1, 8, 16], [16, 8, 3]] }, /input rank 3 is not 4/],
  [{ inputs: [[1, 4097, 3, 3], [1, 4097, 1, 1]] }, /input C per group 4097 is more than 4096/],
  [
    {
      inputs: [[1, 2049, 3, 3], [1, 2049, 3, 3]],
      attrs: { dilations: [2, 2], pads: [2, 2, 2, 2] },
    },
    /input C per group 2049 is more than 2048/,
  ],
  [{ attrs: { strides: [3, 3] }, after: ["Add"] }, /stride 3 is not 1 or 2/],
  [{ attrs: { dilations: [3, 3] } }, /dilation 3 is not a power of 2/],
  [{ attrs: { dilations: [2, 2], strides: [4, 4] } }, /dilation 2 is not a multiple of stride 4/],
  [{ attrs: { dilations: [4, 2] } }, /dilation H 4 is more than dilation W 2/],
  [{ inputs: [[1, 4096, 3, 3], [1, 4096, 3, 3]] }, /weight C\*H\*W 36864 is more than 32768/],
]);
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("Conv", march, "cpu", conv, [
    [{ inputs: [[1, 8, 16], [16, 8, 3]] }, /input rank 3 is not 4/],
    [{ attrs: { auto_pad: "SAME_UPPER" } }, /auto_pad SAME_UPPER is not supported/],
    [{ inputs: [F64, { shape: [16, 8, 3, 3], dtype: "float64" }] }, /dtype double is not float/],
    [{ inputs: [[1, 8, 16], [16, 8, 3]], attrs: { pads: [1, 1] } }, /pads has 2 values, not 4/],
    [{ attrs: { pads: [0, 0, 1, 0] } }, /pads 0 and 1 of axis 2 differ/],
  ]);
}

const deconv: Case = { inputs: [image, [8, 4, 4, 4]], attrs: { strides: [2, 2] } };
cases("ConvTranspose", "bayes", "bpu", deconv, [
  [{ inputs: [[129, 8, 4, 4], [8, 4, 4, 4]] }, /input N 129 is outside 1..128/],
  [{ inputs: [[1, 8, 65537, 1], [8, 4, 4, 4]] }, /input H 65537 is outside 1..65536/],
  [{ inputs: [[1, 2049, 4, 4], [2049, 4, 4, 4]] }, /input C 2049 is outside 1..2048/],
  [{ inputs: [[128, 2048, 64, 65], [2048, 1, 2, 2]] }, /input size 1090519040 is more than/],
  [{ inputs: [[1, 8, 4, 4], [8, 2049, 4, 4]] }, /weight C 2049 is outside 1..2048/],
  [{ inputs: [image, [8, 4, 15, 4]] }, /kernel_shape H 15 is outside 1..14/],
  [{ inputs: [image, [8, 4, 1, 1]] }, /kernel_shape H and W are both 1/],
  [{ inputs: [[1, 2048, 4, 4], [2048, 1, 8, 8]] }, /weight size 131072 is outside 1..65535/],
  [{ attrs: { strides: [3, 3], pads: [2, 0, 0, 0] } }, /pads H 2 is outside 0..kernel\/stride/],
  [{ attrs: { strides: [2, 2], pads: [3, 0, 0, 0] } }, /pads H 3 is outside 0..kernel\/stride/],
  [{ attrs: { strides: [3, 3], output_padding: [2, 2] } }, /output_padding H 2 is outside 0..1/],
  [{ attrs: { strides: [15, 1] } }, /stride H 15 is outside 1..14/],
  [{ attrs: { strides: [1, 1] } }, /stride H and W are both 1/],
  [{ attrs: { strides: [2, 2], dilations: [2, 2] } }, /dilations 2,2 are not supported/],
  [{ inputs: [[1, 8, 4], [8, 4, 4]], attrs: { strides: [2] } }, /input rank 3 is not 4/],
]);
cases("ConvTranspose", "bernoulli2", "bpu", deconv, [
  [{ inputs: [image, [8, 4, 1, 4]] }, /kernel_shape H 1 is outside 2..14/],
  [{ inputs: [[1, 2049, 4, 4], [2049, 4, 4, 4]] }, /input C 2049 is more than 2048/],
  [{ attrs: { strides: [2, 2], pads: [2, 0, 0, 0] } }, /pads H 2 is outside 0..1/],
  [{ attrs: { strides: [2, 3] } }, /stride 3 is not 2 or 4/],
  [{ attrs: { strides: [4, 2] } }, /stride H 4 is more than stride W 2/],
  [{ attrs: { strides: [2, 2], dilations: [2, 2] } }, /dilations 2,2 are not supported/],
]);
cases("ConvTranspose", "bayes", "cpu", { ...deconv, attrs: { kernel_shape: [4, 4] } }, [
  [{ inputs: [[1, 8, 4], [8, 4, 4]], attrs: {} }, /input rank 3 is not 4/],
  [{ inputs: [F64, { shape: [8, 4, 4, 4], dtype: "float64" }] }, /double/],
  [{ attrs: { output_shape: [18, 18] } }, /attribute output_shape is not supported/],
  [{ attrs: { pads: [0, 0, 1, 0] } }, /pads 0 and 1 of axis 2 differ/],
]);
cases("ConvTranspose", "bernoulli2", "cpu", deconv, [
  [{ attrs: { auto_pad: "VALID" } }, /auto_pad VALID is not supported/],
  [{ inputs: [F64, { shape: [8, 4, 4, 4], dtype: "float64" }] }, /double/],
]);

const gemm: Case = { inputs: [[1, 128], K([128, 10])] };
for (const march of ["bayes", "bayes_e"] as const) {
  cases("Gemm", march, "bpu", gemm, [
    [{ inputs: [[1, 4], [4, 65537]] }, /weight N 65537 is outside 1..65536/],
    [{ inputs: [[1, 4], [4, 8193]], after: ["Relu"] }, /weight N 8193 is outside 1..8192/],
    [{ inputs: [[1, 8193], [8193, 1]] }, /weight C 8193 is outside 1..8192/],
    [
      { inputs: [[1, 128], [128, 10]], before: "Flatten", fed: [1, 2, 32, 2] },
      /kernel_shape H 32 is outside 1..31/,
    ],
  ]);
  cases("Gemm", march, "bpu", {
    inputs: [[1, 25088], [25088, 10]],
    before: "Flatten",
    fed: [1, 512, 7, 7],
  });
  cases("Gemm", march, "cpu", gemm, [
    [{
      inputs: [{ shape: [1, 128], dtype: "float64" }, { shape: [128, 10], dtype: "float64" }],
    }, /double/],
  ]);
}
const flat = (fed: readonly number[]): Case => {
  const k = elementCount(fed.slice(1));
  return { inputs: [[1, k], [k, 10]], before: "Flatten", fed };
};
cases("Gemm", "bernoulli2", "bpu", flat([1, 64, 7, 7]), [
  [flat([1, 16, 8, 8]), /input H 8 is more than 7/],
  [flat([1, 1024, 6, 6]), /weight C\*H\*W 36864 is more than 32768/],
  [{ inputs: [[1, 16385], [16385, 1]], before: undefined }, /input C 16385 is more than 16384/],
  [{ ...flat([1, 2048, 7, 7]), after: ["Relu"] }, /H\*\(W\/8\)\*\(C\/4\) 3136 is more than 1024/],
  [{ ...flat([1, 2048, 7, 7]), after: ["Softmax"] }, /3136 is not less than 2048/],
] as Break[]);

const mm = (a: readonly number[], b: readonly number[]): Case => ({ inputs: [a, b] });
cases("MatMul", "bayes", "bpu", mm([2, 3, 4, 5], [2, 3, 5, 6]), [
  [mm([2, 4, 5], [5, 6]), /the ranks 3 and 2 differ/],
  [mm([8193, 5], [5, 6]), /A M 8193 is outside 1..8192/],
  [mm([4097, 4, 5], [1, 5, 6]), /A dim 0 4097 is outside 1..4096/],
  [mm([2, 1, 4, 5], [1, 3, 5, 6]), /both inputs are broadcast/],
  [mm([2, 1, 4, 5], [2, 3, 5, 6]), /only some upper dimensions of A are broadcast/],
  [mm([7, 2, 3, 4, 5], [7, 1, 3, 5, 6]), /not broadcast do not come first/],
]);
// The examples of the table.
for (
  const [a, b] of [
    [[2, 3, 4, 5], [2, 1, 5, 6]],
    [[1, 1, 4, 5], [2, 3, 5, 6]],
    [[7, 2, 3, 4, 5], [7, 1, 1, 5, 6]],
  ] as const
) cases("MatMul", "bayes", "bpu", mm(a, b));
cases("MatMul", "bernoulli2", "bpu", mm([1, 3, 4, 5], [1, 1, 5, 6]), [
  [{ inputs: [K([4, 5]), K([5, 6])] }, /both inputs are constants/],
  [{ inputs: [[1, 2, 4, 5], K([1, 2, 5, 6])] }, /none that are supported/],
  [{ inputs: [K([4, 5]), [5, 6]] }, /none that are supported/],
  [mm([2, 3, 4, 5], [2, 3, 5, 6]), /none that are supported/],
]);
for (
  const [a, b] of [
    [[5], [5, 6]],
    [[5], [1, 5, 6]],
    [[5], [1, 1, 5, 6]],
    [[4, 5], [5]],
    [[4, 5], [1, 1, 5, 6]],
    [[1, 4, 5], [5]],
    [[1, 4, 5], [1, 5, 6]],
    [[1, 1, 4, 5], [1, 5, 6]],
    [[3, 4, 5], [5, 6]],
    [[1, 3, 4, 5], [5, 6]],
    [[2, 3, 4, 5], [5, 6]],
  ] as const
) cases("MatMul", "bernoulli2", "bpu", { inputs: [a, K(b)] });
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("MatMul", march, "cpu", mm([4, 5], [5, 6]), [
    [
      { inputs: [{ shape: [4, 5], dtype: "int32" }, { shape: [5, 6], dtype: "int32" }] },
      /int32 is not float/,
    ],
  ]);
}

// ------------------------------------------------------------------ pooling

const big = [1, 4, 600, 600];
const pool = (attrs: Case["attrs"]): Case => ({ inputs: [big], attrs: attrs ?? {} });
for (const op of ["MaxPool", "AveragePool"]) {
  cases(op, "bayes", "bpu", pool({ kernel_shape: [256, 3] }), [
    [pool({ kernel_shape: [257, 3] }), /kernel_shape H 257 is more than 256/],
    [pool({ kernel_shape: [3, 3], strides: [1, 257] }), /stride W 257 is more than 256/],
    [pool({ kernel_shape: [3, 3], pads: [0, 0, 0, 257] }), /pads W end 257 is more than 256/],
    [{ inputs: [[1, 4, 60]], attrs: { kernel_shape: [3] } }, /input rank 3 is not 4/],
  ]);
  for (const march of ["bayes", "bernoulli2"] as const) {
    cases(op, march, "cpu", pool({ kernel_shape: [3, 3] }), [
      [pool({ kernel_shape: [3, 3], auto_pad: "VALID" }), /auto_pad VALID is not supported/],
      [{ inputs: [[1, 4, 60]], attrs: { kernel_shape: [3] } }, /input rank 3 is not 4/],
      ...(op === "AveragePool" ? [] : [
        [pool({ kernel_shape: [3, 3], dilations: [2, 2] }), /dilations 2,2 are not supported/],
        [pool({ kernel_shape: [3, 3], storage_order: 1 }), /storage_order 1 is not one of 0/],
      ] as Break[]),
    ]);
  }
}
cases("MaxPool", "bayes", "bpu", pool({ kernel_shape: [3, 3] }), [
  [pool({ kernel_shape: [3, 3], dilations: [2, 2] }), /dilations 2,2 are not supported/],
]);
cases("MaxPool", "bernoulli2", "bpu", pool({ kernel_shape: [64, 3] }), [
  [pool({ kernel_shape: [65, 3] }), /kernel_shape H 65 is outside 1..64/],
  [pool({ kernel_shape: [3, 3], strides: [186, 1] }), /stride H 186 is outside 1..185/],
  [pool({ kernel_shape: [3, 3], pads: [-1, 0, 0, 0] }), /pads H begin -1 is outside 0\.\./],
  [pool({ kernel_shape: [3, 3], dilations: [2, 2] }), /dilations 2,2 are not supported/],
]);
cases("AveragePool", "bernoulli2", "bpu", pool({ kernel_shape: [7, 7] }), [
  [pool({ kernel_shape: [8, 7] }), /kernel_shape H 8 is outside 1..7/],
  [pool({ kernel_shape: [3, 3], strides: [186, 1] }), /stride H 186 is outside 1..185/],
]);
cases("LpPool", "bayes", "cpu", pool({ kernel_shape: [3, 3] }), [
  [pool({ kernel_shape: [3, 3], auto_pad: "VALID" }), /auto_pad/],
  [
    { inputs: [{ shape: [1, 1, 4, 4], dtype: "float16" }], attrs: { kernel_shape: [2, 2] } },
    /float16/,
  ],
  [{ inputs: [[1, 4, 60]], attrs: { kernel_shape: [3] } }, /input rank 3 is not 4/],
]);
cases("GlobalAveragePool", "bayes", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
]);
cases("GlobalAveragePool", "bernoulli2", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 8, 91, 91]] }, /input H\*W 8281 is more than 8192/],
  [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
]);
cases("GlobalAveragePool", "bayes", "cpu", { inputs: [image] }, [
  notFloat,
  [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
]);
cases("GlobalMaxPool", "bayes", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 8, 257, 1]] }, /input H 257 is outside 1..256/],
]);
cases("GlobalMaxPool", "bernoulli2", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 8, 1, 1025]] }, /input W 1025 is outside 1..1024/],
]);
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("GlobalMaxPool", march, "cpu", { inputs: [image] }, [
    notFloat,
    [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
  ]);
}
cases("GlobalLpPool", "bayes", "cpu", { inputs: [image] }, [
  [{ inputs: [{ shape: image, dtype: "float16" }] }, /float16 is not float, double/],
  [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
]);

// ------------------------------------------------------------------ normalisation

cases("Softmax", "bayes", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 10]] }, /input rank 2 is not 4/],
  [{ attrs: { axis: 0 } }, /axis 0 is not one of 1, 2, 3/],
]);
cases("Softmax", "bernoulli2", "bpu", { inputs: [image], attrs: { axis: -3 } }, [
  [{ inputs: [[1, 10]], attrs: { axis: 1 } }, /input rank 2 is not 4/],
  [{ attrs: { axis: 2 } }, /axis 2 is not one of 1/],
  [{ after: ["Relu"] }, /Relu reads it/],
]);
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("Softmax", march, "cpu", { inputs: [image] }, [notFloat]);
}
cases("LogSoftmax", "bayes", "cpu", { inputs: [image] }, [notFloat]);
cases("LpNormalization", "bayes", "cpu", { inputs: [image] }, [
  [{ attrs: { p: 3 } }, /p 3 is not one of 1, 2/],
  [{ inputs: [{ shape: image, dtype: "float16" }] }, /float16 is not float, double/],
]);
cases("LRN", "bayes", "cpu", { inputs: [image], attrs: { size: 5 } }, [
  notFloat,
  [{ inputs: [[1, 8, 4]] }, /input rank 3 is not 4/],
]);
cases("InstanceNormalization", "bayes", "cpu", { inputs: [image, K([8]), K([8])] }, [
  [{
    inputs: [F64, { shape: [8], dtype: "float64" }, { shape: [8], dtype: "float64" }],
  }, /double/],
]);

// ------------------------------------------------------------------ elementwise

for (const op of ["Add", "Sub", "Mul"]) {
  cases(op, "bayes", "bpu", mm(image, [1, 8, 1, 16]), [
    [{ inputs: [K([1, 8, 1, 1]), K([1, 8, 1, 1])] }, /2 inputs are constants/],
    [mm([2, 8, 4, 4], [1, 8, 4, 4]), /the first dimension of 2x8x4x4 with 1x8x4x4 is broadcast/],
    [mm([8], [8]), /first input rank 1 is outside 2..5/],
    [mm([2, 1, 3, 1, 4], [2, 5, 1, 6, 1]), /do not fold to rank 4/],
    [mm([2, 3, 4, 5, 1], [2, 1, 1, 5, 6]), /only along broadcast dimensions/],
  ]);
  // The table's own example of rank 5, mutual broadcast, differing ranks, a scalar constant.
  cases(op, "bayes", "bpu", mm([2, 3, 4, 5, 1], [2, 1, 4, 5, 6]));
  cases(op, "bayes", "bpu", mm([1, 8, 1, 16], [1, 1, 4, 16]));
  cases(op, "bayes", "bpu", mm(image, [8, 1, 16]));
  cases(op, "bayes", "bpu", { inputs: [image, K([16])] });
  cases(op, "bayes", "bpu", { inputs: [[2, 8, 4, 4], K([])] });
}
cases("Sum", "bayes", "bpu", { inputs: [image, image, image] }, [
  [mm([8], [8]), /first input rank 1 is outside 2..5/],
]);
cases("Sum", "bayes", "cpu", { inputs: [image, image] }, [
  [{ inputs: [F64, F64] }, /double/],
]);
for (const op of ["Add", "Sum"]) {
  cases(op, "bernoulli2", "bpu", mm(image, image), [
    [mm([1, 2049, 1, 1], [1, 2049, 1, 1]), /input C 2049 is more than 2048/],
    [mm(image, [1, 8, 1, 16]), /neither NCHW \+ NCHW nor NCHW \+ NC11/],
    [{ inputs: [image, K([1, 8, 1, 1])] }, /an input of NCHW \+ NC11 is a constant/],
  ]);
  cases(op, "bernoulli2", "bpu", mm(image, [1, 8, 1, 1]));
  cases(
    op,
    "bernoulli2",
    "cpu",
    { inputs: [image, image] },
    op === "Sum" ? [[{ inputs: [F64, F64] }, /double/]] : [],
  );
}
const mulBreaks: readonly Break[] = [
  [mm(image, [8, 1, 1]), /input ranks 4 and 3 are not 4|neither|constant/],
  [mm([1, 2049, 1, 1], [1, 2049, 1, 1]), /C 2049 is more than 2048/],
  [mm(image, [1, 8, 1, 16]), /none of the shapes/],
];
cases("Mul", "bernoulli2", "bpu", mm(image, image), [
  ...mulBreaks,
  [{ inputs: [image, K(image, 0)] }, /constant input 1 has a value of 0/],
]);
cases("Mul", "bernoulli2", "bpu", mm(image, [1, 1, 1, 1]));
cases("Mul", "bernoulli2", "bpu", mm([1, 8, 1, 1], image));
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("Div", march, "bpu", mm(image, image), [
    [{ inputs: [image, K(image)] }, /input 1 is a constant/],
    march === "bayes" ? [mm([8], [8]), /rank 1 is outside/] : mulBreaks[0]!,
  ]);
}
const six = new Array<number>(6).fill(2);
const six1 = [1, ...six.slice(1)];
for (
  const op of [
    "Add",
    "And",
    "Div",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Max",
    "Min",
    "Mul",
    "Or",
    "Pow",
    "Sub",
  ]
) {
  for (const march of ["bayes", "bernoulli2"] as const) {
    const dtype: DType = op === "And" || op === "Or" ? "bool" : "float32";
    const of = (shape: readonly number[]): Input => ({ shape, dtype });
    cases(op, march, "cpu", { inputs: [of(six), of(six)] }, [
      [{ inputs: [of(six), of(six1)] }, /broadcast at rank 6/],
    ]);
    cases(op, march, "cpu", { inputs: [of(six), of([1])] });
  }
}
for (const op of ["Equal", "Greater", "LessOrEqual", "Max", "Min"]) {
  cases(op, "bayes", "bpu", mm(image, [1, 1, 16, 16]), [
    [mm([8], [8]), /first input rank 1 is outside 2..5/],
    [mm([1, 8, 1, 16], [1, 1, 4, 16]), /both inputs are broadcast/],
    [mm([2, 3, 4, 5, 6], [2, 1, 4, 1, 6]), /do not fold to rank 4/],
    [mm([2, 3, 4, 5, 6], [2, 1, 1, 5, 1]), /only along broadcast dimensions/],
  ]);
  cases(op, "bayes", "bpu", mm([2, 3, 4, 5, 6], [2, 3, 1, 5, 1]));
}
for (const op of ["Less", "GreaterOrEqual"]) {
  cases(op, "bayes", "bpu", mm(image, image), [[mm([8], [8]), /rank 1 is outside 2..5/]]);
}
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("Pow", march, "bpu", { inputs: [image, K([])] }, [
    [mm(image, []), /the exponent is not a constant/],
    [{ inputs: [image, K([16])] }, /the exponent has 16 values/],
    ...(march === "bernoulli2" ? [] : [
      [{ inputs: [rank11, K([])] }, /rank 11 is outside 1..10/],
      [{ inputs: [[4097, 1], K([])] }, /input dim 0 4097/],
    ] as Break[]),
  ]);
  cases("Pow", march, "cpu", { inputs: [image, K([])] }, [
    [{ inputs: [{ shape: image, dtype: "float16" }, K([])] }, /float16 is not double/],
    [{ inputs: [image, { shape: [], dtype: "int64" }] }, /X is float32 and Y is int64/],
  ]);
}
cases("PRelu", "bernoulli2", "bpu", { inputs: [image, K([8, 1, 1])] });
for (const march of ["bayes", "bernoulli2"] as const) {
  for (const s of [image, [1], [1, 8, 16, 1], [1, 8, 1, 16], [8, 1, 1]]) {
    cases("PRelu", march, "cpu", { inputs: [image, K(s)] });
  }
  cases("PRelu", march, "cpu", { inputs: [image, K([8, 1, 1])] }, [
    [{ inputs: [image, K([16])] }, /a slope of shape 16 does not fit/],
    [{ inputs: [F64, { shape: [1], dtype: "float64" }] }, /double/],
  ]);
}
const yes: Input = { shape: image, dtype: "bool" };
cases("Where", "bayes", "cpu", { inputs: [yes, image, [1]] }, [
  [{ inputs: [yes, F64, F64] }, /input 1 dtype double is not float, int64/],
  [{ inputs: [{ shape: [16], dtype: "bool" }, image, image] }, /a condition of shape 16/],
]);

// ------------------------------------------------------------------ recurrent

const cell = (gates: number, more: readonly Input[] = []): readonly Input[] => [
  [5, 1, 3],
  [1, gates * 4, 3],
  [1, gates * 4, 4],
  ...more,
];
const double = (list: readonly Input[]): readonly Input[] =>
  list.map((i): Input => ({ shape: i === undefined || "shape" in i ? [] : i, dtype: "float64" }));
const both = ["y", "h"];
cases("LSTM", "bayes", "bpu", { inputs: cell(4) }, [
  [{ inputs: [[5, 2, 3], [1, 16, 3], [1, 16, 4]] }, /batch 2 is not 1/],
]);
cases("LSTM", "bernoulli2", "bpu", { inputs: cell(4) }, [
  [{ inputs: [[5, 2, 3], [1, 16, 3], [1, 16, 4]] }, /batch 2 is not 1/],
]);
const lens: Input = { shape: [1], dtype: "int32", value: 5 };
cases("LSTM", "bayes", "cpu", { inputs: cell(4, [[1, 32], lens]) }, [
  [{ inputs: double(cell(4)) }, /double/],
  [{ attrs: { direction: "reverse" } }, /direction reverse is not forward/],
  [{ inputs: cell(4, [[1, 32], undefined, [1, 1, 4]]) }, /6 inputs are not supported/],
  [{ inputs: cell(4, [[1, 32], { ...lens, value: 4 }]) }, /sequence_lens is not the whole/],
]);
cases("LSTM", "bernoulli2", "cpu", { inputs: cell(4), outputs: both, attrs: { hidden_size: 4 } }, [
  [{ attrs: { direction: "reverse" } }, /attribute direction is not supported/],
  [{ inputs: double(cell(4)) }, /double/],
  [{ inputs: cell(4, [[1, 32], lens]) }, /5 inputs are not one of 3, 4, 8/],
  [{ outputs: ["y"] }, /1 outputs are not 2/],
]);
cases("GRU", "bayes", "cpu", { inputs: cell(3) }, [
  [{ attrs: { direction: "reverse" } }, /direction reverse/],
  [{ inputs: double(cell(3)) }, /double/],
]);
cases("GRU", "bernoulli2", "cpu", { inputs: cell(3), outputs: both }, [
  [{ attrs: { direction: "reverse" } }, /direction reverse/],
  [{ inputs: double(cell(3)) }, /double/],
  [{ inputs: cell(3, [[1, 24], lens]) }, /5 inputs are not one of 3, 4, 6/],
  [{ outputs: ["y"] }, /1 outputs are not 2/],
]);
cases("RNN", "bayes", "cpu", { inputs: cell(1), outputs: ["", "h"], after: [] }, [
  [{ attrs: { direction: "reverse" } }, /direction reverse/],
  [{ inputs: double(cell(1)) }, /double/],
  [{ inputs: cell(1, [[1, 8]]) }, /it has 4 inputs/],
  [{ outputs: ["y"] }, /its output is not Y_h only/],
]);

Deno.test("every constraint of part A was broken by a case above", () => {
  const left: string[] = [];
  let count = 0;
  for (const d of listA) {
    for (const march of ["bayes", "bernoulli2", "bayes_e"] as const) {
      const row = d.place?.[march];
      for (const r of [...row?.bpu ?? [], ...row?.cpu ?? []]) {
        if (isNote(r) || isGeneral(r)) continue;
        count++;
        if (!seen.has(r)) left.push(`${d.op} ${march}: ${r.text}`);
      }
    }
  }
  console.log(`${count} constraints, ${seen.size} rules spoke`);
  assert.deepEqual(left, []);
});
