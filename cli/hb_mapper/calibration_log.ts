/**
 * What the log says about calibration samples, and `debug_mode: dump_calibration_data`.
 *
 * @module
 */

import type { CompleteConfig } from "../../src/formats/config/mod.ts";
import type { CalibrationSet } from "../../src/formats/data/mod.ts";
import { writeNpy } from "../../src/formats/npy/npy.ts";
import { fileSource, join, makeFolder, safeName, withTemporaries } from "../files.ts";
import type { Log } from "../log.ts";
import { progress } from "../log.ts";

const hex = (b: ArrayBuffer) =>
  [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, "0")).join("");

/** Files that the log names one by one; a longer list is cut. */
const NAMED = 100;

/** Logs the first sample, the files that are read, and their number. */
export async function logSamples(
  config: CompleteConfig,
  samples: CalibrationSet,
  log: Log,
): Promise<void> {
  for (const i of config.inputs) {
    const first = samples.files(0).get(i.name);
    if (first !== undefined) {
      log.info("*******************************************");
      log.info(`First calibration picture name: ${first.replace(/^.*[/\\]/, "")}`);
      const bytes = new Uint8Array(await fileSource.read(first));
      log.info(
        `First calibration picture sha256: ${hex(await crypto.subtle.digest("SHA-256", bytes))}`,
      );
      log.info("*******************************************");
    }
    for (let k = 0; k < Math.min(samples.count, NAMED); k++) {
      const file = samples.files(k).get(i.name);
      if (file !== undefined) log.debug(`Read raw file: ${file}`);
    }
    if (samples.count > NAMED) log.debug(`... and ${samples.count - NAMED} more files`);
    log.info(`input name: ${i.name},  number_of_samples: ${samples.count}`);
    log.info(`calibration data shape: (${i.shape.join(", ")})`);
  }
  log.info(`num of calibration data: ${samples.count}`);
}

/** Writes `calibration_data/<input>/<n>.npy` as the model takes it: whole, or not at all. */
export async function dumpSamples(
  config: CompleteConfig,
  samples: CalibrationSet,
  log: Log,
): Promise<void> {
  const dir = join(config.model.workingDir, "calibration_data");
  const temporary = `${dir}.tmp`;
  const show = progress("dump_calibration_data");
  await withTemporaries(async (announce) => {
    announce(temporary);
    await Deno.remove(temporary, { recursive: true }).catch(() => undefined);
    for (const i of config.inputs) await makeFolder(join(temporary, safeName(i.name)));
    for (let k = 0; k < samples.count; k++) {
      for (const [name, t] of await samples.sample(k)) {
        await Deno.writeFile(join(temporary, `${safeName(name)}/${k}.npy`), writeNpy(t));
      }
      show(k + 1, samples.count);
    }
    await Deno.remove(dir, { recursive: true }).catch(() => undefined);
    Deno.renameSync(temporary, dir);
  });
  log.info(`calibration data saved in ${dir}`);
}
