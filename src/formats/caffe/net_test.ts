import { strict as assert } from "node:assert";
import { BpuError } from "../../errors.ts";
import { converters } from "./layers/registry.ts";
import { type Net, readNet } from "./net.ts";

const supported = (type: string): boolean =>
  type === "Input" || type === "Data" || converters.has(type);
const read = (text: string, warn?: (s: string) => void): Net =>
  readNet(text, "net.prototxt", supported, warn);

function fails(text: string, line: number, message: RegExp): void {
  assert.throws(() => read(text), (e: unknown) => {
    assert.ok(e instanceof BpuError, String(e));
    assert.deepEqual([e.place.file, e.place.line], ["net.prototxt", line], e.sentence());
    assert.match(e.sentence(), message);
    return true;
  });
}

Deno.test("prototxt: V2 and V1 give the same layers", () => {
  const v2 = read(`name: "n" input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
    layer { name: "c" type: "Convolution" bottom: "data" top: "c" param { lr_mult: 1 }
      convolution_param { num_output: 4 kernel_size: 3 engine: CUDNN weight_filler { type: "msra" } } }
    layer { name: "d" type: "SoftmaxWithLoss" bottom: "c" top: "d" include { phase: TRAIN } }`);
  const v1 = read(`name: "n" input: "data" input_dim: [1, 3, 8, 8]
    layers { bottom: "data" top: "c" name: "c" type: CONVOLUTION param: "w" blobs_lr: 1
      blobs_lr: 2 weight_decay: 1
      convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
    layers { name: "d" type: SOFTMAX_LOSS bottom: "c" top: "d" exclude { phase: TEST } }`);
  for (const net of [v2, v1]) {
    assert.equal(net.name, "n");
    assert.deepEqual(net.inputs, [{ name: "data", shape: [1, 3, 8, 8], line: 1 }]);
    assert.deepEqual(net.layers.map((l) => [l.name, l.type, l.bottoms, l.tops]), [
      ["c", "Convolution", ["data"], ["c"]],
    ]);
    assert.equal(net.layers[0]!.params.convolutionParam!.numOutput, 4);
  }
});

Deno.test("prototxt: V0 with flat parameters and padding layers", () => {
  const net = read(`input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 9
layers { layer { name: "pad" type: "padding" pad: 2 } bottom: "data" top: "pad" }
layers {
  layer { name: "conv" type: "conv" num_output: 6 kernelsize: 5 stride: 2 group: 3 biasterm: false
    weight_filler { type: "gaussian" std: 0.01 } blobs_lr: 1. weight_decay: 0. }
  bottom: "pad" top: "conv" }
layers { layer { name: "pool" type: "pool" pool: AVE kernelsize: 2 stride: 2 }
  bottom: "conv" top: "pool" }
layers { layer { name: "fc" type: "innerproduct" num_output: 10 } bottom: "pool" top: "fc" }
layers { layer { name: "drop" type: "dropout" dropout_ratio: 0.6 } bottom: "fc" top: "fc" }
layers { layer { name: "prob" type: "softmax" } bottom: "fc" top: "prob" }`);
  assert.deepEqual(net.layers.map((l) => `${l.name} ${l.type}`), [
    "conv Convolution",
    "pool Pooling",
    "fc InnerProduct",
    "drop Dropout",
    "prob Softmax",
  ]);
  const p = net.layers[0]!.params.convolutionParam!;
  assert.deepEqual(net.layers[0]!.bottoms, ["data"]);
  assert.deepEqual(
    [p.numOutput, p.kernelSize, p.stride, p.group, p.biasTerm, p.pad],
    [6, [5], [2], 3, false, [2]],
  );
  assert.equal(net.layers[1]!.params.poolingParam!.pool, 1);
});

