/**
 * `<prefix>_quant_info.json`: thresholds, scales, zero points and similarity per node of the float graph.
 *
 * @module
 */

import { scaleOf } from "../ops/arithmetic.ts";
import { channelMaxima } from "../calibrate/weights.ts";
import { planOf, planScale } from "../quantize/plan.ts";
import type { Conversion } from "./convert.ts";
import type { Proof } from "./prove.ts";

const six = (v: number) => Number(v.toFixed(6));

/** The file's text: two-level JSON in graph order, four spaces. */
export function quantInfo(c: Conversion, proof: Proof): string {
  const out: [string, unknown][] = [];
  for (const n of c.optimized.nodes) {
    const group = c.layout.groups.get(n.name);
    if (group === undefined) continue;
    const weights = new Map((group.def.quant?.weights ?? []).map((w) => [w.input, w.axis]));
    const methods: string[] = [], scales: number[][] = [], zeros: number[][] = [];
    const thresholds = n.inputs.map((t, i) => {
      const k = c.optimized.constants.get(t);
      if (k !== undefined) {
        const axis = weights.get(i);
        if (axis === undefined) {
          scales.push([]);
          zeros.push([]);
          return [];
        }
        const v = [...c.plan.weights.get(t) ?? channelMaxima(k, axis)];
        scales.push(v.map((x) => scaleOf(x, "int8")));
        zeros.push(v.map(() => 0));
        return v.map(six);
      }
      const root = c.layout.root(t);
      if (t === "" || !c.plan.tensors.has(root)) {
        scales.push([]);
        zeros.push([]);
        return [];
      }
      const p = planOf(c.plan, root);
      methods.push(p.method);
      scales.push([planScale(p)]);
      zeros.push([p.zero]);
      return [six(p.threshold)];
    });
    const cosine = proof.nodes.get(n.name)?.cosine;
    out.push([n.name, {
      type: n.op,
      inputs: n.inputs.map((t) => group.inputs.includes(t) ? `${t}_calibrated` : t),
      outputs: [...group.outputs],
      thresholds,
      scales,
      zero_points: zeros,
      methods,
      ...(cosine === undefined ? {} : { cosine_similarity: cosine.toFixed(6) }),
    }]);
  }
  // Entries are written by hand so that a node named like an object's own property stays a key.
  const body = out.map(([name, v]) =>
    `    ${JSON.stringify(name)}: ${JSON.stringify(v, null, 4).replaceAll("\n", "\n    ")}`
  );
  return `{\n${body.join(",\n")}\n}\n`;
}
