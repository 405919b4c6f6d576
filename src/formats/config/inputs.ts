/**
 * input_parameters and the per-input keys of the other groups, as one list of inputs.
 *
 * @module
 */

import { checkSpace, type MarchLimits, refuseShape, refuseTypes } from "./input_rules.ts";
import { type GroupName, keyPath } from "./key_spec.ts";
import { asMap } from "./node_info.ts";
import { isAbsent, type Item, quote, type Reader } from "./reader.ts";
import { groups, keySpec } from "./schema.ts";
import type {
  CalDataType,
  InputConfig,
  InputSource,
  Layout,
  NormType,
  RuntimeType,
  SpaceAndRange,
  TrainType,
} from "./types.ts";

const INPUT: GroupName = "input_parameters";
const CALIBRATION: GroupName = "calibration_parameters";
const COMPILER: GroupName = "compiler_parameters";

/** Keys whose single value may hold for all inputs. */
const SHARED = new Set([
  "input_type_train",
  "input_layout_train",
  "input_type_rt",
  "input_layout_rt",
  "input_space_and_range",
  "norm_type",
  "mean_value",
  "scale_value",
  "std_value",
  "cal_data_type",
]);

/** Keys whose `;` some authors put between channels. */
const CHANNELS = new Set(["mean_value", "scale_value", "std_value"]);

/** What {@linkcode readInputs} returns. */
export interface InputsRead {
  readonly inputs: InputConfig[];
  /** input_source by input name, for inputs whose name the yaml does not give. */
  readonly sources: ReadonlyMap<string, InputSource>;
}

/** Reads all inputs; problems go to the reader's issues. */
export function readInputs(reader: Reader, limits: MarchLimits, wantsData: boolean): InputsRead {
  const n = countInputs(reader);
  const column = new Map<string, readonly (Item | undefined)[]>();
  for (const g of groups) {
    for (const k of g.keys) {
      if (k.perInput === true) column.set(k.name, expand(reader, k.group, k.name, n));
    }
  }
  const cell = (key: string, i: number) => column.get(key)?.[i];
  const { sources, positional } = readSources(reader, n);
  const inputs: InputConfig[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < n; i++) {
    const name = cell("input_name", i)?.text;
    if (name !== undefined && seen.has(name)) {
      reader.wrong(
        INPUT,
        "input_name",
        cell("input_name", i)!.at,
        `${quote(name)} stands twice`,
      );
    }
    if (name !== undefined) seen.add(name);
    inputs.push(
      readInput(reader, limits, wantsData, (key) => cell(key, i), name, (rt) => {
        const given = (name === undefined ? undefined : sources.get(name)) ?? positional?.[i] ??
          sources.get("_default_value");
        return given ?? defaultSource(rt);
      }, (name !== undefined && sources.has(name)) || positional?.[i] !== undefined),
    );
  }
  for (const name of sources.keys()) {
    if (name === "_default_value" || seen.size < n || seen.has(name)) continue;
    reader.wrong(
      COMPILER,
      "input_source",
      reader.at(COMPILER, "input_source"),
      `${quote(name)} is not one of the inputs ${[...seen].join(", ")}`,
    );
  }
  return { inputs, sources };
}

/** Where an input comes from when the yaml does not say. */
export function defaultSource(rt: RuntimeType): InputSource {
  return rt === "nv12" || rt === "gray" ? "pyramid" : "ddr";
}

function countInputs(reader: Reader): number {
  const names = reader.items(INPUT, "input_name", ";", false);
  if (names !== undefined) return Math.max(1, names.items.length);
  let n = 1;
  for (const g of groups) {
    for (const k of g.keys) {
      if (k.perInput !== true || CHANNELS.has(k.name)) continue;
      const items = reader.items(k.group, k.name, ";", false);
      if (items === undefined) continue;
      // [1, 3, 224, 224] is one shape, not four.
      if (k.kind === "shape" && items.items.every((i) => /^(-?\d+|\?)$/.test(i.text))) continue;
      n = Math.max(n, items.items.length);
    }
  }
  return n;
}

