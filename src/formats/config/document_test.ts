import assert from "node:assert/strict";
import { configJsonSchema, configMarkdown, configTemplate } from "./document.ts";
import { issueText } from "./issues.ts";
import { joinPath, type Json, normalisedJson, resolvePaths } from "./normalise.ts";
import { parse, render } from "./test_config.ts";
import { allKeys } from "./schema.ts";

Deno.test("docs: docs/config.md is what the schema says", async () => {
  const file = new URL("../../../docs/config.md", import.meta.url);
  assert.equal(
    await Deno.readTextFile(file),
    configMarkdown(),
    "run: deno run --allow-write=docs cli/config_docs.ts",
  );
});

Deno.test("docs: every key is in the documentation, the JSON Schema and a template", () => {
  const markdown = configMarkdown();
  const schema = configJsonSchema() as unknown as {
    properties: Record<string, { properties: Record<string, { description: string }> }>;
  };
  const templates = configTemplate("onnx") + configTemplate("caffe");
  for (const k of allKeys()) {
    assert.ok(markdown.includes(`| \`${k.name}\` |`), k.name);
    assert.ok(schema.properties[k.group]!.properties[k.name]!.description.startsWith(k.doc));
    if (k.state === undefined) assert.match(templates, new RegExp(`\\b${k.name}:`));
    assert.match(k.doc, /\.$/);
    assert.ok(!k.doc.includes("\n"));
  }
});

Deno.test("template: parses without a warning for both kinds of model", () => {
  for (const modelType of ["onnx", "caffe"] as const) {
    const { config, warnings } = parse(configTemplate(modelType), { modelType });
    assert.deepEqual(warnings.map(issueText), []);
    assert.equal(config.modelType, modelType);
    assert.equal(config.compiler.optimizeLevel, "O3");
  }
});

/** A JSON Schema validator for what our schema uses. */
function valid(value: Json, schema: Json): boolean {
  const s = schema as { readonly [k: string]: Json };
  const type = value === null
    ? "null"
    : Array.isArray(value)
    ? "array"
    : typeof value === "object"
    ? "object"
    : typeof value === "number" && Number.isInteger(value)
    ? "integer"
    : typeof value;
  if (s.anyOf !== undefined && !(s.anyOf as Json[]).some((a) => valid(value, a))) return false;
  if (s.enum !== undefined && !(s.enum as Json[]).includes(value)) return false;
  if (s.const !== undefined && s.const !== value) return false;
  if (s.type !== undefined) {
    const types = Array.isArray(s.type) ? s.type : [s.type];
    if (!types.includes(type) && !(type === "integer" && types.includes("number"))) return false;
  }
  if (s.pattern !== undefined && !new RegExp(s.pattern as string).test(String(value))) return false;
  if (typeof value === "number") {
    if (
      value < ((s.minimum as number) ?? -Infinity) || value > ((s.maximum as number) ?? Infinity)
    ) return false;
  }
  if (type === "object") {
    const o = value as { readonly [k: string]: Json };
    const properties = (s.properties ?? {}) as { readonly [k: string]: Json };
    if (!((s.required ?? []) as string[]).every((k) => k in o)) return false;
    for (const [k, v] of Object.entries(o)) {
      if (
        properties[k] !== undefined ? !valid(v, properties[k]!) : s.additionalProperties === false
      ) return false;
    }
  }
  return true;
}

Deno.test("JSON Schema: accepts a right config, refuses typos and wrong values", () => {
  const good: Record<string, Record<string, Json>> = {
    model_parameters: {
      onnx_model: "m.onnx",
      march: "bayes",
      node_info: { a: { ON: "BPU" } },
      layer_out_dump: false,
    },
    input_parameters: {
      input_type_train: "rgb; bgr",
      input_layout_train: "NCHW",
      input_type_rt: "nv12",
      mean_value: 5,
      input_shape: "",
    },
    calibration_parameters: { cal_data_dir: "x", max_percentile: 0.99 },
    compiler_parameters: { max_time_per_fc: 0, input_source: { a: "ddr" }, debug: "True" },
  };
  const schema = configJsonSchema();
  assert.ok(valid(good, schema));
  const edit = (g: string, k: string, v: Json) =>
    valid({ ...good, [g]: { ...good[g], [k]: v } }, schema);
  assert.ok(!edit("compiler_parameters", "lantency", 1));
  assert.ok(!edit("compiler_parameters", "optimize_level", "O4"));
  assert.ok(!edit("compiler_parameters", "max_time_per_fc", 5));
  assert.ok(!edit("calibration_parameters", "max_percentile", 2));
  assert.ok(!edit("model_parameters", "march", "nash"));
  assert.ok(!valid({ model_parameters: {} }, schema));
});

Deno.test("normalised JSON: plain data with every key, names from the file only as values", () => {
  const { config } = parse(
    render({ "model_parameters.node_info": "{__proto__: {'ON': 'BPU'}}" }).text,
  );
  const json = JSON.parse(JSON.stringify(normalisedJson(config)));
  assert.deepEqual(json.model_parameters.node_info, [
    { name: "__proto__", ON: "BPU", InputType: null, inputs: [], OutputType: null },
  ]);
  assert.equal(json.input_parameters.inputs[0].input_type_rt, "nv12");
  assert.deepEqual(json.compiler_parameters.input_source, [{ input: "data", source: "pyramid" }]);
  assert.equal(json.compiler_parameters.balance_factor, 40);
});

Deno.test("paths: resolved against a folder, absolute ones stay", () => {
  assert.equal(joinPath("/a/b", "./c/../d"), "/a/b/d");
  assert.equal(joinPath("/a", "../../x"), "/x");
  assert.equal(joinPath("a", "../../x"), "../x");
  assert.equal(joinPath("/a", "/b//c/"), "/b/c");
  assert.equal(joinPath("C:/a", "C:\\b\\c"), "C:/b/c");
  assert.equal(joinPath(".", "."), ".");
  const { config } = parse(render().text);
  const r = resolvePaths(config, "/w");
  assert.equal(r.model.onnxModel, "/w/m.onnx");
  assert.equal(r.model.workingDir, "/w/out");
  assert.equal(r.inputs[0]!.calDataDir, "/w/cal_f32");
  assert.equal(r.customOp!.dir, "/w/ops");
  assert.equal(config.model.onnxModel, "./m.onnx");
});
