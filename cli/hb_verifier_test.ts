import { deepStrictEqual as equal, match, ok } from "node:assert/strict";
import { makeModel } from "../src/flow/testing.ts";
import { loadOnnx } from "../src/formats/onnx/load.ts";
import { saveOnnx } from "../src/formats/onnx/save.ts";
import { f32 } from "../src/ir/tensor.ts";
import { functionsOf } from "../src/ops/functions.ts";
import { parseAddress } from "./hb_verifier.ts";
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
      /total result num: 320\n.*mismatch rate: 0\.\d+\n.*relative mismatch ratio: 0\.5\n/,
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

Deno.test("addresses of boards", () => {
  equal(parseAddress("10.0.0.2"), { host: "10.0.0.2", port: 22 });
  equal(parseAddress("board.local:2222"), { host: "board.local", port: 2222 });
  equal(parseAddress("[fe80::1]:24"), { host: "fe80::1", port: 24 });
  equal(parseAddress("fe80::1"), { host: "fe80::1", port: 22 });
});

const sshd = "/usr/sbin/sshd";
const missing = (() => {
  try {
    for (const f of [sshd, "/usr/bin/ssh-keygen"]) Deno.statSync(f);
    return undefined;
  } catch {
    return "OpenSSH server is not installed";
  }
})();
if (missing !== undefined) console.log(`hb_verifier on a board: 1 test skipped, ${missing}`);

async function sh(command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    stdout: "piped",
    stderr: "piped",
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** An sshd on loopback whose PATH begins with `dir/bin`; the tool is hrt_model_exec of this project. */
async function startBoard(
  dir: string,
): Promise<{ port: number; user: string; stop(): Promise<void> }> {
  for (const k of ["host", "user", "other"]) {
    await sh("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${dir}/${k}_key`);
  }
  await Deno.copyFile(`${dir}/user_key.pub`, `${dir}/authorized_keys`);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (listener.addr as Deno.NetAddr).port;
  listener.close();
  const user = await sh("/usr/bin/id", "-un");
  if (user === "root") await Deno.mkdir("/run/sshd", { recursive: true });
  await Deno.writeTextFile(
    `${dir}/sshd_config`,
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${dir}/host_key
PidFile none
AuthorizedKeysFile ${dir}/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
LogLevel VERBOSE
SetEnv PATH=${dir}/bin:/usr/bin:/bin DENO_DIR=${
      JSON.parse(
        await sh(Deno.execPath(), "info", "--json"),
      ).denoDir
    }
`,
  );
  const host = (await Deno.readTextFile(`${dir}/host_key.pub`)).split(" ").slice(0, 2).join(" ");
  await Deno.writeTextFile(`${dir}/known_hosts`, `[127.0.0.1]:${port} ${host}\n`);
  const other = (await Deno.readTextFile(`${dir}/other_key.pub`)).split(" ").slice(0, 2).join(" ");
  await Deno.writeTextFile(`${dir}/changed_hosts`, `[127.0.0.1]:${port} ${other}\n`);
  const server = new Deno.Command(sshd, {
    args: ["-D", "-e", "-f", `${dir}/sshd_config`],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  // It says when it listens.
  const reader = server.stderr.getReader();
  let said = "";
  while (!said.includes("Server listening")) {
    const { value, done } = await reader.read();
    ok(!done, `sshd ended: ${said}`);
    said += new TextDecoder().decode(value);
  }
  const drained = (async () => {
    while (!(await reader.read()).done);
  })();
  return {
    port,
    user,
    async stop() {
      server.kill("SIGTERM");
      await server.status;
      await drained;
    },
  };
}

async function script(path: string, text: string): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`);
  await Deno.chmod(path, 0o755);
}

Deno.test({
  name: "hb_verifier on a board: a real OpenSSH server, and what can go wrong",
  ignore: missing !== undefined,
  async fn() {
    await inFolder(await small({ typeRt: "nv12", softmax: true }), async (dir) => {
      const board = await startBoard(dir);
      try {
        const tool = `exec ${Deno.execPath()} run --quiet --no-prompt --allow-read ` +
          `--allow-write=/tmp,${dir} ${
            new URL("hrt_model_exec.ts", import.meta.url).pathname
          } "$@"`;
        await script(`${dir}/bin/hrt_model_exec`, tool);
        const verify = (args: string[], hosts = "known_hosts", port = board.port) =>
          runTool("hb_verifier", [`--allow-read=${dir}`, `--allow-net=127.0.0.1:${port}`], [
            ...["-m", "q.onnx,m.bin", "-b", `127.0.0.1:${port}`, "-u", board.user],
            ...["--known-hosts", hosts, ...args],
          ], dir);
        const key = ["--identity", "user_key"];

        const all = await verify([...key, "-s", "True", "-r", "True"]);
        equal(all.code, 0, all.err);
        for (const pair of ["Quanti.onnx and Sim", "Quanti.onnx and Arm", "Sim and Arm"]) {
          ok(all.out.includes(`${pair} result Strict check PASSED`), all.out);
        }
        match(all.out, /Quanti\.onnx VS Arm: [5-9] tensors of equal name compared, 0 differ/);

        const fails = async (r: ReturnType<typeof verify>, code: number, why: RegExp) => {
          const { code: got, err } = await r;
          match(err, why);
          equal(err.trim().split("\n").length, 1, err);
          equal(got, code);
        };
        const wrongPassword = ["-p", "surely not the password"];
        await fails(
          verify(wrongPassword),
          12,
          /the board .* refused the login of .*Check -u and -p/,
        );
        await fails(verify(["--identity", "other_key"]), 12, /refused the login/);
        await fails(
          verify(key, "changed_hosts"),
          12,
          /shows another host key than known_hosts has/,
        );
        await Deno.writeTextFile(`${dir}/no_hosts`, "");
        await fails(
          verify(key, "no_hosts"),
          12,
          /is not in known_hosts\. Log in once with: ssh -p/,
        );
        await fails(verify(key, "none"), 4, /known_hosts file none does not exist/);
        // Port 1 of loopback: nobody listens there.
        await fails(verify(key, "known_hosts", 1), 12, /there is no ssh server at this address/);

        await script(`${dir}/bin/hrt_model_exec`, "echo 'ERROR the model is broken' >&2; exit 5");
        await fails(verify(key), 12, /failed on the board \(exit 5\): ERROR the model is broken/);
        await script(`${dir}/bin/hrt_model_exec`, "exit 0");
        await fails(verify(key), 12, /the board has no file model_infer_output_0_y\.bin/);
        await script(`${dir}/bin/hrt_model_exec`, "exec sleep 20");
        await fails(verify([...key, "--timeout", "3"]), 12, /did not finish .* within 3 s/);
        await Deno.remove(`${dir}/bin/hrt_model_exec`);
        await fails(verify(key), 12, /hrt_model_exec is not installed on the board/);

        await script(`${dir}/bin/hrt_model_exec`, tool);
        await script(`${dir}/bin/cat`, "exec head -c 100");
        await fails(
          verify(key),
          12,
          /model\.bin did not arrive whole on the board: 100 of \d+ bytes/,
        );
      } finally {
        await board.stop();
      }
    });
  },
});