/** The values of one key, one an input. */
function expand(
  reader: Reader,
  group: GroupName,
  key: string,
  n: number,
): readonly (Item | undefined)[] {
  const read = reader.items(group, key);
  const none: (Item | undefined)[] = new Array(n).fill(undefined);
  if (read === undefined) return none;
  let items: Item[] = [...read.items];
  const numeric = items.length > 1 && items.every((i) => /^[-+\d.eE?]+$/.test(i.text));
  if (items.length !== n && numeric && (CHANNELS.has(key) || key === "input_shape" && read.list)) {
    const joined = items.map((i) => i.text).join(key === "input_shape" ? "x" : " ");
    if (!read.list) {
      reader.issues.warn(
        `${group}.${key}`,
        read.at,
        `; separates inputs; these ${items.length} values are read as the channels of one input`,
      );
    }
    items = [{ text: joined, at: read.at }];
  }
  if (items.length === n - 1 && read.trailing) items.push({ text: "", at: read.at });
  if (items.length === 1 && n > 1 && SHARED.has(key)) {
    reader.issues.warn(
      `${group}.${key}`,
      read.at,
      `one value for ${n} inputs; it is used for all of them`,
    );
    return none.fill(isAbsent(items[0]!.text) ? undefined : items[0]);
  }
  if (items.length !== n) {
    const values = items.length === 1 ? "1 value" : `${items.length} values`;
    reader.wrong(
      group,
      key,
      read.at,
      `${values} for ${n === 1 ? "1 input" : `${n} inputs`}`,
    );
    return none;
  }
  return items.map((i) => isAbsent(i.text) ? undefined : i);
}

/** Reads input_source: a mapping by name, or values in the order of the inputs. */
function readSources(
  reader: Reader,
  n: number,
): { sources: Map<string, InputSource>; positional?: readonly (InputSource | undefined)[] } {
  const sources = new Map<string, InputSource>();
  const node = reader.node(COMPILER, "input_source");
  if (node === undefined) return { sources };
  const map = asMap(node);
  if (map !== undefined) {
    for (const e of map.entries) {
      if (e.value.kind !== "scalar") {
        reader.wrong(COMPILER, "input_source", e.value.at, `${quote(e.key)} takes one word`);
        continue;
      }
      if (isAbsent(e.value.text.trim())) continue;
      const item = { text: e.value.text.trim(), at: e.value.at };
      const source = reader.choose(COMPILER, "input_source", item) as InputSource | undefined;
      if (source !== undefined) sources.set(e.key, source);
    }
    return { sources };
  }
  const items = reader.items(COMPILER, "input_source")!.items;
  const read = items.map((i) =>
    isAbsent(i.text) ? undefined : reader.choose(COMPILER, "input_source", i) as InputSource
  );
  if (read.length === 1) return { sources, positional: new Array(n).fill(read[0]) };
  if (read.length !== n) {
    reader.wrong(
      COMPILER,
      "input_source",
      node.at,
      `${read.length} values for ${n === 1 ? "1 input" : `${n} inputs`}`,
    );
    return { sources };
  }
  return { sources, positional: read };
}

type Cell = (key: string) => Item | undefined;

function readInput(
  reader: Reader,
  limits: MarchLimits,
  wantsData: boolean,
  cell: Cell,
  name: string | undefined,
  source: (rt: RuntimeType) => InputSource,
  sourceGiven: boolean,
): InputConfig {
  const choose = (key: string, group = INPUT) => {
    const item = cell(key);
    return item === undefined ? undefined : reader.choose(group, key, item);
  };
  const need = (key: string) => {
    const value = choose(key);
    if (value === undefined && cell(key) === undefined && reader.text(INPUT, key) !== undefined) {
      reader.wrong(INPUT, key, reader.at(INPUT, key), "an input has no value");
    }
    return value;
  };
  const train = need("input_type_train") as TrainType | undefined;
  const rt = need("input_type_rt") as RuntimeType | undefined;
  const layoutTrain = (need("input_layout_train") ?? "NCHW") as Layout;
  const layoutRt = choose("input_layout_rt") as Layout | undefined;
  const space = (choose("input_space_and_range") ?? "regular") as SpaceAndRange;
  const shapeItem = cell("input_shape");
  const shape = shapeItem === undefined ? undefined : reader.shape(INPUT, "input_shape", shapeItem);
  if (train !== undefined && rt !== undefined) {
    const refused = refuseTypes(train, rt);
    if (refused !== undefined) {
      reader.wrong(INPUT, "input_type_rt", cell("input_type_rt")!.at, refused);
    }
    const found = checkSpace(space, train, rt);
    const at = cell("input_space_and_range")?.at;
    if (found?.severity === "error") {
      reader.wrong(INPUT, "input_space_and_range", at, found.message);
    }
    if (found?.severity === "warning") {
      reader.issues.warn(`${INPUT}.input_space_and_range`, at, found.message);
    }
    const bad = shape === undefined || refused !== undefined
      ? undefined
      : refuseShape(shape, layoutTrain, train, rt);
    if (bad !== undefined) reader.wrong(INPUT, "input_shape", shapeItem!.at, bad);
  }
  if (rt === "yuv444" && layoutRt === "NCHW" && !limits.yuv444Nchw) {
    reader.wrong(
      INPUT,
      "input_layout_rt",
      cell("input_layout_rt")!.at,
      "yuv444 in NCHW is not supported on this march, use NHWC",
    );
  }
  const norm = readNorm(reader, cell, shape, rt);
  const dir = cell("cal_data_dir");
  if (wantsData && dir === undefined && reader.text(CALIBRATION, "cal_data_dir") !== undefined) {
    reader.wrong(
      CALIBRATION,
      "cal_data_dir",
      reader.at(CALIBRATION, "cal_data_dir"),
      `input ${name === undefined ? "" : quote(name)} has no folder`.replace("  ", " "),
    );
  }
  const calDataType = choose("cal_data_type", CALIBRATION) as CalDataType | undefined;
  const runtime = rt ?? "featuremap";
  const inputSource = source(runtime);
  if (inputSource !== "ddr" && runtime !== "nv12" && runtime !== "gray" && rt !== undefined) {
    const at = reader.at(COMPILER, "input_source");
    const message = `${inputSource} delivers nv12 and gray only, input_type_rt is ${runtime}`;
    if (inputSource === "resizer") reader.wrong(COMPILER, "input_source", at, message);
    else reader.issues.warn(`${COMPILER}.input_source`, at, message);
  }
  return {
    name,
    shape,
    typeTrain: train ?? "featuremap",
    typeRt: runtime,
    layoutTrain,
    layoutRt,
    spaceAndRange: runtime === "nv12" ? space : "regular",
    norm,
    calDataDir: dir?.text,
    calDataType: calDataType ?? typeOfFolder(dir?.text),
    calDataTypeGiven: calDataType !== undefined,
    inputSource,
    inputSourceGiven: sourceGiven,
  };
}

