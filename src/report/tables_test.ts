import { equal } from "node:assert/strict";
import { checkerTable, nodeTable, outputTable } from "./tables.ts";

Deno.test("node tables have the original's columns, two wider than the longest cell", () => {
  const rows = [
    {
      name: "conv1",
      on: "BPU",
      subgraph: 0,
      type: "HzSQuantizedConv",
      cosine: 0.99871,
      threshold: 1,
      dtype: "int8/int32",
    },
    { name: "prob", on: "CPU", type: "Softmax" },
  ] as const;
  equal(
    checkerTable(rows).join("\n"),
    [
      "=".repeat(40),
      "Node   ON   Subgraph  Type",
      "-".repeat(40),
      "conv1  BPU  id(0)     HzSQuantizedConv",
      "prob   CPU  --        Softmax",
    ].join("\n"),
  );
  equal(
    nodeTable(rows)[3],
    "conv1  BPU  id(0)     HzSQuantizedConv  0.998710           1.000000   int8/int32",
  );
  equal(nodeTable(rows)[4], "prob   CPU  --        Softmax");
});

Deno.test("the output table prints six digits", () => {
  equal(
    outputTable([{ name: "y", cosine: 1, l1: 0.5, l2: 0.25, chebyshev: 2 }])[3],
    "y     1.000000           0.500000     0.250000     2.000000",
  );
});
