/**
 * OpenSSH's `known_hosts`: which keys a host may show.
 *
 * @module
 */

/** A key that a host is known by. */
export interface KnownKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, ... */
  readonly type: string;
  readonly base64: string;
  readonly revoked: boolean;
}

/** `host` for port 22, `[host]:port` for any other. */
export function hostName(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

function base64Bytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Whether a hashed name (`|1|salt|hash`) is this host. */
async function hashed(entry: string, name: string): Promise<boolean> {
  const [, kind, salt, hash] = entry.split("|");
  const key = base64Bytes(salt ?? ""), want = base64Bytes(hash ?? "");
  if (kind !== "1" || key === undefined || want === undefined || key.length === 0) return false;
  const hmac = { name: "HMAC", hash: "SHA-1" };
  const secret = await crypto.subtle.importKey("raw", key, hmac, false, ["sign"]);
  const have = new Uint8Array(
    await crypto.subtle.sign("HMAC", secret, new TextEncoder().encode(name)),
  );
  return have.length === want.length && have.every((b, i) => b === want[i]);
}

/** Whether a pattern with `*` and `?` matches a whole name. No backtracking over what is matched. */
function matches(pattern: string, name: string): boolean {
  let p = 0, n = 0, star = -1, mark = 0;
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p++;
      mark = n;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++mark;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/**
 * The keys of a host in the text of a known_hosts file. Certificate authorities are left out.
 *
 * @param name from {@linkcode hostName}
 */
export async function knownKeys(text: string, name: string): Promise<KnownKey[]> {
  const keys: KnownKey[] = [];
  const wanted = name.toLowerCase();
  for (const raw of text.split("\n")) {
    const words = raw.trim().split(/\s+/);
    if (words[0] === "" || words[0]!.startsWith("#")) continue;
    const marker = words[0]!.startsWith("@") ? words.shift() : undefined;
    const [hosts, type, base64] = words;
    if (hosts === undefined || type === undefined || base64 === undefined) continue;
    if (marker === "@cert-authority") continue;
    let found = false, refused = false;
    for (const h of hosts.split(",")) {
      if (h.startsWith("|")) found ||= await hashed(h, wanted);
      else if (h.startsWith("!")) refused ||= matches(h.slice(1).toLowerCase(), wanted);
      else found ||= matches(h.toLowerCase(), wanted);
    }
    if (found && !refused) keys.push({ type, base64, revoked: marker === "@revoked" });
  }
  return keys;
}
