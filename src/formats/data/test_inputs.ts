/**
 * Inputs and folders for tests.
 *
 * @module
 */

import type { CompleteInput } from "../config/types.ts";
import type { FileSource } from "./source.ts";

/** An input with defaults: rgb for nv12, NCHW, float32 data in `cal`. */
export function input(values: Partial<CompleteInput> = {}): CompleteInput {
  return {
    name: "data",
    shape: [1, 3, 4, 6],
    typeTrain: "rgb",
    typeRt: "nv12",
    layoutTrain: "NCHW",
    layoutRt: undefined,
    spaceAndRange: "regular",
    norm: { type: "no_preprocess", mean: [], scale: [] },
    calDataDir: "cal",
    calDataType: "float32",
    calDataTypeGiven: true,
    inputSource: "pyramid",
    inputSourceGiven: false,
    ...values,
  };
}

/** A folder tree in memory. Reading what is not there throws, as a file system does. */
export function memory(
  files: Readonly<Record<string, Uint8Array>>,
): FileSource & { reads: string[] } {
  const entries = new Map(Object.entries(files));
  const reads: string[] = [];
  return {
    reads,
    list(dir) {
      const inside = [...entries.keys()].filter((p) => p.startsWith(`${dir}/`))
        .map((p) => p.slice(dir.length + 1).split("/")[0]!);
      if (inside.length === 0 && !dir.startsWith("empty")) throw new Error(`no such folder ${dir}`);
      return Promise.resolve([...new Set(inside)].reverse());
    },
    read(path) {
      reads.push(path);
      const found = entries.get(path);
      if (found === undefined) throw new Error(`${path} is a folder`);
      return Promise.resolve(found);
    },
  };
}
