/**
 * The program of a pool worker, as text: a worker from a blob needs no permission and works when this module comes
 * from a URL. It mirrors `#run` and `#chunk` of threads.ts.
 *
 * @module
 */

/** Polls before a worker without work sleeps: a sleeping one takes some 90 us to wake, a polling one under 1. */
const polls = 20000;

export const workerSource = `
self.onmessage = ({ data: { module, memory, control, words, index, idle } }) => {
  const micro = new WebAssembly.Instance(module, { env: { memory } }).exports;
  const c = new Int32Array(memory.buffer, control, words);
  let seen = Atomics.load(c, 0);
  Atomics.store(c, 16 + index, 2);
  self.postMessage("ready");
  for (;;) {
    let now = Atomics.load(c, 0);
    for (let i = 0; now === seen && i < ${polls}; i++) now = Atomics.load(c, 0);
    if (Atomics.load(c, 10)) return self.close();
    if (now === seen) {
      if (Atomics.wait(c, 0, seen, idle) === "timed-out") {
        Atomics.store(c, 16 + index, 0);
        return self.close();
      }
      continue;
    }
    const generation = now >>> 12;
    let last = -1;
    for (;;) {
      now = Atomics.load(c, 0);
      const k = now & 4095;
      if (now >>> 12 !== generation) break;
      seen = now;
      const chunks = c[2], kind = c[3], block = c[4], perStrip = c[5], size = c[6], all = c[7];
      const scratch = (c[8] >>> 0) + (index + 1) * c[9];
      if (k >= chunks) break;
      if (Atomics.compareExchange(c, 0, now, now + 1) !== now) continue;
      const strip = Math.floor(k / perStrip), from = k % perStrip * size, to = Math.min(all, from + size);
      if (kind === 0) {
        if (strip !== last) micro.denseStrip(block, strip, scratch);
        micro.densePanels(block, strip, scratch, from, to);
        last = strip;
      } else {
        for (let p = from; p < to; p += 4) micro.depthwise(block, strip, p, scratch);
      }
      if (Atomics.add(c, 1, 1) + 1 === chunks) Atomics.notify(c, 1);
    }
  }
};
`;
