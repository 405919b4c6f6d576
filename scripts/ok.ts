/**
 * Everything that must hold before a commit: formatting, lint, types, import direction, the committed
 * wasm rebuilt byte for byte, generated files up to date, tests with doc examples. The last line counts.
 *
 * @module
 */

const root = new URL("../", import.meta.url);

async function step(
  name: string,
  args: readonly string[],
  show = false,
): Promise<[boolean, string]> {
  const start = performance.now();
  const p = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const chunks: string[] = [];
  const drain = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      chunks.push(text);
      if (show) Deno.stderr.writeSync(new TextEncoder().encode(text));
    }
  };
  await Promise.all([drain(p.stdout), drain(p.stderr)]);
  const { code } = await p.status;
  const text = chunks.join("");
  if (code !== 0 && !show) console.error(text);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  return [code === 0, text];
}

const steps: [string, string[]][] = [
  ["format", ["fmt", "--check"]],
  ["lint", ["lint"]],
  ["types", ["check", "mod.ts", "cli/", "src/", "bench/", "scripts/"]],
  ["import direction", ["task", "check:deps"]],
  ["wasm rebuilds to the committed bytes", ["task", "build:wasm", "--check"]],
  ["generated protobuf code is up to date", ["task", "build:proto", "--check"]],
];
let passed = 0, failed = 0;
for (const [name, args] of steps) {
  const [ok] = await step(name, args);
  if (ok) passed++;
  else failed++;
}
const [ok, text] = await step("tests", ["task", "test"], true);
const count = /(\d+) passed(?: \([^)]*\))? \| (\d+) failed/g;
let tests = 0, broken = 0;
for (const m of text.matchAll(count)) {
  tests += Number(m[1]);
  broken += Number(m[2]);
}
passed += tests;
failed += broken;
if (!ok && broken === 0 || tests === 0) failed++;
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
