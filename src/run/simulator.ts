/**
 * Runs a compiled program bit for bit: kernel segments on the integer kernels, CPU segments on the
 * float engine that is given.
 *
 * @module
 */

import type { Program, Slot } from "../compile/program.ts";
import { BpuError } from "../errors.ts";
import type { Engine, Feeds, Session } from "../ir/engine.ts";
import type { Node } from "../ir/graph.ts";
import { allocate, byteSize, bytesOfTensor, elementCount, stridesOf } from "../ir/tensor.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import { Arena } from "../kernels/arena.ts";
import { copyStrided } from "../kernels/copy.ts";
import type { OpDef, StepContext, View } from "../ops/op.ts";
import { opOf } from "../ops/registry.ts";
import { runBatch } from "./batch.ts";

/** Element strides of an activation: rank 4 is NHWC in memory, all else row-major. */
export function activationStrides(shape: readonly number[]): number[] {
  if (shape.length !== 4) return stridesOf(shape);
  const [, c, h, w] = shape as [number, number, number, number];
  return [h * w * c, 1, w * c, c];
}

/** Options of {@linkcode openProgram}. */
export interface SimulatorOptions {
  /** Runs the CPU segments. */
  readonly cpu: Engine;
  /**
   * Called after every kernel node with a reader of its outputs (row-major copies), so that layers can
   * be compared or dumped.
   */
  readonly onNode?: (node: Node, read: (tensor: string) => Tensor) => void;
}

interface Step {
  readonly def: OpDef;
  readonly context: StepContext;
  readonly state: unknown;
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

  const activation = (name: string): View => {
    const slot = program.slots.get(name);
    if (slot === undefined) {
      throw new BpuError("internal", "a tensor has no slot", { tensor: name });
    }
    return {
      ptr: base + slot.offset,
      dtype: slot.dtype,
      shape: slot.shape,
      strides: activationStrides(slot.shape),
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
    return { def, context, state: def.prepare?.(context) };
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

  const write = (t: Tensor, slot: Slot): void => {
    const bytes = bytesOfTensor(t);
    const at = base + slot.offset;
    if (slot.shape.length !== 4) {
      arena.u8(at, bytes.byteLength).set(bytes);
      return;
    }
    const mark = arena.mark();
    const src = arena.alloc(bytes.byteLength, 16);
    arena.u8(src, bytes.byteLength).set(bytes);
    move(src, stridesOf(slot.shape), at, activationStrides(slot.shape), slot);
    arena.release(mark);
  };
  const move = (
    src: number,
    srcStrides: readonly number[],
    dst: number,
    dstStrides: readonly number[],
    t: TensorType,
  ): void => {
    if (t.shape.includes(0)) return;
    copyStrided(arena, {
      src,
      dst,
      elementBytes: byteSize(t.dtype) as 1 | 2 | 4 | 8,
      dims: t.shape,
      srcStrides,
      dstStrides,
    });
  };
  const read = (name: string): Tensor => {
    const slot = program.slots.get(name)!;
    const count = elementCount(slot.shape);
    const data = allocate(slot.dtype, count);
    const target = bytesOfTensor({ ...slot, data });
    const mark = arena.mark();
    let at = base + slot.offset;
    if (slot.shape.length === 4) {
      at = arena.alloc(target.byteLength, 16);
      move(base + slot.offset, activationStrides(slot.shape), at, stridesOf(slot.shape), slot);
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
      for (const t of s.inputs) write(values.get(t)!, program.slots.get(t)!);
      for (const step of s.steps) {
        step.def.run!(step.context, step.state);
        options.onNode?.(step.context.node, read);
      }
      for (const t of s.outputs) values.set(t, read(t));
    }
    return new Map(program.outputs.map((p): [string, Tensor] => [p.name, values.get(p.name)!]));
  };

  return {
    run: (feeds: Feeds) => runBatch(program.inputs, program.batch ?? 1, feeds, runOne),
    async close() {
      for (const s of segments) if (s.kind === "cpu") await s.session.close();
    },
  };
}
