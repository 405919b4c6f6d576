import { strict as assert } from "node:assert";
import { BpuError } from "../../errors.ts";
import type { Graph } from "../../ir/graph.ts";
import { type CaffeOptions, loadCaffe } from "./load.ts";
import { encodeModel, type TestLayer } from "./testing/encode.ts";

const INPUT = `input: "data" input_shape { dim: 1 dim: 2 dim: 4 dim: 4 }`;
const CONV = `convolution_param { num_output: 2 kernel_size: 1 }`;
const blobs = [{ shape: [2, 2, 1, 1], data: [1, 2, 3, 4] }, { shape: [2], data: [5, 6] }];

function load(
  text: string,
  layers: readonly TestLayer[] = [{ name: "none", blobs: [] }],
  options: CaffeOptions = {},
): Graph {
  return loadCaffe(text, encodeModel(layers), { prototxtFile: "net.prototxt", ...options });
}

function fails(action: () => unknown, message: RegExp, line?: number): void {
  assert.throws(action, (e: unknown) => {
    assert.ok(e instanceof BpuError, String(e));
    assert.match(e.sentence(), message);
    if (line !== undefined) assert.equal(e.place.line, line, e.sentence());
    return true;
  });
}

const flow = (g: Graph): string[] =>
  g.nodes.map((n) => `${n.name}: ${n.inputs.join(" ")} -> ${n.outputs.join(" ")}`);

Deno.test("names: the last of an in-place chain keeps the name, Dropout leaves none", () => {
  const g = load(
    `${INPUT}
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" ${CONV} }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "drop" type: "Dropout" bottom: "conv" top: "conv" }
layer { name: "tanh" type: "TanH" bottom: "conv" top: "out" }`,
    [{ name: "conv", blobs }],
  );
  assert.deepEqual(flow(g), [
    "conv: data conv/weights conv/bias -> conv/conv",
    "relu: conv/conv -> conv",
    "tanh: conv -> out",
  ]);
  assert.deepEqual(g.outputs, [{ name: "out", dtype: "float32", shape: [1, 2, 4, 4] }]);
  assert.deepEqual([...g.types.keys()].sort(), ["conv", "conv/conv", "data", "out"]);
  assert.deepEqual([g.opset, g.name], [17, "caffe"]);
});

Deno.test("names: an input keeps its name when a layer works in place on it", () => {
  const g = load(`${INPUT}
layer { name: "p" type: "Power" bottom: "data" top: "data" power_param { scale: 2 } }
layer { name: "r" type: "ReLU" bottom: "data" top: "r" }`);
  assert.deepEqual(flow(g), ["p: data p/scale -> data/p", "r: data/p -> r"]);
  const last = load(`${INPUT} layer { name: "r" type: "ReLU" bottom: "data" top: "data" }`);
  assert.deepEqual(flow(last), ["r: data -> data/r"]);
});

Deno.test("names: layers of one name, tops that are one tensor", () => {
  const g = load(`${INPUT}
layer { name: "r" type: "ReLU" bottom: "data" top: "a" }
layer { name: "r" type: "TanH" bottom: "a" top: "b" }
layer { name: "s" type: "Split" bottom: "b" top: "c" top: "d" }`);
  assert.deepEqual(flow(g), ["r: data -> a", "r_2: a -> c", "s/d: c -> d"]);
  assert.deepEqual(g.outputs.map((o) => o.name), ["c", "d"]);
});

Deno.test("weights: layers whose params have one name share those of the first", () => {
  const conv = (name: string, bottom: string, params: string) =>
    `layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}" ${params} ${CONV} }`;
  const shared = `param { name: "w" lr_mult: 1 } param { name: "b" }`;
  const text = `${INPUT} ${conv("a", "data", shared)} ${conv("b", "a", shared)}`;
  const g = load(text, [{ name: "a", blobs }]);
  assert.deepEqual(g.constants.get("b/weights"), g.constants.get("a/weights"));
  assert.deepEqual(g.constants.get("b/bias"), g.constants.get("a/bias"));
  const own = load(text, [{ name: "a", blobs }, {
    name: "b",
    blobs: [{ shape: [2, 2, 1, 1], data: [9, 8, 7, 6] }, blobs[1]!],
  }]);
  assert.deepEqual([...own.constants.get("b/weights")!.data], [9, 8, 7, 6]);
  const other = `${INPUT} ${conv("a", "data", shared)} ${conv("b", "a", `param { name: "v" }`)}`;
  fails(() => load(other, [{ name: "a", blobs }]), /Convolution b: .*no weights for this layer/);
});

Deno.test("outputs are the blobs that nothing reads; a read one is none", () => {
  const g = load(`${INPUT}
layer { name: "a" type: "ReLU" bottom: "data" top: "a" }
layer { name: "z" type: "TanH" bottom: "a" top: "z" }
layer { name: "b" type: "AbsVal" bottom: "a" top: "b" }`);
  assert.deepEqual(g.outputs.map((o) => o.name), ["z", "b"]);
});

