/**
 * A float engine that also runs custom operators: the parts between them in the engine that it is
 * given, the operators themselves in their Worker.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { loadOnnx } from "../../formats/onnx/load.ts";
import type { Feeds, Session } from "../../ir/engine.ts";
import type { Graph } from "../../ir/graph.ts";
import { mustType } from "../../ir/graph.ts";
import type { Tensor, TensorType } from "../../ir/tensor.ts";
import type { FloatEngine, OnResult, Samples } from "../float.ts";
import { portsOfOnnx } from "../model_ports.ts";
import { cutAtCustom } from "./cut.ts";
import { hasCustom, resolveCustom } from "./infer.ts";
import type { CustomOperators } from "./operators.ts";

type Step =
  | { readonly session: Session; readonly inputs: readonly string[] }
  | {
    readonly node: Graph["nodes"][number];
    readonly outputs: readonly TensorType[];
  };

/**
 * Adds custom operators to a float engine. Graphs without such operators go to `engine` unchanged.
 * Closing it closes both.
 */
export function createCustomEngine(engine: FloatEngine, operators: CustomOperators): FloatEngine {
  const open = async (given: Graph, fetch?: readonly string[]): Promise<Session> => {
    if (!hasCustom(given)) return await engine.open(given, fetch);
    const graph = await resolveCustom(given, operators);
    const wanted = fetch ?? graph.outputs.map((p) => p.name);
    const computed = new Set(graph.nodes.flatMap((n) => n.outputs));
    const fed = new Set(graph.inputs.map((p) => p.name));
    for (const t of wanted) {
      if (computed.has(t) || fed.has(t) || graph.constants.has(t)) continue;
      throw new BpuError("runtime", "no node of the model computes this tensor", { tensor: t });
    }
    const steps: Step[] = [];
    const close = async () => {
      for (const s of steps) if ("session" in s) await s.session.close();
    };
    try {
      for (const p of cutAtCustom(graph, new Set(wanted))) {
        if (p.kind === "custom") {
          const outputs = p.node.outputs.map((t) => {
            const { dtype, shape } = mustType(graph, t, p.node);
            return { dtype, shape };
          });
          steps.push({ node: p.node, outputs });
        } else {
          const session = await engine.open(p.graph);
          steps.push({ session, inputs: p.graph.inputs.map((i) => i.name) });
        }
      }
    } catch (error) {
      await close();
      throw error;
    }
    const run = async (feeds: Feeds): Promise<Map<string, Tensor>> => {
      const values = new Map<string, Tensor>(graph.constants);
      for (const p of graph.inputs) {
        const t = feeds.get(p.name);
        if (t === undefined) {
          throw new BpuError("runtime", "no value was given for this input of the model", {
            tensor: p.name,
            hint: `Given: ${[...feeds.keys()].join(", ") || "nothing"}.`,
          });
        }
        values.set(p.name, t);
      }
      for (const s of steps) {
        if ("session" in s) {
          const part = new Map(s.inputs.map((t): [string, Tensor] => [t, values.get(t)!]));
          for (const [t, v] of await s.session.run(part)) values.set(t, v);
          continue;
        }
        const inputs = s.node.inputs.filter((t) => t !== "").map((t) => values.get(t)!);
        const results = await operators.compute(s.node, inputs, s.outputs);
        s.node.outputs.forEach((t, i) => values.set(t, results[i]!));
      }
      return new Map(wanted.map((t): [string, Tensor] => [t, values.get(t)!]));
    };
    return { run, close };
  };

  const openBytes = async (bytes: Uint8Array, fetch?: readonly string[]): Promise<Session> =>
    portsOfOnnx(bytes, "model").custom
      ? await open(loadOnnx(bytes), fetch)
      : await engine.openBytes(bytes, fetch);

  const each = async (session: Session, samples: Samples, onResult: OnResult): Promise<void> => {
    try {
      let index = 0;
      for await (const feeds of samples) await onResult(index++, await session.run(feeds));
    } finally {
      await session.close();
    }
  };

  return {
    name: `${engine.name} with custom operators`,
    open,
    openBytes,
    async map(graph, fetch, samples, onResult) {
      if (!hasCustom(graph)) return await engine.map(graph, fetch, samples, onResult);
      await each(await open(graph, fetch), samples, onResult);
    },
    async mapBytes(bytes, fetch, samples, onResult) {
      if (!portsOfOnnx(bytes, "model").custom) {
        return await engine.mapBytes(bytes, fetch, samples, onResult);
      }
      await each(await openBytes(bytes, fetch), samples, onResult);
    },
    async close() {
      operators.close();
      await engine.close();
    },
  };
}
