import { strict as assert } from "node:assert";
import { BpuError } from "../../errors.ts";
import { verify } from "../../ir/verify.ts";
import { loadCaffe } from "./load.ts";
import { encodeModel, type TestLayer } from "./testing/encode.ts";
import { randomBlob } from "./testing/harness.ts";
import { generator } from "./testing/random.ts";

/** A net with a layer of most families. */
const NET = `name: "all"
input: "data" input_shape { dim: 1 dim: 4 dim: 12 dim: 12 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 3 pad: 1 stride: 1 group: 2 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { eps: 1e-4 } }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" relu_param { negative_slope: 0.1 } }
layer { name: "lrn" type: "LRN" bottom: "conv" top: "lrn" lrn_param { local_size: 5 alpha: 1e-4 } }
layer { name: "pool" type: "Pooling" bottom: "lrn" top: "pool" top: "mask"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "up" type: "Upsample" bottom: "pool" bottom: "mask" top: "up" upsample_param { scale: 2 } }
layer { name: "elt" type: "Eltwise" bottom: "up" bottom: "conv" top: "elt"
  eltwise_param { operation: SUM coeff: 1 coeff: -0.5 } }
layer { name: "slice" type: "Slice" bottom: "elt" top: "s0" top: "s1" slice_param { axis: 1 slice_point: 3 } }
layer { name: "concat" type: "Concat" bottom: "s1" bottom: "s0" top: "cat" concat_param { axis: 1 } }
layer { name: "prior" type: "PriorBox" bottom: "pool" bottom: "data" top: "prior"
  prior_box_param { min_size: 4 max_size: 9 aspect_ratio: 2 variance: 0.1 } }
layer { name: "deconv" type: "Deconvolution" bottom: "pool" top: "deconv"
  convolution_param { num_output: 2 kernel_size: 4 stride: 2 pad: 1 bias_term: false
    weight_filler { type: "constant" value: 0.5 } } }
layer { name: "crop" type: "Crop" bottom: "deconv" bottom: "pool" top: "crop" crop_param { axis: 2 offset: 2 } }
layer { name: "reorg" type: "Reorg" bottom: "cat" top: "reorg" reorg_param { stride: 2 } }
layer { name: "shuffle" type: "ShuffleChannel" bottom: "reorg" top: "reorg" shuffle_channel_param { group: 4 } }
layer { name: "spp" type: "SPP" bottom: "reorg" top: "spp" spp_param { pyramid_height: 2 pool: AVE } }
layer { name: "perm" type: "Permute" bottom: "reorg" top: "perm" permute_param { order: [0, 2, 3, 1] } }
layer { name: "reshape" type: "Reshape" bottom: "perm" top: "flat"
  reshape_param { shape { dim: 0 dim: -1 } axis: 0 num_axes: -1 } }
layer { name: "fc" type: "InnerProduct" bottom: "crop" top: "fc" inner_product_param { num_output: 5 } }
layer { name: "drop" type: "Dropout" bottom: "fc" top: "fc" dropout_param { dropout_ratio: 0.4 } }
layer { name: "power" type: "Power" bottom: "fc" top: "p" power_param { power: 2 scale: 0.5 shift: 1 } }
layer { name: "prob" type: "Softmax" bottom: "p" top: "prob" include { phase: TEST } }
layer { name: "argmax" type: "ArgMax" bottom: "cat" top: "arg" argmax_param { axis: 1 top_k: 2 } }
layer { name: "custom" type: "Custom" bottom: "flat" top: "custom"
  custom_param { kind: "K" shape { dim: 1 dim: 2 } params: "'a': 1, 'b': 'x'" } }
`;

const WEIGHTS: TestLayer[] = [
  { name: "conv", blobs: [randomBlob([8, 2, 3, 3], 1), randomBlob([8], 2)] },
  { name: "bn", blobs: [randomBlob([8], 3), randomBlob([8], 4), randomBlob([1], 5)] },
  { name: "scale", blobs: [randomBlob([8], 6), randomBlob([8], 7)] },
  { name: "fc", blobs: [randomBlob([5, 72], 8), randomBlob([5], 9)] },
];
const MODEL = encodeModel(WEIGHTS);

