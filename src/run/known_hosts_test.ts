import { deepStrictEqual as equal } from "node:assert/strict";
import { hostName, knownKeys } from "./known_hosts.ts";

const type = "ssh-ed25519";

Deno.test("known_hosts: names, ports, patterns, hashes, revoked keys", async () => {
  const salt = btoa("0123456789abcdefghij");
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode("0123456789abcdefghij"),
    { name: "HMAC", hash: "SHA-1" },
    false,
    ["sign"],
  );
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode("board.local"));
  const hash = btoa(String.fromCharCode(...new Uint8Array(mac)));
  const text = `# comment
board.local,192.168.1.10 ${type} AAAA1 me@here
[board.local]:2222 ${type} AAAA2
192.168.*.1?,!192.168.2.* ${type} AAAA3
|1|${salt}|${hash} ${type} AAAA4
@revoked board.local ${type} AAAA5
@cert-authority * ${type} AAAA6
broken line
`;
  const of = async (host: string, port = 22) =>
    (await knownKeys(text, hostName(host, port))).map((k) => k.base64 + (k.revoked ? "!" : ""));
  equal(await of("board.local"), ["AAAA1", "AAAA4", "AAAA5!"]);
  equal(await of("BOARD.local"), ["AAAA1", "AAAA4", "AAAA5!"]);
  equal(await of("board.local", 2222), ["AAAA2"]);
  equal(await of("192.168.1.10"), ["AAAA1", "AAAA3"]);
  equal(await of("192.168.2.10"), []);
  equal(await of("other"), []);
});
