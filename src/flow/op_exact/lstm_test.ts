/** LSTM with everything that its attributes and inputs can ask for. */

import { deepEqual } from "node:assert/strict";
import { attr, node } from "../../ir/graph.ts";
import type { Attr } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { numbersOf, tensor } from "../../ir/tensor.ts";
import { bayes } from "../../march/bayes.ts";
import { ruleContext } from "../../ops/context.ts";
import { lstmQuant } from "../../ops/lower/lstm.ts";
import { exact, graphOf, Random } from "./harness.ts";
import type { Case } from "./harness.ts";
import { convertWith, runExactly } from "./row_model.ts";

/** What a case may have, as chances. */
interface Chances {
  readonly bias?: number;
  readonly states?: number;
  /** Of the states given, how many are computed. */
  readonly computed?: number;
  readonly peepholes?: number;
  readonly lengths?: number;
  attrs?(r: Random, directions: number): Record<string, Attr>;
}

function lstm(r: Random, o: Chances): Case {
  const [steps, inputs, hidden] = [r.int(1, 4), r.int(1, 6), r.int(2, 4)];
  const direction = r.pick("forward", "reverse", "bidirectional");
  const D = direction === "bidirectional" ? 2 : 1;
  const shapes = [[steps, 1, inputs]];
  const constants: Record<string, Tensor> = {};
  const names = ["x0"];
  const constant = (name: string, t: Tensor) => {
    constants[name] = t;
    names.push(name);
  };
  const chance = (p = 0) => r.next() < p;
  constant("w", r.values([D, 4 * hidden, inputs], 0.7));
  constant("r", r.values([D, 4 * hidden, hidden], 0.7));
  if (chance(o.bias)) constant("b", r.values([D, 8 * hidden], 0.5));
  else names.push("");
  if (chance(o.lengths)) {
    constant("lengths", tensor("int32", [1], Int32Array.of(r.int(1, steps))));
  } else names.push("");
  const computed = chance(o.computed);
  for (const name of ["h", "c"]) {
    const shape = [D, 1, hidden];
    if (!chance(o.states)) names.push("");
    else if (computed) {
      names.push(`x${shapes.length}`);
      shapes.push(shape);
    } else constant(name, r.values(shape, r.pick(0.9, 3)));
  }
  if (chance(o.peepholes)) constant("p", r.values([D, 3 * hidden], r.pick(0.5, 1.5)));
  while (names.at(-1) === "") names.pop();
  const outputs = r.pick(["y"], ["y", "y1"], ["y", "y1", "y2"]);
  return {
    inputs: shapes,
    constants,
    nodes: [node("LSTM", "n", names, outputs, {
      direction: attr.string(direction),
      hidden_size: attr.int(hidden),
      ...o.attrs?.(r, D),
    })],
    outputs: outputs.slice(1),
  };
}

const feed = (r: Random, name: string, shape: readonly number[]) =>
  r.values(shape, name === "x0" ? 1 : 2);

exact("LSTM", (r) => lstm(r, { bias: 0.7, states: 0.4 }), { feed });
exact(
  "LSTM with computed initial states",
  (r) => lstm(r, { bias: 0.7, states: 0.8, computed: 1 }),
  {
    feed,
  },
);
exact("LSTM with peepholes", (r) => lstm(r, { bias: 0.7, states: 0.5, peepholes: 1 }), {
  feed,
  cases: 12,
});
exact("LSTM of shorter sequences", (r) => lstm(r, { bias: 0.5, states: 0.3, lengths: 1 }), {
  feed,
});
exact("LSTM with clip and input_forget", (r) =>
  lstm(r, {
    bias: 0.7,
    states: 0.5,
    computed: 0.5,
    peepholes: 0.5,
    attrs: (r) => ({
      input_forget: attr.int(r.int(0, 1)),
      ...(r.next() < 0.7 ? { clip: attr.float(r.pick(0.3, 1, 40)) } : {}),
    }),
  }), { feed, cases: 12 });

const gates = ["Sigmoid", "HardSigmoid", "Softsign", "Tanh"];
const functions = [
  ...gates,
  "Relu",
  "LeakyRelu",
  "Elu",
  "Affine",
  "ScaledTanh",
  "Softplus",
];

