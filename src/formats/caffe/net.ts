/**
 * A prototxt as a list of layers for inference: old forms upgraded, phase rules applied, parameters
 * bound to the schema.
 *
 * @module
 */

import { isFieldSet } from "../../deps.ts";
import { BpuError } from "../../errors.ts";
import { bind, type BindContext } from "./bind.ts";
import {
  type LayerParameter,
  LayerParameterSchema,
  type NetParameter,
  NetParameterSchema,
  type NetState,
  type NetStateRule,
  NetStateRuleSchema,
  Phase,
} from "./gen/caffe_pb.ts";
import { mergeV0Padding, textOf, typeOfV1, upgradeV0, v0Inner } from "./legacy.ts";
import { parseText, type TextBlock, type TextField } from "./text.ts";

/** A layer of the inference net. */
export interface LayerSpec {
  /** Name in the prototxt; `type_index` for a layer without one. */
  readonly name: string;
  readonly type: string;
  readonly bottoms: readonly string[];
  readonly tops: readonly string[];
  readonly params: LayerParameter;
  /** Line of the layer. */
  readonly line: number;
  /** Line of a field somewhere in the layer; the layer's own line when it is not written there. */
  lineOf(field: string): number;
}

/** An input that the net itself declares (`input`, `input_dim`, `input_shape`). */
export interface NetInput {
  readonly name: string;
  readonly shape: readonly number[] | undefined;
  readonly line: number;
}

/** The inference net. */
export interface Net {
  readonly name: string;
  readonly inputs: readonly NetInput[];
  readonly layers: readonly LayerSpec[];
}

/** Layer fields that say nothing about inference. */
const TRAINING: ReadonlySet<string> = new Set([
  "blobs",
  "blobs_lr",
  "weight_decay",
  "blob_share_mode",
  "loss_param",
  "accuracy_param",
  "python_param",
  "device",
  "buffer",
  "engine",
  "annotated_data_param",
  "data_filler",
]);
/** In V1 `param` is a string and `type` an enum: neither fits the V2 schema. */
const TRAINING_V1: ReadonlySet<string> = new Set([...TRAINING, "param", "type"]);
/** Caffe nets are short; this stops a hostile file before anything expensive. */
const MAX_LAYERS = 100_000;

/**
 * Reads a prototxt.
 *
 * @param text the file
 * @param file its name, for errors
 * @param supported whether a layer type can be converted; the first other one is an error
 * @param warn receives a sentence for each thing that is ignored
 * @throws BpuError with the line
 */
export function readNet(
  text: string,
  file: string,
  supported: (type: string) => boolean,
  warn: (sentence: string) => void = () => {},
): Net {
  const root = parseText(text, file);
  const net = bind<NetParameter>(NetParameterSchema, root, {
    file,
    skip: new Set(["layer", "layers"]),
  });
  const layers = root.fields.filter((f) => f.name === "layer" || f.name === "layers");
  if (layers.length === 0) {
    throw new BpuError("format", "the prototxt has no layers", {
      file,
      line: 1,
      hint: "Give the deploy prototxt, not the solver.",
    });
  }
  if (layers.length > MAX_LAYERS) {
    throw new BpuError("limit", `the prototxt has over ${MAX_LAYERS} layers`, { file });
  }
  const mixed = layers.find((f) => f.name !== layers[0]!.name);
  if (mixed !== undefined) {
    throw new BpuError("format", `"layer" and "layers" are mixed`, {
      file,
      line: mixed.line,
      hint: "Write all layers as layer { ... } (V2) or all as layers { ... } (V1).",
    });
  }
  const old = layers[0]!.name === "layers";
  const blocks = layers.map((f) => {
    if (f.value.kind === "block") return f.value;
    throw new BpuError("format", `${f.name} is a block: write { ... }`, { file, line: f.line });
  });
  const specs: LayerSpec[] = [];
  for (const [index, block] of (old ? mergeV0Padding(blocks) : blocks).entries()) {
    const spec = readLayer(block, index, old, net.state, { file }, supported, warn);
    if (spec !== undefined) specs.push(spec);
  }
  return { name: net.name, inputs: inputsOf(net, root, file), layers: specs };
}

