/**
 * All operators, by domain and name. The lists say which files there are; nothing is registered as a
 * side effect.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import { listHz } from "./hz/list.ts";
import { hzPreprocessFloat } from "./hz_preprocess.ts";
import { listA } from "./list_a.ts";
import { listB } from "./list_b.ts";
import type { OpDef } from "./op.ts";
import { pyOp } from "./py_op.ts";

let table: Map<string, OpDef> | undefined;

function keyOf(domain: string, op: string): string {
  return `${domain === "ai.onnx" ? "" : domain}:${op}`;
}

/** Every operator definition. */
export function allOps(): readonly OpDef[] {
  return [...listA, ...listB, hzPreprocessFloat, ...listHz, pyOp];
}

/** Definition of an operator by domain and name; undefined when there is none. */
export function opNamed(op: string, domain = ""): OpDef | undefined {
  if (table === undefined) {
    table = new Map();
    for (const d of allOps()) {
      const key = keyOf(d.domain ?? "", d.op);
      if (table.has(key)) throw new Error(`operator ${key} is defined twice`);
      table.set(key, d);
    }
  }
  return table.get(keyOf(domain, op));
}

/** Definition of a node's operator; undefined when there is none. */
export function opOf(node: Node): OpDef | undefined {
  return opNamed(node.op, node.domain);
}
