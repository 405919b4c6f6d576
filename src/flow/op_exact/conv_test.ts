/** Convolutions. */

import { attr, HORIZON, node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { f32 } from "../../ir/tensor.ts";
import { exact } from "./harness.ts";
import type { Case, Random } from "./harness.ts";

function convCase(r: Random): Case {
  const depthwise = r.next() < 0.3;
  const group = depthwise ? r.int(2, 17) : r.pick(1, 1, 2, 3);
  const inPer = depthwise ? 1 : r.int(1, 7), outPer = r.int(1, 9);
  const [kh, kw] = [r.int(1, 4), r.int(1, 4)];
  const d = r.pick(1, 1, 2);
  const extent = Math.max(kh, kw) * d;
  const h = extent + d * r.int(0, 5), w = extent + d * r.int(0, 5);
  // bayes: the input must be a multiple of the dilation, and dilated kernels have stride 1.
  const [H, W] = [Math.ceil(h / d) * d, Math.ceil(w / d) * d];
  const stride = d > 1 ? 1 : r.pick(1, 1, 2, 3);
  const activation = r.pick("none", "Relu", "Clip");
  const constants: Record<string, Tensor> = {
    w: r.values([group * outPer, inPer, kh, kw], 2 ** r.int(-6, 3)),
  };
  if (r.next() < 0.7) constants["b"] = r.values([group * outPer], 2 ** r.int(-4, 4));
  const ins = ["x0", ...Object.keys(constants)];
  const nodes = [
    node("Conv", "n", ins, [activation === "none" ? "y" : "c"], {
      group: attr.int(group),
      strides: attr.ints([stride, r.pick(stride, 1)]),
      dilations: attr.ints([d, d]),
      pads: attr.ints([r.int(0, kh - 1), r.int(0, kw - 1), r.int(0, kh - 1), r.int(0, kw - 1)]),
    }),
  ];
  if (activation === "Relu") nodes.push(node("Relu", "a", ["c"], ["y"]));
  if (activation === "Clip") {
    constants["lo"] = f32([], [r.pick(0, -1)]);
    constants["hi"] = f32([], [r.pick(1, 6)]);
    nodes.push(node("Clip", "a", ["c", "lo", "hi"], ["y"]));
  }
  return { inputs: [[r.int(1, 2), group * inPer, H, W]], constants, nodes };
}

/** A convolution whose result stays int8: a table behind it reads integers. */
function convThenTable(r: Random): Case {
  const c = convCase(r);
  const last = c.nodes[c.nodes.length - 1]!;
  const nodes = [
    ...c.nodes.slice(0, -1),
    { ...last, outputs: ["t"] },
    node("Sigmoid", "table", ["t"], ["y"]),
  ];
  return { ...c, nodes };
}

/** Sums beyond 2^24: the float32 form of the function body would not be exact. */
function deepConv(r: Random): Case {
  const [inC, outC] = [r.int(1050, 1400), r.int(1, 5)];
  const w = r.values([outC, inC, 1, 1]);
  const data = Float32Array.from(w.data as Float32Array, (v) => Math.sign(v));
  const plain = r.next() < 0.5;
  const nodes = [node("Conv", "n", ["x0", "w"], [plain ? "y" : "t"])];
  if (!plain) nodes.push(node("Sigmoid", "table", ["t"], ["y"]));
  return { inputs: [[1, inC, 2, 3]], constants: { w: { ...w, data } }, nodes };
}

function transposedCase(r: Random): Case {
  const group = r.pick(1, 1, 2, 3, 5);
  const inPer = r.int(1, 6), outPer = group === 5 ? 1 : r.int(1, 7);
  const k = [r.int(1, 5), r.int(1, 5)], strides = [r.int(1, 3), r.int(1, 3)];
  const pad = (i: number) => r.int(0, Math.min(k[i]! - 1, 2));
  const size = [r.int(2, 6), r.int(2, 6)];
  const fixed = r.next() < 0.2;
  const constants: Record<string, Tensor> = {
    w: r.values([group * inPer, outPer, k[0]!, k[1]!], 2 ** r.int(-6, 3)),
  };
  if (r.next() < 0.7) constants["b"] = r.values([group * outPer], 2 ** r.int(-4, 4));
  const int8 = r.next() < 0.6;
  const nodes = [
    node("ConvTranspose", "n", ["x0", ...Object.keys(constants)], [int8 ? "t" : "y"], {
      group: attr.int(group),
      strides: attr.ints(strides),
      ...(fixed
        ? {
          auto_pad: attr.string(r.pick("SAME_UPPER", "SAME_LOWER")),
          output_shape: attr.ints(size.map((d, i) => strides[i]! * (d - 1) + r.int(1, k[i]!))),
        }
        : {
          pads: attr.ints([pad(0), pad(1), pad(0), pad(1)]),
          output_padding: attr.ints(strides.map((s) => r.int(0, s - 1))),
        }),
    }),
  ];
  if (int8) nodes.push(node(r.pick("Relu", "Sigmoid"), "a", ["t"], ["y"]));
  return { inputs: [[r.int(1, 2), group * inPer, ...size]], constants, nodes };
}

/** Sums beyond 2^24. */
function deepTransposed(r: Random): Case {
  const [inC, outC] = [r.int(1050, 1200), r.int(1, 3)];
  const w = r.values([inC, outC, 2, 1]);
  const data = Float32Array.from(w.data as Float32Array, (v) => Math.sign(v));
  const nodes = [
    node("ConvTranspose", "n", ["x0", "w"], ["t"], {
      strides: attr.ints([2, 1]),
      pads: attr.ints([r.int(0, 1), 0, 0, 0]),
      output_padding: attr.ints([r.int(0, 1), 0]),
    }),
    node(r.pick("Sigmoid", "Identity"), "table", ["t"], ["y"]),
  ].slice(0, r.pick(1, 2));
  const last = nodes[nodes.length - 1]!;
  if (nodes.length === 1 || last.op === "Identity") {
    return {
      inputs: [[1, inC, 2, 3]],
      constants: { w: { ...w, data } },
      nodes: [{ ...nodes[0]!, outputs: ["y"] }],
    };
  }
  return { inputs: [[1, inC, 2, 3]], constants: { w: { ...w, data } }, nodes };
}

/** Colour conversion and normalisation of a picture, whose result mostly has one sign. */
function preprocess(r: Random): Case {
  const constants = {
    w: r.values([3, 3, 1, 1], 0.02),
    b: f32([3], [0, 0, 0].map(() => r.pick(0, 2.5))),
  };
  return {
    inputs: [[r.int(1, 2), 3, r.int(2, 9), r.int(2, 9)]],
    constants,
    nodes: [
      node("HzPreprocess", "n", ["x0", "w", "b"], ["t"], {}, HORIZON),
      node("Relu", "a", ["t"], ["y"]),
    ],
  };
}

exact("Conv", convCase);
exact("HzPreprocess", preprocess, { feed: (r, _, shape) => r.values(shape, 128) });
exact("Conv, int8 out", convThenTable);
exact("Conv, more than 1024 taps", deepConv, { cases: 36 });
exact("ConvTranspose", transposedCase, { cases: 48 });
exact("ConvTranspose, sums beyond 2^24", deepTransposed);

function conv3dCase(r: Random): Case {
  const k = [r.int(1, 3), r.int(1, 3), r.int(1, 3)];
  const stride = r.int(1, 2);
  const c = r.int(1, 5), o = r.int(1, 6);
  const constants: Record<string, Tensor> = { w: r.values([o, c, ...k], 2 ** r.int(-4, 2)) };
  if (r.next() < 0.7) constants["b"] = r.values([o]);
  const pads = () => k.map((d) => r.int(0, d - 1));
  const int8 = r.next() < 0.5;
  const nodes = [
    node("Conv", "n", ["x0", ...Object.keys(constants)], [int8 ? "t" : "y"], {
      strides: attr.ints([r.int(1, 2), stride, stride]),
      pads: attr.ints([...pads(), ...pads()]),
    }),
  ];
  if (int8) nodes.push(node("Relu", "a", ["t"], ["y"]));
  return { inputs: [[r.int(1, 2), c, r.int(3, 5), r.int(3, 6), r.int(3, 6)]], constants, nodes };
}
exact("Conv of rank 5", conv3dCase, { cases: 36 });
exact("Conv of rank 5, sums beyond 2^24", (r) => {
  const w = r.values([2, 700, 2, 1, 1]);
  const data = Float32Array.from(w.data as Float32Array, (v) => Math.sign(v));
  const nodes = [node("Conv", "n", ["x0", "w"], ["t"]), node("Relu", "a", ["t"], ["y"])];
  return {
    inputs: [[1, 700, 2, 2, 2]],
    constants: { w: { ...w, data } },
    nodes: r.next() < 0.5 ? nodes : [{ ...nodes[0]!, outputs: ["y"] }],
  };
}, { cases: 18 });

exact("Conv with computed weights", (r) => {
  const group = r.pick(1, 1, 2), depthwise = r.next() < 0.4;
  const inC = depthwise ? r.int(1, 6) : group * r.int(1, 5);
  const outC = depthwise ? inC : group * r.int(1, 4);
  const k = [r.int(1, 4), r.int(1, 4)];
  const x = [r.int(1, 2), inC, r.int(5, 9), r.int(5, 9)];
  const bias = r.next() < 0.3;
  const constants: Record<string, Tensor> = bias ? { b: r.values([outC]) } : {};
  return {
    inputs: [x, [outC, depthwise ? 1 : inC / group, ...k]],
    constants,
    nodes: [node("Conv", "n", bias ? ["x0", "x1", "b"] : ["x0", "x1"], ["y"], {
      kernel_shape: attr.ints(k),
      pads: attr.ints([r.int(0, 1), 0, 0, r.int(0, 1)]),
      strides: attr.ints([r.int(1, 2), r.int(1, 2)]),
      group: attr.int(depthwise ? inC : group),
    })],
  };
}, { cases: 36, feed: (r, _, shape) => r.values(shape) });
