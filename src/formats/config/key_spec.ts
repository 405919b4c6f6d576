/**
 * What the schema says about one key. Validation, `docs/config.md`, the JSON Schema and the templates
 * are all made from these values.
 *
 * @module
 */

import type { ModelType } from "./types.ts";

/** The five groups. */
export type GroupName =
  | "model_parameters"
  | "input_parameters"
  | "calibration_parameters"
  | "compiler_parameters"
  | "custom_op";

/** How a value is read. */
export type ValueKind =
  | "path" // a file or folder, as written
  | "text" // any one word or line
  | "names" // names, separated by ;
  | "choice" // one of `values`
  | "choices" // several of `values`, separated by ;
  | "flag" // True or False
  | "integer"
  | "number"
  | "numbers" // numbers, separated by spaces or commas (one a channel)
  | "shape" // 1x3x224x224
  | "nodes" // node_info: a mapping, or n1:int16;n2:int16
  | "sources" // input_source: a mapping, or ddr;pyramid
  | "options" // optimization: separated by , or ;
  | "any"; // accepted and not read

/** What a condition may ask: the text of `group.key` where it is given, and the kind of model. */
export interface Lookup {
  text(group: GroupName, key: string): string | undefined;
  readonly modelType: ModelType;
}

/** When a key must be given: the condition in words and as a predicate. */
export interface Requirement {
  readonly when: string;
  readonly holds: (look: Lookup) => boolean;
}

/** One key of a config. */
export interface KeySpec {
  readonly group: GroupName;
  readonly name: string;
  readonly kind: ValueKind;
  /** One value an input, separated by `;`. */
  readonly perInput?: true;
  readonly values?: readonly string[];
  /** Other spellings of values that real files use. */
  readonly spellings?: readonly (readonly [written: string, meant: string])[];
  /** A near miss of a value is read with a warning: nothing but speed depends on this key. */
  readonly forgiving?: true;
  readonly min?: number;
  readonly max?: number;
  /** 0 is allowed although `min` is larger. */
  readonly orZero?: true;
  /** In words; absent: there is none. */
  readonly default?: string;
  readonly required?: Requirement;
  /** One line. */
  readonly doc: string;
  /** How it plays with other keys; one line. */
  readonly rule?: string;
  /** deprecated: read and merged into another key. other: a key of another tool generation. */
  readonly state?: "deprecated" | "other";
  /** Value in a template, as YAML. */
  readonly sample?: string;
}

/** `group.key`. */
export function keyPath(spec: KeySpec): string {
  return `${spec.group}.${spec.name}`;
}

/** What is allowed, in words: for messages and for the documentation. */
export function allowedText(spec: KeySpec): string {
  const many = spec.perInput === true ? " (one an input, separated by ;)" : "";
  switch (spec.kind) {
    case "choice":
      return `${spec.values!.join(", ")}${many}`;
    case "choices":
      return `${spec.values!.join(", ")} (separated by ;)`;
    case "flag":
      return "True, False";
    case "integer":
    case "number": {
      const what = spec.kind === "integer" ? "a whole number" : "a number";
      const zero = spec.orZero === true ? "0 or " : "";
      if (spec.min === undefined) return what;
      return spec.max === undefined
        ? `${zero}${what} from ${spec.min}`
        : `${zero}${what} from ${spec.min} to ${spec.max}`;
    }
    case "numbers":
      return "one number, or one a channel separated by spaces, or None" + many;
    case "shape":
      return "dimensions joined by x, for example 1x3x224x224" + many;
    case "path":
      return "a path" + many;
    case "names":
      return spec.perInput === true ? "input names, separated by ;" : "names, separated by ;";
    case "nodes":
      return "a mapping {\"node\": {'ON': 'BPU', 'InputType': 'int16', 'OutputType': 'int16'}}, or 'node:int16;node:int16'";
    case "sources":
      return `a mapping {"input": "ddr"} with the values ${spec.values!.join(", ")}`;
    case "options":
      return "options separated by , or ;";
    case "text":
      return "a word";
    case "any":
      return "anything";
  }
}
