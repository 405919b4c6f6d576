import { intAttr, intsAttr } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import { axisOf, unify } from "./args.ts";
import { type OpDef, shapeError } from "./op.ts";
import { bodyTypes, carriedTypes, graphAttr } from "./subgraph.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** A subgraph, once for each slice of its inputs. */
export const scan: OpDef = {
  op: "Scan",
  place: everywhere(notIntegrated()),
  infer(c) {
    const body = graphAttr(c, "body");
    const scans = intAttr(c.node, "num_scan_inputs");
    const states = c.node.inputs.length - scans;
    if (scans < 1 || states < 0 || body.inputs.length !== states + scans) {
      shapeError(c.node, `num_scan_inputs ${scans} does not fit ${c.node.inputs.length} inputs`);
    }
    const axes = intsAttr(c.node, "scan_input_axes", new Array<number>(scans).fill(0));
    let length = -1;
    const slices = Array.from({ length: scans }, (_, i): TensorType => {
      const { dtype, shape } = c.need(states + i);
      const axis = axisOf(c.node, axes[i] ?? 0, shape.length, "scan_input_axes");
      length = unify(c.node, length, shape[axis]!, "lengths of the scanned inputs");
      return { dtype, shape: shape.filter((_, d) => d !== axis) };
    });
    const initial = Array.from({ length: states }, (_, i) => c.need(i));
    let all: TensorType[] = [];
    const round = (s: readonly TensorType[]) => all = bodyTypes(c, body, [...s, ...slices]);
    const state = carriedTypes(c, body, initial, round);
    const outputs = all.slice(states);
    const outAxes = intsAttr(c.node, "scan_output_axes", outputs.map(() => 0));
    return [
      ...state,
      ...outputs.map(({ dtype, shape }, i) => {
        const axis = axisOf(c.node, outAxes[i] ?? 0, shape.length + 1, "scan_output_axes");
        return { dtype, shape: [...shape.slice(0, axis), length, ...shape.slice(axis)] };
      }),
    ];
  },
};
