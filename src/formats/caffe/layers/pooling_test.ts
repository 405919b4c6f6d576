import { strict as assert } from "node:assert";
import { BpuError } from "../../../errors.ts";
import { loadCaffe } from "../load.ts";
import { encodeModel } from "../testing/encode.ts";
import { check, compare, randomArr, run } from "../testing/harness.ts";
import { generator } from "../testing/random.ts";
import { type Arr, arr, build, map, pool, pooledSize } from "../testing/reference.ts";

type Pair = [number, number];

Deno.test("Pooling: every small window, ceil and floor, padded or not", async () => {
  const random = generator(3);
  const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const seen = { over: 0, exact: 0, clipped: 0 };
  for (let i = 0; i < 160; i++) {
    const kernel: Pair = [int(1, 4), int(1, 4)];
    const stride = kernel.map((k) => int(1, k + 1)) as Pair;
    const pad = kernel.map((k) => int(0, k - 1)) as Pair;
    const size = kernel.map((k, a) => Math.max(1, k - 2 * pad[a]! + int(0, 6))) as Pair;
    const floor = i % 5 === 4;
    const p = { kernel, stride, pad, floor };
    const out = [pooledSize(size[0], p, 0), pooledSize(size[1], p, 1)] as Pair;
    const bad = out.some((o, a) => o < 1 || (o - 1) * stride[a]! - pad[a]! >= size[a]!);
    if (bad) continue;
    for (const a of [0, 1] as const) {
      const end = (out[a] - 1) * stride[a] + kernel[a];
      if (end > size[a] + 2 * pad[a]) seen.over++;
      else seen.exact++;
      if (out[a] < Math.ceil((size[a] + 2 * pad[a] - kernel[a]) / stride[a]) + 1) seen.clipped++;
    }
    const ave = i % 2 === 0;
    const rounding = floor ? (i % 2 ? "round_mode: FLOOR" : "ceil_mode: false") : "";
    await check({
      layer: `type: "Pooling" pooling_param { pool: ${ave ? "AVE" : "MAX"} ${rounding}
        kernel_h: ${kernel[0]} kernel_w: ${kernel[1]} stride_h: ${stride[0]}
        stride_w: ${stride[1]} pad_h: ${pad[0]} pad_w: ${pad[1]} }`,
      inputs: [[2, 2, ...size]],
      expected: ([x]) => [pool(x!, ave ? "ave" : "max", p)],
      seed: i,
    });
  }
  // The edge cases must have been among them.
  assert.ok(seen.over > 10 && seen.exact > 10 && seen.clipped > 3, JSON.stringify(seen));
});

Deno.test("Pooling: a kernel larger than the input, and global pooling", async () => {
  for (const method of ["MAX", "AVE"] as const) {
    const p = { kernel: [3, 3] as Pair, stride: [2, 2] as Pair, pad: [0, 0] as Pair };
    const name = method === "AVE" ? "ave" : "max";
    await check({
      layer: `type: "Pooling" pooling_param { pool: ${method} kernel_size: 3 stride: 2 }`,
      inputs: [[1, 3, 2, 2]],
      expected: ([x]) => [pool(x!, name, p)],
    });
    await check({
      layer: `type: "Pooling" pooling_param { pool: ${method} global_pooling: true }`,
      inputs: [[2, 3, 5, 4]],
      expected: ([x]) => [pool(x!, name, { kernel: [5, 4], stride: [1, 1], pad: [0, 0] })],
    });
  }
});

Deno.test("Pooling: a window behind the input is refused, with the line", async () => {
  await assert.rejects(
    check({
      layer: `type: "Pooling" pooling_param { pool: AVE kernel_size: 1 stride: 3 }`,
      inputs: [[1, 1, 3, 3]],
      expected: () => [],
    }),
    (e: unknown) => e instanceof BpuError && e.code === "unsupported" && e.place.line === 2,
  );
});

