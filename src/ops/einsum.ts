import { stringAttr } from "../ir/graph.ts";
import { broadcastShape } from "./broadcast.ts";
import { modelError } from "./context.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Letters of one term; "..." stands for the broadcast dimensions. */
function letters(c: InferContext, term: string): string[] {
  const parts = term.split("...");
  const list = parts.length === 2 ? [...parts[0]!, "...", ...parts[1]!] : [...term];
  const valid = parts.length <= 2 && list.every((l) => l === "..." || /^[a-zA-Z]$/.test(l));
  return valid ? list : modelError(c.node, `'${term}' is not a term of an equation`);
}

/** Sum of products by an equation of letters. */
export const einsum: OpDef = {
  op: "Einsum",
  place: everywhere(notIntegrated()),
  infer(c) {
    const equation = stringAttr(c.node, "equation").replaceAll(/\s/g, "");
    const sides = equation.split("->");
    const terms = sides[0]!.split(",").map((t) => letters(c, t));
    if (sides.length > 2 || terms.length !== c.node.inputs.length) {
      modelError(c.node, `equation '${equation}' does not fit ${c.node.inputs.length} inputs`);
    }
    const sizes = new Map<string, number>();
    const counts = new Map<string, number>();
    let spread: number[] = [];
    terms.forEach((term, i) => {
      const { shape } = c.need(i);
      const extra = shape.length - term.filter((l) => l !== "...").length;
      if (extra < 0 || (extra > 0 && !term.includes("..."))) {
        shapeError(c.node, `input ${i} has rank ${shape.length}, its term ${term.join("")}`);
      }
      let at = 0;
      for (const l of term) {
        if (l === "...") {
          spread = broadcastShape(c.node, [spread, shape.slice(at, at + extra)]);
          at += extra;
          continue;
        }
        const d = shape[at++]!;
        const [merged] = broadcastShape(c.node, [[sizes.get(l) ?? 1], [d]]);
        sizes.set(l, merged!);
        counts.set(l, (counts.get(l) ?? 0) + 1);
      }
    });
    // Without an arrow: the broadcast dimensions, then the letters that occur once, sorted.
    const out = sides.length === 2
      ? letters(c, sides[1]!)
      : ["...", ...[...counts].filter(([, n]) => n === 1).map(([l]) => l).sort()];
    return [{
      dtype: c.need(0).dtype,
      shape: out.flatMap((l) =>
        l === "..."
          ? spread
          : sizes.get(l) ?? modelError(c.node, `'${l}' of '${equation}' is in no input`)
      ),
    }];
  },
};
