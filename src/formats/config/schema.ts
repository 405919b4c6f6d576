/**
 * The schema of a config: every key of the five groups, declared once.
 *
 * @module
 */

import type { GroupName, KeySpec } from "./key_spec.ts";
import { calibrationKeys, compilerKeys, customKeys } from "./keys_build.ts";
import { inputKeys } from "./keys_input.ts";
import { modelKeys } from "./keys_model.ts";

/** A group: its keys in the order of the documentation. */
export interface GroupSpec {
  readonly name: GroupName;
  readonly required: boolean;
  readonly title: string;
  readonly keys: readonly KeySpec[];
}

/** The five groups. custom_op may be absent; real files hardly ever have it. */
export const groups: readonly GroupSpec[] = [
  { name: "model_parameters", required: true, title: "The model", keys: modelKeys },
  { name: "input_parameters", required: true, title: "Its inputs", keys: inputKeys },
  {
    name: "calibration_parameters",
    required: true,
    title: "Calibration",
    keys: calibrationKeys,
  },
  { name: "compiler_parameters", required: true, title: "The compiler", keys: compilerKeys },
  { name: "custom_op", required: false, title: "Custom operators", keys: customKeys },
];

const byPath = new Map<string, KeySpec>();
for (const g of groups) for (const k of g.keys) byPath.set(`${g.name}.${k.name}`, k);

/** The declaration of `group.key`, or undefined. */
export function keySpec(group: GroupName, key: string): KeySpec | undefined {
  return byPath.get(`${group}.${key}`);
}

/** Every declared key. */
export function allKeys(): readonly KeySpec[] {
  return [...byPath.values()];
}
