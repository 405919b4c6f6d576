/**
 * GridSample of volumes (opset 20) by standard operators.
 *
 * @module
 */

import { attr, intAttr, type Node, stringAttr } from "../../../ir/graph.ts";
import { Chain } from "./chain.ts";
import { type Context, refuse } from "./context.ts";

/** One neighbour along an axis: its index (clamped) and its weight, 0 where it lies outside. */
interface Tap {
  readonly index: string;
  readonly weight: string;
}

/**
 * The values of the neighbours by GatherElements on the flattened volume, times their weights. All of it
 * in float64: positions must not be rounded to the steps of the BPU.
 */
export function sampledVolume(n: Node, c: Context): Node[] {
  const [x = "", grid = ""] = n.inputs;
  const shape = c.fact(x).shape;
  const points = c.fact(grid).shape;
  if (shape === undefined || points === undefined || shape.includes(-1) || points.includes(-1)) {
    throw refuse(n, "the shape of a sampled volume is not known", "Fix the input shapes.");
  }
  const mode = stringAttr(n, "mode", "linear");
  if (mode !== "linear" && mode !== "nearest") {
    throw refuse(n, `mode ${mode} is not supported for volumes`);
  }
  const [batch, channels, ...sizes] = shape as [number, number, number, number, number];
  const count = points[1]! * points[2]! * points[3]!;
  const chain = new Chain(n, c);
  const d = (v: number) => chain.doubles("c", v);
  const op = (name: string, ...inputs: string[]) => chain.add(name, inputs);
  const corners = intAttr(n, "align_corners", 0) !== 0;
  const padding = stringAttr(n, "padding_mode", "zeros");

  const coordinates = chain.many("Split", [chain.cast(grid, "float64")], 3, { axis: attr.int(4) })
    .map((t) => chain.add("Reshape", [t, chain.ints("points", [batch, 1, count])]));
  const clamped = (t: string, size: number) => op("Clip", t, d(0), d(size - 1));
  const position = (t: string, size: number): string => {
    const p = corners
      ? op("Mul", op("Add", t, d(1)), d((size - 1) / 2))
      : op("Sub", op("Mul", op("Add", t, d(1)), d(size / 2)), d(0.5));
    if (padding === "zeros") return p;
    if (padding === "border") return clamped(p, size);
    const low = corners ? 0 : -0.5, span = corners ? size - 1 : size;
    if (span === 0) return clamped(p, size);
    const far = chain.add("Mod", [op("Abs", op("Sub", p, d(low))), d(2 * span)], {
      fmod: attr.int(1),
    });
    const back = op("Min", far, op("Sub", d(2 * span), far));
    return clamped(op("Add", back, d(low)), size);
  };
  const tap = (at: string, weight: string | undefined, size: number): Tap => {
    const inside = op("And", op("GreaterOrEqual", at, d(0)), op("LessOrEqual", at, d(size - 1)));
    return {
      index: clamped(at, size),
      weight: op("Where", inside, weight ?? d(1), d(0)),
    };
  };
  // The grid holds x, y, z; the volume is D x H x W.
  const taps = sizes.map((size, i): Tap[] => {
    const p = position(coordinates[2 - i]!, size);
    if (mode === "nearest") return [tap(op("Round", p), undefined, size)];
    const low = op("Floor", p);
    const part = op("Sub", p, low);
    return [
      tap(low, op("Sub", d(1), part), size),
      tap(op("Add", low, d(1)), part, size),
    ];
  });
  const [depth, height, width] = sizes;
  const flat = chain.add("Reshape", [
    chain.cast(x, "float64"),
    chain.ints("flat", [batch, channels, depth! * height! * width!]),
  ]);
  const wide = chain.ints("wide", [batch, channels, count]);
  let sum: string | undefined;
  for (const z of taps[0]!) {
    for (const y of taps[1]!) {
      const row = op("Mul", op("Add", op("Mul", z.index, d(height!)), y.index), d(width!));
      const plane = op("Mul", z.weight, y.weight);
      for (const w of taps[2]!) {
        const index = chain.cast(op("Add", row, w.index), "int64");
        const value = chain.add("GatherElements", [flat, chain.add("Expand", [index, wide])], {
          axis: attr.int(2),
        });
        const part = op("Mul", value, op("Mul", plane, w.weight));
        sum = sum === undefined ? part : op("Add", sum, part);
      }
    }
  }
  const y = chain.cast(sum!, c.fact(x).dtype ?? "float32");
  chain.add("Reshape", [y, chain.ints("shape", [batch, channels, ...points.slice(1, 4)])]);
  return chain.end();
}
