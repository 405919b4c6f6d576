import { strict as assert } from "node:assert";
import { BpuError } from "../../../errors.ts";
import { loadCaffe } from "../load.ts";
import { encodeModel } from "../testing/encode.ts";
import { compare, randomArr, run } from "../testing/harness.ts";
import { generator } from "../testing/random.ts";
import { type Arr, arr } from "../testing/reference.ts";

interface Setup {
  readonly batch: number;
  readonly priors: number;
  readonly classes: number;
  readonly shared: boolean;
  readonly code: "CORNER" | "CENTER_SIZE" | "CORNER_SIZE";
  readonly encoded: boolean;
  readonly background: number;
  readonly threshold: number;
  readonly overlap: number;
  readonly topK: number;
  readonly keep: number;
}

type Box = readonly [number, number, number, number];

function iou(a: Box, b: Box): number {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  const area = (c: Box) => (c[2] - c[0]) * (c[3] - c[1]);
  return w * h / (area(a) + area(b) - w * h);
}

function decode(s: Setup, p: Box, v: Box, d: Box): Box {
  const [a, b, c, e] = d.map((x, i) => s.encoded ? x : x * v[i]!) as unknown as Box;
  const [w, h] = [p[2] - p[0], p[3] - p[1]];
  if (s.code === "CORNER") return [p[0] + a, p[1] + b, p[2] + c, p[3] + e];
  if (s.code === "CORNER_SIZE") {
    return [p[0] + a * w, p[1] + b * h, p[2] + c * w, p[3] + e * h];
  }
  const [cx, cy] = [a * w + (p[0] + p[2]) / 2, b * h + (p[1] + p[3]) / 2];
  const [bw, bh] = [Math.exp(c) * w, Math.exp(e) * h];
  return [cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2];
}

/** What Caffe's layer computes, image by image, filled up to `keep` rows. */
function reference(s: Setup, loc: Arr, conf: Arr, prior: Arr): number[] {
  const four = (a: Arr, at: number): Box => Array.from(a.data.slice(at, at + 4)) as unknown as Box;
  const out: number[] = [];
  for (let n = 0; n < s.batch; n++) {
    let found: { label: number; score: number; box: Box }[] = [];
    for (let label = 0; label < s.classes; label++) {
      if (label === s.background) continue;
      const boxes = Array.from({ length: s.priors }, (_, p) => {
        const sets = s.shared ? 1 : s.classes;
        const at = 4 * ((n * s.priors + p) * sets + (s.shared ? 0 : label));
        const score = conf.data[(n * s.priors + p) * s.classes + label]!;
        const box = decode(s, four(prior, 4 * p), four(prior, 4 * (s.priors + p)), four(loc, at));
        return { label, score, box };
      }).filter((b) => b.score > s.threshold).sort((a, b) => b.score - a.score);
      const kept: typeof boxes = [];
      for (const b of boxes.slice(0, s.topK)) {
        if (kept.every((k) => iou(k.box, b.box) <= s.overlap)) kept.push(b);
      }
      found.push(...kept);
    }
    found = found.sort((a, b) => b.score - a.score).slice(0, s.keep);
    found.sort((a, b) => a.label - b.label || b.score - a.score);
    for (const f of found) out.push(n, f.label, f.score, ...f.box);
    for (let i = found.length; i < s.keep; i++) out.push(-1, 0, 0, 0, 0, 0, 0);
  }
  return out;
}

function text(s: Setup): string {
  const input = (name: string, dims: readonly number[]) =>
    `layer { name: "${name}" type: "Input" top: "${name}" input_param { shape { ${
      dims.map((d) => `dim: ${d}`).join(" ")
    } } } }\n`;
  return input("loc", [s.batch, s.priors * (s.shared ? 1 : s.classes) * 4]) +
    input("conf", [s.batch, s.priors * s.classes]) + input("prior", [1, 2, 4 * s.priors]) +
    `layer { name: "det" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "prior"
      top: "det" detection_output_param {
        num_classes: ${s.classes} share_location: ${s.shared} background_label_id: ${s.background}
        nms_param { nms_threshold: ${s.overlap} top_k: ${s.topK} } code_type: ${s.code}
        keep_top_k: ${s.keep} confidence_threshold: ${s.threshold}
        variance_encoded_in_target: ${s.encoded}
        save_output_param { output_directory: "x" } } }`;
}

function feedsOf(s: Setup, seed: number): Map<string, Arr> {
  const random = generator(seed);
  const loc = randomArr([s.batch, s.priors * (s.shared ? 1 : s.classes) * 4], random);
  const conf = randomArr([s.batch, s.priors * s.classes], random);
  const prior = arr([1, 2, 4 * s.priors]);
  for (let p = 0; p < s.priors; p++) {
    const [x, y] = [random(), random()].map((v) => v * 0.6);
    const [w, h] = [random(), random()].map((v) => 0.2 + v * 0.3);
    [x!, y!, x! + w!, y! + h!].forEach((v, i) => prior.data[4 * p + i] = Math.fround(v));
    for (let i = 0; i < 4; i++) prior.data[4 * (s.priors + p) + i] = Math.fround(i < 2 ? 0.1 : 0.2);
  }
  const positive = arr(conf.shape, conf.data.map((v) => Math.fround((v + 1) / 2)));
  const small = s.encoded ? arr(loc.shape, loc.data.map((v) => Math.fround(v * 0.1))) : loc;
  return new Map([["loc", small], ["conf", positive], ["prior", prior]]);
}

const base: Setup = {
  batch: 2,
  priors: 30,
  classes: 4,
  shared: true,
  code: "CENTER_SIZE",
  encoded: false,
  background: 0,
  threshold: 0.3,
  overlap: 0.45,
  topK: 20,
  keep: 12,
};

Deno.test("DetectionOutput gives Caffe's detections, filled up", async () => {
  const setups: Setup[] = [
    base,
    { ...base, batch: 1, code: "CORNER", keep: 60, threshold: 0.6 },
    { ...base, shared: false, code: "CORNER_SIZE", background: 2 },
    { ...base, encoded: true, background: -1, threshold: 0.99, keep: 5 },
  ];
  let rows = 0, fillers = 0;
  for (const [i, s] of setups.entries()) {
    const feeds = feedsOf(s, 11 + i);
    const graph = loadCaffe(text(s), encodeModel([{ name: "det", blobs: [] }]));
    const outputs = await run(graph, feeds, false);
    const want = reference(s, feeds.get("loc")!, feeds.get("conf")!, feeds.get("prior")!);
    const shape = [1, 1, s.batch * s.keep, 7];
    compare(outputs.get("det")!, arr(shape, want), 1e-5, `setup ${i}`);
    for (let r = 0; r < want.length; r += 7) want[r]! < 0 ? fillers++ : rows++;
  }
  assert.ok(rows > 30 && fillers > 20, `${rows} detections, ${fillers} empty rows`);
});

Deno.test("DetectionOutput refuses what it cannot do, with the line", () => {
  const fails = (change: Partial<Setup>, edit: (t: string) => string, message: RegExp) =>
    assert.throws(
      () =>
        loadCaffe(edit(text({ ...base, ...change })), encodeModel([{ name: "det", blobs: [] }])),
      (e: unknown) => e instanceof BpuError && message.test(e.message) && e.place.line! > 0,
    );
  fails({}, (t) => t.replace("top_k: 20", "top_k: 20 eta: 0.9"), /adaptive/);
  fails({}, (t) => t.replace("num_classes: 4", "num_classes: 5"), /values per image/);
  fails({ classes: 1 }, (t) => t, /only class/);
});
