/**
 * A real OpenSSH server on loopback that plays the board in tests.
 *
 * @module
 */

import { equal, ok } from "node:assert/strict";

const sshd = "/usr/sbin/sshd";
/** Why there can be no server; undefined when there can. */
export const missing: string | undefined = (() => {
  try {
    for (const f of [sshd, "/usr/bin/ssh-keygen"]) Deno.statSync(f);
    return undefined;
  } catch {
    return "OpenSSH server is not installed";
  }
})();

async function sh(command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    stdout: "piped",
    stderr: "piped",
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** A running server. */
export interface BoardServer {
  readonly port: number;
  readonly user: string;
  stop(): Promise<void>;
}

/**
 * An sshd on loopback. HOME is `dir`, so that no start-up file of the user runs with the PATH that
 * a test manipulates. PATH begins with `dir/bin`.
 */
export async function startBoard(dir: string): Promise<BoardServer> {
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
SetEnv HOME=${dir} PATH=${dir}/bin:/usr/bin:/bin DENO_DIR=${
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

/** An executable shell script. */
export async function script(path: string, text: string): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`);
  await Deno.chmod(path, 0o755);
}
