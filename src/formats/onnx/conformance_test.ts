// ONNX's own node cases: whatever loads and runs as written computes the same after loading and saving, and
// what is refused is refused with a reason that we know of.
import assert from "node:assert/strict";
import { fromBinary } from "../../deps.ts";
import { BpuError, sentenceOf } from "../../errors.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { ModelProtoSchema, TensorProtoSchema } from "./gen/onnx_pb.ts";
import { defaultLimits } from "./limits.ts";
import { loadOnnx } from "./load.ts";
import { saveOnnx } from "./save.ts";
import { readTensor } from "./tensor_proto.ts";
import { differs, runOrt } from "./test_models.ts";

const archive = new URL(
  "../../../../shared/data/conformance/onnx-v1.16.0-node-tests.tar.gz",
  import.meta.url,
);

/** Why a case may be refused. */
const reasons = [
  /^opset [16] is not supported$/,
  /^element type \w+ is not supported$/,
  /^a value of type (optional|sequence) is not supported$/,
  /is computed at run time$/,
  /^the input size of \w+ is not known$/,
  /in training mode$/,
  /^reduction=(max|min) is not supported$/,
  /^padding by wrapping around is not supported$/,
];

/** Operators and element types that opset 17 does not have; they are kept, onnxruntime refuses them. */
const newer = new Set([
  "DeformConv",
  "DequantizeLinear",
  "Equal",
  "IsInf",
  "OptionalGetElement",
  "OptionalHasElement",
  "QLinearMatMul",
  "QuantizeLinear",
  "RegexFullMatch",
  "StringConcat",
  "StringSplit",
]);

/** Files of a tar archive by name. */
function untar(bytes: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (at: number, length: number) =>
    new TextDecoder().decode(bytes.subarray(at, at + length)).split("\0")[0]!;
  let long: string | undefined;
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8) || 0;
    const prefix = text(at + 345, 155);
    const name = long ?? (prefix === "" ? "" : `${prefix}/`) + text(at, 100);
    // A name of more than a hundred letters stands before its file, in one of two ways.
    const kind = text(at + 156, 1);
    long = kind === "L"
      ? text(at + 512, size)
      : kind === "x"
      ? /\d+ path=([^\n]*)\n/.exec(text(at + 512, size))?.[1]
      : undefined;
    if (bytes[at + 156] === 0x30 || bytes[at + 156] === 0) {
      files.set(name.replace(/^\.\//, ""), bytes.subarray(at + 512, at + 512 + size));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

async function cases(): Promise<Map<string, Uint8Array> | undefined> {
  let packed: Uint8Array<ArrayBuffer>;
  try {
    packed = await Deno.readFile(archive);
  } catch {
    console.log("conformance_test: 1282 ONNX node cases skipped, ../shared/data is absent");
    return undefined;
  }
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return untar(new Uint8Array(await new Response(stream).arrayBuffer()));
}

function readFeeds(model: Uint8Array, dir: string, files: ReadonlyMap<string, Uint8Array>) {
  const source = { limits: defaultLimits, decoded: 0, external: () => new Uint8Array() };
  const feeds = new Map<string, Tensor>();
  fromBinary(ModelProtoSchema, model).graph!.input.forEach((v, i) => {
    const bytes = files.get(`${dir}/test_data_set_0/input_${i}.pb`)!;
    feeds.set(v.name, readTensor(fromBinary(TensorProtoSchema, bytes), source, {}));
  });
  return feeds;
}

const files = await cases();

Deno.test({ name: "ONNX node cases", ignore: files === undefined }, async () => {
  let same = 0;
  let refused = 0;
  const problems: string[] = [];
  for (const [path, model] of files!) {
    if (!path.endsWith("/model.onnx")) continue;
    const dir = path.slice(0, -"/model.onnx".length);
    let g: Graph;
    try {
      g = loadOnnx(model);
    } catch (e) {
      refused++;
      const known = e instanceof BpuError && e.code === "unsupported" &&
        reasons.some((r) => r.test(e.message));
      if (!known) problems.push(`${dir}: ${sentenceOf(e)}`);
      continue;
    }
    let expected: Map<string, Tensor>;
    const feeds = readFeeds(model, dir, files!);
    try {
      expected = await runOrt(model, feeds);
    } catch {
      continue; // onnxruntime-web cannot run the case as ONNX wrote it.
    }
    try {
      const left = [...feeds].filter(([name]) => g.inputs.some((p) => p.name === name));
      const got = await runOrt(saveOnnx(g), new Map(left));
      for (const [name, t] of expected) {
        const d = differs(t, got.get(name), 1e-5);
        if (d !== "") problems.push(`${dir}: ${name}: ${d}`);
      }
      same++;
    } catch (e) {
      if (!g.nodes.some((n) => newer.has(n.op))) problems.push(`${dir}: ${sentenceOf(e)}`);
    }
  }
  assert.deepEqual(problems, []);
  // Counts only grow: a loader that refuses everything would pass otherwise.
  assert.ok(same >= 940, `${same} cases compute the same, ${refused} are refused`);
  assert.ok(refused <= 240, `${refused} cases are refused`);
});
