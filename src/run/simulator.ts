/**
 * Runs a compiled program bit for bit: kernel segments on the integer kernels, CPU segments on the
 * float engine that is given.
 *
 * @module
 */

import type { Program } from "../compile/program.ts";
import { BpuError } from "../errors.ts";
import type { Engine, Feeds, Session } from "../ir/engine.ts";
import type { Node } from "../ir/graph.ts";
import { allocate, bytesOfTensor, elementCount, stridesOf } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { Arena } from "../kernels/arena.ts";
import { KernelPool } from "../kernels/threads.ts";
import type { StepContext, View } from "../ops/op.ts";
import { opOf } from "../ops/registry.ts";
import { runBatch } from "./batch.ts";
import {
  activationStrides,
  fromRowMajor,
  relayout,
  rowMajorTensors,
  toRowMajor,
} from "./simulator_layout.ts";

/** Options of {@linkcode openProgram}. */
export interface SimulatorOptions {
  /** Runs the CPU segments. */
  readonly cpu: Engine;
  /**
   * Threads for convolutions and products, the caller's included; default: the cores, at most 8. Results do not
   * depend on it. Workers start once a session has done enough work to be worth them, and end at `close` or
   * when they are idle; where they are not permitted, one thread does everything. Callers that run several
   * sessions at the same time give 1.
   */
  readonly threads?: number;
  /** Multiply-adds before each worker is started; the default suits everybody but tests. */
  readonly startingWork?: number;
  /**
   * Called after every kernel node with a reader of its outputs (row-major copies), so that layers can
   * be compared or dumped.
   */
  readonly onNode?: (node: Node, read: (tensor: string) => Tensor) => void;
}

interface Step {
  readonly node: Node;
  /** Runs the operator between its views. */
  readonly run: () => void;
}

/**
 * Loads a program into the simulator.
 *
 * @throws BpuError("limit") when the memory is not to be had, BpuError("format") for an operator that
 * this version does not know.
 */
