/**
 * Integer lowering of pooling and mean reductions (docs/arithmetic.md section 7).
 *
 * @module
 */

import { attr, intAttr, intsAttr } from "../../ir/graph.ts";
import { tensor } from "../../ir/tensor.ts";
import { multiplierOf } from "../arithmetic.ts";
import { settleWith } from "../hz/types.ts";
import { windowOut } from "../hz/window.ts";
import type { LowerContext, QuantSpec, RuleContext } from "../op.ts";
import type { Node } from "../../ir/graph.ts";

/** Pads whose end side also covers what ceil_mode adds. */
function endPads(
  n: Node,
  x: readonly number[],
  y: readonly number[],
  kernel: readonly number[],
): number[] {
  const pads = [...intsAttr(n, "pads", [0, 0, 0, 0])];
  const strides = intsAttr(n, "strides", [1, 1]);
  const dilations = intsAttr(n, "dilations", [1, 1]);
  for (const a of [0, 1]) {
    const size = (end: number) =>
      windowOut(x[a + 2]!, kernel[a]!, strides[a]!, pads[a]!, end, dilations[a]!);
    while (size(pads[a + 2]!) < y[a + 2]!) pads[a + 2]!++;
  }
  return pads;
}

function rank4(c: RuleContext): string | undefined {
  return c.need(0).shape.length === 4 ? undefined : "the integer form takes rank 4";
}

function padsFit(c: RuleContext): string | undefined {
  const kernel = intsAttr(c.node, "kernel_shape");
  const dilations = intsAttr(c.node, "dilations", [1, 1]);
  const pads = endPads(c.node, c.need(0).shape, c.output(0).shape, kernel);
  return pads.every((p, i) => p < (kernel[i % 2]! - 1) * dilations[i % 2]! + 1)
    ? undefined
    : "a pad is as large as the kernel";
}

export const maxPoolQuant: QuantSpec = {
  kind: "passive",
  scale: "input",
  limits(c) {
    if (c.node.outputs.length > 1 && c.node.outputs[1] !== "") return "its Indices output is used";
    return rank4(c) ?? padsFit(c);
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const kernel = intsAttr(c.node, "kernel_shape");
    c.emit(
      x.dtype === "int16" ? "HzQuantizedMaxPoolI16" : "HzQuantizedMaxPool",
      [x.name],
      [y.name],
      {
        kernel_shape: attr.ints(kernel),
        pads: attr.ints(endPads(c.node, x.shape, y.shape, kernel)),
        strides: attr.ints(intsAttr(c.node, "strides", [1, 1])),
        dilations: attr.ints(intsAttr(c.node, "dilations", [1, 1])),
      },
    );
  },
};

export const averagePoolQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  limits(c) {
    const simple = rank4(c);
    if (simple !== undefined) return simple;
    if (
      intAttr(c.node, "count_include_pad", 0) === 1 && intAttr(c.node, "ceil_mode", 0) === 1
    ) {
      return "count_include_pad with ceil_mode has no integer form";
    }
    if (intsAttr(c.node, "dilations", [1, 1]).some((d) => d !== 1)) {
      return "a dilated average has no integer form";
    }
    return padsFit(c);
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const kernel = intsAttr(c.node, "kernel_shape");
    const taps = kernel[0]! * kernel[1]!;
    const include = intAttr(c.node, "count_include_pad", 0) === 1;
    const table = Array.from(
      { length: taps + 1 },
      (_, n) => multiplierOf(x.scale / ((include ? taps : Math.max(n, 1)) * y.scale)),
    );
    c.emit(
      x.dtype === "int16" ? "HzQuantizedAveragePoolI16" : "HzQuantizedAveragePool",
      [
        x.name,
        c.store("m", tensor("int16", [taps + 1], Int16Array.from(table, (k) => k.m))),
        c.store("s", tensor("int8", [taps + 1], Int8Array.from(table, (k) => k.s))),
      ],
      [y.name],
      {
        kernel_shape: attr.ints(kernel),
        pads: attr.ints(endPads(c.node, x.shape, y.shape, kernel)),
        strides: attr.ints(intsAttr(c.node, "strides", [1, 1])),
        ...settleWith(c.range, y.dtype),
      },
    );
  },
};

function emitReduce(
  c: LowerContext,
  op: string,
  axes: readonly number[],
  keepdims: boolean,
  mean: boolean,
): void {
  const x = c.input(0), y = c.output();
  const n = axes.reduce((a, i) => a * x.shape[i]!, 1);
  if (n * (x.dtype === "int8" ? 128 : 32768) >= 2 ** 31) {
    c.refuse(`a sum over ${n} elements does not fit int32`);
  }
  const k = multiplierOf(x.scale / ((mean ? n : 1) * y.scale));
  c.emit(
    op,
    [
      x.name,
      c.store("m", tensor("int32", [], Int32Array.of(k.m))),
      c.store("s", tensor("int8", [], Int8Array.of(k.s))),
    ],
    [y.name],
    {
      axes: attr.ints(axes),
      keepdims: attr.int(keepdims ? 1 : 0),
      ...settleWith(c.range, y.dtype),
    },
  );
}

export const globalAveragePoolQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  limits: rank4,
  lower: (c) => emitReduce(c, "HzQuantizedGlobalAveragePool", [2, 3], true, true),
};

function axesOf(n: Node, rank: number): number[] {
  const axes = intsAttr(n, "axes", []);
  return (axes.length === 0 ? Array.from({ length: rank }, (_, i) => i) : axes)
    .map((a) => a < 0 ? a + rank : a).sort((a, b) => a - b);
}

/** ReduceMean and ReduceSum over axes that are neighbours in memory (H and W, or the channels). */
export function reduceQuant(
  op: string,
  mean: boolean,
  axes?: (c: InputAxes) => number[],
): QuantSpec {
  const read = (n: Node, rank: number, constant: (i: number) => readonly number[] | undefined) =>
    axes === undefined ? axesOf(n, rank) : axes({ node: n, rank, constant });
  const list =
    (c: { constant(i: number): { data: ArrayLike<unknown> } | undefined }) => (i: number) => {
      const t = c.constant(i);
      return t === undefined ? undefined : Array.from(t.data, Number);
    };
  return {
    kind: "active",
    scale: "own",
    limits(c) {
      const x = c.need(0).shape;
      const reduced = read(c.node, x.length, list(c)).filter((a) => x[a] !== 1);
      // Memory order: N, H, W, C for rank 4.
      const order = (x.length === 4 ? [0, 2, 3, 1] : x.map((_, i) => i)).filter((i) => x[i] !== 1);
      const where = reduced.map((a) => order.indexOf(a)).sort((a, b) => a - b);
      const gap = where.some((p, i) => i > 0 && p !== where[i - 1]! + 1);
      return gap ? "its axes are not neighbours in memory" : undefined;
    },
    lower(c) {
      const rank = c.input(0).shape.length;
      emitReduce(
        c,
        op,
        read(c.node, rank, list(c)),
        intAttr(c.node, "keepdims", 1) === 1,
        mean,
      );
    },
  };
}

/** What an operator with axes as an input reads them from. */
export interface InputAxes {
  readonly node: Node;
  readonly rank: number;
  constant(i: number): readonly number[] | undefined;
}
