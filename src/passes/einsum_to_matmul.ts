/**
 * Einsum of two tensors that is a matrix product, as exporters write attention.
 *
 * @module
 */

import { attr, type Node, node, stringAttr } from "../ir/graph.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

/** The product: how the operands and the result are turned. */
interface Product {
  /** Places of the two operands among the node's inputs. */
  readonly operands: readonly [number, number];
  readonly perms: readonly [readonly number[], readonly number[]];
  /** Dimensions of the product before `out`. */
  readonly shape: readonly number[];
  readonly out: readonly number[];
}

const isIdentity = (perm: readonly number[]): boolean => perm.every((p, i) => p === i);

/** Labels `ab...` of a term, or undefined where it has an ellipsis or a letter twice. */
function labels(term: string): string[] | undefined {
  const all = [...term];
  return all.includes(".") || new Set(all).size !== all.length ? undefined : all;
}

/**
 * `a` times `b`: labels that both and the result have are the batch, those that only the operands
 * have are summed, the rest are rows of `a` and columns of `b`.
 */
function product(
  a: readonly string[],
  b: readonly string[],
  result: readonly string[],
  sizes: ReadonlyMap<string, number>,
  operands: readonly [number, number],
): Product | string {
  const batch = result.filter((l) => a.includes(l) && b.includes(l));
  const rows = result.filter((l) => a.includes(l) && !b.includes(l));
  const columns = result.filter((l) => b.includes(l) && !a.includes(l));
  const summed = a.filter((l) => !result.includes(l));
  if (summed.length !== 1 || !b.includes(summed[0]!)) return "it does not sum one common label";
  if (b.some((l) => !result.includes(l) && l !== summed[0])) return "it sums a label of one input";
  // Without a batch, every row label in front of the last is one for MatMul.
  if (columns.length !== 1 || rows.length === 0 || (rows.length > 1 && batch.length > 0)) {
    return "it is no product of matrices";
  }
  const order = [...batch, ...rows, ...columns];
  return {
    operands,
    perms: [
      [...batch, ...rows, ...summed].map((l) => a.indexOf(l)),
      [...batch, ...summed, ...columns].map((l) => b.indexOf(l)),
    ],
    shape: order.map((l) => sizes.get(l)!),
    out: result.map((l) => order.indexOf(l)),
  };
}

/** Reads the equation; of `a b` and `b a` the one that leaves the result as it is. */
function parse(w: Rewriter, n: Node): Product | string | undefined {
  if (n.inputs.length !== 2) return undefined;
  const [terms, result] = stringAttr(n, "equation").replaceAll(/\s/g, "").split("->");
  const [a, b] = terms!.split(",").map(labels);
  const out = result === undefined ? undefined : labels(result);
  if (a === undefined || b === undefined || out === undefined) {
    return "its equation has an ellipsis, a diagonal or no result";
  }
  const sizes = new Map<string, number>();
  for (const [i, term] of [a, b].entries()) {
    const shape = w.shape(n.inputs[i]!);
    if (shape?.length !== term.length) return "a shape is not known";
    for (const [k, l] of term.entries()) {
      const before = sizes.get(l);
      if (before !== undefined && before !== shape[k]) return `${l} has two sizes`;
      sizes.set(l, shape[k]!);
    }
  }
  const straight = product(a, b, out, sizes, [0, 1]);
  if (typeof straight !== "string" && isIdentity(straight.out)) return straight;
  const turned = product(b, a, out, sizes, [1, 0]);
  if (typeof turned !== "string" && (typeof straight === "string" || isIdentity(turned.out))) {
    return turned;
  }
  return straight;
}

/** Einsum that is a matrix product becomes MatMul between Transposes. */
export const einsumToMatmul = nodePass<Product>({
  name: "einsum_to_matmul",
  doc: `Einsum("bhid,bhjd->bhij")(q, k)   =>   MatMul(q, Transpose(k))`,
  ops: ["Einsum"],
  check: parse,
  rewrite(w, n, m) {
    const type = w.type(n.outputs[0]!)!;
    const made: Node[] = [];
    const turn = (x: string, perm: readonly number[], shape: readonly number[], out?: string) => {
      if (isIdentity(perm)) return x;
      const to = out ??
        w.temp(`${x}_turned`, { dtype: type.dtype, shape: perm.map((p) => shape[p]!) });
      made.push(node("Transpose", w.nodeName(`${n.name}_transpose`), [x], [to], {
        perm: attr.ints(perm),
      }));
      return to;
    };
    const factors = m.operands.map((at, i) => {
      const x = n.inputs[at]!;
      return turn(x, m.perms[i]!, w.shape(x)!);
    });
    const straight = isIdentity(m.out);
    const to = straight
      ? n.outputs[0]!
      : w.temp(`${n.outputs[0]!}_product`, { dtype: type.dtype, shape: m.shape });
    made.push(node("MatMul", n.name, factors, [to]));
    if (!straight) turn(to, m.out, m.shape, n.outputs[0]!);
    w.replace([n], made);
  },
});
