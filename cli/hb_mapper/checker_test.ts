/** `hb_mapper checker` as a process. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { smallGraph } from "../../src/flow/testing.ts";
import { saveOnnx } from "../../src/formats/onnx/save.ts";
import { attr, node } from "../../src/ir/graph.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { inFolder, runTool } from "../testing.ts";

const checker = (dir: string, args: string[], allowed = ["--allow-read=.", "--allow-write=."]) =>
  runTool("hb_mapper", allowed, ["checker", ...args], dir);

/** Two inputs, and a Softmax between convolutions. */
function twoInputs(): Graph {
  const g = smallGraph({ branches: true });
  return {
    ...g,
    nodes: [
      ...g.nodes.filter((n) => n.name !== "conv3" && n.name !== "conv2"),
      node("Softmax", "soft", ["r"], ["p"], { axis: attr.int(1) }),
      node("Conv", "conv2", ["p", "w2"], ["y"], { kernel_shape: attr.ints([1, 1]) }),
      node("Conv", "conv3", ["other", "w3"], ["z"], { kernel_shape: attr.ints([1, 1]) }),
    ],
    inputs: [g.inputs[0]!, { ...g.inputs[0]!, name: "other" }],
  };
}

const caffe = `name: "net"
input: "data"
input_dim: 1
input_dim: 3
input_dim: 8
input_dim: 8
layer { name: "pool" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "relu" type: "ReLU" bottom: "p" top: "y" }
`;

Deno.test("checker: table, reasons of CPU nodes with advice, estimated latency, log file, both marches", async () => {
  await inFolder(new Map([["m.onnx", saveOnnx(twoInputs())]]), async (dir) => {
    for (const march of ["bayes", "bernoulli2"]) {
      const ran = await checker(dir, [
        "--model-type",
        "onnx",
        "--march",
        march,
        "--model",
        "m.onnx",
      ]);
      equal(ran.code, 0, ran.err);
      match(ran.out, /Node +ON +Subgraph +Type\n-+\n/);
      match(ran.out, /\nconv1 +BPU +id\(\d\) +HzSQuantizedConv\n/);
      match(ran.out, /\nsoft +CPU +-- +Softmax\n/);
      match(ran.out, /\nsoft \(Softmax\) runs on the CPU: /);
      match(ran.out, /INFO FPS=\d+\.\d\d, latency = \d+\.\d us\n/);
      match(ran.out, /INFO ONNX model output num : 2\n.*INFO End model checking\.\.\.\.\n$/);
      const log = await Deno.readTextFile(`${dir}/hb_mapper_checker.log`);
      match(log, /file: checker\.ts func: \S+ line No: \d+ Begin model checking\.\.\.\./);
      match(log, new RegExp(`march: ${march}`));
    }
    // Without --march it is bayes; without write permission there is no log file and no prompt.
    const plain = await checker(dir, [
      ...["--model-type", "onnx", "--model", "m.onnx", "--output", "x.log", "--json"],
      ...["--input-shape", "data", "1x3x8x8", "--input-shape", "other", "1x3x8x8"],
    ], ["--allow-read=m.onnx"]);
    equal(plain.code, 0, plain.err);
    match(plain.err, /--output is deprecated/);
    const found = JSON.parse(plain.out);
    equal(found.march, "bayes");
    ok(found.latency_us > 0);
    deepEqual(
      found.nodes.filter((n: { on: string }) => n.on === "CPU").map((n: { name: string }) =>
        n.name
      ),
      ["soft"],
    );
    match(found.nodes.find((n: { name: string }) => n.name === "soft").advice, /ON.*BPU/);
  });
});

Deno.test("checker: Caffe models, and mistakes that a user makes", async () => {
  await inFolder(
    new Map<string, string | Uint8Array>([
      ["m.prototxt", caffe],
      // A NetParameter with the layer "pool" and no weights.
      ["m.caffemodel", new Uint8Array([162, 6, 6, 10, 4, 112, 111, 111, 108])],
      ["m.onnx", saveOnnx(twoInputs())],
    ]),
    async (dir) => {
      const args = ["--model-type", "caffe", "--model", "m.caffemodel"];
      const ran = await checker(dir, [...args, "--proto", "m.prototxt"]);
      equal(ran.code, 0, ran.err);
      match(ran.out, /\npool +\S+ +\S+ +\S*MaxPool/);
      const proto = await checker(dir, args);
      equal(proto.code, 2);
      match(proto.err, /a Caffe model needs its prototxt\. Add --proto\./);
      const march = await checker(dir, [
        "--model-type",
        "onnx",
        "--march",
        "bayes2",
        "--model",
        "m.onnx",
      ]);
      equal(march.code, 3);
      match(march.err, /march 'bayes2' is not known/);
      const shape = await checker(dir, [
        ...["--model-type", "onnx", "--model", "m.onnx", "--input-shape", "dat", "1x3x8x8"],
      ]);
      equal(shape.code, 8);
      match(shape.err, /the model has no input dat\. Its inputs are data, other/);
    },
  );
});
