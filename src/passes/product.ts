/**
 * Products as activation functions are written with: a tree of Mul and Div by constants becomes a list
 * of factors and a number, so that a pattern does not care in which order an exporter multiplies.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import { lossOf } from "./bpu.ts";
import { scalarOf, withConstant } from "./match.ts";
import type { Rewriter } from "./rewriter.ts";

/** number * factor * factor * ... */
export interface Product {
  readonly scale: number;
  readonly factors: readonly string[];
  /** The Mul and Div nodes, the root last; all but the root are read by this product only. */
  readonly nodes: readonly Node[];
}

const MAX_NODES = 8;

/** The product that ends in `root` (a Mul or Div). */
export function productOf(w: Rewriter, root: Node): Product | undefined {
  const factors: string[] = [];
  const nodes: Node[] = [];
  let scale = 1;
  /** Returns false where the node is no product. */
  const expand = (n: Node): boolean => {
    const c = withConstant(w, n);
    const number = c === undefined ? undefined : scalarOf(w, c.constantName);
    const divides = n.op === "Div";
    if (divides && (number === undefined || c!.at === 1 || number === 0)) return false;
    if (n.op !== "Mul" && !divides) return false;
    const operands = number === undefined ? n.inputs : [c!.x];
    if (number !== undefined) scale = divides ? scale / number : scale * number;
    for (const name of operands) {
      const inner = w.producerOf(name, "Mul", "Div");
      const own = inner !== undefined && nodes.length < MAX_NODES && w.onlyUser(name) === n &&
        n.inputs.filter((i) => i === name).length === 1;
      if (!own || !expand(inner)) factors.push(name);
    }
    nodes.push(n);
    return true;
  };
  return expand(root) ? { scale, factors, nodes } : undefined;
}

/** `x + number` or `number + x`. */
export function sumWith(
  w: Rewriter,
  n: Node | undefined,
): { x: string; number: number } | undefined {
  if (n === undefined || n.domain !== "" || (n.op !== "Add" && n.op !== "Sub")) return undefined;
  const c = withConstant(w, n);
  const number = c === undefined ? undefined : scalarOf(w, c.constantName);
  if (c === undefined || number === undefined) return undefined;
  if (n.op === "Sub") return c.at === 0 ? { x: c.x, number: -number } : undefined;
  return { x: c.x, number };
}

/** `x * number` or `x / number`. */
export function scaled(
  w: Rewriter,
  n: Node | undefined,
): { x: string; number: number } | undefined {
  if (n === undefined || n.domain !== "" || (n.op !== "Mul" && n.op !== "Div")) return undefined;
  const c = withConstant(w, n);
  const number = c === undefined ? undefined : scalarOf(w, c.constantName);
  if (c === undefined || number === undefined) return undefined;
  if (n.op === "Mul") return { x: c.x, number };
  return c.at === 0 && number !== 0 ? { x: c.x, number: 1 / number } : undefined;
}

/** The nodes of `list` whose results nobody outside of `list` reads, with those that go anyway. */
export function ownNodes(w: Rewriter, list: readonly Node[], root: Node): Node[] {
  const own = new Set<Node>([root]);
  // From the root backwards: a node goes when all its readers go.
  for (let grown = true; grown;) {
    grown = false;
    for (const n of list) {
      if (own.has(n)) continue;
      const free = n.outputs.every((o) =>
        o === "" || (!w.pinned(o) && w.users(o).every((u) => own.has(u)))
      );
      if (free) {
        own.add(n);
        grown = true;
      }
    }
  }
  return [...own];
}

/**
 * Puts `next` into the place of a pattern that ends in `root`; parts that others read stay. Returns why,
 * where the BPU runs a part of the pattern and not `next`, and changes nothing then.
 */
export function fuse(
  w: Rewriter,
  pattern: readonly Node[],
  root: Node,
  next: Node,
): string | undefined {
  const gone = ownNodes(w, pattern, root);
  const loss = lossOf(w, gone, [next]);
  if (loss === undefined) w.replace(gone, [next]);
  return loss;
}
