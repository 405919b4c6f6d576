import { deepStrictEqual as equal, match, ok, rejects } from "node:assert/strict";
import { BpuError } from "../src/errors.ts";
import { makeModel } from "../src/flow/testing.ts";
import { loadOnnx } from "../src/formats/onnx/load.ts";
import { saveOnnx } from "../src/formats/onnx/save.ts";
import { f32 } from "../src/ir/tensor.ts";
import { functionsOf } from "../src/ops/functions.ts";
import { parseAddress } from "./hb_verifier.ts";
import { connectBoard } from "../src/run/board.ts";
import type { BoardOptions } from "../src/run/board.ts";
import { fromRuntimeBytes, randomRuntimeBytes } from "../src/run/runtime_input.ts";
import { openPair, runBoard } from "../src/run/verify.ts";
import { missing, script, startBoard } from "./board_server.ts";
import { inFolder, runTool } from "./testing.ts";

const plain = (text: string) => text.replace(/^\S+ \S+ /gm, "");

async function small(m: Parameters<typeof makeModel>[0] = {}) {
  const made = await makeModel(m);
  return new Map<string, Uint8Array | string>([
    ["q.onnx", made.get("small_quantized_model.onnx")!],
    ["m.bin", made.get("small.bin")!],
  ]);
}

Deno.test("hb_verifier: simulator against stock onnxruntime-web, outputs and all nodes", async () => {
  await inFolder(await small({ typeRt: "nv12", softmax: true }), async (dir) => {
    const verify = (...args: string[]) =>
      runTool("hb_verifier", [`--allow-read=${dir}`], ["-m", "q.onnx,m.bin", ...args], dir);
    const r = await verify("-s", "True", "-r", "True");
    equal(r.code, 0, r.err);
    match(plain(r.out), /\nINFO Quanti\.onnx and Sim result Strict check PASSED\n$/);
    match(r.out, /Quanti\.onnx VS Sim: [5-9] tensors of equal name compared, 0 differ/);
    await Deno.writeFile(`${dir}/x.bin`, Uint8Array.from({ length: 96 }, (_, i) => i));
    for (const i of ["x.bin", "data:x.bin"]) equal((await verify("-s", "1", "-i", i)).code, 0);
    equal((await verify("-s", "1", "-i", "x.bin,x.bin")).code, 2);
    equal((await verify()).code, 2);
    equal((await verify("-s", "maybe")).code, 2);
  });
});

Deno.test("hb_verifier: a difference is reported as in the original, with an exit code", async () => {
  const files = await small();
  const graph = loadOnnx(files.get("q.onnx") as Uint8Array);
  const scale = graph.constants.get("y_HzDequantize_scale")!;
  const wrong = f32(scale.shape, Float32Array.from(scale.data as Float32Array, (v) => v * 2));
  const other = { ...graph, constants: new Map([...graph.constants, [scaleName, wrong]]) };
  files.set("q.onnx", saveOnnx(other, { functions: functionsOf(other) }));
  await inFolder(files, async (dir) => {
    const r = await runTool(
      "hb_verifier",
      [`--allow-read=${dir}`],
      ["-m", "m.bin,q.onnx", "-s", "True", "-c", "4"],
      dir,
    );
    equal(r.code, 12);
    const lines = plain(r.out).trim().split("\n").map((l) => l.replace(/^INFO /, ""));
    equal(lines.slice(1, 3).map((l) => l.replace(/\d+$/, "N")), [
      "compare source: Quanti.onnx VS Sim",
      "mismatch result num: N",
    ]);
    match(r.out, /mismatch\.line_miss num: 0\n.*mismatch\.line_diff num: \d+\n/);
    match(
      r.out,
      /total result num: 320\n.*mismatch rate: 1\.0\n.*relative mismatch ratio: 0\.5\n/,
    );
    match(plain(r.err), /^WARNING Quanti\.onnx and Sim result Strict check FAILED\n/);
    match(r.err, /ERROR the results differ: Quanti\.onnx VS Sim/);
  });
});
const scaleName = "y_HzDequantize_scale";

