/**
 * Programs as `.bin` files.
 *
 * @module
 */

import type { Program, Segment } from "../compile/program.ts";
import { BpuError } from "../errors.ts";
import { loadOnnx } from "../formats/onnx/load.ts";
import { saveOnnx } from "../formats/onnx/save.ts";
import type { FunctionDef } from "../ir/function.ts";
import type { Graph } from "../ir/graph.ts";
import { byteSize, bytesOfTensor, elementCount, viewOf } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { marchOf } from "../march/mod.ts";
import { nodeJson, portJson, Reader } from "./codec.ts";
import type { Json } from "./codec.ts";
import { readSections, writeSections } from "./sections.ts";
import type { Section } from "./sections.ts";

/** A model file in memory. */
export interface Bin {
  readonly program: Program;
  /** What `hb_model_info` prints: fixed keys, no times, no host names. */
  readonly info: { readonly [k: string]: Json };
}

const ALIGN = 64;
const utf8 = (v: Json) => new TextEncoder().encode(JSON.stringify(v));

/** Writes a program and its information. `functions` defines the float horizon operators of CPU parts. */
export function writeBin(
  bin: Bin,
  functions: (graph: Graph) => readonly FunctionDef[],
): Promise<Uint8Array> {
  const p = bin.program;
  const parts: Uint8Array[] = [];
  let at = 0;
  const constants = [...p.constants].map(([name, t]): Json => {
    const bytes = bytesOfTensor(t);
    const entry = { name, dtype: t.dtype, shape: [...t.shape], offset: at, bytes: bytes.length };
    const padded = new Uint8Array(Math.ceil(bytes.length / ALIGN) * ALIGN);
    padded.set(bytes);
    parts.push(padded);
    at += padded.length;
    return entry;
  });
  const weights = new Uint8Array(at);
  at = 0;
  for (const part of parts) {
    weights.set(part, at);
    at += part.length;
  }
  const cpu: Section[] = [];
  const segments = p.segments.map((s): Json => {
    if (s.kind === "cpu") {
      const name = `cpu.${cpu.length}`;
      cpu.push({ name, bytes: saveOnnx(s.graph, { functions: functions(s.graph) }) });
      return { kind: "cpu", section: name };
    }
    return {
      kind: "bpu",
      id: s.id,
      inputs: [...s.inputs],
      outputs: [...s.outputs],
      nodes: s.nodes.map(nodeJson),
    };
  });
  const program: Json = {
    name: p.name,
    march: p.march,
    ...(p.batch === undefined ? {} : { batch: p.batch }),
    arenaBytes: p.arenaBytes,
    inputs: p.inputs.map(portJson),
    outputs: p.outputs.map(portJson),
    slots: [...p.slots].map(([name, s]): Json => ({
      name,
      dtype: s.dtype,
      shape: [...s.shape],
      offset: s.offset,
      bytes: s.bytes,
    })),
    constants,
    segments,
  };
  return writeSections([
    { name: "info", bytes: utf8({ kind: "model", ...bin.info }) },
    { name: "program", bytes: utf8(program) },
    { name: "weights", bytes: weights },
    ...cpu,
  ]);
}

function parse(bytes: Uint8Array | undefined, name: string, file: string): Json {
  if (bytes === undefined) {
    throw new BpuError("format", `section ${name} is missing`, { file });
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Json;
  } catch (cause) {
    throw new BpuError("format", `section ${name} is not JSON`, { file, cause });
  }
}

/** The `info` section of any bpukit file, packed ones included. */
export async function readInfo(
  bytes: Uint8Array,
  file: string,
): Promise<{ readonly [k: string]: Json }> {
  const sections = await readSections(bytes, file);
  return new Reader(file).record(parse(sections.get("info"), "info", file), "info");
}

function batchOf(r: Reader, v: Json): number {
  const n = r.int(v, "batch");
  return n >= 1 && n <= 4096 ? n : r.fail("batch");
}

/**
 * Reads a model file.
 *
 * @throws BpuError("format") for a foreign, packed, truncated or damaged file
 */
export async function readBin(bytes: Uint8Array, file: string): Promise<Bin> {
  const sections = await readSections(bytes, file);
  const r = new Reader(file);
  const info = r.record(parse(sections.get("info"), "info", file), "info");
  if (info["kind"] !== "model") {
    throw new BpuError("format", "pack model is not supported", {
      file,
      hint: "Extract one model first: hb_pack --extract.",
    });
  }
  const p = r.record(parse(sections.get("program"), "program", file), "program");
  const weights = sections.get("weights") ?? r.fail("weights");
  const constants = new Map(
    r.list(p["constants"], "constants").map((v): [string, Tensor] => {
      const name = r.text(r.record(v, "constants")["name"], "constants");
      const c = r.constant(v, `constant ${name}`);
      const count = elementCount(c.shape);
      if (c.bytes !== count * byteSize(c.dtype) || c.offset + c.bytes > weights.length) {
        r.fail(`constant ${name}`);
      }
      const part = weights.subarray(c.offset, c.offset + c.bytes);
      return [name, { dtype: c.dtype, shape: c.shape, data: viewOf(c.dtype, part, count) }];
    }),
  );
  const arenaBytes = r.int(p["arenaBytes"], "arenaBytes");
  const slots = new Map(
    r.list(p["slots"], "slots").map((v) => {
      const name = r.text(r.record(v, "slots")["name"], "slots");
      const s = r.slot(v, `slot ${name}`);
      if (
        s.bytes !== elementCount(s.shape) * byteSize(s.dtype) || s.offset + s.bytes > arenaBytes ||
        s.offset % ALIGN !== 0
      ) r.fail(`slot ${name}`);
      return [name, s] as const;
    }),
  );
  const segments = r.list(p["segments"], "segments").map((v): Segment => {
    const s = r.record(v, "segments");
    if (s["kind"] === "cpu") {
      const name = r.text(s["section"], "segments");
      const onnx = sections.get(name) ?? r.fail(`section ${name}`);
      return { kind: "cpu", graph: loadOnnx(onnx, { file: `${file}#${name}` }) };
    }
    const nodes = r.list(s["nodes"], "segments").map((n) => r.node(n));
    for (const n of nodes) {
      for (const t of [...n.inputs, ...n.outputs]) {
        if (t !== "" && !slots.has(t) && !constants.has(t)) r.fail(`tensor ${t}`);
      }
    }
    const placed = (v: Json | undefined) => {
      const names = r.texts(v, "segments");
      for (const t of names) if (!slots.has(t)) r.fail(`tensor ${t}`);
      return names;
    };
    return {
      kind: "bpu",
      id: r.int(s["id"], "segments"),
      nodes,
      inputs: placed(s["inputs"]),
      outputs: placed(s["outputs"]),
    };
  });
  return {
    info,
    program: {
      name: r.text(p["name"], "name"),
      march: marchOf(r.text(p["march"], "march")).name,
      ...(p["batch"] === undefined ? {} : { batch: batchOf(r, p["batch"]) }),
      inputs: r.list(p["inputs"], "inputs").map((v) => r.port(v, "inputs")),
      outputs: r.list(p["outputs"], "outputs").map((v) => r.port(v, "outputs")),
      segments,
      constants,
      slots,
      arenaBytes,
    },
  };
}
