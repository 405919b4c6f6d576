/**
 * Static estimate of what a program costs on the accelerator: the roofline of cost.ts per node, with the
 * memory traffic of a program that keeps on the chip what fits. Float parts (CPU segments, Quantize,
 * Dequantize) are not counted, as in the original tools.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import { byteSize, elementCount } from "../ir/tensor.ts";
import type { TensorType } from "../ir/tensor.ts";
import type { March } from "../march/march.ts";
import { opOf } from "../ops/registry.ts";
import { type Price, priceOf, rates } from "./cost.ts";
import type { KernelSegment, Program } from "./program.ts";

/** Cost of one node. */
export interface NodeCost extends Price {
  readonly name: string;
  readonly op: string;
  /** Number of the BPU subgraph. */
  readonly subgraph: number;
  /** Bytes that the node moves between the chip and memory. */
  readonly ddrBytes: number;
}

/** Cost of a program on one core. */
export interface Estimate {
  /** Microseconds of one run of the whole batch; 0 when nothing runs on the BPU. */
  readonly latencyUs: number;
  /** Samples per second; 0 when nothing runs on the BPU. */
  readonly fps: number;
  /** Bytes between chip and memory of one run. */
  readonly ddrBytes: number;
  readonly macs: number;
  /** Per node and sample. */
  readonly nodes: readonly NodeCost[];
}

const bytesOf = (t: TensorType) => elementCount(t.shape) * byteSize(t.dtype);

/**
 * Estimates a program.
 *
 * @example
 * ```ts
 * import { estimate } from "./estimate.ts";
 * import { bayes } from "../march/bayes.ts";
 * const empty = { name: "m", march: "bayes", inputs: [], outputs: [], segments: [],
 *   constants: new Map(), slots: new Map(), arenaBytes: 0 } as const;
 * console.assert(estimate(empty, bayes).latencyUs === 0);
 * ```
 */
export function estimate(program: Program, march: March): Estimate {
  const nodes = program.segments.flatMap((s) =>
    s.kind === "bpu" ? segmentCosts(s, program, march) : []
  );
  const sum = (f: (n: NodeCost) => number) => nodes.reduce((a, n) => a + f(n), 0);
  const batch = program.batch ?? 1;
  const latencyUs = sum((n) => n.us) * batch;
  return {
    latencyUs,
    fps: latencyUs === 0 ? 0 : batch * 1e6 / latencyUs,
    ddrBytes: sum((n) => n.ddrBytes) * batch,
    macs: sum((n) => n.macs) * batch,
    nodes,
  };
}

function segmentCosts(s: KernelSegment, program: Program, march: March): NodeCost[] {
  const rate = rates[march.name];
  const type = (t: string): TensorType | undefined =>
    program.slots.get(t) ?? program.constants.get(t);
  const integer = (t: string) => {
    const d = type(t)?.dtype;
    return d !== undefined && d !== "float32" && d !== "float64";
  };
  // Float at either end: Quantize and Dequantize, which the original runs on the CPU.
  const onCore = s.nodes.filter((n) =>
    [...n.inputs.slice(0, 1), ...n.outputs].every((t) => t === "" || integer(t))
  );
  const inside = new Set(onCore);
  const readers = new Map<string, Node[]>();
  for (const n of s.nodes) {
    for (const t of n.inputs) {
      if (t !== "") readers.set(t, [...readers.get(t) ?? [], n]);
    }
  }
  const made = new Set(onCore.flatMap((n) => n.outputs));
  // A pointwise node follows its only producer tile by tile: nothing leaves the chip between them.
  const follows = (t: string) => {
    const r = readers.get(t) ?? [];
    const n = r.length === 1 ? r[0]! : undefined;
    if (n === undefined || !inside.has(n)) return false;
    const y = type(n.outputs[0] ?? "");
    return y !== undefined && opOf(n)?.macs === undefined && n.inputs[0] === t &&
      elementCount(y.shape) === elementCount(type(t)!.shape);
  };
  const leaves = (t: string) =>
    (readers.get(t) ?? []).some((n) => !inside.has(n)) || s.outputs.includes(t);
  const spilled = (t: string) => bytesOf(type(t)!) > rate.onChip && !follows(t);

  return onCore.map((n): NodeCost => {
    let ddrBytes = 0;
    for (const t of new Set(n.inputs)) {
      const x = t === "" ? undefined : type(t);
      if (x === undefined) continue;
      if (program.constants.has(t) || !made.has(t) || spilled(t)) ddrBytes += bytesOf(x);
    }
    for (const t of n.outputs) {
      const x = t === "" ? undefined : type(t);
      if (x !== undefined && (leaves(t) || spilled(t))) ddrBytes += bytesOf(x);
    }
    const price = priceOf({
      node: n,
      type,
      value: (t) => program.constants.get(t),
      bytes: (t) => byteSize(type(t)?.dtype ?? "int8"),
      ddrBytes,
    }, march);
    return { name: n.name, op: n.op, subgraph: s.id, ddrBytes, ...price };
  });
}

/** `FPS=316.91, latency = 3155.4 us`, and the memory traffic where the march prints it. */
export function latencyLine(e: Estimate, march: March): string {
  const ddr = march.printsDdr ? `, DDR = ${e.ddrBytes} bytes` : "";
  return `FPS=${e.fps.toFixed(2)}, latency = ${e.latencyUs.toFixed(1)} us${ddr}`;
}
