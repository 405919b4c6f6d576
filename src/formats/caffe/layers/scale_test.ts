import { check, randomBlob } from "../testing/harness.ts";
import { arr, at, broadcast, build, zip } from "../testing/reference.ts";

Deno.test("Scale: learned, any axes, with bias", async () => {
  const cases = [
    ["", [2, 3, 4, 5], [3], 1],
    ["axis: 0 num_axes: 2", [2, 3, 4], [2, 3], 0],
    ["axis: -1", [2, 3, 4], [4], 2],
    ["axis: 1 num_axes: -1", [2, 3, 4], [3, 4], 1],
    ["num_axes: 0", [2, 3, 4], [], 1],
  ] as const;
  for (const [param, shape, blob, axis] of cases) {
    for (const bias of [false, true]) {
      const [s, b] = [randomBlob(blob, 1), randomBlob(blob, 2)];
      await check({
        layer: `type: "Scale" scale_param { ${param} bias_term: ${bias} }`,
        inputs: [shape],
        blobs: bias ? [s, b] : [s],
        expected: ([x]) => {
          const y = zip(x!, broadcast(x!, s, axis), (v, f) => v * f);
          return [bias ? zip(y, broadcast(x!, b, axis), (v, f) => v + f) : y];
        },
      });
    }
  }
});

Deno.test("Scale and Bias by a second bottom", async () => {
  for (const [shape, axis] of [[[2, 3], 0], [[3], 1], [[4, 5], 2], [[2, 3, 4, 5], 0]] as const) {
    await check({
      layer: `type: "Scale" scale_param { axis: ${axis} }`,
      inputs: [[2, 3, 4, 5], shape],
      expected: ([x, f]) => [zip(x!, broadcast(x!, f!, axis), (v, g) => v * g)],
    });
    await check({
      layer: `type: "Bias" bias_param { axis: ${axis} }`,
      inputs: [[2, 3, 4, 5], shape],
      expected: ([x, f]) => [zip(x!, broadcast(x!, f!, axis), (v, g) => v + g)],
    });
  }
  // The blob of a Scale with two bottoms is its bias.
  const b = randomBlob([3], 5);
  await check({
    layer: `type: "Scale" scale_param { bias_term: true }`,
    inputs: [[2, 3, 2, 2], [3]],
    blobs: [b],
    expected: ([x, f]) => [
      build([2, 3, 2, 2], (...i) => at(x!, ...i) * f!.data[i[1]!]! + b.data[i[1]!]!),
    ],
  });
});

Deno.test("Bias: learned", async () => {
  const b = randomBlob([3, 4], 3);
  await check({
    layer: `type: "Bias" bias_param { num_axes: 2 }`,
    inputs: [[2, 3, 4, 5]],
    blobs: [b],
    expected: ([x]) => [zip(x!, broadcast(x!, b, 1), (v, f) => v + f)],
  });
});

Deno.test("Axpy: a factor per channel times x plus y", async () => {
  for (const factor of [[2, 3], [2, 3, 1, 1]]) {
    await check({
      layer: `type: "Axpy"`,
      inputs: [factor, [2, 3, 4, 5], [2, 3, 4, 5]],
      expected: ([a, x, y]) => {
        const f = broadcast(x!, arr([2, 3], a!.data), 0);
        return [build(x!.shape, (...i) => at(f, ...i) * at(x!, ...i) + at(y!, ...i))];
      },
    });
  }
});
