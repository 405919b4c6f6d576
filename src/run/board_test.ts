import { deepStrictEqual as equal, rejects } from "node:assert/strict";
import { loadSsh2 } from "../deps.ts";
import { connectBoard, quoted } from "./board.ts";
import type { BoardOptions } from "./board.ts";

/** What the test uses of ssh2's server. */
interface Stream {
  on(event: "data" | "end", listener: (data: Uint8Array) => void): Stream;
  write(data: Uint8Array | string): void;
  exit(code: number): void;
  end(): void;
}
interface Peer {
  on(event: string, listener: (...args: never[]) => unknown): Peer;
  end(): void;
}
interface Login {
  readonly method: string;
  readonly password?: string;
  accept(): void;
  reject(methods: string[]): void;
}
interface Listener {
  listen(port: number, host: string, done: () => void): void;
  address(): { port: number };
  close(): void;
}
interface Ssh2Server {
  readonly Server: new (config: unknown, connected: (peer: Peer) => void) => Listener;
  readonly utils: { generateKeyPairSync(type: string): { private: string; public: string } };
}

/** A server with one password; each command is answered by `run`. */
async function withServer(
  run: (command: string, stream: Stream, peer: Peer) => void,
  body: (o: BoardOptions) => Promise<void>,
): Promise<void> {
  const { Server, utils } = (await loadSsh2() as unknown as { default: Ssh2Server }).default;
  const key = utils.generateKeyPairSync("ed25519");
  const server = new Server({ hostKeys: [key.private] }, (peer) => {
    peer.on("error", () => undefined);
    peer.on("authentication", (login: Login) => {
      if (login.method === "password" && login.password === "right") login.accept();
      else login.reject(["password"]);
    });
    peer.on("session", (accept: () => Peer) => {
      accept().on("exec", (take: () => Stream, _refuse: unknown, info: { command: string }) => {
        run(info.command, take(), peer);
      });
    });
  });
  await new Promise<void>((ok) => server.listen(0, "127.0.0.1", ok));
  const { port } = server.address();
  try {
    await body({
      host: "127.0.0.1",
      port,
      user: "root",
      password: "right",
      knownHosts: `[127.0.0.1]:${port} ${key.public}\n`,
      timeout: 20_000,
    });
  } finally {
    server.close();
  }
}

Deno.test("a board takes a password, files go up and come down whole", async () => {
  const files = new Map<string, Uint8Array>();
  const answer = (command: string, stream: Stream) => {
    const path = /'([^']*)'/.exec(command)?.[1] ?? "";
    const parts: number[] = [];
    stream.on("data", (d) => parts.push(...d));
    stream.on("end", () => {
      const have = files.get(path);
      if (command.startsWith("cat >")) files.set(path, Uint8Array.from(parts));
      else if (command.startsWith("wc") && have !== undefined) stream.write(`  ${have.length}\n`);
      else if (have !== undefined) stream.write(have);
      stream.exit(have === undefined && !command.startsWith("cat >") ? 1 : 0);
      stream.end();
    });
  };
  await withServer(answer, async (o) => {
    await rejects(connectBoard({ ...o, password: "wrong" }), /refused the login of root/);
    const board = await connectBoard(o);
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7);
    await board.upload("/tmp/a b.bin", bytes);
    equal(await board.download("/tmp/a b.bin"), bytes);
    await rejects(board.download("/tmp/none"), /the board has no file none/);
    board.close();
    await rejects(board.exec("true"), /connection was closed/);
  });
});

Deno.test("a connection that breaks while a command runs is one sentence", async () => {
  await withServer((_command, _stream, peer) => peer.end(), async (o) => {
    const board = await connectBoard(o);
    await rejects(board.exec("true"), /the connection to 127\.0\.0\.1 was closed/);
    board.close();
  });
});

Deno.test("words for the shell are quoted", () => {
  equal(quoted("it's $HOME"), `'it'\\''s $HOME'`);
});
