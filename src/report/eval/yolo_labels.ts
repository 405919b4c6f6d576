/**
 * Labels of detection data: YOLO txt files.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { Truth } from "./boxes.ts";

/** Lines `class cx cy w h`, fractions of the picture's size. */
export function parseYoloLabels(
  text: string,
  file: string,
  width: number,
  height: number,
): Truth[] {
  return text.split(/\r?\n/).flatMap((line, i): Truth[] => {
    if (line.trim() === "") return [];
    const v = line.trim().split(/\s+/).map(Number);
    const [label, cx, cy, w, h] = v;
    if (v.length < 5 || v.some((x) => !Number.isFinite(x))) {
      throw new BpuError("format", "a label line must be: class cx cy width height", {
        file,
        line: i + 1,
      });
    }
    return [{
      label: label!,
      box: [
        (cx! - w! / 2) * width,
        (cy! - h! / 2) * height,
        (cx! + w! / 2) * width,
        (cy! + h! / 2) * height,
      ],
    }];
  });
}