const HOSTILE = [
  "0",
  "-1",
  "1",
  "2147483647",
  "4294967295",
  "99999999999999999999",
  "1e38",
  "-1e-45",
]
  .concat([
    "nan",
    "inf",
    "-inf",
    "true",
    '""',
    '"data"',
    "{",
    "}",
    "[",
    "]",
    ":",
    "0x7fffffff",
    "65536",
    ...["2", "3", "4", "6", "8", "0.5"],
  ]);

/** One random change of a text. */
function mutate(text: string, random: () => number): string {
  const int = (n: number): number => Math.floor(random() * n);
  const at = int(text.length);
  switch (int(10)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(32 + int(95)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(at + int(40));
    case 2: {
      const part = text.slice(at, at + int(200));
      const to = int(text.length);
      return text.slice(0, to) + part + text.slice(to);
    }
    case 4: {
      // A word becomes another word of the net.
      const words = [...text.matchAll(/[A-Za-z_]\w*/g)];
      const [a, b] = [words[int(words.length)], words[int(words.length)]];
      if (a === undefined || b === undefined) return text;
      return text.slice(0, a.index) + b[0] + text.slice(a.index + a[0].length);
    }
    case 5: {
      const lines = text.split("\n");
      const [a, b] = [int(lines.length), int(lines.length)];
      [lines[a], lines[b]] = [lines[b]!, lines[a]!];
      return lines.join("\n");
    }
    default: {
      // A number becomes another one.
      const numbers = [...text.matchAll(/-?\d[\d.e-]*/g)];
      const m = numbers[int(numbers.length)];
      if (m === undefined) return text;
      const other = HOSTILE[int(HOSTILE.length)]!;
      return text.slice(0, m.index) + other + text.slice(m.index + m[0].length);
    }
  }
}

Deno.test("fuzz: 4000 mutated prototxts give a graph or one BpuError with a place", () => {
  const whole = loadCaffe(NET, MODEL);
  assert.ok(whole.nodes.length > 30 && whole.outputs.length === 5);
  const random = generator(2024);
  let [loaded, refused] = [0, 0];
  for (let i = 0; i < 4000; i++) {
    let text = NET;
    for (let k = Math.floor(random() * 2); k >= 0; k--) text = mutate(text, random);
    try {
      verify(loadCaffe(text, MODEL, { prototxtFile: "f.prototxt", modelFile: "f.caffemodel" }));
      loaded++;
    } catch (e) {
      assert.ok(
        e instanceof BpuError,
        `mutation ${i}: ${e instanceof Error ? e.stack : e}\n${text}`,
      );
      assert.notEqual(e.code, "internal", `mutation ${i}: ${e.message}\n${text}`);
      assert.ok(e.place.file !== undefined, e.message);
      refused++;
    }
  }
  assert.ok(loaded > 200 && refused > 1000, `${loaded} loaded, ${refused} refused`);
});

Deno.test("fuzz: 1500 mutated caffemodels of a net give a graph or one BpuError", () => {
  const random = generator(77);
  for (let i = 0; i < 1500; i++) {
    const bytes = MODEL.slice();
    for (let k = Math.floor(random() * 3); k >= 0; k--) {
      // Most bytes are weights: half of the changes go to the heads of the blobs.
      const at = random() < 0.5 ? random() * bytes.length : random() * 40;
      bytes[Math.floor(at)] = Math.floor(random() * 256);
    }
    const cut = random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
    try {
      verify(loadCaffe(NET, cut));
    } catch (e) {
      assert.ok(e instanceof BpuError, `mutation ${i}: ${e instanceof Error ? e.stack : e}`);
      assert.notEqual(e.code, "internal");
    }
  }
});