Deno.test("prototxt: include and exclude rules as Caffe applies them", () => {
  const names = (rules: string, state = ""): string[] =>
    read(`${state} layer { name: "a" type: "ReLU" ${rules} } layer { name: "z" type: "ReLU" }`)
      .layers.map((l) => l.name);
  assert.deepEqual(names("include { phase: TEST }"), ["a", "z"]);
  assert.deepEqual(names("include { phase: TRAIN }"), ["z"]);
  assert.deepEqual(names("include { phase: TRAIN } include { phase: TEST }"), ["a", "z"]);
  assert.deepEqual(names("exclude { phase: TEST }"), ["z"]);
  assert.deepEqual(names("include { min_level: 1 }"), ["z"]);
  assert.deepEqual(names("include { min_level: 1 }", "state { level: 2 }"), ["a", "z"]);
  assert.deepEqual(names("include { max_level: 1 }", "state { level: 2 }"), ["z"]);
  assert.deepEqual(names(`include { stage: "x" }`), ["z"]);
  assert.deepEqual(names(`include { stage: "x" }`, `state { stage: "x" }`), ["a", "z"]);
  assert.deepEqual(names(`exclude { not_stage: "x" }`), ["z"]);
  // An excluded layer may be of any type.
  assert.deepEqual(names("} layer { type: 'Python' include { phase: TRAIN }"), ["a", "z"]);
});

Deno.test("prototxt: unknown layers carry the sentence of the original tool, and the line", () => {
  fails(
    `input: "x"\nlayer {\n  name: "accuracy"\n  type: "Accuracy"\n}`,
    4,
    /^net\.prototxt:4: Not support layer name=accuracy type=Accuracy\. Remove the layer/,
  );
  fails(`layers {\n name: "loss" type: SOFTMAX_LOSS }`, 2, /name=loss type=SoftmaxWithLoss/);
  fails(`layers { name: "q" type: FANCY }`, 1, /Not support layer name=q type=FANCY/);
});

Deno.test("prototxt: unknown and wrong fields", () => {
  const conv = (p: string): string =>
    `layer { name: "c" type: "Convolution"\nconvolution_param {\n${p} } }`;
  fails(conv("kernel_sise: 3"), 3, /has no field kernel_sise\. Did you mean kernel_size\?/);
  fails(conv("num_output: -3"), 3, /integer of at least 0/);
  fails(conv("num_output: 3.5"), 3, /integer/);
  fails(conv("num_output: 4294967296"), 3, /fit 32 bits/);
  fails(conv("num_output: 3\nnum_output: 4"), 4, /given twice \(first in line 3\)/);
  fails(conv("bias_term: maybe"), 3, /true or false/);
  fails(conv("engine: FAST"), 3, /one of DEFAULT, CAFFE/);
  fails(conv("weight_filler: 3"), 3, /is a block/);
  fails(`layer { name: "e" type: "ELU"\nelu_param { alpha: nan } }`, 2, /finite number, not nan/);
  fails(`layer { name: "e" type: "ELU"\nelu_param { alpha: 1e99 } }`, 2, /finite number/);
  fails(`layer { name: c type: "ReLU" }`, 1, /must be in quotes/);
  fails(`layer { name: "c"\ntype: CONVOLUTION }`, 2, /quotes: type: "Convolution"/);
  fails(`layers { name: "c"\ntype: "Convolution" }`, 2, /belongs to the newer/);
  fails(`layer { name: "c" }`, 1, /the layer c has no type/);
  fails(`layer { type: "ReLU" }\nlayers { type: RELU }`, 2, /mixed/);
  fails(`net: "x"\n`, 1, /has no field net/);
  fails(`name: "x"`, 1, /no layers/);
  fails(`input: "x"\ninput_dim: 1 layer { type: "ReLU" }`, 1, /need 4 input_dim, got 1/);
  fails(`layer { type: "ReLU"\ninclude {} exclude {} }`, 2, /not both/);
});

Deno.test("prototxt: a block of a fork is a warning, a slip is not", () => {
  const warnings: string[] = [];
  read(`layer { name: "r" type: "ReLU" my_own_thing { a: 1 } }`, (s) => warnings.push(s));
  assert.deepEqual(warnings, ["net.prototxt:1: layer r: my_own_thing is not known and is ignored"]);
  fails(`layer { type: "LRN"\nlrn_parm { local_size: 3 } }`, 2, /Did you mean lrn_param/);
});

Deno.test("prototxt: data layers may hold what only training needs", () => {
  const net = read(`layer { name: "d" type: "Data" top: "data" transform_param { mirror: true
    resize_param { prob: 1 } } data_param { source: "x" backend: LMDB batch_size: 4 } }`);
  assert.equal(net.layers[0]!.params.dataParam!.batchSize, 4);
});
