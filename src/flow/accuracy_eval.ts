/**
 * Accuracy of a model on pictures, alone or paired with a reference model.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { decodePicture } from "../formats/image/mod.ts";
import type { Picture } from "../formats/image/mod.ts";
import type { Tensor } from "../ir/tensor.ts";
import { agreement, meanPrecision } from "../report/eval/boxes.ts";
import type { Detection, Truth } from "../report/eval/boxes.ts";
import { Classes } from "../report/eval/classes.ts";
import type { Decoder } from "../report/eval/decoders/mod.ts";
import type { PictureModel } from "./accuracy_model.ts";

/** Pictures, one after the other. */
export interface PictureSource {
  readonly count: number;
  /** Name of picture i, as in labels.csv. */
  name(i: number): string;
  read(i: number): Promise<Picture>;
}

/** Decodes picture files. */
export function pictureFiles(
  names: readonly string[],
  read: (name: string) => Promise<Uint8Array>,
): PictureSource {
  return {
    count: names.length,
    name: (i) => names[i]!,
    read: async (i) => (await decodePicture(await read(names[i]!), { file: names[i]! })).picture,
  };
}

/** Figures of {@linkcode evaluateClassification}; fractions of 1. */
export interface ClassificationResult {
  readonly pictures: number;
  readonly labelled: number;
  readonly top1: number | null;
  readonly top5: number | null;
  readonly reference: {
    readonly top1: number | null;
    /** Pictures for which both models name the same class. */
    readonly agreement: number;
    /** Mean cosine of the outputs. */
    readonly cosine: number;
  } | null;
}

const part = (n: number, of: number) => of === 0 ? null : n / of;

/** What both evaluations take. */
export interface EvaluateOptions {
  readonly reference?: PictureModel;
  progress?(done: number, total: number): void;
}

/** Top-1 and top-5 of the model's first output, and its agreement with a reference. */
export async function evaluateClassification(
  model: PictureModel,
  pictures: PictureSource,
  labels: ReadonlyMap<string, number>,
  labelOffset: number,
  o: EvaluateOptions = {},
): Promise<ClassificationResult> {
  const sums = new Classes();
  const values = (m: Map<string, Tensor>) => [...m.values()][0]!.data as Float32Array;
  for (let i = 0; i < pictures.count; i++) {
    const p = await pictures.read(i), label = labels.get(pictures.name(i));
    const got = values((await model.run(p)).outputs);
    const want = o.reference === undefined ? undefined : values((await o.reference.run(p)).outputs);
    if (want !== undefined && want.length !== got.length) {
      throw new BpuError(
        "shape",
        `the model has ${got.length} classes, the reference ${want.length}`,
      );
    }
    sums.add(got, want, label === undefined ? undefined : label + labelOffset);
    o.progress?.(i + 1, pictures.count);
  }
  return {
    pictures: sums.pictures,
    labelled: sums.labelled,
    top1: part(sums.top1, sums.labelled),
    top5: part(sums.top5, sums.labelled),
    reference: o.reference === undefined ? null : {
      top1: part(sums.referenceTop1, sums.labelled),
      agreement: sums.agreed / Math.max(1, sums.compared),
      cosine: sums.cosine / Math.max(1, sums.compared),
    },
  };
}

/** Figures of {@linkcode evaluateDetection}; fractions of 1. */
export interface DetectionResult {
  readonly pictures: number;
  readonly map50: number | null;
  readonly map: number | null;
  readonly reference: {
    readonly map50: number | null;
    readonly map: number | null;
    /** Of detections with a score of at least `score`, same class, IoU >= 0.5. */
    readonly f1: number;
    readonly iou: number;
    readonly matched: number;
    readonly missed: number;
    readonly extra: number;
  } | null;
}

/** Options of {@linkcode evaluateDetection}. */
export interface DetectionOptions extends EvaluateOptions {
  readonly decoder: Decoder;
  /** Smallest score of the F1 and IoU figures. */
  readonly score: number;
  /** Objects of picture i of this size; undefined where there are no labels. */
  truth?(i: number, width: number, height: number): Promise<readonly Truth[]>;
}

/** Mean average precision, and F1 and IoU against a reference. */
export async function evaluateDetection(
  model: PictureModel,
  pictures: PictureSource,
  o: DetectionOptions,
): Promise<DetectionResult> {
  const truth: (readonly Truth[])[] = [], found: Detection[][] = [], wanted: Detection[][] = [];
  const detect = async (m: PictureModel, p: Picture) => {
    const { outputs, placement } = await m.run(p);
    return o.decoder(outputs, { input: m.size, placement, score: 0.001 });
  };
  for (let i = 0; i < pictures.count; i++) {
    const p = await pictures.read(i);
    if (o.truth !== undefined) truth.push(await o.truth(i, p.width, p.height));
    found.push(await detect(model, p));
    if (o.reference !== undefined) wanted.push(await detect(o.reference, p));
    o.progress?.(i + 1, pictures.count);
  }
  const precision = (d: Detection[][]) =>
    o.truth === undefined ? { map50: null, map: null } : meanPrecision(truth, d);
  const own = precision(found);
  const theirs = o.reference === undefined ? undefined : precision(wanted);
  const match = agreement(wanted, found, o.score);
  return {
    pictures: pictures.count,
    map50: own.map50,
    map: own.map,
    reference: theirs === undefined ? null : {
      map50: theirs.map50,
      map: theirs.map,
      f1: match.f1,
      iou: match.iou,
      matched: match.matched,
      missed: match.missed,
      extra: match.extra,
    },
  };
}
