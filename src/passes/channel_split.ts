/**
 * Reshape, Transpose and Gather chains that pick every k-th channel are a Slice.
 *
 * @module
 */

import { intAttr, intsAttr, type Node, node } from "../ir/graph.ts";
import { i64 } from "../ir/tensor.ts";
import { scalarOf } from "./match.ts";
import { nodePass } from "./pass.ts";
import { ownNodes } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly x: string;
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly pattern: readonly Node[];
}

const MAX_CHAIN = 8;
const MOVES = ["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"];

/** Position in the source, for each element along each dimension: strides and one offset. */
interface Strided {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

function reshaped(s: Strided, shape: readonly number[]): Strided | undefined {
  const dims = s.shape.map((d, i) => ({ d, s: s.strides[i]! })).filter((v) => v.d !== 1);
  const strides: number[] = [];
  let i = 0;
  let rest = dims[0]?.d ?? 1;
  for (let k = 0; k < shape.length; k++) {
    const want = shape[k]!;
    if (want === 1) {
      strides.push(0);
      continue;
    }
    // Take source dimensions until they make up `want`, splitting the first or merging several.
    let have = 1;
    let stride = 0;
    while (have < want) {
      const dim = dims[i];
      if (dim === undefined) return undefined;
      const need = want / have;
      if (!Number.isInteger(need)) return undefined;
      if (rest >= need) {
        if (rest % need !== 0) return undefined;
        const own = dim.s * (rest / need);
        if (have > 1 && stride !== own * need) return undefined;
        stride = own;
        have = want;
        rest /= need;
      } else {
        if (need % rest !== 0) return undefined;
        if (have > 1 && stride !== dim.s * rest) return undefined;
        stride = dim.s;
        have *= rest;
        rest = 1;
      }
      if (rest === 1) rest = dims[++i]?.d ?? 1;
    }
    strides.push(stride);
  }
  return { shape, strides, offset: s.offset };
}

/** The chain that ends in a Gather of one index, as strides over its source. */
function follow(w: Rewriter, n: Node): { x: string; view: Strided; nodes: Node[] } | string {
  const nodes: Node[] = [n];
  let x = n.inputs[0]!;
  for (let p = w.producerOf(x, ...MOVES); p !== undefined; p = w.producerOf(x, ...MOVES)) {
    if (nodes.length > MAX_CHAIN) break;
    nodes.unshift(p);
    x = p.inputs[0]!;
  }
  const shape = w.shape(x);
  if (shape === undefined) return "its shape is not known";
  let view: Strided | undefined = { shape, strides: contiguous(shape), offset: 0 };
  for (const m of nodes) {
    if (m === n) break;
    const out = w.shape(m.outputs[0]!);
    if (out === undefined) return "its shape is not known";
    if (m.op === "Transpose") {
      const perm = intsAttr(m, "perm", out.map((_, i) => out.length - 1 - i));
      view = { shape: out, strides: perm.map((i) => view!.strides[i]!), offset: view.offset };
    } else view = reshaped(view, out);
    if (view === undefined) return `${m.name} regroups dimensions`;
  }
  return { x, view, nodes };
}

function contiguous(shape: readonly number[]): number[] {
  const s = new Array<number>(shape.length);
  let count = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    s[i] = count;
    count *= shape[i]!;
  }
  return s;
}

/**
 * The halves of a channel shuffle: Reshape -> Transpose -> Reshape -> Gather(i) of a tensor becomes
 * Slice(start, step) of it along one axis.
 */
export const channelSplit = nodePass<Match>({
  name: "channel_split",
  doc: `x [1,C,H,W] -> Reshape [C/2,2,HW] -> Transpose -> Reshape [2,1,C/2,H,W] -> Gather(i)
                                                    =>  Slice(x, axis 1, start i, step 2)`,
  ops: ["Gather"],
  check(w, n) {
    const index = scalarOf(w, n.inputs[1]);
    const inner = w.shape(n.inputs[0]!);
    const out = w.shape(n.outputs[0]!);
    if (index === undefined || inner === undefined || out === undefined) return undefined;
    if (w.shape(n.inputs[1]!)?.length !== 0) return undefined;
    if (w.producerOf(n.inputs[0]!, ...MOVES) === undefined) return undefined;
    const found = follow(w, n);
    if (typeof found === "string") return found;
    const given = intAttr(n, "axis", 0);
    const axis = given < 0 ? given + inner.length : given;
    const at = index < 0 ? index + inner[axis]! : index;
    const offset = found.view.offset + at * found.view.strides[axis]!;
    const strides = found.view.strides.filter((_, i) => i !== axis);
    const source = w.shape(found.x)!;
    if (source.length !== out.length) return "its result has another rank than its source";
    const full = contiguous(source);
    const changed = source.flatMap((d, i) => d === out[i] ? [] : [i]);
    const cut = changed[0];
    if (cut === undefined || changed.length > 1) return "it picks along several dimensions";
    const same = source.every((d, i) => i === cut || d === 1 || strides[i] === full[i]);
    const step = strides[cut]! / full[cut]!;
    const start = offset / full[cut]!;
    const size = out[cut]!;
    if (!same || size < 2 || !Number.isInteger(step) || !Number.isInteger(start) || step < 1) {
      return "it reorders what it picks";
    }
    if (start + (size - 1) * step >= source[cut]!) return "it reorders what it picks";
    return { x: found.x, axis: cut, start, step, pattern: found.nodes };
  },
  rewrite(w, n, m) {
    const out = n.outputs[0]!;
    const end = m.start + (w.shape(out)![m.axis]! - 1) * m.step + 1;
    const store = (hint: string, v: number) => w.store(`${n.name}_${hint}`, i64([v]));
    const next = node("Slice", n.name, [
      m.x,
      store("starts", m.start),
      store("ends", end),
      store("axes", m.axis),
      store("steps", m.step),
    ], [out]);
    w.replace(ownNodes(w, m.pattern, n), [next]);
  },
});
