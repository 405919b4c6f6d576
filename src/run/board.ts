/**
 * A board that is reached over ssh: commands, files up and down. Only `sh`, `cat` and `wc` are expected
 * there, so that small systems without an SFTP server do as well.
 *
 * @module
 */

import { loadSsh2 } from "../deps.ts";
import { BpuError } from "../errors.ts";
import { hostName, knownKeys } from "./known_hosts.ts";

/** Where the board is and how to log in. */
export interface BoardOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  /** Texts of private keys, tried in order before the password. Those that cannot be read are skipped. */
  readonly privateKeys?: readonly string[];
  /** Text of the known_hosts file that must hold the board's key. */
  readonly knownHosts: string;
  /** Milliseconds for the connection and for each command. */
  readonly timeout: number;
}

/** What a command gave. */
export interface Executed {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** A connected board. */
export interface Board {
  /** Runs a shell command. Throws BpuError("runtime") on a timeout or a broken connection. */
  exec(command: string, stdin?: Uint8Array): Promise<Executed>;
  /** Writes a file and checks its size there. */
  upload(path: string, bytes: Uint8Array): Promise<void>;
  /** Reads a file and checks that all of it came. */
  download(path: string): Promise<Uint8Array>;
  close(): void;
}

/** The part of ssh2 that is used. */
interface Channel {
  on(event: "data", listener: (data: Uint8Array) => void): Channel;
  on(event: "exit", listener: (code: number | null) => void): Channel;
  on(event: "close" | "error", listener: (error?: Error) => void): Channel;
  readonly stderr: { on(event: "data", listener: (data: Uint8Array) => void): void };
  end(data?: Uint8Array): void;
}
interface SshError extends Error {
  readonly level?: string;
  readonly code?: string;
}
interface SshClient {
  on(event: "ready" | "close", listener: () => void): SshClient;
  on(event: "error", listener: (error: SshError) => void): SshClient;
  connect(config: unknown): void;
  exec(command: string, done: (error: Error | undefined, channel: Channel) => void): boolean;
  end(): void;
  destroy(): void;
}
interface Ssh2 {
  readonly Client: new () => SshClient;
  readonly utils: { parseKey(text: string): unknown };
}

/** A word for the shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const algorithms: Readonly<Record<string, readonly string[]>> = {
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
}

function connectError(error: SshError, o: BoardOptions): BpuError {
  const at = `${o.host}:${o.port}`;
  const fail = (message: string, hint: string) =>
    new BpuError("runtime", message, { hint, cause: error });
  if (error.name === "NotCapable" || /allow-net/.test(error.message)) {
    return fail(`Deno was not allowed to connect to ${at}`, `Add --allow-net=${at}.`);
  }
  if (error.level === "client-authentication") {
    return fail(
      `the board ${at} refused the login of ${o.user}`,
      "Check -u and -p, or give a key with --identity.",
    );
  }
  if (error.level === "client-timeout") {
    return fail(`${at} did not answer as an ssh server in time`, "Check the address of the board.");
  }
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: "there is no ssh server at this address",
    EHOSTUNREACH: "the host cannot be reached",
    ENETUNREACH: "the network cannot be reached",
    ETIMEDOUT: "the host does not answer",
    ENOTFOUND: "the name is not known",
    EAI_AGAIN: "the name is not known",
  };
  const reason = reasons[error.code ?? ""] ?? error.message;
  return fail(
    `the board ${at} cannot be reached: ${reason}`,
    "Check -b, the network and the board's ssh server.",
  );
}

/** What is wrong with the host key that was shown. */
function keyError(o: BoardOptions, known: boolean): BpuError {
  const name = hostName(o.host, o.port);
  if (known) {
    return new BpuError("runtime", `${name} shows another host key than known_hosts has`, {
      hint: "Somebody may be in between; if the board was set up anew, remove its old line.",
    });
  }
  return new BpuError("runtime", `the host key of ${name} is not in known_hosts`, {
    hint: `Log in once with: ssh ${o.port === 22 ? "" : `-p ${o.port} `}${o.user}@${o.host}, and ` +
      "compare the fingerprint.",
  });
}

/**
 * Connects to a board.
 *
 * @throws BpuError("runtime") when the host is unknown, cannot be reached, shows another key than
 * known_hosts has, or refuses the login
 */
export async function connectBoard(o: BoardOptions): Promise<Board> {
  const keys = await knownKeys(o.knownHosts, hostName(o.host, o.port));
  const module = await loadSsh2() as unknown as { default: Ssh2 };
  const { Client, utils } = module.default;
  const client = new Client();
  let wrongKey = false;
  const types = [...new Set(keys.filter((k) => !k.revoked).map((k) => k.type))];
  const auth: unknown[] = [];
  for (const key of o.privateKeys ?? []) {
    if (utils.parseKey(key) instanceof Error) continue;
    auth.push({ type: "publickey", username: o.user, key });
  }
  if (o.password !== undefined) {
    auth.push({ type: "password", username: o.user, password: o.password });
  } else auth.push({ type: "none", username: o.user });
  let broken: BpuError | undefined;
  const waiting = new Set<(error: BpuError) => void>();
  const breakAll = (error: BpuError) => {
    broken ??= error;
    for (const fail of waiting) fail(broken);
    waiting.clear();
  };
  await new Promise<void>((ok, fail) => {
    const timer = setTimeout(() => {
      fail(connectError(Object.assign(new Error("timeout"), { level: "client-timeout" }), o));
      client.destroy();
    }, o.timeout);
    client.on("ready", () => {
      clearTimeout(timer);
      ok();
    });
    client.on("error", (error) => {
      clearTimeout(timer);
      const known = wrongKey ? keyError(o, types.length > 0) : connectError(error, o);
      fail(known);
      breakAll(known);
    });
    client.on("close", () => {
      clearTimeout(timer);
      const known = new BpuError("runtime", `the connection to ${o.host} was closed`);
      fail(known);
      breakAll(known);
    });
    try {
      client.connect({
        host: o.host,
        port: o.port,
        username: o.user,
        readyTimeout: o.timeout,
        keepaliveInterval: 5000,
        authHandler: auth,
        ...(types.length === 0
          ? {}
          : { algorithms: { serverHostKey: types.flatMap((t) => algorithms[t] ?? [t]) } }),
        hostVerifier: (key: Uint8Array) => {
          const shown = base64(key);
          const found = keys.filter((k) =>
            k.base64.replace(/=+$/, "") === shown.replace(/=+$/, "")
          );
          wrongKey = found.length === 0 || found.some((k) => k.revoked);
          return !wrongKey;
        },
      });
    } catch (error) {
      clearTimeout(timer);
      fail(connectError(error instanceof Error ? error : new Error(String(error)), o));
    }
  });

  const exec = (command: string, stdin?: Uint8Array): Promise<Executed> =>
    new Promise((ok, fail) => {
      if (broken !== undefined) return fail(broken);
      waiting.add(fail);
      const timer = setTimeout(() => {
        breakAll(
          new BpuError(
            "runtime",
            `the board did not finish '${command.split(" ")[0]}' within ${o.timeout / 1000} s`,
            { hint: "Give it more time with --timeout." },
          ),
        );
        client.destroy();
      }, o.timeout);
      const settle = (done: () => void) => {
        clearTimeout(timer);
        waiting.delete(fail);
        done();
      };
      client.exec(command, (error, channel) => {
        if (error !== undefined && error !== null) {
          return settle(() => fail(new BpuError("runtime", error.message, { cause: error })));
        }
        const out: Uint8Array[] = [], err: Uint8Array[] = [];
        let code = -1;
        channel.on("data", (d) => out.push(new Uint8Array(d)));
        channel.stderr.on("data", (d) => err.push(new Uint8Array(d)));
        channel.on("exit", (c) => code = c ?? -1);
        // A program that ends before it has read its input breaks the pipe; its exit status says more.
        channel.on("error", () => undefined);
        channel.on(
          "close",
          () =>
            settle(() =>
              ok({ code, stdout: join(out), stderr: new TextDecoder().decode(join(err)).trim() })
            ),
        );
        channel.end(stdin ?? new Uint8Array());
      });
    });
  const size = async (path: string): Promise<number> => {
    const r = await exec(`wc -c < ${quoted(path)}`);
    return r.code === 0 ? Number(new TextDecoder().decode(r.stdout).trim()) : -1;
  };
  const short = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  return {
    exec,
    async upload(path, bytes) {
      const r = await exec(`cat > ${quoted(path)}`, bytes);
      const there = await size(path);
      if (r.code === 0 && there === bytes.length) return;
      throw new BpuError(
        "runtime",
        `${short(path)} did not arrive whole on the board: ${
          Math.max(0, there)
        } of ${bytes.length} bytes${r.stderr === "" ? "" : ` (${r.stderr.split("\n").at(-1)})`}`,
        { hint: "Check the free space on the board." },
      );
    },
    async download(path) {
      const want = await size(path);
      if (want < 0) {
        throw new BpuError("runtime", `the board has no file ${short(path)}`, {
          hint: "Its hrt_model_exec wrote none; run it there by hand.",
        });
      }
      const r = await exec(`cat ${quoted(path)}`);
      if (r.code !== 0 || r.stdout.length !== want) {
        throw new BpuError(
          "runtime",
          `${short(path)} did not come back whole: ${r.stdout.length} of ${want} bytes`,
        );
      }
      return r.stdout;
    },
    close() {
      broken ??= new BpuError("runtime", "the connection was closed");
      client.end();
    },
  };
}
