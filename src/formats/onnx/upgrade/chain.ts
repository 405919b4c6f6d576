/**
 * Nodes that stand for one, written one after the other.
 *
 * @module
 */

import { type Attr, attr, type Node } from "../../../ir/graph.ts";
import { type DType, i64, type Tensor } from "../../../ir/tensor.ts";
import { dtypeToOnnx } from "../dtypes.ts";
import { type Context, helper } from "./context.ts";

/** The nodes that replace `n`, as they are added. */
export class Chain {
  readonly nodes: Node[] = [];

  constructor(private readonly n: Node, private readonly c: Context) {}

  /** Adds a node and returns the name of its output. */
  add(op: string, inputs: readonly string[], attrs: Readonly<Record<string, Attr>> = {}): string {
    return this.many(op, inputs, 1, attrs)[0]!;
  }

  /** Adds a node of several outputs. */
  many(
    op: string,
    inputs: readonly string[],
    count: number,
    attrs: Readonly<Record<string, Attr>> = {},
  ): string[] {
    const made = helper(this.n, this.c, op, op.toLowerCase(), inputs, attrs);
    const outputs = [
      ...made.outputs,
      ...Array.from(
        { length: count - 1 },
        () => this.c.unique(`${this.n.name}_${op.toLowerCase()}`),
      ),
    ];
    this.nodes.push({ ...made, outputs });
    return outputs;
  }

  /** Adds a Cast. */
  cast(x: string, to: DType): string {
    return this.add("Cast", [x], { to: attr.int(dtypeToOnnx(to)) });
  }

  /** Adds a constant. */
  constant(what: string, t: Tensor): string {
    return this.c.addConstant(`${this.n.name}_${what}`, t);
  }

  /** Adds a list of int64. */
  ints(what: string, values: readonly number[]): string {
    return this.constant(what, i64(values));
  }

  /** Adds a scalar or a list of float64. */
  doubles(what: string, values: number | readonly number[]): string {
    const list = typeof values === "number" ? [values] : values;
    const shape = typeof values === "number" ? [] : [list.length];
    return this.constant(what, { dtype: "float64", shape, data: Float64Array.from(list) });
  }

  /** All nodes, the last of which makes output `i` of `n` and carries its name. */
  end(i = 0): Node[] {
    const last = this.nodes.at(-1)!;
    return [...this.nodes.slice(0, -1), {
      ...last,
      name: this.n.name,
      outputs: [this.n.outputs[i]!],
    }];
  }

  /** All nodes, where tensors of theirs are the outputs of `n`. */
  as(results: readonly (string | undefined)[]): Node[] {
    const names = new Map<string, string>();
    results.forEach((name, i) => {
      const out = this.n.outputs[i] ?? "";
      if (name !== undefined && out !== "") names.set(name, out);
    });
    const renamed = (list: readonly string[]) => list.map((s) => names.get(s) ?? s);
    return this.nodes.map((m) => ({
      ...m,
      inputs: renamed(m.inputs),
      outputs: renamed(m.outputs),
    }));
  }
}