/** One set of functions a direction, with parameters for those that take some. */
function activations(r: Random, directions: number): Record<string, Attr> {
  const names: string[] = [], alpha: number[] = [], beta: number[] = [];
  for (let i = 0; i < 3 * directions; i++) {
    const name = r.pick(...(i % 3 === 0 ? gates : functions));
    names.push(r.pick(name, name.toLowerCase()));
    const both = ["HardSigmoid", "Affine", "ScaledTanh"].includes(name);
    if (both || ["LeakyRelu", "Elu"].includes(name)) {
      alpha.push(r.pick(0.3, 0.6, 1.2));
    }
    if (both) beta.push(r.pick(0.1, 0.5, 0.8));
  }
  return {
    activations: attr.strings(names),
    activation_alpha: attr.floats(alpha),
    activation_beta: attr.floats(beta),
  };
}
exact("LSTM with other activations", (r) =>
  lstm(r, {
    bias: 0.7,
    states: 0.5,
    computed: 0.5,
    peepholes: 0.3,
    lengths: 0.3,
    attrs: activations,
  }), { feed, cases: 24 });

// Affine and ScaledTanh give 0 without parameters.
for (const name of [...functions, "ThresholdedRelu"]) {
  const free = name !== "Affine" && name !== "ScaledTanh";
  exact(`LSTM with ${name} for cell and output`, (r) =>
    lstm(r, {
      bias: 0.7,
      attrs: (_, D) => ({
        activations: attr.strings(Array(D).fill(["Sigmoid", name, name]).flat()),
        ...(free ? {} : {
          activation_alpha: attr.floats(Array(2 * D).fill(0.9)),
          activation_beta: attr.floats(Array(2 * D).fill(0.8)),
        }),
      }),
      // A jump makes errors of any size.
    }), { feed, cases: 4, ...(name === "ThresholdedRelu" ? { error: Infinity } : {}) });
}

Deno.test("padding behind a short sequence is zero, and lengths outside of the input are refused", async () => {
  const r = new Random(5);
  const of = (length: number) => {
    const c = lstm(new Random(9), { bias: 1, lengths: 1 });
    const n = c.nodes[0]!;
    return graphOf({
      ...c,
      inputs: [[4, 1, 3]],
      constants: {
        w: new Random(1).values([1, 8, 3]),
        r: new Random(2).values([1, 8, 2]),
        l: tensor("int32", [1], Int32Array.of(length)),
      },
      nodes: [{
        ...n,
        inputs: ["x0", "w", "r", "", "l"],
        outputs: ["y", "y1"],
        attrs: new Map([["hidden_size", attr.int(2)]]),
      }],
      outputs: ["y1"],
    });
  };
  const feeds = new Map([["x0", r.values([4, 1, 3])]]);
  const graph = of(3);
  const c = await convertWith(
    { ...graph, nodes: graph.nodes.map((n) => ({ ...n, name: "it" })) },
    bayes,
    feeds,
  );
  deepEqual(c.plan.nodes.get("it"), { on: "BPU" });
  const got = await runExactly(c, feeds);
  const y = Array.from(numbersOf(got.get("y")!));
  deepEqual(y.slice(6), [0, 0]);
  deepEqual(y.slice(0, 6).every((v) => v !== 0), true);
  const limit = (length: number) => {
    const g = of(length);
    return lstmQuant.limits!(ruleContext(g, g.nodes[0]!, bayes));
  };
  deepEqual([limit(3), limit(4)], [undefined, undefined]);
  deepEqual(limit(0), "a sequence length of 0 is outside 1..4");
});

Deno.test("what has no integer form is named", () => {
  const limit = (attrs: Record<string, Attr>) => {
    const g = graphOf(lstm(new Random(3), { attrs: () => attrs }));
    return lstmQuant.limits!(ruleContext(g, g.nodes[0]!, bayes));
  };
  const directions = 3 * (lstm(new Random(3), {}).constants!["w"]!.shape[0]!);
  deepEqual(
    limit({ activations: attr.strings(Array(directions).fill("Gelu")) }),
    "activation Gelu has no integer form",
  );
  deepEqual(
    limit({ activations: attr.strings(["Tanh"]) }),
    `it names 1 activations, not ${directions}`,
  );
});
