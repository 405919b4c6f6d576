/**
 * For tests only: a single operator of any opset against stock onnxruntime-web. The model as written and the
 * model as loaded and saved again must compute the same.
 *
 * @module
 */

import assert from "node:assert/strict";
import { BpuError } from "../../../errors.ts";
import { type Attr, attr, type Graph, node } from "../../../ir/graph.ts";
import type { Tensor } from "../../../ir/tensor.ts";
import { loadOnnx } from "../load.ts";
import { saveOnnx } from "../save.ts";
import {
  differs,
  randomTensor,
  runOrt,
  type TestModel,
  testModel,
  type TestPort,
} from "../test_models.ts";

type Attributes = Readonly<Record<string, Attr>>;

/** One operator call. */
export interface Case {
  readonly opset: number;
  readonly op: string;
  /** Domain of the operator, the default one when absent. */
  readonly domain?: string;
  readonly attrs?: Attributes;
  /** Run-time inputs in order; the first is called x. */
  readonly feeds: readonly Tensor[];
  /** Constant inputs behind (or, with null, between) the run-time ones. */
  readonly constants?: readonly (Tensor | null)[];
  readonly outputs?: readonly TestPort[];
  /** Hide the input shape from the file. */
  readonly open?: boolean;
  /** Relative; 0 demands the same bits. */
  readonly tolerance?: number;
}

/** The model of a case and what it is fed. */
export function build(c: Case): { model: TestModel; feeds: Map<string, Tensor> } {
  const feeds = new Map(c.feeds.map((t, i) => [i === 0 ? "x" : `x${i}`, t]));
  const initializers = new Map<string, Tensor>();
  const inputs = [...feeds.keys()];
  c.constants?.forEach((t, i) => {
    if (t !== null) initializers.set(`c${i}`, t);
    inputs.push(t === null ? "" : `c${i}`);
  });
  const outputs = c.outputs ?? [{ name: "y" }];
  return {
    feeds,
    model: {
      opset: c.opset,
      nodes: [
        node(c.op, "the_node", inputs, outputs.map((p) => p.name), c.attrs ?? {}, c.domain ?? ""),
      ],
      domains: new Map(c.domain === undefined ? [] : [[c.domain, 1]]),
      inputs: [...feeds].map(([name, t]) => ({
        name,
        dtype: t.dtype,
        shape: c.open ? t.shape.map((_, i) => `d${i}`) : t.shape,
      })),
      outputs: outputs.filter((p) => p.name !== ""),
      initializers,
    },
  };
}

/** Runs both models; returns the loaded graph for a look at its nodes. */
export async function same(what: string, c: Case): Promise<Graph> {
  const { model, feeds } = build(c);
  const bytes = testModel(model);
  const graph = loadOnnx(bytes);
  assert.equal(graph.opset, 17);
  const expected = await runOrt(bytes, feeds);
  const got = await runOrt(saveOnnx(graph), feeds);
  assert.ok(expected.size > 0, what);
  for (const [name, t] of expected) {
    assert.equal(differs(t, got.get(name), c.tolerance ?? 0), "", `${what}, output ${name}`);
  }
  return graph;
}

/** The case is refused with a sentence that names the node. */
export function refused(c: Case, pattern: RegExp): void {
  const bytes = testModel(build(c).model);
  assert.throws(() => loadOnnx(bytes), (e) => {
    assert.ok(e instanceof BpuError && e.code === "unsupported", String(e));
    assert.match(e.sentence(), pattern);
    assert.match(e.sentence(), /the_node/);
    return true;
  });
}

/** Operators of a graph in order. */
export const ops = (g: Graph) => g.nodes.map((n) => n.op).join(" ");
/** A small picture. */
export const x4 = randomTensor([2, 3, 5, 4], 1);
/** A string attribute. */
export const strings = (s: string) => attr.string(s);
