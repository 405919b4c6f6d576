/**
 * `deno task bench:targets`: each target with its figure from bench/results.json, met or missed.
 *
 * @module
 */

import { geomean, type Row } from "./measure.ts";

/** A target and how its figure comes from the rows; null without rows. */
export interface Target {
  readonly name: string;
  readonly least: number;
  figure(rows: readonly Row[]): number | null;
}

function ratios(rows: readonly Row[], kernel: string, competitor: string): number[] {
  return rows.filter((r) => r.kernel === kernel).flatMap((r) => r.ratios[competitor] ?? []);
}

function mean(kernel: string, competitor: string) {
  return (rows: readonly Row[]) => {
    const v = ratios(rows, kernel, competitor);
    return v.length === 0 ? null : geomean(v);
  };
}

function worst(kernel: string, competitor: string) {
  return (rows: readonly Row[]) => {
    const v = ratios(rows, kernel, competitor);
    return v.length === 0 ? null : Math.min(...v);
  };
}

export const targets: readonly Target[] = [
  {
    name: "dense int8 against onnxruntime-web u8, geomean",
    least: 2,
    figure: mean("dense", "ort-web u8"),
  },
  {
    name: "dense int8 against onnxruntime-web u8, worst shape",
    least: 1.2,
    figure: worst("dense", "ort-web u8"),
  },
  { name: "dense int8 against onnxruntime-web s8", least: 12, figure: mean("dense", "ort-web s8") },
  {
    name: "non-negative dense against onnxruntime-web u8",
    least: 2.8,
    figure: mean("denseNonNegative", "ort-web u8"),
  },
  {
    name: "depthwise against onnxruntime-web u8",
    least: 12,
    figure: mean("depthwise", "ort-web u8"),
  },
  {
    name: "MobileNetV2 graph against onnxruntime-web u8",
    least: 4,
    figure: mean("mobilenetv2", "ort-web u8"),
  },
  {
    name: "MobileNetV2 graph against onnxruntime-web s8",
    least: 12,
    figure: mean("mobilenetv2", "ort-web s8"),
  },
  {
    name: "MobileNetV2 graph against onnxruntime-web f32",
    least: 2.8,
    figure: mean("mobilenetv2", "ort-web f32"),
  },
  {
    name: "float dense against onnxruntime-web f32",
    least: 1.8,
    figure: mean("denseF32", "ort-web f32"),
  },
  {
    name: "float depthwise against onnxruntime-web f32",
    least: 4,
    figure: mean("depthwiseF32", "ort-web f32"),
  },
  {
    name: "real models on the float kernels against onnxruntime-web f32",
    least: 1.5,
    figure: mean("floatModel", "ort-web f32"),
  },
  {
    name: "two workers against one, layers over 3 ms",
    least: 1.7,
    figure: mean("twoWorkers", "one worker"),
  },
  {
    name: "KL search against the naive search, same argmin",
    least: 6,
    figure: mean("klThreshold", "naive"),
  },
  {
    name: "memory-bound kernels at 64 MB, share of memory.copy traffic, worst",
    least: 0.7,
    figure: worst("memory64MB", "memory.copy traffic"),
  },
  {
    name: "NV12 to RGB against plain TypeScript",
    least: 8,
    figure: mean("nv12ToRgb", "TypeScript"),
  },
];

/** Figure and verdict per target. */
export function summary(
  rows: readonly Row[],
): { target: string; least: number; figure: number | null; met: boolean }[] {
  return targets.map((t) => {
    const figure = t.figure(rows);
    return {
      target: t.name,
      least: t.least,
      figure: figure === null ? null : Number(figure.toPrecision(3)),
      met: figure !== null && figure >= t.least,
    };
  });
}

if (import.meta.main) {
  const text = await Deno.readTextFile(new URL("results.json", import.meta.url)).catch(() => null);
  if (text === null) {
    console.error("bench/results.json is missing. Run `deno task bench` first.");
    Deno.exit(1);
  }
  const { rows } = JSON.parse(text) as { rows: Row[] };
  for (const s of summary(rows)) {
    const verdict = s.figure === null ? "not measured" : s.met ? "met" : "MISSED";
    console.log(
      `${verdict.padEnd(13)} ${
        String(s.figure ?? "-").padStart(7)
      } (at least ${s.least})  ${s.target}`,
    );
  }
}