function readLayer(
  written: TextBlock,
  index: number,
  old: boolean,
  state: NetState | undefined,
  { file }: BindContext,
  supported: (type: string) => boolean,
  warn: (sentence: string) => void,
): LayerSpec | undefined {
  const inner = old ? v0Inner(written) : undefined;
  const block = inner === undefined ? written : upgradeV0(written, inner);
  const v1 = old && inner === undefined;
  const line = written.line;
  const typeField = block.fields.find((f) => f.name === "type");
  const rawType = typeField?.value.kind === "scalar" ? typeField.value : undefined;
  if (!included(block, state, file)) return undefined;
  const said = textOf(block, "name");
  if (rawType === undefined || rawType.text === "") {
    const who = said === undefined ? "this layer" : `the layer ${said}`;
    throw new BpuError("format", `${who} has no type`, { file, line });
  }
  if (rawType.quoted === v1) {
    throw new BpuError(
      "format",
      v1
        ? `type: "${rawType.text}" belongs to the newer layer { ... }; layers { ... } has type: NAME`
        : `type must be in quotes: type: "${typeOfV1(rawType.text)}"`,
      { file, line: rawType.line },
    );
  }
  const type = v1 ? typeOfV1(rawType.text) : rawType.text;
  const name = said === undefined || said === "" ? `${type}_${index}` : said;
  if (!supported(type)) {
    const training = /Loss|^Accuracy$|Evaluate$|Output$/.test(type);
    throw new BpuError("unsupported", `Not support layer name=${name} type=${type}`, {
      file,
      line: rawType.line,
      hint: training
        ? "Remove the layer from the prototxt, or add include { phase: TRAIN } to it."
        : "Replace the layer, or register it as a Custom layer.",
    });
  }
  const params = bind<LayerParameter>(LayerParameterSchema, block, {
    file,
    skip: v1 ? TRAINING_V1 : TRAINING,
    unknownBlock: (f: TextField) =>
      warn(`${file}:${f.line}: layer ${name}: ${f.name} is not known and is ignored`),
  });
  return {
    name,
    type,
    bottoms: params.bottom,
    tops: params.top,
    params,
    line,
    lineOf: (field) => findLine(block, field) ?? line,
  };
}

function findLine(block: TextBlock, name: string): number | undefined {
  for (const f of block.fields) {
    if (f.name === name) return f.line;
    const below = f.value.kind === "block" ? findLine(f.value, name) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

/** Caffe's rules: any include rule that holds, or no exclude rule that holds. */
function included(block: TextBlock, state: NetState | undefined, file: string): boolean {
  const rules = (name: string): NetStateRule[] =>
    block.fields.flatMap((f) => {
      if (f.name !== name) return [];
      if (f.value.kind === "block") {
        return [bind<NetStateRule>(NetStateRuleSchema, f.value, { file })];
      }
      throw new BpuError("format", `${name} is a block: write { ... }`, { file, line: f.line });
    });
  const include = rules("include");
  const exclude = rules("exclude");
  if (include.length > 0 && exclude.length > 0) {
    throw new BpuError("format", "a layer has include rules or exclude rules, not both", {
      file,
      line: block.fields.find((f) => f.name === "exclude")!.line,
    });
  }
  if (include.length > 0) return include.some((r) => holds(r, state));
  return !exclude.some((r) => holds(r, state));
}

function holds(rule: NetStateRule, state: NetState | undefined): boolean {
  const set = (f: keyof typeof NetStateRuleSchema.field): boolean =>
    isFieldSet(rule, NetStateRuleSchema.field[f]!);
  const level = state?.level ?? 0;
  const stages = new Set(state?.stage ?? []);
  if (set("phase") && rule.phase !== Phase.TEST) return false;
  if (set("minLevel") && level < rule.minLevel) return false;
  if (set("maxLevel") && level > rule.maxLevel) return false;
  return rule.stage.every((s) => stages.has(s)) && !rule.notStage.some((s) => stages.has(s));
}

function inputsOf(net: NetParameter, root: TextBlock, file: string): NetInput[] {
  const fields = root.fields.filter((f) => f.name === "input");
  const count = net.input.length;
  const line = fields[0]?.line ?? 1;
  const fail = (message: string): never => {
    throw new BpuError("format", message, { file, line });
  };
  if (net.inputDim.length > 0 && net.inputShape.length > 0) {
    fail("the net has input_dim and input_shape; give one of them");
  }
  if (net.inputDim.length > 0 && net.inputDim.length !== 4 * count) {
    fail(`${count} input(s) need ${4 * count} input_dim, got ${net.inputDim.length}`);
  }
  if (net.inputShape.length > 1 && net.inputShape.length !== count) {
    fail(`${count} inputs need 1 or ${count} input_shape, got ${net.inputShape.length}`);
  }
  return net.input.map((name, i) => {
    const shape = net.inputDim.length > 0
      ? net.inputDim.slice(4 * i, 4 * i + 4)
      : (net.inputShape[i] ?? net.inputShape[0])?.dim;
    return { name, shape, line: fields[i]?.line ?? line };
  });
}
