import { check, randomArr, randomBlob } from "../testing/harness.ts";
import { generator } from "../testing/random.ts";
import { type Arr, at, build, each, lrnAcross, lrnWithin, map } from "../testing/reference.ts";
import { strict as assert } from "node:assert";
import { BpuError } from "../../../errors.ts";

Deno.test("BatchNorm divides by its scale factor; 0 means all zero", async () => {
  for (const [factor, shape] of [[999.98, [2, 3, 4, 5]], [0, [2, 3, 2, 2]], [2, [4, 3]]] as const) {
    const mean = randomBlob([3], 1);
    const variance = map(randomBlob([3], 2), (v) => Math.fround(Math.abs(v) * 10 + 1));
    const f = factor === 0 ? 0 : 1 / Math.fround(factor);
    await check({
      layer: `type: "BatchNorm" batch_norm_param { use_global_stats: true eps: 0.001 }`,
      inputs: [shape],
      blobs: [mean, variance, { shape: [1], data: [factor] }],
      expected: ([x]) => [
        build(shape, (...i) => {
          const c = i[1]!;
          return (at(x!, ...i) - mean.data[c]! * f) / Math.sqrt(variance.data[c]! * f + 0.001);
        }),
      ],
      tolerance: 2e-5,
    });
  }
});

Deno.test("BatchNorm with batch statistics is refused", async () => {
  await assert.rejects(
    check({
      layer: `type: "BatchNorm"\nbatch_norm_param {\n use_global_stats: false }`,
      inputs: [[1, 3, 2, 2]],
      expected: () => [],
    }),
    (e: unknown) => e instanceof BpuError && e.code === "unsupported" && e.place.line === 4,
  );
});

Deno.test("LRN across channels and within one", async () => {
  await check({
    layer: `type: "LRN" lrn_param { local_size: 5 alpha: 0.5 beta: 0.6 k: 2 }`,
    inputs: [[2, 7, 3, 4]],
    expected: ([x]) => [lrnAcross(x!, 5, 0.5, Math.fround(0.6), 2)],
  });
  // k has no part in the second form.
  await check({
    layer: `type: "LRN" lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 2 beta: 0.75
      k: 9 }`,
    inputs: [[2, 2, 5, 4]],
    expected: ([x]) => [lrnWithin(x!, 3, 2, 0.75)],
  });
});

/** Mean and variance over all but the first `keep` axes. */
function moments(x: Arr, keep: number): (index: number[]) => [number, number] {
  const groups = new Map<string, number[]>();
  const key = (i: number[]): string => i.slice(0, keep).join();
  each(x.shape, (i) => {
    const list = groups.get(key(i));
    if (list === undefined) groups.set(key(i), [at(x, ...i)]);
    else list.push(at(x, ...i));
  });
  return (i) => {
    const v = groups.get(key(i))!;
    const mean = v.reduce((a, b) => a + b, 0) / v.length;
    return [mean, v.reduce((a, b) => a + (b - mean) ** 2, 0) / v.length];
  };
}

Deno.test("MVN adds eps to the deviation, not to the variance", async () => {
  for (const [across, normalize] of [[false, true], [true, true], [false, false]]) {
    await check({
      layer: `type: "MVN" mvn_param { across_channels: ${across} normalize_variance: ${normalize}
        eps: 0.25 }`,
      inputs: [[2, 3, 4, 5]],
      expected: ([x]) => {
        const m = moments(x!, across ? 1 : 2);
        return [
          build(x!.shape, (...i) => {
            const [mean, variance] = m(i);
            return (at(x!, ...i) - mean) / (normalize ? Math.sqrt(variance) + 0.25 : 1);
          }),
        ];
      },
    });
  }
});

Deno.test("Normalize over channels or the whole sample", async () => {
  const random = generator(9);
  for (const [spatial, shared] of [[false, false], [true, true], [true, false]]) {
    const scale = shared ? { shape: [1], data: [1.5] } : randomBlob([3], 4);
    const x = randomArr([2, 3, 2, 4], random);
    await check({
      layer: `type: "Normalize" norm_param { across_spatial: ${spatial} channel_shared: ${shared}
        scale_filler { type: "constant" value: 20 } eps: 0.01 }`,
      inputs: [x],
      blobs: [scale],
      expected: () => [
        build(x.shape, (n, c, h, w) => {
          let sum = Math.fround(0.01);
          each([3, 2, 4], ([k, y, xx]) => {
            if (spatial || (y === h && xx === w)) sum += at(x, n, k!, y!, xx!) ** 2;
          });
          return at(x, n, c, h, w) / Math.sqrt(sum) * scale.data[shared ? 0 : c]!;
        }),
      ],
    });
  }
});
