/**
 * Custom: a layer that the user registers. It becomes a `PyOp` node of the domain `horizon.custom`, as
 * in ONNX models.
 *
 * @module
 */

import { type Attr, attr } from "../../../ir/graph.ts";
import type { Converter, LayerContext } from "../context.ts";

/** Domain of operators that users register. */
export const CUSTOM_DOMAIN = "horizon.custom";

const FLOAT = 1;

/**
 * `'kernel_size': 10 \n'threshold': 0.5` as attributes: integers, floats, strings.
 */
function parameters(ctx: LayerContext, text: string): Map<string, Attr> {
  const map = new Map<string, Attr>();
  for (const line of text.split(/[\r\n]+/)) {
    for (const part of line.split(/,(?=\s*["'])/)) {
      const entry = part.trim();
      if (entry === "") continue;
      const found = /^(?:'([^']+)'|"([^"]+)")\s*:/.exec(entry);
      const value = entry.slice(found?.[0].length ?? 0).replace(/,$/, "").trim();
      if (found === null || value === "") {
        ctx.fail(`params: "${entry.slice(0, 60)}" is not 'name': value`, "params");
      }
      const name = found[1] ?? found[2]!;
      if (map.has(name)) ctx.fail(`params: ${name} is given twice`, "params");
      map.set(name, valueOf(value));
    }
  }
  return map;
}

function valueOf(text: string): Attr {
  if (/^[+-]?\d{1,15}$/.test(text)) return attr.int(Number(text));
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return attr.float(Number(text));
  if (/^(True|true)$/.test(text)) return attr.int(1);
  if (/^(False|false)$/.test(text)) return attr.int(0);
  return attr.string(/^(['"])(.*)\1$/.exec(text)?.[2] ?? text);
}

/** Custom: `kind` names the registered operator, `shape` gives one shape per top. */
export const custom: Converter = (ctx: LayerContext) => {
  ctx.arity([1, Infinity], [1, Infinity]);
  const p = ctx.params.customParam;
  if (p === undefined || p.kind === "") ctx.fail("kind is missing", "custom_param");
  const tops = ctx.spec.tops.length;
  if (p.shape.length !== tops) {
    ctx.fail(`it has ${p.shape.length} shape for ${tops} top(s)`, "custom_param");
  }
  const attrs = parameters(ctx, p.params);
  attrs.set("class_name", attr.string(p.kind));
  attrs.set(
    "module",
    attr.string(
      attrs.get("module")?.type === "string"
        ? (attrs.get("module") as { value: string }).value
        : "",
    ),
  );
  attrs.set("compute", attr.string("compute"));
  attrs.set("input_types", attr.ints(ctx.inputs.map(() => FLOAT)));
  attrs.set("output_types", attr.ints(p.shape.map(() => FLOAT)));
  const types = p.shape.map((s) => ({ dtype: "float32", shape: s.dim } as const));
  for (const t of types) ctx.check(t.shape);
  const outputs = ctx.builder.emit("PyOp", ctx.spec.name, ctx.inputs, types, attrs, CUSTOM_DOMAIN);
  outputs.forEach((v, i) => ctx.top(v, i));
};
