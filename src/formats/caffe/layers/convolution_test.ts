import { strict as assert } from "node:assert";
import { check, randomBlob } from "../testing/harness.ts";
import { generator } from "../testing/random.ts";
import { arr, conv, deconv } from "../testing/reference.ts";

Deno.test("Convolution: random windows, groups, dilations against plain loops", async () => {
  const random = generator(7);
  const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  for (let i = 0; i < 12; i++) {
    const group = int(1, 2);
    const [c, o] = [group * int(1, 3), group * int(1, 3)];
    const [kernel, stride, pad, dilation] = [0, 1, 2, 3].map((f) =>
      [0, 1].map(() => f === 2 ? int(0, 2) : int(1, f === 0 ? 4 : 3))
    ) as [number[], number[], number[], number[]];
    const size = kernel.map((k, a) => dilation[a]! * (k - 1) + 1 + int(0, 5));
    const w = randomBlob([o, c / group, ...kernel], i);
    const b = randomBlob([o], i + 100);
    const bias = i % 3 !== 0;
    await check({
      layer: `type: "Convolution" convolution_param { num_output: ${o} group: ${group}
        kernel_h: ${kernel[0]} kernel_w: ${kernel[1]} stride_h: ${stride[0]} stride_w: ${stride[1]}
        pad_h: ${pad[0]} pad_w: ${pad[1]} dilation: ${dilation[0]} dilation: ${dilation[1]}
        ${bias ? "" : "bias_term: false"} engine: CAFFE }`,
      inputs: [[2, c, ...size]],
      blobs: bias ? [w, b] : [w],
      expected: ([x]) => [conv(x!, w, bias ? b : undefined, { stride, pad, dilation, group })],
      seed: i,
    });
  }
});

Deno.test("Convolution: one and three spatial axes, axis 2, several bottoms", async () => {
  const one = { stride: [2], pad: [1], dilation: [1], group: 1 };
  const w1 = randomBlob([3, 2, 3], 1);
  await check({
    layer: `type: "Convolution" convolution_param { num_output: 3 kernel_size: 3 stride: 2 pad: 1
      bias_term: false }`,
    inputs: [[2, 2, 9]],
    blobs: [w1],
    expected: ([x]) => [conv(x!, w1, undefined, one)],
  });
  const w3 = randomBlob([2, 2, 2, 3, 1], 2);
  await check({
    layer: `type: "Convolution" convolution_param { num_output: 2 kernel_size: [2, 3, 1]
      pad: 0 pad: 1 pad: 0 bias_term: false }`,
    inputs: [[1, 2, 3, 4, 5]],
    blobs: [w3],
    expected: ([x]) => [
      conv(x!, w3, undefined, { stride: [1, 1, 1], pad: [0, 1, 0], dilation: [1, 1, 1], group: 1 }),
    ],
  });
  // With axis 2 the first two axes are independent samples.
  const wa = randomBlob([3, 2, 3], 3);
  await check({
    layer: `type: "Convolution" convolution_param { num_output: 3 kernel_size: 3 axis: 2
      bias_term: false }`,
    inputs: [[2, 3, 2, 6]],
    blobs: [wa],
    expected: ([x]) => {
      const flat = conv(arr([6, 2, 6], x!.data), wa, undefined, { ...one, stride: [1], pad: [0] });
      return [arr([2, 3, 3, 4], flat.data)];
    },
  });
  const w = randomBlob([2, 3, 1, 1], 4);
  const p = { stride: [1, 1], pad: [0, 0], dilation: [1, 1], group: 1 };
  await check({
    layer:
      `type: "Convolution" convolution_param { num_output: 2 kernel_size: 1 bias_term: false }`,
    inputs: [[1, 3, 4, 5], [2, 3, 2, 2]],
    tops: 2,
    blobs: [w],
    expected: ([x, y]) => [conv(x!, w, undefined, p), conv(y!, w, undefined, p)],
  });
});

Deno.test("Deconvolution: strides, pads, groups, dilation", async () => {
  const random = generator(11);
  const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  for (let i = 0; i < 8; i++) {
    const group = int(1, 2);
    const [c, perGroup] = [group * int(1, 2), int(1, 3)];
    const [k, s, d] = [int(2, 4), int(1, 3), int(1, 2)];
    const pad = int(0, 1);
    const w = randomBlob([c, perGroup, k, k], i);
    const b = randomBlob([perGroup * group], i + 50);
    const p = { stride: [s, s], pad: [pad, pad], dilation: [d, d], group };
    await check({
      layer: `type: "Deconvolution" convolution_param { num_output: ${perGroup * group}
        group: ${group} kernel_size: ${k} stride: ${s} pad: ${pad} dilation: ${d} }`,
      inputs: [[2, c, int(2, 4), int(2, 5)]],
      blobs: [w, b],
      expected: ([x]) => [deconv(x!, w, b, p)],
      seed: i,
    });
  }
});

Deno.test("Deconvolution without weights: a bilinear filler upsamples", async () => {
  // The kernel of factor 2: 1/4 3/4 3/4 1/4 in each direction.
  const tent = [0.25, 0.75, 0.75, 0.25];
  const kernel = tent.flatMap((a) => tent.map((b) => a * b));
  const w = arr([2, 1, 4, 4], [...kernel, ...kernel]);
  await check({
    layer:
      `type: "Deconvolution" convolution_param { num_output: 2 group: 2 kernel_size: 4 stride: 2
      pad: 1 bias_term: false weight_filler { type: "bilinear" } }`,
    inputs: [[1, 2, 3, 3]],
    expected: ([x]) => [
      deconv(x!, w, undefined, { stride: [2, 2], pad: [1, 1], dilation: [1, 1], group: 2 }),
    ],
  });
});

Deno.test("ConvolutionDepthwise takes its group from the channels", async () => {
  for (const type of ["ConvolutionDepthwise", "DepthwiseConvolution"]) {
    const w = randomBlob([4, 1, 3, 3], 1);
    const graph = await check({
      layer: `type: "${type}" convolution_param { num_output: 4 kernel_size: 3 pad: 1
        bias_term: false }`,
      inputs: [[1, 4, 5, 5]],
      blobs: [w],
      expected: ([x]) => [
        conv(x!, w, undefined, { stride: [1, 1], pad: [1, 1], dilation: [1, 1], group: 4 }),
      ],
    });
    assert.deepEqual(graph.nodes.map((n) => `${n.op} ${n.name}`), ["Conv layer"]);
  }
});
