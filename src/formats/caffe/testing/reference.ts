/**
 * What Caffe's layers compute, as plain loops over indices in double precision. It shares nothing with
 * the converters: the tests hold the converted graphs against it.
 *
 * @module
 */

/** An array of numbers with a shape. */
export interface Arr {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function arr(shape: readonly number[], data?: ArrayLike<number>): Arr {
  return {
    shape,
    data: data === undefined ? new Float64Array(count(shape)) : Float64Array.from(data),
  };
}

function offset(shape: readonly number[], index: readonly number[]): number {
  let at = 0;
  for (let i = 0; i < shape.length; i++) at = at * shape[i]! + index[i]!;
  return at;
}

/** Calls `f` with every index of a shape. */
export function each(shape: readonly number[], f: (index: number[]) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  for (let n = count(shape); n > 0; n--) {
    f(index);
    for (let i = shape.length - 1; i >= 0; i--) {
      if (++index[i]! < shape[i]!) break;
      index[i] = 0;
    }
  }
}

export const at = (a: Arr, ...index: number[]): number => a.data[offset(a.shape, index)]!;

/** A new array from a function of the index. */
export function build(shape: readonly number[], f: (...index: number[]) => number): Arr {
  const out = arr(shape);
  each(shape, (i) => out.data[offset(shape, i)] = f(...i));
  return out;
}

export const map = (a: Arr, f: (v: number) => number): Arr => arr(a.shape, a.data.map(f));

export interface ConvParams {
  readonly stride: readonly number[];
  readonly pad: readonly number[];
  readonly dilation: readonly number[];
  readonly group: number;
}

/** Convolution of N x C x spatial with out x C/group x kernel. */
export function conv(x: Arr, w: Arr, b: Arr | undefined, p: ConvParams): Arr {
  const [n, c, ...size] = x.shape as [number, number, ...number[]];
  const [outputs, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
  const out = size.map((d, i) =>
    Math.floor((d + 2 * p.pad[i]! - (p.dilation[i]! * (kernel[i]! - 1) + 1)) / p.stride[i]!) + 1
  );
  const result = build([n, outputs, ...out], (_n, o) => b?.data[o] ?? 0);
  each([n, outputs, ...out], ([bn, o, ...pos]) => {
    const g = Math.floor(o! / (outputs / p.group));
    let sum = 0;
    each([perGroup, ...kernel], ([ci, ...k]) => {
      const place = pos.map((q, i) => q * p.stride[i]! - p.pad[i]! + k[i]! * p.dilation[i]!);
      if (place.some((q, i) => q < 0 || q >= size[i]!)) return;
      sum += at(x, bn!, g * (c / p.group) + ci!, ...place) * at(w, o!, ci!, ...k);
    });
    result.data[offset(result.shape, [bn!, o!, ...pos])]! += sum;
  });
  return result;
}

/** Deconvolution: every input value adds its kernel to the output. */
export function deconv(x: Arr, w: Arr, b: Arr | undefined, p: ConvParams): Arr {
  const [n, c, ...size] = x.shape as [number, number, ...number[]];
  const [, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
  const out = size.map((d, i) =>
    p.stride[i]! * (d - 1) + p.dilation[i]! * (kernel[i]! - 1) + 1 - 2 * p.pad[i]!
  );
  const result = build([n, perGroup * p.group, ...out], (_n, o) => b?.data[o] ?? 0);
  each(x.shape, ([bn, ci, ...pos]) => {
    const g = Math.floor(ci! / (c / p.group));
    each([perGroup, ...kernel], ([o, ...k]) => {
      const place = pos.map((q, i) => q * p.stride[i]! - p.pad[i]! + k[i]! * p.dilation[i]!);
      if (place.some((q, i) => q < 0 || q >= out[i]!)) return;
      result.data[offset(result.shape, [bn!, g * perGroup + o!, ...place])]! +=
        at(x, bn!, ci!, ...pos) * at(w, ci!, o!, ...k);
    });
  });
  return result;
}

export interface PoolParams {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pad: readonly [number, number];
  readonly floor?: boolean;
}

/** Size of a pooled axis: rounded up, and no window that starts behind the input and its pad. */
export function pooledSize(size: number, p: PoolParams, i: 0 | 1): number {
  const steps = (size + 2 * p.pad[i] - p.kernel[i]) / p.stride[i];
  let out = (p.floor ? Math.floor(steps) : Math.ceil(steps)) + 1;
  if ((p.pad[0] || p.pad[1]) && (out - 1) * p.stride[i] >= size + p.pad[i]) out--;
  return out;
}

export function pool(x: Arr, method: "max" | "ave" | "mask", p: PoolParams): Arr {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  return build([n, c, pooledSize(h, p, 0), pooledSize(w, p, 1)], (bn, bc, py, px) => {
    let [y0, x0] = [py * p.stride[0] - p.pad[0], px * p.stride[1] - p.pad[1]];
    let [y1, x1] = [
      Math.min(y0 + p.kernel[0], h + p.pad[0]),
      Math.min(x0 + p.kernel[1], w + p.pad[1]),
    ];
    const area = (y1 - y0) * (x1 - x0);
    [y0, x0, y1, x1] = [Math.max(y0, 0), Math.max(x0, 0), Math.min(y1, h), Math.min(x1, w)];
    let [best, index, sum] = [-Infinity, -1, 0];
    for (let y = y0; y < y1; y++) {
      for (let xx = x0; xx < x1; xx++) {
        const v = at(x, bn, bc, y, xx);
        sum += v;
        if (v > best) [best, index] = [v, y * w + xx];
      }
    }
    return method === "max" ? best : method === "mask" ? index : sum / area;
  });
}

/** LRN across channels. */
export function lrnAcross(x: Arr, size: number, alpha: number, beta: number, k: number): Arr {
  const c = x.shape[1]!;
  return build(x.shape, (n, ch, y, xx) => {
    let sum = 0;
    for (let i = ch - (size - 1) / 2; i <= ch + (size - 1) / 2; i++) {
      if (i >= 0 && i < c) sum += at(x, n, i, y, xx) ** 2;
    }
    return at(x, n, ch, y, xx) * (k + alpha / size * sum) ** -beta;
  });
}

/** LRN within a channel: squares, average pooling, power, product. */
export function lrnWithin(x: Arr, size: number, alpha: number, beta: number): Arr {
  const pad = (size - 1) / 2;
  const mean = pool(map(x, (v) => v * v), "ave", {
    kernel: [size, size],
    stride: [1, 1],
    pad: [pad, pad],
  });
  return arr(x.shape, x.data.map((v, i) => v * (1 + alpha * mean.data[i]!) ** -beta));
}

/** InnerProduct over everything from `axis` on. */
export function innerProduct(
  x: Arr,
  w: Arr,
  b: Arr | undefined,
  axis: number,
  transpose: boolean,
): Arr {
  const lead = x.shape.slice(0, axis);
  const depth = count(x.shape.slice(axis));
  const outputs = w.shape[transpose ? 1 : 0]!;
  const rows = count(lead);
  const out = arr([...lead, outputs]);
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outputs; o++) {
      let sum = b?.data[o] ?? 0;
      for (let i = 0; i < depth; i++) {
        sum += x.data[r * depth + i]! * w.data[transpose ? i * outputs + o : o * depth + i]!;
      }
      out.data[r * outputs + o] = sum;
    }
  }
  return out;
}

export function softmax(x: Arr, axis: number): Arr {
  return build(x.shape, (...index) => {
    const along = Array.from(
      { length: x.shape[axis]! },
      (_, i) => Math.exp(at(x, ...index.with(axis, i))),
    );
    return along[index[axis]!]! / along.reduce((a, b) => a + b, 0);
  });
}

/** `b` repeated along the axes of `x` that it does not cover; it starts at `axis`. */
export function broadcast(x: Arr, b: Arr, axis: number): Arr {
  return build(x.shape, (...i) => at(b, ...i.slice(axis, axis + b.shape.length)));
}

export const zip = (a: Arr, b: Arr, f: (a: number, b: number) => number): Arr =>
  arr(a.shape, a.data.map((v, i) => f(v, b.data[i]!)));

/** Darknet's reorg as its loop walks memory. */
export function reorg(x: Arr, stride: number, reverse: boolean): Arr {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const outC = c / stride ** 2;
  const out = arr(
    reverse ? [n, outC, h * stride, w * stride] : [n, c * stride ** 2, h / stride, w / stride],
  );
  each(x.shape, ([b, k, j, i]) => {
    const here = i! + w * (j! + h * (k! + c * b!));
    const part = Math.floor(k! / outC);
    const x2 = i! * stride + part % stride;
    const y2 = j! * stride + Math.floor(part / stride);
    const there = x2 + w * stride * (y2 + h * stride * (k! % outC + outC * b!));
    if (reverse) out.data[there] = x.data[here]!;
    else out.data[here] = x.data[there]!;
  });
  return out;
}

/** One LSTM over T x N x I with Caffe's gates i, f, o, g; the marker resets the state. */
export function lstm(
  x: Arr,
  cont: Arr,
  w: { wx: Arr; b: Arr; ws?: Arr; wh: Arr },
  stat?: Arr,
  h0?: Arr,
  c0?: Arr,
): { y: Arr; h: Arr; c: Arr } {
  const [t, n] = x.shape as [number, number];
  const depth = count(x.shape.slice(2));
  const hidden = w.wh.shape[1]!;
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  const y = arr([t, n, hidden]);
  let h = h0?.data.slice() ?? new Float64Array(n * hidden);
  let c = c0?.data.slice() ?? new Float64Array(n * hidden);
  for (let s = 0; s < t; s++) {
    const [nh, nc] = [new Float64Array(n * hidden), new Float64Array(n * hidden)];
    for (let b = 0; b < n; b++) {
      const mark = at(cont, s, b);
      const gate = (g: number, k: number): number => {
        const row = g * hidden + k;
        let sum = w.b.data[row]!;
        for (let i = 0; i < depth; i++) sum += x.data[(s * n + b) * depth + i]! * at(w.wx, row, i);
        for (let i = 0; i < hidden; i++) sum += mark * h[b * hidden + i]! * at(w.wh, row, i);
        if (stat !== undefined) {
          const width = w.ws!.shape[1]!;
          for (let i = 0; i < width; i++) sum += stat.data[b * width + i]! * at(w.ws!, row, i);
        }
        return sum;
      };
      for (let k = 0; k < hidden; k++) {
        const cell = mark * sigmoid(gate(1, k)) * c[b * hidden + k]! +
          sigmoid(gate(0, k)) * Math.tanh(gate(3, k));
        nc[b * hidden + k] = cell;
        nh[b * hidden + k] = sigmoid(gate(2, k)) * Math.tanh(cell);
      }
    }
    [h, c] = [nh, nc];
    y.data.set(h, s * n * hidden);
  }
  return { y, h: arr([1, n, hidden], h), c: arr([1, n, hidden], c) };
}

/** R-FCN's position-sensitive average in each bin of each box. */
export function psroi(x: Arr, rois: Arr, scale: number, dim: number, g: number): Arr {
  const [, , h, w] = x.shape as [number, number, number, number];
  return build([rois.shape[0]!, dim, g, g], (r, o, py, px) => {
    const box = [1, 2, 3, 4].map((i) => Math.round(rois.data[r * 5 + i]!));
    const [x1, y1] = [box[0]! * scale, box[1]! * scale];
    const [bw, bh] = [
      Math.max((box[2]! + 1) * scale - x1, 0.1) / g,
      Math.max((box[3]! + 1) * scale - y1, 0.1) / g,
    ];
    const clip = (v: number, most: number): number => Math.min(Math.max(v, 0), most);
    const [ya, yb] = [clip(Math.floor(py * bh + y1), h), clip(Math.ceil((py + 1) * bh + y1), h)];
    const [xa, xb] = [clip(Math.floor(px * bw + x1), w), clip(Math.ceil((px + 1) * bw + x1), w)];
    let sum = 0;
    for (let yy = ya; yy < yb; yy++) {
      for (let xx = xa; xx < xb; xx++) {
        sum += at(x, rois.data[r * 5]!, (o * g + py) * g + px, yy, xx);
      }
    }
    return yb <= ya || xb <= xa ? 0 : sum / ((yb - ya) * (xb - xa));
  });
}

/** Fast R-CNN's maximum in each bin of each box; an empty bin is 0. */
export function roi(x: Arr, rois: Arr, scale: number, ph: number, pw: number): Arr {
  const [, c, h, w] = x.shape as [number, number, number, number];
  return build([rois.shape[0]!, c, ph, pw], (r, ch, py, px) => {
    const [x1, y1, x2, y2] = [1, 2, 3, 4].map((i) => Math.round(rois.data[r * 5 + i]! * scale)) as [
      number,
      number,
      number,
      number,
    ];
    const [bh, bw] = [Math.max(y2 - y1 + 1, 1) / ph, Math.max(x2 - x1 + 1, 1) / pw];
    const clip = (v: number, most: number): number => Math.min(Math.max(v, 0), most);
    const [ya, yb] = [clip(Math.floor(py * bh) + y1, h), clip(Math.ceil((py + 1) * bh) + y1, h)];
    const [xa, xb] = [clip(Math.floor(px * bw) + x1, w), clip(Math.ceil((px + 1) * bw) + x1, w)];
    let best = yb <= ya || xb <= xa ? 0 : -Infinity;
    for (let yy = ya; yy < yb; yy++) {
      for (let xx = xa; xx < xb; xx++) best = Math.max(best, at(x, rois.data[r * 5]!, ch, yy, xx));
    }
    return best;
  });
}
