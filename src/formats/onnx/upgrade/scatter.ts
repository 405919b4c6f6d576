/**
 * ScatterElements and ScatterND of 18: reductions by max and min, which opset 17 does not have.
 *
 *     updates where index = place, else the neutral value ─ ReduceMax over the updates ─ Max(data)
 *
 * @module
 */

import { attr, intAttr, type Node, node, stringAttr } from "../../../ir/graph.ts";
import { elementCount, i64, isStatic, type Tensor } from "../../../ir/tensor.ts";
import { addInts, type Context, helper, refuse } from "./context.ts";

/** Elements that the comparison of updates with places may have. */
const MAX_PAIRS = 1 << 24;

/** Nodes of opset 17; `none`, `add` and `mul` are there already. */
export function scatterReduction(n: Node, c: Context): readonly Node[] | undefined {
  const reduction = stringAttr(n, "reduction", "none");
  if (reduction !== "max" && reduction !== "min") return undefined;
  const [x = "", indices = "", updates = ""] = n.inputs;
  const shape = c.fact(x).shape, given = c.fact(indices).shape;
  if (shape === undefined || given === undefined || !isStatic(shape) || !isStatic(given)) {
    throw refuse(n, `reduction=${reduction} needs known shapes`, "Fix the input shape.");
  }
  if ((c.fact(x).dtype ?? "float32") !== "float32") {
    throw refuse(n, `reduction=${reduction} is supported on float32 only`);
  }
  const s: Scatter = {
    n,
    c,
    nodes: [],
    up: reduction === "max",
    shape,
    given,
    neutral: reduction === "max" ? -Infinity : Infinity,
  };
  return n.op === "ScatterND" ? byTuple(s, x, indices, updates) : byAxis(s, x, indices, updates);
}

interface Scatter {
  readonly n: Node;
  readonly c: Context;
  readonly nodes: Node[];
  readonly up: boolean;
  readonly shape: readonly number[];
  readonly given: readonly number[];
  readonly neutral: number;
}

function add(s: Scatter, op: string, inputs: readonly string[], attrs = {}): string {
  const made = helper(s.n, s.c, op, op.toLowerCase(), inputs, attrs);
  s.nodes.push(made);
  return made.outputs[0]!;
}

const ints = (s: Scatter, what: string, values: readonly number[]) =>
  addInts(s.n, s.c, what, values);

function scalar(s: Scatter): string {
  const value: Tensor = { dtype: "float32", shape: [], data: Float32Array.of(s.neutral) };
  return s.c.addConstant(`${s.n.name}_neutral`, value);
}

function limit(s: Scatter, pairs: number): void {
  if (pairs > MAX_PAIRS) {
    throw refuse(
      s.n,
      `${s.up ? "max" : "min"} over ${pairs} pairs of place and update is too much`,
    );
  }
}

/** Indices from the end become indices from the start; `size` broadcasts over them. */
function fromStart(s: Scatter, indices: string, size: Tensor): string {
  const wrapped = add(s, "Add", [indices, s.c.addConstant(`${s.n.name}_size`, size)]);
  const zero = s.c.addConstant(`${s.n.name}_zero`, i64([0]));
  return add(s, "Where", [add(s, "Less", [indices, zero]), wrapped, indices]);
}

/** The updates of every place: `axis` of `updates` becomes places. */
function gathered(s: Scatter, hits: string, updates: string, axis: number): string {
  const chosen = add(s, "Where", [hits, updates, scalar(s)]);
  return add(s, s.up ? "ReduceMax" : "ReduceMin", [chosen], {
    axes: attr.ints([axis]),
    keepdims: attr.int(0),
  });
}

function byAxis(s: Scatter, x: string, indices: string, updates: string): readonly Node[] {
  const { n, c, shape, given } = s;
  const rank = shape.length, at = intAttr(n, "axis", 0), axis = at < 0 ? at + rank : at;
  const places = shape[axis];
  if (places === undefined || given.length !== rank) throw refuse(n, `axis ${at} does not exist`);
  limit(s, elementCount(given) * places);
  const index = fromStart(s, indices, i64([places]));
  const beside = ints(s, "beside", [axis + 1]);
  const all: Tensor = {
    ...i64(Array.from({ length: places }, (_, i) => i)),
    shape: [places, ...new Array<number>(rank - axis - 1).fill(1)],
  };
  const hits = add(s, "Equal", [
    add(s, "Unsqueeze", [index, beside]),
    c.addConstant(`${n.name}_places`, all),
  ]);
  let found = gathered(s, hits, add(s, "Unsqueeze", [updates, beside]), axis);
  const missing = shape.map((d, i) => i === axis ? 0 : d - given[i]!);
  if (missing.some((d) => d < 0)) throw refuse(n, "the indices are larger than the data");
  if (missing.some((d) => d > 0)) {
    const pads = ints(s, "pads", [...missing.map(() => 0), ...missing]);
    found = add(s, "Pad", [found, pads, scalar(s)]);
  }
  return [
    ...s.nodes,
    node(s.up ? "Max" : "Min", n.name, [x, found], n.outputs),
  ];
}

function byTuple(s: Scatter, x: string, indices: string, updates: string): readonly Node[] {
  const { n, c, shape, given } = s;
  const depth = given.at(-1) ?? 0;
  if (depth < 1 || depth > shape.length) throw refuse(n, "the indices do not fit the data");
  const outer = shape.slice(0, depth), rest = elementCount(shape.slice(depth));
  const places = elementCount(outer), count = elementCount(given.slice(0, -1));
  limit(s, count * places * rest);
  const index = fromStart(s, indices, i64(outer));
  const strides = outer.map((_, i) => elementCount(outer.slice(i + 1)));
  const flat = add(s, "ReduceSum", [
    add(s, "Mul", [index, ints(s, "strides", strides)]),
    ints(s, "last", [-1]),
  ], { keepdims: attr.int(0) });
  const rows = add(s, "Reshape", [flat, ints(s, "rows", [count, 1, 1])]);
  const all: Tensor = {
    ...i64(Array.from({ length: places }, (_, i) => i)),
    shape: [1, places, 1],
  };
  const hits = add(s, "Equal", [rows, c.addConstant(`${n.name}_places`, all)]);
  const values = add(s, "Reshape", [updates, ints(s, "values", [count, 1, rest])]);
  const found = add(s, "Reshape", [gathered(s, hits, values, 0), ints(s, "shape", shape)]);
  return [...s.nodes, node(s.up ? "Max" : "Min", n.name, [x, found], n.outputs)];
}