Deno.test("hb_verifier: removed Dequantize nodes are fine, others are refused", async () => {
  await inFolder(await small({ softmax: true }), async (dir) => {
    const access = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    await runTool("hb_model_modifier", access, ["m.bin", "-r", "prob", "-o", "c.bin"], dir);
    const r = await runTool("hb_verifier", access, ["-m", "q.onnx,c.bin", "-s", "1"], dir);
    equal(r.code, 9);
    match(r.err, /the Softmax node prob was removed at output y;/);
  });
  await inFolder(await small(), async (dir) => {
    const access = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    await runTool("hb_model_modifier", access, ["m.bin", "-a", "Dequantize", "-o", "c.bin"], dir);
    const r = await runTool(
      "hb_verifier",
      access,
      ["-m", "q.onnx,c.bin", "-s", "1", "--json"],
      dir,
    );
    equal(r.code, 0, r.err);
    equal(JSON.parse(r.out).comparisons[0].max_abs_error, 0);
  });
});

Deno.test("a board gets the custom operators, and the folder goes away", async () => {
  const files = await small();
  const pair = await openPair(
    { file: "q.onnx", bytes: files.get("q.onnx") as Uint8Array },
    { file: "m.bin", bytes: files.get("m.bin") as Uint8Array },
  );
  const t = pair.inputs[0]!;
  const feeds = new Map([[t.name, fromRuntimeBytes(randomRuntimeBytes(t, 0), t, "x")]]);
  const commands: string[] = [], uploads: string[] = [];
  const text = (out: string) => ({ code: 0, stdout: new TextEncoder().encode(out), stderr: "" });
  await runBoard(
    pair,
    feeds,
    {
      exec(command) {
        commands.push(command);
        return Promise.resolve(text(command.startsWith("mktemp") ? "/tmp/x" : "/bin/hrt"));
      },
      upload(path) {
        uploads.push(path);
        return Promise.resolve();
      },
      download: () => Promise.resolve(new Uint8Array(1280)),
      close: () => undefined,
    },
    false,
    [
      { file: "my/op.ts", bytes: new Uint8Array(3) },
      { file: "other/op.ts", bytes: new Uint8Array(3) },
    ],
  );
  equal(uploads.filter((u) => u.includes("op_")), ["/tmp/x/op_0/op.ts", "/tmp/x/op_1/op.ts"]);
  const infer = commands.find((c) => c.includes("hrt_model_exec infer"))!;
  match(infer, /--custom_op='?\/tmp\/x\/op_0\/op\.ts,\/tmp\/x\/op_1\/op\.ts'?$/);
  match(commands.at(-1)!, /^rm -rf '?\/tmp\/x'?$/);
});

Deno.test("addresses of boards", () => {
  equal(parseAddress("10.0.0.2"), { host: "10.0.0.2", port: 22 });
  equal(parseAddress("board.local:2222"), { host: "board.local", port: 2222 });
  equal(parseAddress("[fe80::1]:24"), { host: "fe80::1", port: 24 });
  equal(parseAddress("fe80::1"), { host: "fe80::1", port: 22 });
});

if (missing !== undefined) console.log(`hb_verifier on a board: 2 tests skipped, ${missing}`);

const hrt = (dir: string) =>
  `exec ${Deno.execPath()} run --quiet --no-prompt --allow-read --allow-write=/tmp,${dir} ` +
  `${new URL("hrt_model_exec.ts", import.meta.url).pathname} "$@"`;

