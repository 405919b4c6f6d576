/**
 * Builds core-as/ into core-as/build/*.wasm. `--check` rebuilds into a temporary folder and compares
 * the bytes with the committed files.
 *
 * Micro-kernels are built at level 0: Binaryen would otherwise sink the accumulator chains of an unrolled
 * tile and make V8 spill them. The modules share one memory, so each has its own data base.
 *
 * @module
 */

import { generateMicro } from "../core-as/gen/micro.ts";

const compiler = "npm:assemblyscript@0.28.20/asc";
const root = new URL("../core-as/", import.meta.url);

const modules = [
  { name: "core", entry: "index.ts", base: 1024, level: ["-O3"] },
  { name: "micro", entry: "micro/index.ts", base: 32768, level: ["--optimizeLevel", "0"] },
];

async function build(entry: string, base: number, level: string[], out: string): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), {
    cwd: root,
    args: [
      ...["run", "-A", compiler, entry, "-o", out, ...level],
      ...["--runtime", "stub", "--noAssert", "--use", "abort="],
      ...["--enable", "simd", "--enable", "relaxed-simd", "--enable", "threads"],
      ...["--enable", "bulk-memory", "--importMemory", "--sharedMemory", "--noExportMemory"],
      ...["--initialMemory", "2", "--maximumMemory", "65536", "--memoryBase", String(base)],
    ],
    stdout: "inherit",
    stderr: "inherit",
  });
  const { code } = await command.output();
  if (code !== 0) {
    console.error(`core-as/${entry} does not compile`);
    Deno.exit(1);
  }
}

const check = Deno.args.includes("--check");
const sources = generateMicro();
let different = 0;
for (const [name, text] of sources) {
  const file = new URL(`micro/${name}`, root);
  const old = await Deno.readTextFile(file).catch(() => "");
  if (old === text) continue;
  if (check) {
    console.error(`core-as/micro/${name} is not what core-as/gen makes`);
    different++;
  } else await Deno.writeTextFile(file, text);
}
const folder = check ? await Deno.makeTempDir() : new URL("build", root).pathname;
for (const m of modules) {
  const out = `${folder}/${m.name}.wasm`;
  await build(m.entry, m.base, m.level, out);
  const bytes = await Deno.readFile(out);
  if (!check) {
    console.log(`core-as/build/${m.name}.wasm: ${bytes.length} bytes`);
    continue;
  }
  const committed = await Deno.readFile(new URL(`build/${m.name}.wasm`, root));
  const equal = bytes.length === committed.length && bytes.every((b, i) => b === committed[i]);
  console.log(`core-as/build/${m.name}.wasm: ${equal ? "as built" : "DIFFERENT"}`);
  if (!equal) different++;
}
if (check) await Deno.remove(folder, { recursive: true });
if (different > 0) {
  console.error("Run `deno task build:wasm` and commit core-as/build.");
  Deno.exit(1);
}