Deno.test("inputs: Input layers, data layers, and shapes of the caller", () => {
  const input = `layer { name: "in" type: "Input" top: "x" top: "y"
    input_param { shape { dim: 1 dim: 2 } } }
layer { name: "e" type: "Eltwise" bottom: "x" bottom: "y" top: "e" }`;
  assert.deepEqual(load(input).inputs.map((i) => [i.name, ...i.shape]), [["x", 1, 2], ["y", 1, 2]]);
  const shapes = new Map([["x", [3, 2]], ["y", [3, 2]]]);
  assert.deepEqual(
    load(input, undefined, { inputShapes: shapes }).inputs.map((i) => [i.name, ...i.shape]),
    [["x", 3, 2], ["y", 3, 2]],
  );
  fails(
    () => load(input, undefined, { inputShapes: new Map([["q", [1]]]) }),
    /no input q.*inputs are: x, y/,
  );
  const data = (param: string, type = "Data"): string =>
    `layer { name: "d" type: "${type}" top: "data" top: "label" ${param} }
layer { name: "r" type: "ReLU" bottom: "data" top: "r" }`;
  const shapeOf = (text: string): readonly number[] => {
    const g = load(text);
    assert.deepEqual(g.inputs.map((i) => i.name), ["data"]);
    return g.inputs[0]!.shape;
  };
  assert.deepEqual(
    shapeOf(data("image_data_param { batch_size: 2 new_height: 5 new_width: 6 }", "ImageData")),
    [2, 3, 5, 6],
  );
  assert.deepEqual(
    shapeOf(
      data("memory_data_param { batch_size: 1 channels: 2 height: 3 width: 4 }", "MemoryData"),
    ),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    shapeOf(data("dummy_data_param { shape { dim: 4 dim: 5 } }", "DummyData")),
    [4, 5],
  );
  fails(() => load(data("data_param { batch_size: 8 }")), /input data has no shape/, 1);
  const given = load(data("data_param { batch_size: 8 }"), undefined, {
    inputShapes: new Map([["data", [1, 3, 2, 2]]]),
  });
  assert.deepEqual(given.inputs[0]!.shape, [1, 3, 2, 2]);
});

Deno.test("weights: legacy shapes fit, wrong ones are named with both files", () => {
  const net = `${INPUT}\nlayer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 } }`;
  const w = Array.from({ length: 64 }, (_, i) => i);
  const g = load(net, [{
    name: "fc",
    blobs: [
      { shape: [1, 1, 2, 32], data: w, legacy: true },
      { shape: [1, 1, 1, 2], data: [1, 2], legacy: true },
    ],
  }]);
  assert.deepEqual(g.constants.get("fc/weights")!.shape, [2, 32]);
  assert.deepEqual(g.constants.get("fc/bias")!.shape, [2]);
  fails(
    () => load(net, [{ name: "fc", blobs: [{ shape: [2, 32], data: w }] }]),
    /InnerProduct fc: the caffemodel has 1 blob\(s\) .* line 2 of net\.prototxt asks for 2 \(weights, bias\)/,
  );
  fails(
    () =>
      load(net, [{
        name: "fc",
        blobs: [{ shape: [32, 2], data: w }, { shape: [2], data: [1, 2] }],
      }]),
    /weights in the caffemodel is 32x2, .* asks for 2x32/,
  );
  fails(() => load(net), /no weights for this layer \(line 2 of net\.prototxt\)/);
});

Deno.test("a net that contradicts itself is refused with its line", () => {
  const relu = (extra: string): string => `${INPUT}\nlayer { name: "r" type: "ReLU" ${extra} }`;
  fails(() => load(relu(`bottom: "x" top: "r"`)), /bottom x is not made/, 2);
  fails(() => load(relu(`bottom: "data"`)), /0 top\(s\), but needs 1/, 2);
  fails(() => load(relu(`top: "r"`)), /0 bottom\(s\)/, 2);
  fails(
    () =>
      load(
        `${
          relu(`bottom: "data" top: "r"`)
        }\nlayer { name: "s" type: "TanH" bottom: "data" top: "r" }`,
      ),
    /blob r is made twice \(line 2\)/,
    3,
  );
  fails(
    () => load(`input: "x" input_dim: [1, 0, 2, 2] layer { type: "ReLU" bottom: "x" top: "y" }`),
    /at least 1/,
  );
  fails(
    () =>
      load(
        `input: "x" input_dim: [60000, 60000, 60000, 60000] layer { type: "ReLU" bottom: "x" top: "y" }`,
      ),
    /2\^31/,
  );
  fails(
    () =>
      load(
        `${INPUT}\nlayer { name: "t" type: "Tile" bottom: "data" top: "t" tile_param { tiles: 2000000000 } }`,
      ),
    /2\^31/,
    2,
  );
  const hostile = `input: "data" input_dim: [1, 1, 20000, 20000]
    layer { name: "p" type: "PriorBox" bottom: "data" bottom: "data" top: "p"
    prior_box_param { min_size: 1 } }`;
  fails(() => load(hostile), /too many/);
});

Deno.test("ten thousand layers of one name get names of their own", () => {
  const layers = Array.from(
    { length: 10_000 },
    (_, i) => `layer { name: "r" type: "ReLU" bottom: "${i === 0 ? "data" : "x"}" top: "x" }`,
  );
  const g = load(`${INPUT}\n${layers.join("\n")}`);
  assert.equal(g.nodes.length, 10_000);
  assert.equal(new Set(g.nodes.map((n) => n.name)).size, 10_000);
});