/** Element type by the folder's name: `_f32` at the end is float32, else uint8. */
export function typeOfFolder(dir: string | undefined): CalDataType {
  return dir !== undefined && dir.replace(/[\\/]+$/, "").endsWith("_f32") ? "float32" : "uint8";
}

function readNorm(
  reader: Reader,
  cell: Cell,
  shape: readonly number[] | undefined,
  rt: RuntimeType | undefined,
): InputConfig["norm"] {
  const item = cell("norm_type");
  const type = (item === undefined ? undefined : reader.choose(INPUT, "norm_type", item)) ??
    "no_preprocess";
  if (
    type !== "no_preprocess" && rt === "featuremap" && shape !== undefined && shape.length !== 4
  ) {
    reader.wrong(
      INPUT,
      "norm_type",
      item?.at,
      `a featuremap with ${shape.length} dimensions takes no_preprocess only`,
    );
  }
  const mean = readChannels(reader, cell, "mean_value", type.includes("mean"), type);
  let scale = readChannels(reader, cell, "scale_value", type.includes("scale"), type);
  if (scale.length === 0 && type.includes("scale") && cell("std_value") !== undefined) {
    const std = reader.numbers(INPUT, "std_value", cell("std_value")!) ?? [];
    if (std.some((s) => s === 0)) {
      reader.wrong(INPUT, "std_value", cell("std_value")!.at, "0 has no inverse");
    }
    scale = std.map((s) => 1 / s);
  }
  if (
    scale.length === 0 && type.includes("scale") && cell("scale_value") === undefined &&
    cell("std_value") === undefined && reader.text(INPUT, "scale_value") !== undefined
  ) {
    missingValue(reader, "scale_value", type);
  }
  if (
    mean.length === 0 && type.includes("mean") && cell("mean_value") === undefined &&
    reader.text(INPUT, "mean_value") !== undefined
  ) {
    missingValue(reader, "mean_value", type);
  }
  if (scale.some((s) => s === 0)) {
    reader.issues.warn(
      `${INPUT}.scale_value`,
      cell("scale_value")?.at,
      "a scale of 0 makes the input constant",
    );
  }
  return { type: type as NormType, mean, scale };
}

/** Numbers of one input; given but unused values are reported. */
function readChannels(
  reader: Reader,
  cell: Cell,
  key: string,
  used: boolean,
  type: string,
): readonly number[] {
  const item = cell(key);
  if (item === undefined) return [];
  const numbers = reader.numbers(INPUT, key, item) ?? [];
  if (used || numbers.length === 0) return numbers;
  const neutral = key === "mean_value" ? 0 : 1;
  if (numbers.some((v) => v !== neutral)) {
    const want = key === "mean_value" ? "data_mean" : "data_scale";
    reader.issues.warn(
      keyPath(keySpec(INPUT, key)!),
      item.at,
      `the value is not used because norm_type is ${type}; ${want} or data_mean_and_scale uses it`,
    );
  }
  return [];
}

function missingValue(reader: Reader, key: string, type: string): void {
  reader.wrong(INPUT, key, reader.at(INPUT, key), `an input with norm_type ${type} has no value`);
}
