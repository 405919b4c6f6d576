/**
 * `hrt_model_exec perf`: latency and frame rate on this host.
 *
 * @module
 */

import type { Command } from "../../src/deps.ts";
import { readBin } from "../../src/container/bin.ts";
import { tensorsOf } from "../../src/container/tensors.ts";
import { BpuError, sentenceOf } from "../../src/errors.ts";
import { version } from "../../src/flow/version.ts";
import { measure, measureThreads, perfWorker } from "../../src/run/perf.ts";
import type { RunFlags } from "./common.ts";
import { parseCount } from "../values.ts";
import type { Perf } from "../../src/run/perf.ts";
import { Profile, profileCsv, profileLog } from "../../src/run/profile.ts";
import { command } from "../app.ts";
import { writeFiles } from "../files.ts";
import { readOperatorFiles } from "../custom_op_files.ts";
import {
  chooseModel,
  customEngine,
  headLines,
  inputFeeds,
  openFiles,
  splitFiles,
  withRunFlags,
} from "./common.ts";

interface Flags extends RunFlags {
  readonly model_file: string;
  readonly model_name?: string;
  readonly input_file?: string;
  readonly frame_count: number;
  readonly perf_time: number;
  readonly thread_num: number;
  readonly profile_path?: string;
  readonly json?: boolean;
}

const six = (v: number) => v.toFixed(6);

const frameLine = (p: Perf) =>
  `Frame count: ${p.frames},  Thread Average: ${six(p.average)} ms,  thread max latency: ${
    six(p.max)
  } ms,  thread min latency: ${six(p.min)} ms,  FPS: ${six(p.fps)}`;

function resultLines(p: Perf): string[] {
  return [
    "",
    "Running condition:",
    `  Thread number is: ${p.threads}`,
    `  Frame count   is: ${p.frames}`,
    `  Program run time: ${six(p.runTime)} ms`,
    "Perf result:",
    `  Frame totally latency is: ${six(p.total)} ms`,
    `  Average    latency    is: ${six(p.average)} ms`,
    `  Frame      rate       is: ${six(p.fps)} FPS`,
  ];
}

/** A Worker is loaded from a file of bpukit, which takes read access where that file is local. */
async function mayStartWorkers(): Promise<void> {
  if (perfWorker.protocol !== "file:") return;
  const { state } = await Deno.permissions.query({ name: "read", path: perfWorker });
  if (state === "granted") return;
  throw new BpuError("runtime", "Deno was not allowed to read bpukit's own folder", {
    hint: "Add it to --allow-read for several threads.",
  });
}

async function run(flags: Flags): Promise<void> {
  const say = (line: string) => flags.json === true || console.log(line);
  const start = performance.now();
  const all = await openFiles(flags.model_file);
  const member = chooseModel(all, flags.model_name);
  const { info } = await readBin(member.bytes, member.file);
  const feeds = await inputFeeds(
    tensorsOf(info, member.file).inputs,
    splitFiles(flags.input_file),
    flags,
  );
  if (flags.profile_path !== undefined && flags.thread_num !== 1) {
    throw new BpuError("usage", "--profile_path works with one thread", {
      hint: "Leave --thread_num out: threads would stand in each other's times.",
    });
  }
  const profile = flags.profile_path === undefined ? undefined : new Profile();
  for (const l of headLines(all, version, performance.now() - start)) say(l);
  console.error("NOTE these are times of the bpukit runtime on this host, not of a BPU");
  // As in the original, a time limit replaces the number of frames.
  const limit = flags.perf_time > 0
    ? { frames: Infinity, time: flags.perf_time * 60_000 }
    : { frames: flags.frame_count, time: Infinity };
  const engine = await customEngine(flags.custom_op);
  try {
    const alone = async () => {
      let last = 0;
      const perf = await measure(member, undefined, feeds, limit, engine, (p) => {
        last = p.frames;
        say(frameLine(p));
      }, profile);
      if (perf.frames !== last) say(frameLine(perf));
      return perf;
    };
    let perf: Perf;
    if (flags.thread_num === 1) perf = await alone();
    else {
      try {
        await mayStartWorkers();
        perf = await measureThreads(
          {
            source: { file: member.file, bytes: member.bytes },
            name: undefined,
            feeds,
            limit,
            ...(flags.custom_op === undefined
              ? {}
              : { custom: await readOperatorFiles(flags.custom_op) }),
          },
          flags.thread_num,
        );
        say(frameLine(perf));
      } catch (error) {
        console.error(`WARNING one thread is used: ${sentenceOf(error)}`);
        perf = await alone();
      }
    }
    for (const l of resultLines(perf)) say(l);
    const written = profile === undefined ? [] : await writeFiles(
      flags.profile_path!,
      new Map([
        ["profiler.log", new TextEncoder().encode(profileLog(member.name, profile.rows))],
        ["profiler.csv", new TextEncoder().encode(profileCsv(profile.rows))],
      ]),
    );
    for (const w of written) say(`profile saved in ${w}`);
    if (flags.json) {
      console.log(JSON.stringify({
        model: member.name,
        threads: perf.threads,
        frames: perf.frames,
        run_time_ms: perf.runTime,
        total_latency_ms: perf.total,
        average_latency_ms: perf.average,
        min_latency_ms: perf.min,
        max_latency_ms: perf.max,
        fps: perf.fps,
        ...(profile === undefined ? {} : { files: written, nodes: profile.rows }),
      }));
    }
  } finally {
    await engine.close();
  }
}

/** `hrt_model_exec perf`. */
export function perfCommand(): Command {
  return withRunFlags(
    command("perf", "Measures latency and frame rate of a model on this host.")
      .requiredOption("--model_file <files>", "one or several .bin files, separated by ,")
      .option("--model_name <name>", "one of several models")
      .option("--input_file <files>", "a file an input, separated by , (default: random data)")
      .option("--frame_count <n>", "number of frames", parseCount("--frame_count", 1), 200)
      .option("--perf_time <minutes>", "run so long instead", parseCount("--perf_time", 0), 0)
      .option("--thread_num <n>", "threads, 1 to 64", (text) => {
        const n = parseCount("--thread_num", 1)(text);
        return Math.min(n, 64);
      }, 1)
      .option(
        "--profile_path <dir>",
        "folder for profiler.log and profiler.csv: the time of every node (one thread)",
      ),
  )
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExample:\n  hrt_model_exec perf --model_file model.bin --frame_count 200 --thread_num 2",
    )
    .action(run);
}
