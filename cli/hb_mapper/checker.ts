/**
 * `hb_mapper checker`: says what runs where, and why, before any data is at hand.
 *
 * @module
 */

import type { Command } from "../../src/deps.ts";
import { Option } from "../../src/deps.ts";
import { estimate, latencyLine } from "../../src/compile/estimate.ts";
import { sentenceOf } from "../../src/errors.ts";
import { checkModel } from "../../src/flow/check.ts";
import { version } from "../../src/flow/version.ts";
import { marchOf } from "../../src/march/mod.ts";
import { functionsOf } from "../../src/ops/functions.ts";
import { pythonNames, pythonShape } from "../../src/report/log_blocks.ts";
import { checkerTable } from "../../src/report/tables.ts";
import { createFloatEngine } from "../../src/run/float.ts";
import { collectPair, command } from "../app.ts";
import { loadModel, parseShape } from "../load_model.ts";
import { logPath, openLog } from "../log.ts";
import { logModel } from "./job.ts";

interface Flags {
  readonly modelType: "onnx" | "caffe";
  readonly march: string;
  readonly proto?: string;
  readonly model: string;
  readonly inputShape: ReadonlyMap<string, string>;
  readonly output?: string;
  readonly json?: boolean;
}

/** `hb_mapper checker`. */
export function checkerCommand(): Command {
  return command("checker", "Checks whether a model can be converted, and what runs on the BPU.")
    .addOption(
      new Option("--model-type <type>", "kind of the model").choices(["onnx", "caffe"])
        .makeOptionMandatory(),
    )
    .option("--march <march>", "bayes, bernoulli2 or bayes-e", "bayes")
    .option("--proto <prototxt>", "network description of a Caffe model")
    .requiredOption("--model <file>", "ONNX file or caffemodel")
    .option(
      "--input-shape <name and shape>",
      "shape of an input, like: data 1x3x224x224; repeat for each input",
      collectPair,
      new Map<string, string>(),
    )
    .option("--output <file>", "deprecated: the log is hb_mapper_checker.log")
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExample:\n  hb_mapper checker --model-type onnx --march bayes --model model.onnx " +
        "--input-shape data 1x3x224x224",
    )
    .action(async (flags: Flags) => {
      const log = openLog("hb_mapper_checker.log", flags.json === true);
      const engine = createFloatEngine({ workers: 0, functions: functionsOf });
      try {
        const march = marchOf(flags.march);
        log.info(`log will be stored in ${logPath("hb_mapper_checker.log")}`);
        log.info("Start hb_mapper....");
        log.info(`hb_mapper version ${version}`);
        log.info(`Model type: ${flags.modelType}`);
        if (flags.output !== undefined) {
          log.warning("--output is deprecated; the log is hb_mapper_checker.log");
        }
        const shapes = new Map(
          [...flags.inputShape].map(([name, text]) => [name, parseShape(text, name)]),
        );
        const model = await loadModel(
          {
            type: flags.modelType,
            model: flags.model,
            ...(flags.proto === undefined ? {} : { prototxt: flags.proto }),
          },
          shapes,
          (line) => log.info(line),
        );
        log.info(`march: ${march.name}`);
        log.info(`input names ${pythonNames([...shapes.keys()])}`);
        log.info(
          `input shapes {${[...shapes].map(([n, v]) => `'${n}': ${pythonShape(v)}`).join(", ")}}`,
        );
        log.info("Begin model checking....");
        logModel(model, flags.modelType, log);
        const start = performance.now();
        const checked = await checkModel(model, march, engine, (line) => log.info(line));
        log.info(`consumed time ${((performance.now() - start) / 1000).toFixed(3)}`);
        const cost = estimate(checked.conversion.program, march);
        log.info(latencyLine(cost, march));
        log.info("The converted model node information:");
        for (const line of checkerTable(checked.rows)) log.plain(line);
        const cpu = checked.rows.filter((r) => r.on === "CPU");
        for (const r of cpu) {
          if (r.reason === undefined) continue;
          log.plain(
            `${r.name} (${r.type}) runs on the CPU: ${r.reason}.` +
              (r.advice === undefined ? "" : ` To move it: ${r.advice}.`),
          );
        }
        log.info(`ONNX model output num : ${model.outputs.length}`);
        log.info("End model checking....");
        if (flags.json) {
          console.log(JSON.stringify({
            march: march.name,
            latency_us: cost.latencyUs,
            fps: cost.fps,
            nodes: checked.rows.map((r) => ({
              name: r.name,
              on: r.on,
              subgraph: r.subgraph ?? null,
              type: r.type,
              reason: r.reason ?? null,
              advice: r.advice ?? null,
            })),
          }));
        }
      } catch (error) {
        log.debug(`ERROR ${sentenceOf(error)}`);
        throw error;
      } finally {
        log.close();
        await engine.close();
      }
    });
}
