import { deepEqual } from "node:assert/strict";
import { pythonNames, pythonShape, yamlLines } from "./log_blocks.ts";

Deno.test("log blocks: shapes and names as Python prints them", () => {
  deepEqual(pythonShape([1, 3, -1, 224]), "[1, 3, '?', 224]");
  deepEqual(pythonNames(["a", "b:0"]), "['a', 'b:0']");
});

Deno.test("log blocks: the configuration is YAML with sorted keys", () => {
  const lines = yamlLines({
    model_parameters: { working_dir: "out", march: "bayes", output_nodes: [], debug: true },
    input_parameters: {
      inputs: [{ input_name: "a: b", mean_value: [1, 2.5], cal_data_dir: null }],
    },
    custom_op: null,
    empty: "true",
  });
  deepEqual(lines, [
    'empty: "true"',
    "input_parameters:",
    "  inputs:",
    '  - input_name: "a: b"',
    "    mean_value: [1, 2.5]",
    "model_parameters:",
    "  debug: true",
    "  march: bayes",
    "  working_dir: out",
  ]);
});