export async function openProgram(program: Program, options: SimulatorOptions): Promise<Session> {
  const arena = Arena.create({ maximumBytes: 2 ** 32 });
  const stored = new Map<string, View>();
  const base = arena.alloc(program.arenaBytes, 64);
  const { threads, startingWork } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new BpuError("usage", `the number of threads must be 1 or more, not ${threads}`);
  }
  const executor = KernelPool.lazy(arena, {
    ...(threads === undefined ? {} : { workers: threads - 1 }),
    ...(startingWork === undefined ? {} : { startingWork }),
  });
  const rowMajor = rowMajorTensors(program);

  const activation = (name: string): View => {
    const slot = program.slots.get(name);
    if (slot === undefined) {
      throw new BpuError("internal", "a tensor has no slot", { tensor: name });
    }
    return {
      ptr: base + slot.offset,
      dtype: slot.dtype,
      shape: slot.shape,
      strides: rowMajor.has(name) ? stridesOf(slot.shape) : activationStrides(slot.shape),
      count: elementCount(slot.shape),
    };
  };
  const constantView = (name: string, t: Tensor): View => {
    let v = stored.get(name);
    if (v === undefined) {
      const bytes = bytesOfTensor(t);
      const ptr = arena.alloc(bytes.byteLength, 16);
      arena.u8(ptr, bytes.byteLength).set(bytes);
      v = {
        ptr,
        dtype: t.dtype,
        shape: t.shape,
        strides: stridesOf(t.shape),
        count: t.data.length,
      };
      stored.set(name, v);
    }
    return v;
  };
  const load = (n: Node): Step => {
    const def = opOf(n);
    if (def?.run === undefined) {
      throw new BpuError("format", `operator ${n.op} cannot be simulated by this version`, {
        node: n.name,
        op: n.op,
      });
    }
    const packs = new Set(def.packs ?? []);
    const inputs = n.inputs.map((t, i) => {
      if (t === "") return undefined;
      const k = program.constants.get(t);
      if (k === undefined) return activation(t);
      return packs.has(i) ? undefined : constantView(t, k);
    });
    const outputs = n.outputs.map((t) => t === "" ? undefined : activation(t));
    const context: StepContext = {
      arena,
      executor,
      node: n,
      input: (i) => inputs[i],
      need(i) {
        const v = inputs[i];
        if (v === undefined) {
          throw new BpuError("internal", `input ${i} has no view`, { node: n.name });
        }
        return v;
      },
      output: (i) => outputs[i]!,
      constant: (i) => program.constants.get(n.inputs[i] ?? ""),
    };
    const state = def.prepare?.(context), run = def.run;
    const [from, to] = [n.inputs[0]!, n.outputs[0]!];
    // Of the two layouts the one with the larger elements stays.
    if (rowMajor.has(from)) {
      return { node: n, run: () => fromRowMajor(context, outputs[0]!, run, state) };
    }
    if (rowMajor.has(to)) {
      return { node: n, run: () => toRowMajor(context, inputs[0]!, run, state) };
    }
    return { node: n, run: () => run(context, state) };
  };

  type Loaded =
    | { kind: "bpu"; steps: Step[]; inputs: readonly string[]; outputs: readonly string[] }
    | { kind: "cpu"; session: Session; inputs: readonly string[] };
  const segments: Loaded[] = [];
  for (const s of program.segments) {
    if (s.kind === "bpu") {
      segments.push({
        kind: "bpu",
        steps: s.nodes.map(load),
        inputs: s.inputs,
        outputs: s.outputs,
      });
    } else {
      const session = await options.cpu.open(s.graph);
      segments.push({ kind: "cpu", session, inputs: s.graph.inputs.map((p) => p.name) });
    }
  }

  const write = (t: Tensor, name: string): void => {
    const slot = program.slots.get(name)!;
    const bytes = bytesOfTensor(t);
    const at = base + slot.offset;
    if (slot.shape.length !== 4 || rowMajor.has(name)) {
      arena.u8(at, bytes.byteLength).set(bytes);
      return;
    }
    const mark = arena.mark();
    const src = arena.alloc(bytes.byteLength, 16);
    arena.u8(src, bytes.byteLength).set(bytes);
    relayout({ arena }, src, stridesOf(slot.shape), at, activationStrides(slot.shape), slot);
    arena.release(mark);
  };
  const read = (name: string): Tensor => {
    const slot = program.slots.get(name)!;
    const count = elementCount(slot.shape);
    const data = allocate(slot.dtype, count);
    const target = bytesOfTensor({ ...slot, data });
    const mark = arena.mark();
    let at = base + slot.offset;
    if (slot.shape.length === 4 && !rowMajor.has(name)) {
      at = arena.alloc(target.byteLength, 16);
      const from = activationStrides(slot.shape);
      relayout({ arena }, base + slot.offset, from, at, stridesOf(slot.shape), slot);
    }
    target.set(arena.u8(at, target.byteLength));
    arena.release(mark);
    return { dtype: slot.dtype, shape: slot.shape, data };
  };

  const runOne = async (feeds: Feeds): Promise<Map<string, Tensor>> => {
    const values = new Map<string, Tensor>(
      program.inputs.map((p) => [p.name, feeds.get(p.name)!]),
    );
    for (const s of segments) {
      if (s.kind === "cpu") {
        const given = new Map(s.inputs.map((t): [string, Tensor] => [t, values.get(t)!]));
        for (const [name, t] of await s.session.run(given)) values.set(name, t);
        continue;
      }
      for (const t of s.inputs) write(values.get(t)!, t);
      for (const step of s.steps) {
        step.run();
        options.onNode?.(step.node, read);
      }
      for (const t of s.outputs) values.set(t, read(t));
    }
    return new Map(program.outputs.map((p): [string, Tensor] => [p.name, values.get(p.name)!]));
  };

  return {
    run: (feeds: Feeds) => runBatch(program.inputs, program.batch ?? 1, feeds, runOne),
    async close() {
      executor.close();
      for (const s of segments) if (s.kind === "cpu") await s.session.close();
    },
  };
}