Deno.test({
  name: "hb_verifier compares all three on a board behind a real OpenSSH server",
  ignore: missing !== undefined,
  async fn() {
    await inFolder(await small({ typeRt: "nv12", softmax: true }), async (dir) => {
      const board = await startBoard(dir);
      try {
        await script(`${dir}/bin/hrt_model_exec`, hrt(dir));
        const verify = (...args: string[]) =>
          runTool("hb_verifier", [`--allow-read=${dir}`, `--allow-net=127.0.0.1:${board.port}`], [
            ...["-m", "q.onnx,m.bin", "-b", `127.0.0.1:${board.port}`, "-u", board.user],
            ...["--known-hosts", "known_hosts", ...args],
          ], dir);
        const all = await verify("--identity", "user_key", "-s", "True", "-r", "True");
        equal(all.code, 0, all.err);
        for (const pair of ["Quanti.onnx and Sim", "Quanti.onnx and Arm", "Sim and Arm"]) {
          ok(all.out.includes(`${pair} result Strict check PASSED`), all.out);
        }
        match(all.out, /Quanti\.onnx VS Arm: [5-9] tensors of equal name compared, 0 differ/);

        const wrong = await verify("-p", "surely not the password");
        equal(wrong.code, 12);
        match(wrong.err, /^ERROR the board .* refused the login of .*Check -u and -p.*\n$/);
      } finally {
        await board.stop();
      }
    });
  },
});

Deno.test({
  name: "a board that fails: one sentence for every way",
  ignore: missing !== undefined,
  async fn() {
    await inFolder(await small(), async (dir) => {
      const server = await startBoard(dir);
      const text = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
      const options: BoardOptions = {
        host: "127.0.0.1",
        port: server.port,
        user: server.user,
        privateKeys: [text("user_key")],
        knownHosts: text("known_hosts"),
        timeout: 60_000,
      };
      const read = (file: string) => ({ file, bytes: Deno.readFileSync(`${dir}/${file}`) });
      const pair = await openPair(read("q.onnx"), read("m.bin"));
      const t = pair.inputs[0]!;
      const feeds = new Map([[t.name, fromRuntimeBytes(randomRuntimeBytes(t, 0), t, "x")]]);
      const fails = async (why: RegExp, more: Partial<BoardOptions> = {}) => {
        const all = async () => {
          const board = await connectBoard({ ...options, ...more });
          try {
            await runBoard(pair, feeds, board, false);
          } finally {
            board.close();
          }
        };
        await rejects(all, (e: unknown) => {
          ok(e instanceof BpuError, String(e));
          match(e.sentence(), why);
          ok(!e.sentence().includes("\n"));
          return true;
        });
      };
      try {
        await fails(/refused the login/, { privateKeys: [text("other_key")] });
        await fails(/shows another host key than known_hosts has/, {
          knownHosts: text("changed_hosts"),
        });
        await fails(/is not in known_hosts\. Log in once with: ssh -p \d+ /, { knownHosts: "" });
        // Nobody listens on port 1 of loopback.
        await fails(/there is no ssh server at this address/, { port: 1 });
        await fails(/hrt_model_exec is not installed on the board/);
        const exec = `${dir}/bin/hrt_model_exec`;
        await script(exec, "echo noise >&2; echo 'ERROR the model is broken' >&2; exit 5");
        await fails(/failed on the board \(exit 5\): ERROR the model is broken/);
        await script(exec, "exit 0");
        await fails(/the board has no file model_infer_output_0_y\.bin/);
        await script(
          exec,
          'for a in "$@"; do case $a in --dump_path=*) d=${a#*=};; esac; done\n' +
            "echo short > $d/model_infer_output_0_y.bin",
        );
        await fails(/model_infer_output_0_y\.bin has 6 bytes, float32 1x5x8x8 needs 1280/);
        await script(exec, "exec sleep 10");
        await fails(/did not finish 'mkdir' within 2 s/, { timeout: 2000 });
        // Cuts the model only: start-up files of the login shell may use cat as well.
        await script(
          `${dir}/bin/cat`,
          'case "$(readlink /proc/$$/fd/1)" in */model.bin) exec head -c 100;; esac\n' +
            'exec /bin/cat "$@"',
        );
        await fails(/model\.bin did not arrive whole on the board: 100 of \d+ bytes/);
      } finally {
        await server.stop();
      }
    });
  },
});
