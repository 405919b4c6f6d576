/**
 * What is generated from the schema: the documentation, the JSON Schema for editors, and templates.
 *
 * @module
 */

import { typePairs } from "./input_rules.ts";
import { allowedText, type KeySpec } from "./key_spec.ts";
import { runtimeTypes, trainTypes } from "./keys_input.ts";
import type { Json } from "./normalise.ts";
import { groups, type GroupSpec } from "./schema.ts";
import type { ModelType } from "./types.ts";

/** The text of `docs/config.md`. */
export function configMarkdown(): string {
  const parts = [
    "# The config file",
    "",
    "Generated from the schema in `src/formats/config/` by `deno run --allow-write=docs cli/config_docs.ts`.",
    "",
    "A config is a YAML mapping of groups. All groups but `custom_op` must be present. Where a model has several",
    "inputs, a value has one part an input, separated by `;`, in the order of `input_name`; parts for one channel each",
    "are separated by spaces. `None` says that an input has no such value. An empty value, `''` or `null` means the",
    "default. Unknown keys are reported and ignored.",
    "",
  ];
  for (const group of groups) parts.push(...groupText(group));
  parts.push(
    "## Allowed pairs of types",
    "",
    "| input_type_train \\ input_type_rt | " + runtimeTypes.join(" | ") + " |",
    "| --- |" + " --- |".repeat(runtimeTypes.length),
    ...trainTypes.map((t) =>
      `| ${t} | ${
        runtimeTypes.map((r) => typePairs.get(t)!.includes(r) ? "yes" : "no").join(" | ")
      } |`
    ),
    "",
  );
  return parts.join("\n");
}

function groupText(group: GroupSpec): string[] {
  const rows = (keys: readonly KeySpec[]) =>
    keys.map((k) =>
      `| \`${k.name}\` | ${cell(sentence(k))} | ${cell(allowedText(k))} | ${
        cell(k.default ?? "")
      } | ${cell(k.required?.when ?? "no")} |`
    );
  const head = ["| key | what | allowed | default | required |", "| --- | --- | --- | --- | --- |"];
  const current = group.keys.filter((k) => k.state === undefined);
  const other = group.keys.filter((k) => k.state !== undefined);
  const out = [
    `## ${group.name}`,
    "",
    `${group.title}.${group.required ? "" : " This group may be absent."}`,
    "",
    ...head,
    ...rows(current),
    "",
  ];
  if (other.length > 0) {
    out.push(
      "Deprecated keys and keys of other tool generations, accepted with a warning:",
      "",
      "| key | what | what happens |",
      "| --- | --- | --- |",
      ...other.map((k) => `| \`${k.name}\` | ${cell(k.doc)} | ${cell(k.rule ?? "")} |`),
      "",
    );
  }
  return out;
}

function sentence(k: KeySpec): string {
  return k.rule === undefined ? k.doc : `${k.doc} ${k.rule}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("{", "&#123;").replaceAll("<", "&lt;");
}

/** A JSON Schema (2020-12) of a config, for editors. */
export function configJsonSchema(): { readonly [k: string]: Json } {
  const properties: Record<string, Json> = {};
  for (const g of groups) {
    const keys: Record<string, Json> = {};
    for (const k of g.keys) {
      keys[k.name] = {
        description: sentence(k),
        ...(k.state === undefined ? {} : { deprecated: true }),
        ...valueSchema(k),
      };
    }
    const always = g.keys.filter((k) => k.required?.when === "always").map((k) => k.name);
    properties[g.name] = {
      type: ["object", "null"],
      description: g.title,
      properties: keys,
      required: always,
      additionalProperties: false,
    };
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "hb_mapper config",
    type: "object",
    properties,
    required: groups.filter((g) => g.required).map((g) => g.name),
    additionalProperties: false,
  };
}

function valueSchema(k: KeySpec): { readonly [k: string]: Json } {
  const values: Json[] = [...(k.values ?? [])];
  const several = { type: "string", pattern: "[;,]" };
  switch (k.kind) {
    case "choice":
      return k.perInput === true
        ? {
          anyOf: [{ enum: [...values, ""] }, several, { type: "array", items: { enum: values } }],
        }
        : { enum: [...values, "", null] };
    case "choices":
      return { anyOf: [{ enum: [...values, "", null] }, several] };
    case "flag":
      return { enum: [true, false, "True", "False", "", null] };
    case "integer":
    case "number": {
      const range = {
        type: k.kind,
        ...(k.min === undefined ? {} : { minimum: k.min }),
        ...(k.max === undefined ? {} : { maximum: k.max }),
      };
      const zero: Json[] = k.orZero === true ? [{ const: 0 }] : [];
      return { anyOf: [range, ...zero, { type: ["string", "null"] }] };
    }
    case "numbers":
      return { type: ["number", "string", "array", "null"] };
    case "nodes":
      return { type: ["object", "string", "null"] };
    case "sources":
      return {
        anyOf: [{ type: "object", additionalProperties: { enum: values } }, {
          type: ["string", "null"],
        }],
      };
    case "any":
      return {};
    default:
      return { type: ["string", "array", "number", "object", "null"] };
  }
}

/**
 * A commented template: required keys with an example, optional ones with their default, commented out.
 *
 * @example
 * ```ts
 * import { configTemplate } from "./document.ts";
 * import { parseConfig } from "./parse.ts";
 * console.log(parseConfig(configTemplate("onnx"), { file: "x" }).config.model.onnxModel); // ./model.onnx
 * ```
 */
export function configTemplate(modelType: ModelType): string {
  const skip = new Set(modelType === "onnx" ? ["prototxt", "caffe_model"] : ["onnx_model"]);
  const out: string[] = [];
  for (const g of groups) {
    const keys = g.keys.filter((k) => k.state === undefined && !skip.has(k.name));
    const mark = g.required ? "" : "# ";
    out.push(`# ${g.title}`, `${mark}${g.name}:`);
    for (const k of keys) {
      out.push(`${mark}  # ${k.doc}`);
      if (k.rule !== undefined) out.push(`${mark}  # ${k.rule}`);
      out.push(`${mark}  # Allowed: ${allowedText(k)}`);
      if (k.default !== undefined) out.push(`${mark}  # Default: ${k.default}`);
      const value = k.sample === undefined ? "" : ` ${k.sample}`;
      out.push(
        k.sample === undefined || !g.required ? `  # ${k.name}:` : `  ${k.name}:${value}`,
        "",
      );
    }
  }
  return out.join("\n").trimEnd() + "\n";
}
