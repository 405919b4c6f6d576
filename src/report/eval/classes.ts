/**
 * Classification figures.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";

/** Rows of labels.csv: file name -> class. */
export function parseLabels(text: string, file: string): Map<string, number> {
  const rows = text.split(/\r?\n/).filter((l) => l.trim() !== "").map((l) => l.split(","));
  const head = rows.shift()?.map((s) => s.trim()) ?? [];
  const name = head.indexOf("file"), label = head.indexOf("class_index");
  if (name < 0 || label < 0) {
    throw new BpuError("format", "the first line must name the columns file and class_index", {
      file,
    });
  }
  return new Map(rows.map((r, i): [string, number] => {
    const v = Number(r[label]);
    if (!Number.isInteger(v) || r[label]?.trim() === "") {
      throw new BpuError("format", `${JSON.stringify(r[label] ?? "")} is not a class index`, {
        file,
        line: i + 2,
      });
    }
    return [r[name]!.trim(), v];
  }));
}

/** Indices of the k largest values; among equal ones the lowest index comes first. */
export function topK(values: ArrayLike<number>, k: number): number[] {
  return Array.from({ length: values.length }, (_, i) => i)
    .sort((a, b) => values[b]! - values[a]! || a - b).slice(0, k);
}

/** Counts over pictures. */
export class Classes {
  pictures = 0;
  labelled = 0;
  top1 = 0;
  top5 = 0;
  compared = 0;
  agreed = 0;
  /** Correct for the reference. */
  referenceTop1 = 0;
  cosine = 0;

  /** Adds one picture: outputs of the model, of the reference, and the label, where known. */
  add(values: ArrayLike<number>, reference?: ArrayLike<number>, label?: number): void {
    this.pictures++;
    const five = topK(values, 5),
      best = reference === undefined ? undefined : topK(reference, 1)[0];
    if (label !== undefined) {
      this.labelled++;
      if (five[0] === label) this.top1++;
      if (five.includes(label)) this.top5++;
      if (best === label) this.referenceTop1++;
    }
    if (reference !== undefined) {
      this.compared++;
      if (best === five[0]) this.agreed++;
      let ab = 0, aa = 0, bb = 0;
      for (let i = 0; i < values.length; i++) {
        ab += values[i]! * reference[i]!;
        aa += values[i]! ** 2;
        bb += reference[i]! ** 2;
      }
      this.cosine += aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : aa === bb ? 1 : 0;
    }
  }
}