/** Values of a pooled blob at the places of a mask. */
function unpool(x: Arr, mask: Arr, h: number, w: number): Arr {
  const [n, c, ph, pw] = x.shape as [number, number, number, number];
  const out = arr([n, c, h, w]);
  for (let i = 0; i < x.data.length; i++) {
    out.data[Math.floor(i / (ph * pw)) * h * w + mask.data[i]!] = x.data[i]!;
  }
  return out;
}

Deno.test("Pooling with a mask, and Upsample and MaxUnpool that read it", async () => {
  const p = { kernel: [2, 2] as Pair, stride: [2, 2] as Pair, pad: [0, 0] as Pair };
  await check({
    layer: `type: "Pooling" pooling_param { pool: MAX kernel_size: 2 stride: 2 }`,
    inputs: [[2, 3, 5, 4]],
    tops: 2,
    expected: ([x]) => [pool(x!, "max", p), pool(x!, "mask", p)],
  });
  // A mask that comes from elsewhere, into a plane of another size.
  const mask = build([2, 2, 2, 2], (_n, _c, y, x) => y * 10 + x * 3);
  await check({
    layer: `type: "Upsample" upsample_param { scale: 2 upsample_h: 5 upsample_w: 6 }`,
    inputs: [[2, 2, 2, 2], mask],
    expected: ([x, m]) => [unpool(x!, m!, 5, 6)],
  });
  await check({
    layer: `type: "MaxUnpool" max_unpool_param { kernel_size: 2 stride: 2 }`,
    inputs: [[2, 2, 2, 2], map(mask, (v) => v % 16)],
    expected: ([x, m]) => [unpool(x!, m!, 4, 4)],
  });
});

Deno.test("unpooling takes the indices of its pooling when the planes agree", async () => {
  const p = { kernel: [2, 2] as Pair, stride: [2, 2] as Pair, pad: [0, 0] as Pair };
  for (const [h, w, ops] of [[4, 6, 2], [5, 6, 6]] as const) {
    const graph = loadCaffe(
      `input: "x" input_dim: [2, 3, 4, 6]
       layer { name: "p" type: "Pooling" bottom: "x" top: "p" top: "m"
         pooling_param { kernel_size: 2 stride: 2 } }
       layer { name: "u" type: "Upsample" bottom: "p" bottom: "m" top: "u"
         upsample_param { upsample_h: ${h} upsample_w: ${w} } }`,
      encodeModel([{ name: "p", blobs: [] }]),
    );
    assert.equal(graph.nodes.length, ops);
    const x = randomArr([2, 3, 4, 6], generator(8));
    const got = (await run(graph, new Map([["x", x]]))).get("u")!;
    compare(got, unpool(pool(x, "max", p), pool(x, "mask", p), h, w), 0, `${h}x${w}`);
  }
});

Deno.test("SPP: the pools of every level, flattened side by side", async () => {
  for (const [height, method] of [[1, "MAX"], [2, "AVE"], [3, "MAX"]] as const) {
    const size: Pair = [9, 7];
    await check({
      layer: `type: "SPP" spp_param { pyramid_height: ${height} pool: ${method} }`,
      inputs: [[2, 3, ...size]],
      expected: ([x]) => {
        const rows: number[][] = [[], []];
        let only: Arr | undefined;
        for (let level = 0; level < height; level++) {
          const kernel = size.map((d) => Math.ceil(d / 2 ** level)) as Pair;
          const pad = size.map((d, i) => Math.floor((kernel[i]! * 2 ** level - d + 1) / 2)) as Pair;
          const name = method === "AVE" ? "ave" : "max";
          only = pool(x!, name, { kernel, stride: kernel, pad });
          const per = only.data.length / 2;
          rows.forEach((r, n) => r.push(...only!.data.subarray(n * per, (n + 1) * per)));
        }
        return [height === 1 ? only! : arr([2, rows[0]!.length], rows.flat())];
      },
    });
  }
});
