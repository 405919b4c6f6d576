/**
 * Placement rules as building blocks: each carries the sentence of the operator table and decides it,
 * so that an operator's file reads like its row of the table.
 *
 * A check answers in the user's terms with the march: "kernel_shape H 33 is outside 1..31 on bayes".
 *
 * @module
 */

import type { TensorType } from "../ir/tensor.ts";
import type { MarchName } from "../march/march.ts";
import { padShape } from "./broadcast.ts";
import type { MarchRules, Rule, RuleContext } from "./op.ts";
import { first, inputsOf, isFeature, outputsOf, outside, rule, sizeOf } from "./rule_base.ts";

export * from "./rule_base.ts";
export * from "./rule_broadcast.ts";
export * from "./rule_tensors.ts";
export * from "./rule_windows.ts";
export { endsSubgraph } from "./context.ts";

type Int16 = MarchRules["int16"];

const activations = (c: RuleContext): { name: string; type: TensorType }[] => [
  ...inputsOf(c).filter(({ index }) => isFeature(c, index)),
  ...outputsOf(c),
];

const rank4Activations = rule(
  "inputs and outputs rank 4 unless the op says otherwise",
  (c) =>
    first(
      ...activations(c).map(({ name, type }) =>
        type.shape.length === 4 ? undefined : `${name} rank ${type.shape.length} is not 4`
      ),
    ),
);

const sizes = rule("H,W,C in 1..65536; N <= 4096; N*C*H*W <= 1 GiB", (c) =>
  first(
    ...activations(c).flatMap(({ name, type }) => {
      const s = padShape(type.shape, 4);
      return [
        s.length === type.shape.length ? outside(`${name} N`, s[0]!, undefined, 4096) : undefined,
        ...s.slice(1).map((d, i) =>
          d < 0
            ? undefined
            : outside(`${name} ${s.length === 4 ? "CHW"[i] : `dim ${i + 1}`}`, d, 1, 65536)
        ),
        sizeOf(type) <= 2 ** 30 ? undefined : `${name} has ${sizeOf(type)} elements, over 1 GiB`,
      ];
    }),
  ));

const float = rule("quantized tensors are float tensors of the model", (c) => {
  const t = c.node.inputs.length === 0 ? undefined : c.input(0);
  if (t === undefined || t.dtype === "float32") return undefined;
  return `its input is ${t.dtype}, only float32 is quantized`;
});

const general: ReadonlySet<Rule> = new Set([rank4Activations, sizes, float]);

/** Whether a rule is one of the general limits of the march, not of the operator's own row. */
export function isGeneral(r: Rule): boolean {
  return general.has(r);
}

/**
 * Which general limits of bayes an operator takes over: `rank4` (also its rank), `sizes` (it states its
 * rank, or none), `none` (it states all by itself, or never reaches the BPU as it is).
 */
export type General = "rank4" | "sizes" | "none";

/**
 * A row of the table for an operator on the BPU.
 *
 * ```ts
 * import { dtypeFloat, onBpu, pointwiseRules } from "./rules.ts";
 *
 * const abs = onBpu("in+out", pointwiseRules, [dtypeFloat], "none");
 * console.assert(abs.on === "BPU" && abs.cpu.length === 1);
 * ```
 */
export function onBpu(
  int16: Int16,
  bpu: readonly Rule[],
  cpu: readonly Rule[],
  limits: General = "none",
): MarchRules {
  const extra = limits === "none" ? [] : limits === "sizes" ? [sizes] : [rank4Activations, sizes];
  // What is folded away leaves a constant of any type behind.
  const folded = bpu.some((r) => r.text.startsWith("constant-folded"));
  return { on: "BPU", int16, bpu: [...bpu, ...extra, ...(folded ? [] : [float])], cpu };
}

/** A row for an operator that only the CPU runs. */
export function onCpu(...cpu: readonly Rule[]): MarchRules {
  return { on: "CPU", int16: "no", bpu: [], cpu };
}

/** A row for an operator that is not integrated; the table may say why. */
export function notIntegrated(...why: readonly Rule[]): MarchRules {
  return { on: "none", int16: "no", bpu: why, cpu: [] };
}

/** The rows of all marches; bayes_e is as bayes unless given. */
export function place(
  bayes: MarchRules,
  bernoulli2: MarchRules,
  bayesE: MarchRules = bayes,
): Readonly<Record<MarchName, MarchRules>> {
  return { bayes, bernoulli2, bayes_e: bayesE };
}

/** The same row on all marches. */
export function everywhere(rules: MarchRules): Readonly<Record<MarchName, MarchRules>> {
  return place(rules, rules);
}

/** Everything that is wrong with a node for a list of rules. */
export function broken(rules: readonly Rule[], c: RuleContext): string[] {
  return rules.flatMap((r) => r.check(c) ?? []);
}
